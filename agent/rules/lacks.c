/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/rule.h"

#include <assert.h>

static struct str down_text(const struct rule_target *t, struct arena *a)
{
    struct str error = t->error.len > 0 ? t->error : STR("not scraped yet");

    return arena_printf(a, "%.*s: %.*s", STR_ARG(t->url), STR_ARG(error));
}

/* Those that the selector's matchers on `instance` take. */
struct health {
    size_t all, up, waiting;        /* waiting: for their first scrape */
    const struct rule_target *down; /* the first */
};

static struct health health_of(const struct feed_scope *s,
                               const struct rule_job *job)
{
    struct health h = {0, 0, 0, NULL};

    for (size_t i = 0; i < job->target_count; i++) {
        const struct rule_target *t = &job->targets[i];

        if (!feed_takes(s->use, LABEL_INSTANCE, t->instance, s->arena))
            continue;
        h.all++;
        h.up += t->up;
        h.waiting += !t->up && t->error.len == 0;
        if (!t->up && !h.down)
            h.down = t;
    }
    return h;
}

struct str lacks_shared(const struct feed_scope *s, const struct rule_job *job)
{
    struct health h = health_of(s, job);

    if (h.up > 0)
        return STR_NONE;
    if (h.all > 0)
        return arena_printf(s->arena, "no target of %.*s answered: %.*s",
                            STR_ARG(job->name),
                            STR_ARG(down_text(h.down, s->arena)));
    return arena_printf(s->arena, "%.*s has no targets%s%.*s",
                        STR_ARG(job->name), job->reason.len ? ": " : "",
                        STR_ARG(job->reason));
}

static bool shows(const struct figure *f, const struct rule_job *job,
                  const struct rule_target *t)
{
    for (size_t i = 0; i < f->sample_count; i++)
        if (str_eq(f->samples[i].job, job->name) &&
            str_eq(f->samples[i].instance, t->instance))
            return true;
    return false;
}

static size_t shown_in(const struct figure *f, const struct rule_job *job)
{
    size_t n = 0;

    for (size_t i = 0; i < f->sample_count; i++)
        n += str_eq(f->samples[i].job, job->name);
    return n;
}

/* The preset knows that every replica shows it: a healthy one that does not
 * is no smaller sum either. */
static struct str lacks_figure(const struct feed_scope *s,
                               const struct rule_job *job)
{
    const struct figure *f = s->figure;

    if (!f || !f->known || shown_in(f, job) >= job->target_count)
        return STR_NONE;
    for (size_t i = 0; i < job->target_count; i++) {
        const struct rule_target *t = &job->targets[i];

        if (feed_takes(s->use, LABEL_INSTANCE, t->instance, s->arena) &&
            !shows(f, job, t))
            return arena_printf(s->arena, "%.*s shows no %.*s", STR_ARG(t->url),
                                STR_ARG(f->name));
    }
    return STR_NONE;
}

/* A target that is gone, and none came in its place. */
static struct str lacks_gone(const struct feed_scope *s,
                             const struct rule_job *job)
{
    const struct job_memory *m = memory_of(s->rules, job->name);
    char patience[WHEN_TEXT];

    if (!m || !m->gone)
        return STR_NONE;
    when_duration_format(RULE_GONE, patience);
    return arena_printf(s->arena,
                        "%zu of %zu targets of %.*s gone, and none came in "
                        "their place (taken as it is after %s)",
                        m->most - m->now, m->most, STR_ARG(job->name),
                        patience);
}

struct str lacks_own(const struct feed_scope *s, const struct rule_job *job)
{
    struct health h = health_of(s, job);
    struct str gone;

    if (!job->complete)
        return arena_printf(
            s->arena, "the targets of %.*s are not all known: %.*s",
            STR_ARG(job->name),
            STR_ARG(job->reason.len ? job->reason : STR("no answer yet")));
    if (h.down)
        return arena_printf(
            s->arena, "%zu of %zu target%s of %.*s did not answer: %.*s",
            h.all - h.up, h.all, plural(h.all), STR_ARG(job->name),
            STR_ARG(down_text(h.down, s->arena)));
    gone = lacks_gone(s, job);
    return gone.len > 0 ? gone : lacks_figure(s, job);
}

struct str lacks_perhaps(const struct feed_scope *s, const struct rule_job *job)
{
    struct str near;
    size_t i = 0;

    assert(s->figure); /* without an exact name each job is its place */
    if (!job->complete)
        return lacks_own(s, job);
    while (i < job->target_count && job->targets[i].good_ms != 0)
        i++;
    if (i == job->target_count)
        return STR_NONE;
    near = why_near(s->world, s->figure->name);
    return arena_printf(s->arena,
                        "nothing has shown %.*s yet%s%.*s%s, and a target "
                        "never answered: %.*s",
                        STR_ARG(s->figure->name),
                        near.ptr ? " (did you mean " : "", STR_ARG(near),
                        near.ptr ? "?)" : "",
                        STR_ARG(down_text(&job->targets[i], s->arena)));
}

bool lacks_only_time(const struct feed_scope *s, const struct rule_job *job)
{
    struct health h = health_of(s, job);

    if (!job->complete)
        return job->reason.len == 0;
    return h.up < h.all && h.up + h.waiting == h.all;
}
