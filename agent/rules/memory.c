/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules remember from one evaluation to the next, beside figures. */
#include "agent/base/mem.h"
#include "agent/rules/rule.h"

#include <stdlib.h>

static struct job_memory *find(const struct rules *r, struct str job)
{
    for (size_t i = 0; i < r->job_count; i++)
        if (str_eqz(job, r->jobs[i].name))
            return &r->jobs[i];
    return NULL;
}

const struct job_memory *memory_of(const struct rules *r, struct str job)
{
    return find(r, job);
}

static struct job_memory *add(struct rules *r, struct str job)
{
    struct job_memory *m;

    xgrow(&r->jobs, &r->job_cap, r->job_count, sizeof(*r->jobs));
    m = &r->jobs[r->job_count++];
    *m = (struct job_memory){.name = xstrndup(job.ptr, job.len)};
    return m;
}

/* A list that is not complete proves no job smaller. */
static void count_targets(struct rules *r, const struct rule_job *job,
                          int64_t t_ms)
{
    struct job_memory *m = find(r, job->name);

    if (!m)
        m = add(r, job->name);
    if (!job->complete && job->target_count < m->most)
        return;
    m->now = job->target_count;
    if (m->now < m->most && !m->gone) {
        m->gone = true;
        m->gone_ms = t_ms;
    }
    if (m->now >= m->most || t_ms - m->gone_ms >= RULE_GONE) {
        m->most = m->now;
        m->gone = false;
    }
}

static void not_after(int64_t *t_ms, int64_t now_ms)
{
    if (*t_ms > now_ms)
        *t_ms = now_ms;
}

/* No memory is of the future. */
static void set_back(struct rules *r, int64_t now_ms)
{
    for (size_t i = 0; i < r->count; i++) {
        struct rule *rule = &r->items[i];

        rule_forget(rule);
        not_after(&rule->begun_ms, now_ms);
        not_after(&rule->good_ms, now_ms);
        not_after(&rule->oldest_ms, now_ms);
    }
    for (size_t i = 0; i < r->figure_count; i++)
        not_after(&r->figures[i].counted_ms, now_ms);
    for (size_t i = 0; i < r->job_count; i++)
        not_after(&r->jobs[i].gone_ms, now_ms);
    recordings_set_back(r, now_ms);
}

void memory_begin(struct rules *r, const struct rules_world *w)
{
    if (w->t_ms < r->evaluated_ms)
        set_back(r, w->t_ms);
    r->evaluated_ms = w->t_ms;
    for (size_t i = 0; i < w->job_count; i++)
        count_targets(r, &w->jobs[i], w->t_ms);
}

void memory_inherit(struct rules *r, const struct rules *from)
{
    r->evaluated_ms = from->evaluated_ms;
    for (size_t i = 0; i < from->job_count; i++) {
        const struct job_memory *m = &from->jobs[i];
        struct job_memory *copy = add(r, str_of(m->name));

        copy->most = m->most;
        copy->now = m->now;
        copy->gone = m->gone;
        copy->gone_ms = m->gone_ms;
    }
}

void memory_fini(struct rules *r)
{
    for (size_t i = 0; i < r->job_count; i++)
        free(r->jobs[i].name);
    free(r->jobs);
}
