/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutMetricData knows no resources; the condition key cloudwatch:namespace is
 * what narrows it (CloudWatch User Guide, "Condition keys to limit access to
 * namespaces").  DescribeServices takes the ARN of a service; ListTasks and
 * DescribeTasks are narrowed by ecs:cluster (Service Authorization Reference,
 * Amazon ECS).
 */
#include "agent/commands/policy_ecs.h"
#include "agent/discover/place.h"
#include "sinks/cloudwatch.h"

static void member(struct jsonw *w, const char *key, struct str value)
{
    jsonw_key(w, key);
    jsonw_text(w, value);
}

static void allow(struct jsonw *w, const char *action, struct str resource)
{
    jsonw_object(w);
    member(w, "Effect", STR("Allow"));
    member(w, "Action", str_of(action));
    member(w, "Resource", resource);
}

/* In a policy $ begins a variable; ${$} is the character (IAM User Guide,
 * "Policy variables"). */
static struct str literal(struct arena *a, struct str text)
{
    struct buf b;
    struct str s;

    buf_init(&b, BUF_NO_LIMIT);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '$')
            buf_addz(&b, "${$}");
        else
            buf_addc(&b, text.ptr[i]);
    }
    s = arena_str(a, buf_str(&b));
    buf_fini(&b);
    return s;
}

static void publish(struct jsonw *w, struct arena *a, struct str namespace)
{
    allow(w, "cloudwatch:PutMetricData", STR("*"));
    jsonw_key(w, "Condition");
    jsonw_object(w);
    jsonw_key(w, "StringEquals");
    jsonw_object(w);
    member(w, "cloudwatch:namespace", literal(a, namespace));
    jsonw_object_end(w);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

/* ---- ECS, where its services are counted or scraped ---- */

static const char *partition(struct str region)
{
    static const struct {
        const char *prefix, *name;
    } all[] = {
        {"cn-", "aws-cn"},         {"us-gov-", "aws-us-gov"},
        {"us-isob-", "aws-iso-b"}, {"us-isof-", "aws-iso-f"},
        {"us-iso-", "aws-iso"},    {"eu-isoe-", "aws-iso-e"},
        {"eusc-", "aws-eusc"},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (str_starts(region, str_of(all[i].prefix)))
            return all[i].name;
    return "aws";
}

struct iam {
    const struct settings *settings;
    struct str region, cluster; /* where nothing else is written */
    struct arena arena;
    struct jsonw json;
};

/* What the task itself tells is not known here: any. */
static struct str or_any(struct str name)
{
    return name.len ? name : STR("*");
}

static bool is_arn(struct str name)
{
    return str_starts(name, STR("arn:"));
}

static struct str arn_start(struct iam *m, const struct ecs_conf *at)
{
    struct str region = at->region[0] ? str_of(at->region) : m->region;

    return arena_printf(&m->arena, "arn:%s:ecs:%.*s:*:", partition(region),
                        STR_ARG(region));
}

static struct str cluster_of(const struct iam *m, const struct ecs_conf *at)
{
    return or_any(at->cluster[0] ? str_of(at->cluster) : m->cluster);
}

/* The last part of an ARN, or the name. */
static struct str last(struct str name)
{
    for (size_t i = name.len; i > 0; i--)
        if (name.ptr[i - 1] == '/')
            return str_from(name, i);
    return name;
}

static struct str service_arn(struct iam *m, const struct ecs_conf *at)
{
    struct str service = or_any(str_of(at->service));

    if (is_arn(service))
        return service;
    return arena_printf(&m->arena, "%.*sservice/%.*s/%.*s",
                        STR_ARG(arn_start(m, at)),
                        STR_ARG(last(cluster_of(m, at))), STR_ARG(service));
}

static void count_workers(struct iam *m)
{
    const struct settings_values *v = &m->settings->values;
    struct jsonw *w = &m->json;
    bool any = false;

    for (size_t i = 0; i < v->capacity_count; i++)
        any |= v->capacity[i].source.ecs != NULL;
    if (!any)
        return;
    jsonw_object(w);
    member(w, "Effect", STR("Allow"));
    member(w, "Action", STR("ecs:DescribeServices"));
    jsonw_key(w, "Resource");
    jsonw_array(w);
    for (size_t i = 0; i < v->capacity_count; i++)
        if (v->capacity[i].source.ecs)
            jsonw_text(w, service_arn(m, &v->capacity[i].source.ecs->at));
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void find_tasks(struct iam *m, const struct ecs_conf *at)
{
    struct jsonw *w = &m->json;
    struct str cluster = cluster_of(m, at);

    jsonw_object(w);
    member(w, "Effect", STR("Allow"));
    jsonw_key(w, "Action");
    jsonw_array(w);
    jsonw_text(w, STR("ecs:ListTasks"));
    jsonw_text(w, STR("ecs:DescribeTasks"));
    jsonw_array_end(w);
    member(w, "Resource", STR("*"));
    jsonw_key(w, "Condition");
    jsonw_object(w);
    jsonw_key(w, "ArnLike");
    jsonw_object(w);
    member(w, "ecs:cluster",
           is_arn(cluster)
               ? cluster
               : arena_printf(&m->arena, "%.*scluster/%.*s",
                              STR_ARG(arn_start(m, at)), STR_ARG(cluster)));
    jsonw_object_end(w);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static void find_targets(struct iam *m, const struct discover_conf *conf)
{
    struct place p;
    struct err err;

    if (conf->ecs)
        find_tasks(m, &conf->ecs->at);
    for (size_t i = 0; i < conf->targets.count; i++)
        if (place_parse(str_of(conf->targets.items[i]), conf, &m->arena, &p,
                        &err) &&
            p.kind == PLACE_ECS)
            find_tasks(m, &p.ecs);
}

static void document(struct iam *m, const struct cloudwatch_conf *sink)
{
    const struct settings_scrape *scrape = &m->settings->values.scrape;
    struct jsonw *w = &m->json;

    jsonw_object(w);
    member(w, "Version", STR("2012-10-17"));
    jsonw_key(w, "Statement");
    jsonw_array(w);
    publish(w, &m->arena, str_of(sink->namespace));
    count_workers(m);
    for (size_t i = 0; i < scrape->jobs_count; i++)
        find_targets(m, &scrape->jobs[i].discover);
    jsonw_array_end(w);
    jsonw_object_end(w);
}

/* ---- as it is wanted ---- */

static void as_template(struct str json, struct buf *out)
{
    struct jsonw w;

    jsonw_init(&w, out, 2);
    jsonw_object(&w);
    member(&w, "AWSTemplateFormatVersion", STR("2010-09-09"));
    jsonw_key(&w, "Resources");
    jsonw_object(&w);
    jsonw_key(&w, "ScalebridgePublishes");
    jsonw_object(&w);
    member(&w, "Type", STR("AWS::IAM::ManagedPolicy"));
    jsonw_key(&w, "Properties");
    jsonw_object(&w);
    member(&w, "Description", STR("What scalebridge needs to publish."));
    jsonw_key(&w, "PolicyDocument");
    jsonw_raw(&w, json);
    for (int i = 0; i < 4; i++)
        jsonw_object_end(&w);
}

static void as_terraform(struct str json, struct buf *out)
{
    buf_addz(out, "resource \"aws_iam_policy\" \"scalebridge\" {\n"
                  "  name_prefix = \"scalebridge-\"\n"
                  "  description = \"What scalebridge needs to publish.\"\n"
                  "  policy = jsonencode(");
    policy_hcl_json(out, json);
    buf_addz(out, ")\n}");
}

bool policy_ecs_iam(const struct settings *s, const struct policy_ask *ask,
                    enum policy_format format, struct buf *out, struct err *err)
{
    const struct cloudwatch_conf *sink = policy_ecs_sink(s, err);
    struct iam m = {.settings = s, .cluster = ask->cluster};
    struct buf json;

    if (!sink)
        return false;
    m.region = sink->signing_region;
    arena_init(&m.arena, 1024);
    buf_init(&json, BUF_NO_LIMIT);
    jsonw_init(&m.json, &json, 2);
    document(&m, sink);
    if (format == POLICY_CLOUDFORMATION)
        as_template(buf_str(&json), out);
    else if (format == POLICY_TERRAFORM)
        as_terraform(buf_str(&json), out);
    else
        buf_adds(out, buf_str(&json));
    buf_addc(out, '\n');
    buf_fini(&json);
    arena_fini(&m.arena);
    return true;
}
