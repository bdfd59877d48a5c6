/* SPDX-License-Identifier: Apache-2.0 */
#include "test/lib/sim.h"

#include "agent/base/mem.h"
#include "test/lib/simworld.h"

#include <assert.h>
#include <stdlib.h>

struct sim_signal {
    struct sim_signal *next;
    int signum;
    signal_fn *fn;
    void *arg;
};

struct loop *loop_new(void)
{
    struct loop *loop = xcalloc(1, sizeof(*loop));

    loop->now = (struct now){SIM_MONO_START, SIM_WALL_START};
    loop->random = 1;
    loop->dns_latency_ms = 1;
    arena_init(&loop->arena, 4096);
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    assert(loop->calls.count == 0);
    assert(loop->lookups.count == 0);
    assert(loop->timers.count == 0);
    timers_fini(&loop->timers);
    arena_fini(&loop->arena);
    free((void *)loop->seen);
    free(loop);
}

bool sim_step(struct loop *loop)
{
    struct timer *t = timers_first(&loop->timers);

    if (!t)
        return false;
    if (t->at_ms > loop->now.mono_ms) {
        loop->now.wall_ms += t->at_ms - loop->now.mono_ms;
        loop->now.mono_ms = t->at_ms;
    }
    timers_remove(&loop->timers, t);
    t->loop = NULL;
    t->fn(t->arg);
    return true;
}

void loop_run(struct loop *loop)
{
    while (!loop->stopped && sim_step(loop))
        ;
    loop->stopped = false;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

void sim_run_until(struct loop *loop, int64_t mono_ms)
{
    struct timer *t;

    while (!loop->stopped && (t = timers_first(&loop->timers)) &&
           t->at_ms <= mono_ms)
        sim_step(loop);
    if (!loop->stopped && mono_ms > loop->now.mono_ms) {
        loop->now.wall_ms += mono_ms - loop->now.mono_ms;
        loop->now.mono_ms = mono_ms;
    }
    loop->stopped = false;
}

void sim_run_for(struct loop *loop, int64_t ms)
{
    sim_run_until(loop, loop->now.mono_ms + ms);
}

void sim_step_wall(struct loop *loop, int64_t ms)
{
    loop->now.wall_ms += ms;
}

void sim_set_wall(struct loop *loop, int64_t wall_ms)
{
    loop->now.wall_ms = wall_ms;
}

struct now loop_now(struct loop *loop)
{
    return loop->now;
}

void sim_seed(struct loop *loop, uint64_t seed)
{
    loop->random = seed;
}

/* SplitMix64 (Steele, Lea and Flood, 2014). */
uint64_t loop_random(struct loop *loop)
{
    uint64_t z = loop->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void timer_arm(struct loop *loop, struct timer *t, int64_t at_mono_ms,
               timer_fn *fn, void *arg)
{
    timer_disarm(t);
    t->loop = loop;
    t->at_ms = at_mono_ms;
    t->fn = fn;
    t->arg = arg;
    timers_add(&loop->timers, t);
}

void timer_disarm(struct timer *t)
{
    if (!t->loop)
        return;
    timers_remove(&t->loop->timers, t);
    t->loop = NULL;
}

size_t sim_timers(const struct loop *loop)
{
    return loop->timers.count;
}

void loop_on_signal(struct loop *loop, int signum, signal_fn *fn, void *arg)
{
    struct sim_signal *s = arena_zalloc(&loop->arena, sizeof(*s));

    *s = (struct sim_signal){loop->signals, signum, fn, arg};
    loop->signals = s;
}

void sim_signal(struct loop *loop, int signum)
{
    for (struct sim_signal *s = loop->signals; s; s = s->next)
        if (s->signum == signum)
            s->fn(s->arg, signum);
}

bool sim_fault(struct loop *loop)
{
    if (loop->fail_in == 0 || --loop->fail_in > 0)
        return false;
    loop->failed = true;
    return true;
}

void sim_fail_nth(struct loop *loop, size_t n)
{
    loop->fail_in = n;
    loop->failed = false;
}

bool sim_failed(const struct loop *loop)
{
    return loop->failed;
}

size_t sim_running(const struct loop *loop)
{
    return loop->calls.count + loop->lookups.count;
}
