/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/scrape/ingest.h"

#include "agent/base/mem.h"
#include "agent/scrape/merge.h"

#include <stdlib.h>

#define AHEAD_MS (10 * WHEN_MINUTE) /* maxAheadTime in scrape/scrape.go */

void ingest_begin(struct ingest *in)
{
    arena_init(&in->memory, 1024);
    if (!in->known->texts)
        in->known->texts = parse_memory_new();
    in->known->dropped.left_out = in->known->unwanted.left_out = true;
    held_begin(&in->known->held);
}

void ingest_fini(struct ingest *in)
{
    held_undo(&in->known->held);
    labels_builder_fini(&in->builder);
    arena_fini(&in->memory);
    free(in->samples);
    in->samples = NULL;
    in->count = in->cap = 0;
}

static struct held *meet_relabelled(struct ingest *in, struct err *err)
{
    struct labels *l;
    struct str name;

    if (!relabel_apply(in->relabel, &in->builder, &in->memory))
        return &in->known->dropped;
    name = labels_peek(&in->builder, LABEL_NAME);
    if (name.len == 0) {
        err_set(err, ERR_INPUT,
                "metric_relabel_configs: a series is left without its name: "
                "drop it, or keep __name__");
        return NULL;
    }
    l = labels_build(&in->builder, &in->memory);
    if (!merge_within(l, in->conf, err))
        return NULL;
    if (in->wanted && !in->wanted->wanted(in->wanted->arg, name))
        return &in->known->unwanted;
    return held_add(&in->known->held, l);
}

/* A series that was not in the last good scrape. */
static struct held *meet(struct ingest *in, const struct parse_sample *sample,
                         struct err *err)
{
    struct labels *l;

    labels_start(&in->builder);
    parse_labels(sample, &in->builder);
    merge_labels(&in->builder, in->target, in->conf->honor_labels, &in->memory);
    if (in->relabel)
        return meet_relabelled(in, err);
    l = labels_build(&in->builder, &in->memory);
    if (!merge_within(l, in->conf, err))
        return NULL;
    return held_add(&in->known->held, l);
}

/* sample_limit is for what the rules leave, as in Prometheus. */
static bool pass(struct ingest *in, const struct held *h, struct err *err)
{
    if (h == &in->known->dropped) {
        in->dropped++;
        return true;
    }
    in->passed++;
    if (in->conf->sample_limit == 0 ||
        in->passed <= (uint64_t)in->conf->sample_limit)
        return true;
    return err_set(err, ERR_LIMIT,
                   "sample limit exceeded: more than %lld samples after "
                   "metric_relabel_configs",
                   (long long)in->conf->sample_limit);
}

/* There will be about as many samples as series were held last time. */
static void reserve(struct ingest *in)
{
    size_t cap = in->known->held.count;

    if (in->cap > 0 || cap == 0)
        return;
    in->samples = xreallocarray(NULL, cap, sizeof(*in->samples));
    in->cap = cap;
}

static void keep(struct ingest *in, struct held *h, double v, int64_t t_ms)
{
    reserve(in);
    xgrow(&in->samples, &in->cap, in->count, sizeof(*in->samples));
    in->samples[in->count++] =
        (struct pending){.held = h, .t_ms = t_ms, .v = v};
}

bool ingest_sample(void *arg, const struct parse_sample *sample,
                   struct err *err)
{
    struct ingest *in = arg;
    bool stamped = sample->has_time && in->conf->honor_timestamps;
    struct held *h = sample->known ? *sample->known : NULL;

    if (h)
        held_see(&in->known->held, h);
    else if (!(h = meet(in, sample, err)))
        return false;
    if (sample->known)
        *sample->known = h;
    if (in->relabel && !pass(in, h, err))
        return false;
    if (h->left_out)
        return true;
    if (!stamped)
        keep(in, h, sample->value, PENDING_OWN);
    else if (sample->t_ms > in->t_ms + AHEAD_MS)
        in->too_far_ahead++;
    else
        keep(in, h, sample->value, sample->t_ms);
    return true;
}

static bool give_series(void *arg, struct held *h)
{
    struct ingest *in = arg;
    struct series *se;

    if (!h->fresh)
        return true;
    se = store_series(in->store, h->to.labels);
    if (!se)
        return false;
    in->added += !series_newest(se, INT64_MIN, INT64_MAX);
    held_settle(&in->known->held, h, se);
    return true;
}

static bool make_series(struct ingest *in, struct err *err)
{
    if (in->known->held.fresh == 0 ||
        held_each(&in->known->held, give_series, in))
        return true;
    return err_set(err, ERR_LIMIT,
                   "the store is full with %zu series: keep fewer of them, or "
                   "raise the limit",
                   store_count(in->store));
}

/* Of a series that stands twice in a body, be it as {a="1",b="2"} and
 * {b="2",a="1"}, the second sample is not newer and so refused. */
static void append_all(struct ingest *in)
{
    for (size_t i = 0; i < in->count; i++) {
        const struct pending *p = &in->samples[i];
        bool own = p->t_ms == PENDING_OWN;

        if (series_append(p->held->to.series, own ? in->t_ms : p->t_ms, p->v)) {
            p->held->live = own;
            in->stored++;
        } else if (own) {
            in->duplicates++;
        } else {
            in->out_of_order++;
        }
    }
}

/* A sample with the target's own time fades by the lookback instead. */
static void bury(struct held *h, int64_t t_ms)
{
    if (h->live)
        series_append(h->to.series, t_ms, sample_stale());
    h->live = false;
}

static bool bury_gone(void *arg, struct held *h)
{
    const struct ingest *in = arg;

    if (!held_seen(&in->known->held, h))
        bury(h, in->t_ms);
    return true;
}

bool ingest_commit(struct ingest *in, struct err *err)
{
    if (!make_series(in, err)) {
        held_undo(&in->known->held);
        ingest_bury(in->known, in->t_ms);
        held_fini(&in->known->held);
        parse_memory_clear(in->known->texts);
        return false;
    }
    append_all(in);
    held_each(&in->known->held, bury_gone, in);
    held_keep(&in->known->held);
    return true;
}

void ingest_abort(struct ingest *in)
{
    held_undo(&in->known->held);
    ingest_bury(in->known, in->t_ms);
}

static bool bury_any(void *arg, struct held *h)
{
    const int64_t *t_ms = arg;

    bury(h, *t_ms);
    return true;
}

void ingest_bury(struct ingest_memory *known, int64_t t_ms)
{
    held_each(&known->held, bury_any, &t_ms);
}

void ingest_forget(struct ingest_memory *known)
{
    held_fini(&known->held);
    parse_memory_free(known->texts);
    known->texts = NULL;
}
