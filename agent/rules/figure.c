/* SPDX-License-Identifier: Apache-2.0 */
/* One metric name: which jobs show it, and how their replicas compare. */
#include "agent/base/mem.h"
#include "agent/rules/rule.h"

#include <math.h>
#include <stdlib.h>

/* Replicas are read at different moments: less than this share apart is no
 * difference that says anything. */
#define NEARLY 0.1

void figure_fini(struct figure *f)
{
    for (size_t i = 0; i < f->job_count; i++)
        free(f->jobs[i]);
    free(f->jobs);
    *f = (struct figure){0};
}

bool figure_seen_in(const struct figure *f, struct str job)
{
    for (size_t i = 0; i < f->job_count; i++)
        if (str_eqz(job, f->jobs[i]))
            return true;
    return false;
}

static void note_job(struct figure *f, struct str job)
{
    if (job.len == 0 || figure_seen_in(f, job))
        return;
    xgrow(&f->jobs, &f->job_cap, f->job_count, sizeof(*f->jobs));
    f->jobs[f->job_count++] = xstrndup(job.ptr, job.len);
}

void figure_inherit(struct figure *f, const struct figure *from)
{
    for (size_t i = 0; i < from->job_count; i++)
        note_job(f, str_of(from->jobs[i]));
    f->counted_ms = from->counted_ms;
    f->values = from->values;
    f->alike = from->alike;
    f->different = from->different;
    f->settled = from->settled;
    f->verdict = from->verdict;
    f->replicas = from->replicas;
    f->low = from->low;
    f->high = from->high;
}

struct reading {
    struct figure *figure;
    struct arena *arena;
    int64_t t_ms;
    size_t cap;
};

/* All labels but instance. */
static uint64_t group_of(const struct labels *l)
{
    struct labels_iter it = labels_iter(l);
    struct label pair;
    uint64_t h = STR_HASH_START;

    while (labels_next(&it, &pair)) {
        if (str_eq(pair.name, LABEL_INSTANCE))
            continue;
        h = str_hash_more(h, pair.name);
        h = str_hash_more(h, STR("\xff"));
        h = str_hash_more(h, pair.value);
        h = str_hash_more(h, STR("\xff"));
    }
    return h;
}

static void read_series(void *arg, struct series *se)
{
    struct reading *r = arg;
    struct figure *f = r->figure;
    const struct sample *s =
        series_newest(se, r->t_ms - RULE_LOOKBACK, r->t_ms);
    const struct labels *l = series_labels(se);

    if (!s || sample_is_stale(s->v))
        return;
    if (f->sample_count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 8;
        struct figure_sample *more = arena_array(r->arena, cap, sizeof(*more));

        if (f->sample_count > 0)
            memcpy(more, f->samples, f->sample_count * sizeof(*more));
        f->samples = more;
        r->cap = cap;
    }
    f->samples[f->sample_count++] = (struct figure_sample){
        .group = group_of(l),
        .job = labels_get(l, LABEL_JOB),
        .instance = labels_get(l, LABEL_INSTANCE),
        .value = s->v,
        .t_ms = s->t_ms,
    };
}

static int by_group(const void *a, const void *b)
{
    const struct figure_sample *x = a, *y = b;

    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return str_cmp(x->instance, y->instance);
}

struct looks {
    bool alike, close, different;
};

/* Replicas of one group: [from, to). */
static void look_at(struct figure *f, size_t from, size_t to,
                    struct looks *seen)
{
    double low = f->samples[from].value, high = low;
    bool different;

    for (size_t i = from + 1; i < to; i++) {
        low = fmin(low, f->samples[i].value);
        high = fmax(high, f->samples[i].value);
    }
    if (to - from < 2 || (high == low && high == 0) || isnan(low))
        return; /* says nothing */
    different = high - low > NEARLY * fmax(fabs(high), fabs(low));
    if (different || !seen->different) {
        f->replicas = to - from;
        f->low = low;
        f->high = high;
    }
    seen->alike |= high == low;
    seen->close |= high != low && !different;
    seen->different |= different;
}

static enum figure_look look(struct figure *f)
{
    struct looks seen = {false, false, false};
    size_t from = 0;

    for (size_t i = 1; i <= f->sample_count; i++) {
        if (i < f->sample_count &&
            f->samples[i].group == f->samples[from].group)
            continue;
        look_at(f, from, i, &seen);
        from = i;
    }
    if (seen.different)
        return LOOK_DIFFERENT;
    return seen.alike && !seen.close ? LOOK_ALIKE : LOOK_NONE;
}

static uint64_t hash_values(const struct figure *f)
{
    uint64_t h = STR_HASH_START;

    for (size_t i = 0; i < f->sample_count; i++) {
        const struct figure_sample *s = &f->samples[i];

        h = str_hash_more(h, s->instance);
        h = str_hash_more(h, str_n((const char *)&s->value, sizeof(s->value)));
    }
    return h;
}

/* Every sample is newer than all of the cycle counted last. */
static bool is_new_cycle(struct figure *f)
{
    int64_t oldest = INT64_MAX, newest = INT64_MIN;

    for (size_t i = 0; i < f->sample_count; i++) {
        int64_t t = f->samples[i].t_ms;

        oldest = t < oldest ? t : oldest;
        newest = t > newest ? t : newest;
    }
    if (f->sample_count == 0 || oldest <= f->counted_ms)
        return false;
    f->counted_ms = newest;
    return true;
}

/* A shared figure that has not moved since the last cycle must be alike
 * everywhere; one that moves may be read at different moments. */
static void conclude(struct figure *f, enum figure_look seen, bool once)
{
    uint64_t values = hash_values(f);
    bool settled = values == f->values;

    f->values = values;
    f->alike = seen == LOOK_ALIKE ? f->alike + 1 : 0;
    f->different = seen == LOOK_DIFFERENT ? f->different + 1 : 0;
    f->settled = seen == LOOK_DIFFERENT && settled ? f->settled + 1 : 0;
    if (f->alike >= (once ? 1 : RULE_AGREE))
        f->verdict = FIGURE_SHARED;
    else if (f->different >= RULE_DIFFER ||
             f->settled + 1 >= RULE_DIFFER_SETTLED ||
             (once && f->different > 0 && !f->known))
        f->verdict = FIGURE_OWN;
    else if (f->different >= RULE_AGREE && f->verdict == FIGURE_SHARED)
        f->verdict = FIGURE_UNCLEAR;
}

void figure_observe(struct figure *f, const struct rules_world *w,
                    struct arena *a)
{
    const struct matcher named = {MATCH_EQ, LABEL_NAME, f->name, NULL};
    struct reading r = {.figure = f, .arena = a, .t_ms = w->t_ms};

    f->samples = NULL;
    f->sample_count = 0;
    store_select(w->store, &named, 1, read_series, &r);
    for (size_t i = 0; i < f->sample_count; i++)
        note_job(f, f->samples[i].job);
    if (f->sample_count > 0)
        qsort(f->samples, f->sample_count, sizeof(*f->samples), by_group);
    if (is_new_cycle(f))
        conclude(f, look(f), w->once);
}
