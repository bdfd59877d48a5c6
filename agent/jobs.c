/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs.c - jobs: discovery tells scraping where the targets are, and the rules
 * hear of both.
 */
#include "agent/base/mem.h"
#include "agent/parts.h"

#include <stdlib.h>

static void on_targets(void *arg, const struct target_list *list)
{
    struct agent_job *job = arg;

    job->discovered = true;
    scrape_pool_set_targets(job->pool, list);
    if (job->agent->discovered)
        job->agent->discovered(job->agent);
}

static void find_targets(struct agent *a, struct agent_job *job)
{
    struct discovery_options options = {.loop = a->loop,
                                        .resolver = a->resolver,
                                        .ecs = a->ecs,
                                        .job = str_of(job->conf->name),
                                        .conf = &job->conf->discover,
                                        .once = a->once,
                                        .changed = on_targets,
                                        .arg = job};

    discovery_free(job->discovery);
    settings_free(job->discovery_lends);
    job->discovery_lends = settings_ref(a->settings);
    job->discovered = false;
    job->discovery = discovery_new(&options);
}

static struct agent_job *make_job(struct agent *a,
                                  const struct settings_job *conf)
{
    struct agent_job *job = xcalloc(1, sizeof(*job));
    struct scrape_pool_options pool = {.loop = a->loop,
                                       .http = a->http,
                                       .store = a->store,
                                       .job = str_of(conf->name),
                                       .conf = &conf->scrape,
                                       .wanted = &a->filter};

    job->agent = a;
    job->conf = conf;
    job->pool_lends = settings_ref(a->settings);
    job->pool = scrape_pool_new(&pool);
    find_targets(a, job);
    return job;
}

static void free_job(struct agent_job *job)
{
    discovery_free(job->discovery);
    scrape_pool_free(job->pool);
    settings_free(job->discovery_lends);
    settings_free(job->pool_lends);
    free(job);
}

void parts_make_jobs(struct agent *a)
{
    const struct settings_scrape *s = &a->settings->values.scrape;

    a->job_count = s->jobs_count;
    a->jobs = xcalloc(a->job_count + 1, sizeof(*a->jobs));
    for (size_t i = 0; i < a->job_count; i++)
        a->jobs[i] = make_job(a, &s->jobs[i]);
}

void parts_free_jobs(struct agent *a)
{
    for (size_t i = a->job_count; i-- > 0;)
        free_job(a->jobs[i]);
    free(a->jobs);
}

/* Its series go stale at once. */
static void drop_job(struct agent_job *job)
{
    const struct target_list none = {.complete = true};

    scrape_pool_set_targets(job->pool, &none);
    free_job(job);
}

/* True where something of the job has changed. */
static bool renew_job(struct agent *a, struct agent_job *job,
                      const struct settings_job *conf, bool ask_anew)
{
    const struct settings_job *old = job->conf;
    bool scrape = !conf_same(scrape_keys, &old->scrape, &conf->scrape);
    bool targets =
        ask_anew || !conf_same(discover_keys, &old->discover, &conf->discover);

    job->conf = conf;
    if (scrape) {
        scrape_pool_configure(job->pool, &conf->scrape, &a->filter);
        settings_free(job->pool_lends);
        job->pool_lends = settings_ref(a->settings);
    }
    if (targets)
        find_targets(a, job);
    return scrape || targets;
}

/* Takes the job called `name` out of the list. */
static struct agent_job *take_job(struct agent_job **jobs, size_t count,
                                  const char *name)
{
    for (size_t i = 0; i < count; i++) {
        struct agent_job *job = jobs[i];

        if (job && strcmp(job->conf->name, name) == 0) {
            jobs[i] = NULL;
            return job;
        }
    }
    return NULL;
}

void parts_reload_jobs(struct agent *a, bool ask_anew, struct reloaded *out)
{
    const struct settings_scrape *s = &a->settings->values.scrape;
    struct agent_job **old = a->jobs;
    size_t old_count = a->job_count;

    a->job_count = s->jobs_count;
    a->jobs = xcalloc(a->job_count + 1, sizeof(*a->jobs));
    for (size_t i = 0; i < a->job_count; i++) {
        struct agent_job *job = take_job(old, old_count, s->jobs[i].name);

        if (job) {
            out->changed += renew_job(a, job, &s->jobs[i], ask_anew);
        } else {
            job = make_job(a, &s->jobs[i]);
            scrape_pool_start(job->pool);
            out->added++;
        }
        a->jobs[i] = job;
    }
    for (size_t i = 0; i < old_count; i++) {
        out->removed += old[i] != NULL;
        if (old[i])
            drop_job(old[i]);
    }
    free(old);
}

bool parts_count_up(void *arg, struct str name, int64_t *up, struct err *err)
{
    const struct agent *a = arg;

    for (size_t i = 0; i < a->job_count; i++) {
        const struct agent_job *job = a->jobs[i];

        if (!str_eqz(name, job->conf->name))
            continue;
        if (!job->discovered)
            return err_set(err, ERR_NETWORK,
                           "the targets of job %s are not known yet",
                           job->conf->name);
        *up = 0;
        for (size_t t = 0; t < scrape_pool_count(job->pool); t++) {
            struct scrape_status s = scrape_pool_status(job->pool, t);

            if (s.health == SCRAPE_UNKNOWN)
                return err_set(err, ERR_NETWORK,
                               "job %s has not been scraped yet",
                               job->conf->name);
            *up += s.health == SCRAPE_UP;
        }
        return true;
    }
    return err_set(err, ERR_CONFIG, "there is no job %.*s", STR_ARG(name));
}

static void describe_targets(struct agent *a, const struct agent_job *job,
                             struct rule_job *out)
{
    size_t n = scrape_pool_count(job->pool);
    struct rule_target *t = arena_array(&a->arena, n, sizeof(*t));

    for (size_t i = 0; i < n; i++) {
        struct scrape_status s = scrape_pool_status(job->pool, i);

        t[i].url = arena_str(&a->arena, s.url);
        t[i].instance =
            arena_str(&a->arena, labels_get(s.labels, LABEL_INSTANCE));
        t[i].up = s.health == SCRAPE_UP;
        t[i].good_ms = s.good_ms;
        if (s.health == SCRAPE_DOWN)
            t[i].error = arena_str(&a->arena, str_of(s.error.text));
    }
    out->targets = t;
    out->target_count = n;
}

const struct rule_job *parts_describe_jobs(struct agent *a)
{
    struct rule_job *jobs = arena_array(&a->arena, a->job_count, sizeof(*jobs));

    for (size_t i = 0; i < a->job_count; i++) {
        const struct agent_job *job = a->jobs[i];
        const struct target_list *list = discovery_targets(job->discovery);

        jobs[i].name = str_of(job->conf->name);
        jobs[i].replicas = job->conf->replicas;
        jobs[i].complete = list->complete;
        jobs[i].reason = arena_str(&a->arena, list->reason);
        jobs[i].doubt = arena_str(&a->arena, list->doubt);
        describe_targets(a, job, &jobs[i]);
    }
    return jobs;
}
