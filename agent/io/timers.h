/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timers.h - the armed timers of one loop, as a binary heap; pure.
 *
 * Timers are lent until they are popped or removed.  Equal times come out in
 * the order in which they were added.
 */
#ifndef AGENT_IO_TIMERS_H
#define AGENT_IO_TIMERS_H

#include "agent/io/loop.h"

struct timers {
    struct timer **heap;
    size_t count, cap;
    uint64_t added; /* timers ever added; orders equals, marks a turn */
};

void timers_fini(struct timers *ts); /* an all-zero queue is empty and valid */
void timers_add(struct timers *ts, struct timer *t);
void timers_remove(struct timers *ts, struct timer *t);
/* The first to fire, or NULL. */
struct timer *timers_first(const struct timers *ts);
/*
 * Takes out the first that is due and was there when `added` stood at
 * `limit`, or returns NULL: what a callback arms waits for the next turn.
 */
struct timer *timers_pop(struct timers *ts, int64_t now_ms, uint64_t limit);

#endif
