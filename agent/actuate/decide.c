/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/actuate/decide.h"

#include "agent/base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* So much is not yet another worker: 3.0000000001 is a three that was
 * computed. */
#define NEARLY 1e-6

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- what is remembered ---- */

static void remember(struct actuate_events *e, int64_t at_ms, int64_t count)
{
    xgrow(&e->items, &e->cap, e->count, sizeof(*e->items));
    e->items[e->count++] = (struct actuate_event){at_ms, count};
}

/* Those that are `age_ms` old or older are of no use any more. */
static void forget_older(struct actuate_events *e, int64_t now_ms,
                         int64_t age_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < e->count; i++)
        if (now_ms - e->items[i].at_ms < age_ms)
            e->items[kept++] = e->items[i];
    e->count = kept;
}

static int64_t sum_within(const struct actuate_events *e, int64_t now_ms,
                          int64_t age_ms)
{
    int64_t sum = 0;

    for (size_t i = 0; i < e->count; i++)
        if (now_ms - e->items[i].at_ms < age_ms)
            sum += e->items[i].count;
    return sum;
}

void actuate_forget(struct actuate_memory *m)
{
    free(m->wanted.items);
    free(m->added.items);
    free(m->taken.items);
    *m = (struct actuate_memory){0};
}

void actuate_changed(struct actuate_memory *m, int64_t now_ms, int64_t from,
                     int64_t to)
{
    if (to > from)
        remember(&m->added, now_ms, to - from);
    else if (to < from)
        remember(&m->taken, now_ms, from - to);
}

/* ---- windows ---- */

static int64_t over_window(const struct actuate_memory *m, int64_t now_ms,
                           int64_t window_ms, int64_t first,
                           int64_t (*pick)(int64_t, int64_t))
{
    int64_t count = first;

    for (size_t i = 0; i < m->wanted.count; i++)
        if (now_ms - m->wanted.items[i].at_ms < window_ms)
            count = pick(count, m->wanted.items[i].count);
    return count;
}

static int64_t stabilise(const struct actuate_limits *limits,
                         const struct actuate_memory *m, int64_t now_ms,
                         int64_t current, int64_t required)
{
    int64_t up = over_window(m, now_ms, limits->up.window_ms, required, least);
    int64_t down =
        over_window(m, now_ms, limits->down.window_ms, required, most);

    if (current < up)
        return up;
    return current > down ? down : current;
}

/* ---- steps ---- */

/* What stood when the period began, as far as our own changes go. */
static int64_t at_start(const struct actuate_memory *m, int64_t now_ms,
                        int64_t period_ms, int64_t current)
{
    return current - sum_within(&m->added, now_ms, period_ms) +
           sum_within(&m->taken, now_ms, period_ms);
}

/* The minimum is reached at once, as with the HPA; and a share of nothing
 * would stay nothing, so that it is one. */
static int64_t highest(const struct actuate_limits *limits,
                       const struct actuate_memory *m, int64_t now_ms,
                       int64_t current)
{
    const struct actuate_side *up = &limits->up;
    int64_t start = at_start(m, now_ms, up->period_ms, current);
    /* 100 + percent over 100, rounded up, in whole numbers. */
    int64_t share = (start * (100 + up->percent) + 99) / 100;

    if (current == 0 && up->percent > 0)
        share = most(share, 1);
    return most(most(current, limits->min), most(start + up->workers, share));
}

/* The maximum is reached at once. */
static int64_t lowest(const struct actuate_limits *limits,
                      const struct actuate_memory *m, int64_t now_ms,
                      int64_t current)
{
    const struct actuate_side *down = &limits->down;
    int64_t start = at_start(m, now_ms, down->period_ms, current);
    int64_t share = start * (100 - down->percent) / 100;

    return least(least(current, limits->max),
                 most(0, least(start - down->workers, share)));
}

/* ---- the decision ---- */

static int64_t whole(double required)
{
    if (!(required > 0))
        return 0;
    if (required >= (double)ACTUATE_MOST)
        return ACTUATE_MOST;
    return (int64_t)ceil(required - NEARLY);
}

static void settle(struct actuate_decision *d, int64_t count,
                   enum actuate_why why)
{
    if (d->count != count)
        d->why = why;
    d->count = count;
}

static void keep_busy(const struct actuate_input *in,
                      struct actuate_decision *d)
{
    if (!in->busy_floor || d->count >= in->current)
        return;
    if (!in->busy_known)
        settle(d, in->current, ACTUATE_UNKNOWN);
    else
        settle(d, most(d->count, least(in->current, whole(in->busy))),
               ACTUATE_BUSY);
}

static void limit_step(const struct actuate_limits *limits,
                       const struct actuate_memory *m,
                       const struct actuate_input *in,
                       struct actuate_decision *d)
{
    if (d->count > in->current)
        settle(d, least(d->count, highest(limits, m, in->now_ms, in->current)),
               ACTUATE_STEP);
    else if (d->count < in->current)
        settle(d, most(d->count, lowest(limits, m, in->now_ms, in->current)),
               ACTUATE_STEP);
}

struct actuate_decision actuate_decide(const struct actuate_limits *limits,
                                       struct actuate_memory *m,
                                       const struct actuate_input *in)
{
    int64_t required = whole(in->required);
    struct actuate_decision d = {.current = in->current,
                                 .required = required,
                                 .count = required,
                                 .why = ACTUATE_REQUIRED};

    if (!m->wanted.count)
        remember(&m->wanted, in->now_ms, in->current);
    settle(&d, most(d.count, limits->min), ACTUATE_MIN);
    settle(&d, least(d.count, limits->max), ACTUATE_MAX);
    forget_older(&m->wanted, in->now_ms,
                 most(1, most(limits->up.window_ms, limits->down.window_ms)));
    forget_older(&m->added, in->now_ms,
                 most(limits->up.period_ms, limits->down.period_ms));
    forget_older(&m->taken, in->now_ms,
                 most(limits->up.period_ms, limits->down.period_ms));
    remember(&m->wanted, in->now_ms, d.count);
    settle(&d, stabilise(limits, m, in->now_ms, in->current, d.count),
           ACTUATE_WINDOW);
    limit_step(limits, m, in, &d);
    keep_busy(in, &d);
    if (d.count == in->current && d.why == ACTUATE_REQUIRED)
        d.why = ACTUATE_EQUAL;
    return d;
}

void actuate_tell(const struct actuate_decision *d, struct buf *out)
{
    static const char *const why[] = {
        [ACTUATE_EQUAL] = "which is what stands",
        [ACTUATE_REQUIRED] = "as required",
        [ACTUATE_WINDOW] = "as far as the whole stabilisation window agrees",
        [ACTUATE_STEP] = "as far as the step limit allows",
        [ACTUATE_MIN] = "the minimum",
        [ACTUATE_MAX] = "the maximum",
        [ACTUATE_BUSY] = "since that many jobs are being worked on",
        [ACTUATE_UNKNOWN] =
            "since it is not known how many jobs are being worked on",
    };

    buf_addf(out, "%" PRId64 " required, %" PRId64 " now: %s %" PRId64 ", %s",
             d->required, d->current, d->count == d->current ? "keep" : "set",
             d->count, why[d->why]);
}
