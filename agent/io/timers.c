/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/timers.h"

#include "agent/base/mem.h"

#include <assert.h>
#include <stdlib.h>

static bool before(const struct timer *a, const struct timer *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void put(struct timers *ts, size_t slot, struct timer *t)
{
    ts->heap[slot] = t;
    t->slot = slot;
}

static void sift_up(struct timers *ts, struct timer *t, size_t slot)
{
    while (slot > 0 && before(t, ts->heap[(slot - 1) / 2])) {
        put(ts, slot, ts->heap[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    put(ts, slot, t);
}

static void sift_down(struct timers *ts, struct timer *t, size_t slot)
{
    for (;;) {
        size_t child = 2 * slot + 1;

        if (child + 1 < ts->count &&
            before(ts->heap[child + 1], ts->heap[child]))
            child++;
        if (child >= ts->count || !before(ts->heap[child], t))
            break;
        put(ts, slot, ts->heap[child]);
        slot = child;
    }
    put(ts, slot, t);
}

void timers_fini(struct timers *ts)
{
    free((void *)ts->heap);
    *ts = (struct timers){0};
}

void timers_add(struct timers *ts, struct timer *t)
{
    xgrow((void *)&ts->heap, &ts->cap, ts->count, sizeof(struct timer *));
    t->order = ts->added++;
    sift_up(ts, t, ts->count++);
}

void timers_remove(struct timers *ts, struct timer *t)
{
    struct timer *last = ts->heap[ts->count - 1];
    size_t slot = t->slot;

    assert(slot < ts->count && ts->heap[slot] == t);
    ts->count--;
    if (last == t)
        return;
    if (before(last, t))
        sift_up(ts, last, slot);
    else
        sift_down(ts, last, slot);
}

struct timer *timers_first(const struct timers *ts)
{
    return ts->count > 0 ? ts->heap[0] : NULL;
}

struct timer *timers_pop(struct timers *ts, int64_t now_ms, uint64_t limit)
{
    struct timer *t = timers_first(ts);

    if (!t || t->at_ms > now_ms || t->order >= limit)
        return NULL;
    timers_remove(ts, t);
    return t;
}
