/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/settings/settings.h"

#include "agent/base/map.h"
#include "agent/base/mem.h"
#include "agent/config/show.h"
#include "agent/settings/inside.h"

#include <stdlib.h>

/* ---- where it all came from ---- */

struct counts {
    size_t file;
    struct map env;     /* variables that were read */
    const char *source; /* of the file */
};

static void count_sources(const struct conf_node *n, struct counts *out)
{
    struct str source = str_of(n->mark.source);

    if (str_starts(source, STR("env ")))
        map_put(&out->env, source, out);
    if (n->kind == CONF_SCALAR && n->mark.line) {
        out->file++;
        out->source = n->mark.source;
    }
    for (const struct conf_node *k = n->child; k; k = k->next)
        count_sources(k, out);
}

static const char *tell_origin(struct conf *c, const struct conf_node *root)
{
    struct counts n = {.file = 0};
    struct buf b;
    const char *text;

    if (root)
        count_sources(root, &n);
    buf_init(&b, BUF_NO_LIMIT);
    if (n.file)
        buf_addf(&b, "%zu %s from %s", n.file,
                 n.file == 1 ? "setting" : "settings", n.source);
    else
        buf_addz(&b, "no file");
    buf_addf(&b, ", %zu from the environment", n.env.count);
    map_fini(&n.env);
    text = arena_strdup(conf_arena(c), buf_str(&b));
    buf_fini(&b);
    return text;
}

/* ---- jobs take what they do not say from the common part ---- */

static void finish_job(struct settings *s, struct settings_job *job)
{
    const struct settings_scrape *scrape = &s->values.scrape;

    conf_inherit(s->conf, scrape_keys, &job->scrape, &scrape->common);
    if (!job->scrape.basic_auth && !job->scrape.authorization) {
        job->scrape.basic_auth = scrape->common.basic_auth;
        job->scrape.authorization = scrape->common.authorization;
    }
    if (!job->scrape.tls_config)
        job->scrape.tls_config = scrape->common.tls_config;
    if (job->scrape.metric_relabel_configs_count == 0) {
        job->scrape.metric_relabel_configs =
            scrape->common.metric_relabel_configs;
        job->scrape.metric_relabel_configs_count =
            scrape->common.metric_relabel_configs_count;
    }
    if (job->scrape.replicas != SCRAPE_UNSTATED)
        job->replicas =
            job->scrape.replicas == SCRAPE_SHARED ? RULE_SHARED : RULE_OWN;
    if (conf_written(s->conf, &job->discover.path))
        return;
    for (const struct settings_builtin *b = settings_builtins; b->job; b++)
        if (strcmp(b->job, job->name) == 0)
            job->discover.path =
                arena_strdup(conf_arena(s->conf), str_of(b->path));
}

static void finish_jobs(struct settings *s)
{
    struct settings_scrape *scrape = &s->values.scrape;

    for (size_t i = 0; i < scrape->jobs_count; i++)
        finish_job(s, &scrape->jobs[i]);
}

/* ---- sinks ---- */

struct seen {
    const struct conf_world *world;
};

static const char *see_variable(void *arg, const char *name)
{
    const struct seen *seen = arg;
    const char *value = conf_world_variable(seen->world, name);

    return value && str_trim(str_of(value)).len ? value : NULL;
}

static bool see_file(void *arg, const char *path, struct buf *out,
                     struct err *err)
{
    const struct seen *seen = arg;

    return seen->world->read_file(seen->world->arg, path, out, err);
}

static void prepare_sink(struct settings *s, const struct auth_env *env,
                         size_t i)
{
    const struct sink_type *type = sink_types[i];
    void *conf = s->values.sinks.conf[i];
    struct err err;

    if (type->prepare && !type->prepare(conf, env, conf_arena(s->conf), &err)) {
        conf_blame_err(s->conf, type->keys, conf, &err);
        return;
    }
    s->sinks[s->sink_count++] = (struct settings_sink){type, conf};
}

static void prepare_sinks(struct settings *s, const struct conf_world *w)
{
    struct seen seen = {w};
    struct auth_env env = {see_variable, see_file, &seen};

    s->sinks =
        arena_array(conf_arena(s->conf), SETTINGS_SINKS_MAX, sizeof(*s->sinks));
    for (size_t i = 0; i < SETTINGS_SINKS_MAX && sink_types[i]; i++)
        if (s->values.sinks.conf[i])
            prepare_sink(s, &env, i);
}

/* ---- Amazon ECS ---- */

static void prepare_capacity(struct settings *s, const struct auth_env *env,
                             struct capacity_conf *c)
{
    struct err err;

    if (!c->ecs)
        return;
    if (!conf_written(s->conf, &c->refresh_ms))
        c->refresh_ms = CAPACITY_ECS_REFRESH;
    if (!ecs_check(&c->ecs->at, env, &err))
        conf_blame_err(s->conf, capacity_ecs_keys, c->ecs, &err);
}

static void prepare_job(struct settings *s, const struct auth_env *env,
                        const struct settings_job *job)
{
    struct err err;

    if (job->discover.ecs && !ecs_check(&job->discover.ecs->at, env, &err))
        conf_blame_err(s->conf, discover_ecs_keys, job->discover.ecs, &err);
    if (discover_check(&job->discover, NULL) &&
        !discover_check_ecs(&job->discover, env, &err))
        conf_blame_err(s->conf, settings_job_keys, job, &err);
}

static void prepare_ecs(struct settings *s, const struct conf_world *w)
{
    struct seen seen = {w};
    struct auth_env env = {see_variable, see_file, &seen};

    for (size_t i = 0; i < s->values.capacity_count; i++)
        prepare_capacity(s, &env, &s->values.capacity[i].source);
    for (size_t i = 0; i < s->values.scrape.jobs_count; i++)
        prepare_job(s, &env, &s->values.scrape.jobs[i]);
}

/* ---- Container Apps and Cloud Run ---- */

static void prepare_container_apps(struct settings *s)
{
    struct err err;

    for (size_t i = 0; i < s->values.capacity_count; i++) {
        struct capacity_conf *c = &s->values.capacity[i].source;

        if (!c->container_app)
            continue;
        if (!conf_written(s->conf, &c->refresh_ms))
            c->refresh_ms = CAPACITY_ECS_REFRESH;
        if (!container_app_check(c->container_app, &err))
            conf_blame_err(s->conf, container_app_keys, c->container_app, &err);
    }
}

static void prepare_cloudrun(struct settings *s, const struct conf_world *w)
{
    struct seen seen = {w};
    struct auth_env env = {see_variable, see_file, &seen};
    struct settings_values *v = &s->values;
    struct err err;

    for (size_t i = 0; i < v->capacity_count; i++) {
        struct capacity_conf *c = &v->capacity[i].source;

        if (!c->cloud_run)
            continue;
        if (!conf_written(s->conf, &c->refresh_ms))
            c->refresh_ms = CAPACITY_ECS_REFRESH;
        if (!cloudrun_check(c->cloud_run, &env, &err))
            conf_blame_err(s->conf, cloudrun_keys, c->cloud_run, &err);
    }
    prepare_container_apps(s);
    for (size_t i = 0; i < v->actuate_count; i++) {
        struct actuate_conf *c = &v->actuate[i];

        if (conf_faulty(s->conf, c))
            continue;
        if (!actuate_check(c, &err))
            conf_blame_err(s->conf, actuate_keys, c, &err);
        else if (!cloudrun_check(c->cloud_run, &env, &err))
            conf_blame_err(s->conf, cloudrun_keys, c->cloud_run, &err);
    }
}

/* ---- rules ---- */

/* Where in an expression the fault is; 0 where it is not in its grammar. */
static size_t fault_offset(const char *expr)
{
    const struct promql_options options = {0};
    struct promql_error error;
    struct promql *q = promql_parse(str_of(expr), &options, &error);
    size_t offset = q ? 0 : error.offset;

    promql_free(q);
    return offset;
}

static const struct rule_conf *metric_of(const struct settings *s,
                                         const void *expr)
{
    for (size_t i = 0; i < s->values.metrics_count; i++)
        if (expr == &s->values.metrics[i].expr)
            return &s->values.metrics[i];
    return NULL;
}

static void rule_fault(void *arg, const void *field, const struct err *err,
                       struct str quote)
{
    struct settings *s = arg;
    const struct rule_conf *m = metric_of(s, field);

    if (m)
        conf_blame_byte(s->conf, &m->expr, fault_offset(m->expr), "%s",
                        err->text);
    else
        conf_blame(s->conf, field, "%s", err->text);
    if (quote.len)
        conf_fault_quotes(s->conf, quote);
}

static void make_rules(struct settings *s)
{
    struct rules_options o = {
        .membrane = &s->values.membrane,
        .metrics = s->values.metrics,
        .metric_count = s->values.metrics_count,
        .groups = s->groups,
        .fault = rule_fault,
        .arg = s,
    };

    s->rules = rules_new(&o);
}

/* ---- the whole ---- */

struct settings *settings_read(const struct conf_world *w,
                               const struct settings_source *from)
{
    struct settings *s = xcalloc(1, sizeof(*s));
    const struct conf_key *keys;
    struct conf_node *root;

    s->users = 1;
    s->conf = conf_new();
    s->origin = "";
    keys = settings_keys(conf_arena(s->conf));
    root = settings_gather(s, w, from, keys);
    if (!root)
        return s;
    s->origin = tell_origin(s->conf, root);
    conf_read(s->conf, keys, root, &s->values);
    finish_jobs(s);
    prepare_sinks(s, w);
    prepare_ecs(s, w);
    prepare_cloudrun(s, w);
    settings_read_rule_files(s, w);
    make_rules(s);
    settings_check(s);
    return s;
}

struct settings *settings_ref(struct settings *s)
{
    s->users++;
    return s;
}

void settings_free(struct settings *s)
{
    if (!s || --s->users > 0)
        return;
    rules_free(s->rules);
    groups_free(s->groups);
    conf_free(s->conf);
    free(s);
}

void settings_show(const struct settings *s, struct buf *out)
{
    struct arena a;

    arena_init(&a, 4096);
    conf_show(s->conf, settings_keys(&a), &s->values, out);
    arena_fini(&a);
}
