/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/near.h"
#include "agent/settings/inside.h"

/* CloudWatch's alarms of target tracking look at periods of this length
 * (Application Auto Scaling, "How target tracking works"). */
#define CLOUDWATCH_PERIOD WHEN_MINUTE

/* ---- jobs ---- */

static const struct settings_job *find_job(const struct settings *s,
                                           const char *name)
{
    const struct settings_scrape *scrape = &s->values.scrape;

    for (size_t i = 0; i < scrape->jobs_count; i++)
        if (strcmp(scrape->jobs[i].name, name) == 0)
            return &scrape->jobs[i];
    return NULL;
}

/* http://user:password@host: it would end in logs and in the label instance;
 * so it is not repeated here either. */
static bool has_user(struct str url)
{
    struct str authority = url;

    for (size_t i = 0; i + 3 <= url.len; i++)
        if (memcmp(url.ptr + i, "://", 3) == 0) {
            authority = str_from(url, i + 3);
            break;
        }
    authority.len = str_find(authority, '/');
    return str_find(authority, '@') < authority.len;
}

static bool check_users(struct settings *s, const struct settings_job *job)
{
    const struct conf_list *targets = &job->discover.targets;

    for (size_t i = 0; i < targets->count; i++) {
        if (!has_user(str_of(targets->items[i])))
            continue;
        conf_blame(s->conf, targets,
                   "item %zu has a user or password in it, which no target "
                   "is sent; leave it out",
                   i + 1);
        return false;
    }
    return true;
}

static void check_rules(struct settings *s, const struct relabel_conf *rules,
                        size_t count)
{
    struct err err;

    for (size_t i = 0; i < count; i++)
        if (!conf_faulty(s->conf, &rules[i]) && !relabel_check(&rules[i], &err))
            conf_blame_err(s->conf, relabel_keys, &rules[i], &err);
}

static void check_job_rules(struct settings *s, const struct settings_job *job)
{
    const struct scrape_conf *common = &s->values.scrape.common;
    const struct scrape_conf *own = &job->scrape;

    check_rules(s, job->discover.relabel_configs,
                job->discover.relabel_configs_count);
    if (own->metric_relabel_configs != common->metric_relabel_configs)
        check_rules(s, own->metric_relabel_configs,
                    own->metric_relabel_configs_count);
}

static void check_job(struct settings *s, const struct settings_job *job)
{
    const struct settings_job *first = find_job(s, job->name);
    bool faulty = conf_faulty(s->conf, job);
    struct err err;

    if (first != job && job->name[0])
        conf_blame(s->conf, &job->name,
                   "\"%s\" is the name of another job already; choose another",
                   job->name);
    if (!faulty && check_users(s, job) && !discover_check(&job->discover, &err))
        conf_blame_err(s->conf, settings_job_keys, job, &err);
    if (!scrape_check(&job->scrape, &err))
        conf_blame_err(s->conf, settings_job_keys, job, &err);
}

static void check_jobs(struct settings *s)
{
    const struct settings_scrape *scrape = &s->values.scrape;

    check_rules(s, scrape->common.metric_relabel_configs,
                scrape->common.metric_relabel_configs_count);
    for (size_t i = 0; i < scrape->jobs_count; i++) {
        check_job(s, &scrape->jobs[i]);
        check_job_rules(s, &scrape->jobs[i]);
    }
    if (!scrape->jobs_count && conf_good(s->conf))
        conf_fault(s->conf, NULL, "scrape.jobs",
                   "nothing is scraped; set SCALEBRIDGE_API_URL, as "
                   "http://api:5000, or write jobs");
}

/* ---- worker counts ---- */

static void check_up(struct settings *s, const struct settings_capacity *row)
{
    const struct settings_scrape *scrape = &s->values.scrape;
    const char *job = row->source.up;
    struct near near;

    if (!job[0] || find_job(s, job))
        return;
    near_start(&near, str_of(job));
    for (size_t i = 0; i < scrape->jobs_count; i++)
        near_offer(&near, str_of(scrape->jobs[i].name));
    if (near.best.ptr)
        conf_blame(s->conf, &row->source.up,
                   "there is no job \"%s\"; did you mean \"%.*s\"?", job,
                   STR_ARG(near.best));
    else
        conf_blame(s->conf, &row->source.up,
                   "there is no job \"%s\"; name one of scrape.jobs", job);
}

static void check_capacity(struct settings *s)
{
    for (size_t i = 0; i < s->values.capacity_count; i++) {
        const struct settings_capacity *row = &s->values.capacity[i];
        struct err err;

        if (!conf_faulty(s->conf, row) && !capacity_check(&row->source, &err))
            conf_blame_err(s->conf, settings_capacity_keys, row, &err);
        check_up(s, row);
    }
}

/* ---- intervals that do not go together ---- */

static int64_t longest_interval(const struct settings *s)
{
    const struct settings_scrape *scrape = &s->values.scrape;
    int64_t ms = 0;

    for (size_t i = 0; i < scrape->jobs_count; i++)
        if (scrape->jobs[i].scrape.interval_ms > ms)
            ms = scrape->jobs[i].scrape.interval_ms;
    return ms;
}

static void check_hold(struct settings *s, const struct rule_conf *metric,
                       int64_t interval_ms)
{
    const int64_t *hold = &metric->missing.hold_ms;
    char text[WHEN_TEXT];

    if (!conf_written(s->conf, hold) || *hold == 0 || *hold >= interval_ms)
        return;
    when_duration_format(interval_ms, text);
    conf_blame(s->conf, hold,
               "is shorter than the scrape interval of %s, so that one failed "
               "scrape leaves a gap; hold for two of them or more",
               text);
    conf_fault_warns(s->conf);
}

static void check_publish(struct settings *s, int64_t interval_ms)
{
    const int64_t *publish = &s->values.publish.interval_ms;
    char text[WHEN_TEXT];

    when_duration_format(interval_ms, text);
    if (*publish < interval_ms) {
        conf_blame(s->conf, publish,
                   "is shorter than the scrape interval of %s, so that old "
                   "values are published again; publish as seldom as is "
                   "scraped, or scrape more often",
                   text);
        conf_fault_warns(s->conf);
    }
    for (size_t i = 0; i < s->sink_count; i++) {
        if (strcmp(s->sinks[i].type->name, "cloudwatch") != 0 ||
            *publish <= CLOUDWATCH_PERIOD)
            continue;
        conf_blame(s->conf, publish,
                   "is longer than the periods of 60s that target tracking "
                   "looks at, so that some of them are empty; publish every "
                   "60s or more often");
        conf_fault_warns(s->conf);
    }
}

static void check_intervals(struct settings *s)
{
    int64_t ms = longest_interval(s);

    for (size_t i = 0; i < s->values.metrics_count; i++)
        check_hold(s, &s->values.metrics[i], ms);
    check_publish(s, ms);
}

/* ---- what a sink cannot take ---- */

/* A metric of the settings is blamed itself; of the built-in ones, which
 * fail for the same reason, the first is told of. */
static void refuse_metric(struct settings *s, const struct settings_sink *sink,
                          struct str name, const struct err *err)
{
    for (size_t i = 0; i < s->values.metrics_count; i++) {
        const struct rule_conf *m = &s->values.metrics[i];

        if (!str_eqz(name, m->name))
            continue;
        conf_blame_section(s->conf, m, "%s: %s", sink->type->name, err->text);
        return;
    }
    if (!conf_faulty(s->conf, sink->conf))
        conf_blame_section(s->conf, sink->conf, "%s", err->text);
}

static void check_metric(struct settings *s, const struct settings_sink *sink,
                         const struct rule_info *info)
{
    const struct conf_map *fixed = &s->values.publish.dimensions;
    struct arena *a = conf_arena(s->conf);
    struct str *names =
        arena_array(a, fixed->count + info->dimension_count, sizeof(*names));
    struct sink_metric m = {.name = info->name,
                            .unit = info->unit,
                            .description = info->description,
                            .dimensions = names,
                            .resolution = info->resolution};
    struct err err;

    for (size_t i = 0; i < fixed->count; i++)
        names[m.dimension_count++] = str_of(fixed->pairs[i].name);
    for (size_t i = 0; i < info->dimension_count; i++)
        names[m.dimension_count++] = info->dimensions[i].name;
    if (sink->type->check && !sink->type->check(sink->conf, &m, &err))
        refuse_metric(s, sink, info->name, &err);
}

static void check_sinks(struct settings *s)
{
    size_t count = s->rules ? rules_count(s->rules) : 0;

    for (size_t i = 0; i < s->sink_count; i++)
        for (size_t k = 0; k < count; k++)
            check_metric(s, &s->sinks[i], rules_info(s->rules, k));
    for (size_t i = 0; i < SETTINGS_SINKS_MAX; i++)
        if (s->values.sinks.conf[i])
            return;
    conf_fault(s->conf, NULL, "sinks",
               "none is chosen, so that nothing is published; set "
               "SCALEBRIDGE_SINKS=cloudwatch, or write sinks");
    conf_fault_warns(s->conf);
}

/* ---- services that nobody asks for ---- */

struct asked {
    struct near near; /* of the service in question */
    bool found;
};

static const struct matcher *matcher_on(const struct promql_selector *sel,
                                        struct str name)
{
    for (size_t i = 0; i < sel->matcher_count; i++)
        if (str_eq(sel->matchers[i].name, name))
            return &sel->matchers[i];
    return NULL;
}

static void offer_service(void *arg, const struct promql_selector *sel)
{
    const struct matcher *name = matcher_on(sel, LABEL_NAME);
    const struct matcher *service = matcher_on(sel, STR("service"));
    struct asked *a = arg;

    if (!name || name->op != MATCH_EQ || !str_eq(name->value, CAPACITY_SERIES))
        return;
    if (!service || service->op != MATCH_EQ) {
        a->found = true; /* any of them */
        return;
    }
    a->found = a->found || str_eq(service->value, a->near.typed);
    near_offer(&a->near, service->value);
}

static void check_services(struct settings *s)
{
    for (size_t i = 0; s->rules && i < s->values.capacity_count; i++) {
        const struct settings_capacity *row = &s->values.capacity[i];
        struct asked a = {.found = false};

        near_start(&a.near, str_of(row->service));
        rules_selectors(s->rules, offer_service, &a);
        if (a.found || conf_faulty(s->conf, row))
            continue;
        if (a.near.best.ptr)
            conf_blame_section(s->conf, row,
                               "no metric asks for this service; did you mean "
                               "\"%.*s\"?",
                               STR_ARG(a.near.best));
        else
            conf_blame_section(s->conf, row,
                               "no metric asks for this service; the built-in "
                               "ones ask for instant-tasks-worker");
        conf_fault_warns(s->conf);
    }
}

/* ---- who may read ---- */

/* Wrong ones are slowed down, and a long one needs no more than that. */
#define TOKEN_MIN 16

static void check_listen(struct settings *s)
{
    const struct settings_listen *l = &s->values.listen;
    struct str address = str_of(l->address);
    bool near =
        str_starts(address, STR("127.")) || str_starts(address, STR("[::1]:"));

    if (address.len > 0 && !near && !(l->token && l->token[0]) && !l->open)
        conf_blame(s->conf, &l->address,
                   "%s can be reached from other machines; set listen.token, "
                   "or listen.open: true to let everybody read",
                   l->address);
    if (l->token && l->token[0] && strlen(l->token) < TOKEN_MIN) {
        conf_blame(s->conf, &l->token,
                   "is shorter than %d characters, so that it can be guessed; "
                   "take a longer one, as `openssl rand -hex 32` makes",
                   TOKEN_MIN);
        conf_fault_warns(s->conf);
    }
    if ((l->certificate[0] == '\0') != (l->key[0] == '\0'))
        conf_blame(s->conf, l->key[0] ? &l->key : &l->certificate,
                   "certificate and key go together; set both");
}

void settings_check(struct settings *s)
{
    check_jobs(s);
    check_capacity(s);
    check_intervals(s);
    check_services(s);
    check_sinks(s);
    settings_check_actuate(s);
    check_listen(s);
}
