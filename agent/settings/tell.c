/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/settings/inside.h"
#include "agent/store/store.h"

static const char *plural(size_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

void settings_faults(const struct settings *s, struct buf *out)
{
    size_t count = conf_fault_count(s->conf), warnings = 0, errors;

    conf_faults_print(s->conf, out);
    for (size_t i = 0; i < count; i++)
        warnings += conf_fault_at(s->conf, i)->warning;
    errors = count - warnings;
    if (errors && count > 1)
        buf_addf(out, "%zu %s, %zu %s\n", errors,
                 plural(errors, "error", "errors"), warnings,
                 plural(warnings, "warning", "warnings"));
}

/* ---- the summary ---- */

static void every(int64_t ms, struct buf *out)
{
    char text[WHEN_TEXT];

    when_duration_format(ms, text);
    buf_addf(out, "every %s", text);
}

static void tell_job(const struct settings_job *job, struct buf *out)
{
    const struct conf_list *targets = &job->discover.targets;

    buf_addf(out, "  %-34s ", job->name);
    every(job->scrape.interval_ms, out);
    for (size_t i = 0; i < targets->count; i++)
        buf_addf(out, "%s%s", i ? ", " : "  ", targets->items[i]);
    if (job->discover.dns.name[0])
        buf_addf(out, "  DNS name %s", job->discover.dns.name);
    if (job->discover.ecs) {
        buf_addz(out, "  tasks of ");
        ecs_describe(&job->discover.ecs->at, out);
    }
    buf_addc(out, '\n');
}

static void tell_ecs(const struct capacity_ecs_conf *ecs, struct buf *out)
{
    buf_addz(out, "running tasks of ");
    ecs_describe(&ecs->at, out);
    buf_addz(out, ecs->primary_only ? ", primary deployment\n" : "\n");
}

static void tell_cloudrun(const struct cloudrun_conf *at, struct buf *out)
{
    buf_addz(out, "the manual instance count of ");
    cloudrun_describe(at, out);
    buf_addc(out, '\n');
}

static void tell_service(const struct settings_capacity *c, struct buf *out)
{
    const struct capacity_conf *from = &c->source;

    buf_addf(out, "  %-34s ", c->service);
    if (from->fixed >= 0)
        buf_addf(out, "%lld, fixed\n", (long long)from->fixed);
    else if (from->up[0])
        buf_addf(out, "the targets of job %s that answer\n", from->up);
    else if (from->ecs)
        tell_ecs(from->ecs, out);
    else if (from->cloud_run)
        tell_cloudrun(from->cloud_run, out);
    else if (from->container_app)
        buf_addf(out, "the ready replicas of %s\n",
                 from->container_app->resource_id);
    else
        buf_addf(out, "the records of DNS name %s\n", from->dns.name);
}

/* Which rules have what they need is their own knowledge: they are asked about
 * an empty world with these jobs and services. */
const struct settings_metric *settings_metrics(const struct settings *s,
                                               struct arena *a, size_t *count)
{
    const struct settings_values *v = &s->values;
    const struct store_options no = {.retention_ms = WHEN_MINUTE};
    struct store *store = store_new(&no);
    struct rule_job *jobs = arena_array(a, v->scrape.jobs_count, sizeof(*jobs));
    struct rule_service *services =
        arena_array(a, v->capacity_count, sizeof(*services));
    struct rules_world world = {.store = store,
                                .jobs = jobs,
                                .job_count = v->scrape.jobs_count,
                                .services = services,
                                .service_count = v->capacity_count};
    struct settings_metric *out;
    struct rules_results results;

    for (size_t i = 0; i < v->scrape.jobs_count; i++)
        jobs[i] = (struct rule_job){.name = str_of(v->scrape.jobs[i].name)};
    for (size_t i = 0; i < v->capacity_count; i++)
        services[i].name = str_of(v->capacity[i].service);
    rules_evaluate(s->rules, &world, a, &results);
    out = arena_array(a, results.count, sizeof(*out));
    for (size_t i = 0; i < results.count; i++) {
        const struct rule_result *r = &results.results[i];

        out[i].info = r->info;
        out[i].on = r->state != RULE_OFF;
        out[i].reason = out[i].on ? STR_NONE : arena_str(a, r->reason);
    }
    store_free(store);
    *count = results.count;
    return out;
}

static void tell_metric(const struct settings_metric *m, struct buf *out)
{
    buf_addf(out, "  %-34.*s ", STR_ARG(m->info->name));
    if (!m->on) {
        buf_addf(out, "off: %.*s\n", STR_ARG(m->reason));
        return;
    }
    buf_adds(out, m->info->unit);
    if (m->info->has_target)
        buf_addf(out, ", target %g", m->info->target);
    buf_addc(out, '\n');
}

static size_t tell_metrics(const struct settings *s, struct arena *a,
                           struct buf *out)
{
    size_t count, on = 0;
    const struct settings_metric *m = settings_metrics(s, a, &count);

    for (size_t i = 0; i < count; i++) {
        tell_metric(&m[i], out);
        on += m[i].on;
    }
    return on;
}

/* A file's groups stand together. */
static void tell_rule_files(const struct settings *s, struct buf *out)
{
    const struct groups *g = s->groups;
    size_t i = 0;

    if (!g || g->count == 0)
        return;
    buf_addz(out, "recording rules\n");
    while (i < g->count) {
        struct str file = g->items[i].file;
        size_t groups = 0, records = 0, alerts = 0;

        for (; i < g->count && str_eq(g->items[i].file, file); i++) {
            groups++;
            records += g->items[i].count;
            alerts += g->items[i].alerts;
        }
        buf_addf(out, "  %-34.*s %zu in %zu %s", STR_ARG(file), records, groups,
                 plural(groups, "group", "groups"));
        if (alerts)
            buf_addf(out, "; %zu alerting %s passed over", alerts,
                     plural(alerts, "rule is", "rules are"));
        buf_addc(out, '\n');
    }
}

static void tell_sinks(const struct settings *s, struct buf *out)
{
    buf_addz(out, "sinks\n");
    for (size_t i = 0; i < s->sink_count; i++) {
        buf_addf(out, "  %-34s ", s->sinks[i].type->name);
        every(s->values.publish.interval_ms, out);
        buf_addc(out, '\n');
    }
    if (!s->sink_count)
        buf_addz(out, "  none: nothing is published\n");
}

static void tell_actuate(const struct actuate_conf *c, struct buf *out)
{
    buf_addf(out, "  %-34s ", c->name);
    cloudrun_describe(c->cloud_run, out);
    buf_addf(out, " from %s, %lld to %lld%s\n", c->metric, (long long)c->min,
             (long long)c->max, c->dry_run ? ", dry run" : "");
}

void settings_summary(const struct settings *s, struct buf *out)
{
    const struct settings_values *v = &s->values;
    size_t jobs = v->scrape.jobs_count, on, all = rules_count(s->rules);
    struct buf rules;
    struct arena a;

    arena_init(&a, 4096);
    buf_init(&rules, BUF_NO_LIMIT);
    on = tell_metrics(s, &a, &rules);
    buf_addf(out, "ok: %zu %s, %zu of %zu metrics, %zu %s (%s)\njobs\n", jobs,
             plural(jobs, "job", "jobs"), on, all, s->sink_count,
             plural(s->sink_count, "sink", "sinks"), s->origin);
    for (size_t i = 0; i < jobs; i++)
        tell_job(&v->scrape.jobs[i], out);
    if (v->capacity_count)
        buf_addz(out, "running workers\n");
    for (size_t i = 0; i < v->capacity_count; i++)
        tell_service(&v->capacity[i], out);
    if (v->actuate_count)
        buf_addz(out, "scaled here\n");
    for (size_t i = 0; i < v->actuate_count; i++)
        tell_actuate(&v->actuate[i], out);
    buf_addz(out, "metrics\n");
    buf_adds(out, buf_str(&rules));
    tell_rule_files(s, out);
    tell_sinks(s, out);
    buf_fini(&rules);
    arena_fini(&a);
}
