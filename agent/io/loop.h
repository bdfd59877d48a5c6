/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h - the event loop: one thread, one "now" a turn, timers, signals.
 *
 * The only reader of a clock.  A test links test/lib/sim.c in its place and
 * moves time by itself.
 */
#ifndef AGENT_IO_LOOP_H
#define AGENT_IO_LOOP_H

#include "agent/base/list.h"
#include "agent/base/when.h"

struct loop;

struct loop *loop_new(void);
void loop_free(struct loop *loop);
/* Turns until loop_stop(), or until nothing is left to wait for. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* Read once a turn; the same value throughout one callback. */
struct now loop_now(struct loop *loop);
/* 64 random bits from the system, for jitter. */
uint64_t loop_random(struct loop *loop);

/*
 * A timer is embedded in its owner, all-zero when new, and fires once, from
 * the loop.  Arming an armed timer moves it.  Disarming is immediate and fine
 * for an idle one; inside `fn` the timer is already idle.
 */
typedef void timer_fn(void *arg);

struct timer {
    struct loop *loop; /* NULL when idle */
    int64_t at_ms;     /* on the monotonic clock */
    timer_fn *fn;
    void *arg;
    size_t slot;    /* its place in the queue */
    uint64_t order; /* timers of one time fire as they were armed */
};

void timer_arm(struct loop *loop, struct timer *t, int64_t at_mono_ms,
               timer_fn *fn, void *arg);
void timer_disarm(struct timer *t);
static inline bool timer_armed(const struct timer *t)
{
    return t->loop != NULL;
}

/* `fn` is called from the loop for every `signum` until loop_free(). */
typedef void signal_fn(void *arg, int signum);
void loop_on_signal(struct loop *loop, int signum, signal_fn *fn, void *arg);

#endif
