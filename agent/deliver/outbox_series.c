/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox_series.c - clouds that take only the newest point of a series, and
 * not two of them in short succession.
 */
#include "agent/base/map.h"
#include "agent/deliver/inside.h"

static struct str series_key(struct arena *a, const struct point *p)
{
    struct buf key;
    struct str kept;

    buf_init(&key, BUF_NO_LIMIT);
    buf_adds(&key, p->name);
    for (size_t i = 0; i < p->dimension_count; i++) {
        buf_addc(&key, '\0');
        buf_adds(&key, p->dimensions[i].name);
        buf_addc(&key, '\0');
        buf_adds(&key, p->dimensions[i].value);
    }
    kept = arena_str(a, buf_str(&key));
    buf_fini(&key);
    return kept;
}

static void end_superseded(struct outbox *o, struct entry *e, const char *why)
{
    struct err err;

    (void)err_set(&err, ERR_LIMIT, "%s", why);
    outbox_end_entry(o, e, OUTBOX_SUPERSEDED, &err);
}

/* Ends what is waiting behind a newer point of its series. */
static void keep_newest(struct outbox *o)
{
    struct entry *e = queue_newest(&o->queue);
    struct map newest = {0};

    arena_reset(&o->arena);
    while (e) {
        struct entry *older = queue_older(e);

        if (map_put(&newest, series_key(&o->arena, e->point), e))
            end_superseded(o, e, "a newer value of the same series is there");
        e = older;
    }
    map_fini(&newest);
}

static bool too_close(const struct outbox *o, const struct point *p)
{
    for (struct entry *e = queue_newest(&o->recent); e; e = queue_older(e))
        if (point_same_series(e->point, p) &&
            p->t_ms - e->point->t_ms < o->with.type->least_gap_ms)
            return true;
    return false;
}

static void keep_apart(struct outbox *o)
{
    int64_t since = outbox_cloud_ms(o) - o->with.type->least_gap_ms;
    struct entry *e;

    while ((e = queue_oldest(&o->recent)) && e->point->t_ms < since)
        queue_drop(&o->recent, e);
    e = queue_newest(&o->queue);
    while (e && !queue_empty(&o->recent)) {
        struct entry *older = queue_older(e);

        if (too_close(o, e->point))
            end_superseded(o, e,
                           "follows the last one sooner than this cloud "
                           "takes points of one series");
        e = older;
    }
}

void outbox_thin(struct outbox *o)
{
    if (o->with.type->newest_wins)
        keep_newest(o);
    if (o->with.type->least_gap_ms)
        keep_apart(o);
}

void outbox_remember(struct outbox *o, const struct point *p)
{
    if (o->with.type->least_gap_ms)
        queue_add(&o->recent, p, 0);
}
