/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What feeds a rule, and whether all of it has answered.
 *
 * A selector belongs to the jobs that its matchers on `job` name, else to
 * those that have shown its metric, else to the one that the preset knows.
 * Where none of these tells, a target that has never answered might be it.
 */
#include "agent/rules/rule.h"

static const struct figure *figure_in(const struct rules *r,
                                      const struct use *u)
{
    return u->figure == NO_FIGURE ? NULL : &r->figures[u->figure];
}

/* What the scraper itself says of a target is there when nothing else is. */
static bool is_synthetic(struct str name)
{
    static const char *const names[] = {
        "up",
        "scrape_duration_seconds",
        "scrape_samples_scraped",
        "scrape_samples_post_metric_relabeling",
        "scrape_series_added",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_eqz(name, names[i]))
            return true;
    return false;
}

bool feed_takes(const struct use *u, struct str label, struct str value,
                struct arena *a)
{
    struct labels_builder b = {0};
    const struct labels *l = NULL;
    bool all = true;

    for (size_t i = 0; i < u->selector->matcher_count && all; i++) {
        const struct matcher *m = &u->selector->matchers[i];

        if (!str_eq(m->name, label))
            continue;
        if (!l) {
            labels_set(&b, label, value);
            l = labels_build(&b, a);
        }
        all = matcher_matches(m, l);
    }
    labels_builder_fini(&b);
    return all;
}

static const struct matcher *exact(const struct use *u, struct str label)
{
    for (size_t i = 0; i < u->selector->matcher_count; i++) {
        const struct matcher *m = &u->selector->matchers[i];

        if (m->op == MATCH_EQ && m->value.len > 0 && str_eq(m->name, label))
            return m;
    }
    return NULL;
}

/* Some configured job has shown it. */
static bool is_placed(const struct feed_scope *s)
{
    for (size_t i = 0; i < s->world->job_count; i++)
        if (figure_seen_in(s->figure, s->world->jobs[i].name))
            return true;
    return false;
}

enum place { PLACE_NO, PLACE_YES, PLACE_PERHAPS };

/* A job of one of Membrane's services shows that service's figures alone. */
static bool is_known_job(const struct rules *r, struct str job)
{
    const struct preset_figure *f = r->preset ? r->preset->figures : NULL;

    for (; f && f->name; f++)
        if (str_eqz(job, f->job))
            return true;
    return false;
}

static enum place place_of(const struct feed_scope *s,
                           const struct rule_job *job)
{
    const struct preset_figure *known = s->figure ? s->figure->known : NULL;

    if (!feed_takes(s->use, LABEL_JOB, job->name, s->arena))
        return PLACE_NO;
    if (!s->figure || exact(s->use, LABEL_JOB))
        return PLACE_YES;
    if (figure_seen_in(s->figure, job->name))
        return PLACE_YES;
    if (is_placed(s))
        return PLACE_NO;
    if (known && is_known_job(s->rules, job->name))
        return str_eqz(job->name, known->job) ? PLACE_YES : PLACE_NO;
    return PLACE_PERHAPS;
}

static bool is_placed_in(const struct rules *r, const struct use *u,
                         const struct rule_job *job, struct arena *a)
{
    const struct rules_world w = {.jobs = job, .job_count = 1};
    const struct feed_scope s = {r, &w, a, u, figure_in(r, u)};

    return place_of(&s, job) == PLACE_YES;
}

/* The recording rule, or one that it reads, uses the job's figures. */
static bool records_from(const struct rules *r, const struct recording *rec,
                         const struct rule_job *job, struct arena *a)
{
    for (size_t i = 0; i < rec->source_count; i++) {
        const struct recording *source = &r->recordings[rec->sources[i]];

        for (size_t k = 0; k < source->use_count; k++)
            if (is_placed_in(r, &source->uses[k], job, a))
                return true;
    }
    return false;
}

bool feed_from_job(const struct rules *r, const struct use *u,
                   const struct rule_job *job, struct arena *a)
{
    for (size_t i = 0; u->recorded && i < r->recording_count; i++)
        if (recording_is_read(r, u, &r->recordings[i], a) &&
            records_from(r, &r->recordings[i], job, a))
            return true;
    return is_placed_in(r, u, job, a);
}

bool feed_from_service(const struct use *u, struct str service, struct arena *a)
{
    return feed_takes(u, STR("service"), service, a);
}

static bool is_shared(const struct feed_scope *s, const struct rule_job *job)
{
    if (job->replicas != RULE_UNSTATED)
        return job->replicas == RULE_SHARED;
    return s->figure && s->figure->known && s->figure->known->shared;
}

static void incomplete(struct feed *out, struct str reason, bool early)
{
    if (reason.len == 0 || !out->complete)
        return;
    out->complete = false;
    out->early = early;
    if (out->configured)
        out->reason = reason;
}

static void unconfigured(struct feed *out, struct str reason)
{
    if (!out->configured)
        return;
    out->configured = false;
    out->complete = false;
    out->reason = reason;
}

/* worker-a becomes WORKER_A. */
static struct str variable(struct arena *a, struct str name)
{
    char *z = arena_strdup(a, name);

    for (char *c = z; *c; c++) {
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
        else if (*c == '-')
            *c = '_';
    }
    return str_of(z);
}

static struct str no_job(const struct feed_scope *s, struct str job)
{
    return arena_printf(s->arena,
                        "no job %.*s is configured (scrape.jobs, or "
                        "SCALEBRIDGE_%.*s_URL)",
                        STR_ARG(job), STR_ARG(variable(s->arena, job)));
}

static void check_jobs(const struct feed_scope *s, struct feed *out)
{
    const struct matcher *named = exact(s->use, LABEL_JOB);
    size_t places = 0;

    for (size_t i = 0; i < s->world->job_count; i++) {
        const struct rule_job *job = &s->world->jobs[i];
        enum place place = place_of(s, job);

        places += place == PLACE_YES;
        if (place == PLACE_PERHAPS)
            incomplete(out, lacks_perhaps(s, job), lacks_only_time(s, job));
        else if (place == PLACE_YES)
            incomplete(out,
                       is_shared(s, job) ? lacks_shared(s, job)
                                         : lacks_own(s, job),
                       lacks_only_time(s, job));
    }
    if (places > 0 || !out->complete)
        return;
    if (named)
        unconfigured(out, no_job(s, named->value));
    else if (s->figure && s->figure->known)
        unconfigured(out, no_job(s, str_of(s->figure->known->job)));
    else if (s->world->job_count == 0)
        unconfigured(out, STR("no job is configured (scrape.jobs)"));
}

static void check_workers(const struct feed_scope *s, struct feed *out)
{
    const struct matcher *named = exact(s->use, STR("service"));
    struct str service = named ? named->value : STR("SERVICE");
    size_t places = 0;

    for (size_t i = 0; i < s->world->service_count; i++) {
        const struct rule_service *v = &s->world->services[i];

        if (!feed_from_service(s->use, v->name, s->arena))
            continue;
        places++;
        if (!v->known)
            incomplete(out,
                       arena_printf(s->arena,
                                    "how many workers of %.*s run is not "
                                    "known: %.*s",
                                    STR_ARG(v->name), STR_ARG(v->reason)),
                       v->reason.len == 0);
    }
    if (places == 0)
        unconfigured(out, arena_printf(s->arena,
                                       "no capacity.%.*s is configured, so "
                                       "the number of its running workers is "
                                       "not known",
                                       STR_ARG(service)));
}

static void check_source(const struct feed_scope *s, struct feed *out)
{
    if (s->figure && str_eq(s->figure->name, RULE_CAPACITY))
        check_workers(s, out);
    else if (!s->figure || !is_synthetic(s->figure->name))
        check_jobs(s, out);
}

/* It looks at an evaluation that failed, or that lacked some of its feed. */
static bool looks_at_bad(const struct use *u, const struct recording *rec,
                         int64_t now_ms)
{
    const struct promql_selector *s = u->selector;
    bool past = s->range || s->fixed || s->reach_ms > RULE_LOOKBACK;

    return rec->bad || (rec->bad_ms > 0 && past &&
                        (s->fixed || rec->bad_ms > now_ms - s->reach_ms));
}

static void check_sources(const struct feed_scope *s,
                          const struct recording *rec, struct feed *out)
{
    const struct rules *r = s->rules;

    for (size_t i = 0; i < rec->source_count; i++) {
        const struct recording *source = &r->recordings[rec->sources[i]];

        for (size_t k = 0; k < source->use_count; k++) {
            const struct use *u = &source->uses[k];
            struct feed_scope of = {r, s->world, s->arena, u, figure_in(r, u)};

            if (!u->recorded || !of.figure)
                check_source(&of, out);
        }
    }
}

static void check_recorded(const struct feed_scope *s,
                           const struct recording *rec, struct feed *out)
{
    if (looks_at_bad(s->use, rec, s->world->t_ms))
        incomplete(out,
                   arena_printf(s->arena, "%.*s as recorded: %s",
                                STR_ARG(rec->record->name), rec->reason),
                   rec->early);
}

/* That it fails tells more than what it lacks, and the other way round. */
static void check_recording(const struct feed_scope *s,
                            const struct recording *rec, struct feed *out)
{
    if (rec->failed)
        check_recorded(s, rec, out);
    check_sources(s, rec, out);
    check_recorded(s, rec, out);
}

static void check_use(const struct feed_scope *s, struct feed *out)
{
    const struct rules *r = s->rules;

    for (size_t i = 0; s->use->recorded && i < r->recording_count; i++)
        if (recording_is_read(r, s->use, &r->recordings[i], s->arena))
            check_recording(s, &r->recordings[i], out);
    if (!s->use->recorded || !s->figure)
        check_source(s, out);
}

void feed_check(const struct rules *r, const struct use *uses, size_t count,
                const struct rules_world *w, struct arena *a, struct feed *out)
{
    *out = (struct feed){.configured = true, .complete = true};
    for (size_t i = 0; i < count; i++) {
        const struct feed_scope s = {r, w, a, &uses[i], figure_in(r, &uses[i])};

        check_use(&s, out);
    }
}
