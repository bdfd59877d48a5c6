/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/loop.h"

#include "agent/base/mem.h"
#include "agent/io/ready.h"
#include "agent/io/timers.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

#define NS_PER_MS     INT64_C(1000000)
#define CLOSING_TURNS 8

struct watched_signal {
    struct watched_signal *next;
    uv_signal_t handle;
    signal_fn *fn;
    void *arg;
};

struct loop {
    uv_loop_t uv;
    uv_timer_t timer;     /* armed for the first of `timers` */
    uv_prepare_t prepare; /* these two mark where a turn ends */
    uv_check_t check;
    struct timers timers;
    struct now now;
    bool now_read; /* in this turn */
    struct watched_signal *signals;
};

/* Fails only where libuv's API is used wrongly. */
static void must(int rc)
{
    assert(rc == 0);
    (void)rc;
}

struct uv_loop_s *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

static void on_prepare(uv_prepare_t *handle)
{
    ((struct loop *)handle->data)->now_read = false;
}

static void on_check(uv_check_t *handle)
{
    ((struct loop *)handle->data)->now_read = false;
}

struct loop *loop_new(void)
{
    struct loop *loop = xcalloc(1, sizeof(*loop));
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    must(uv_loop_init(&loop->uv));
    must(uv_timer_init(&loop->uv, &loop->timer));
    must(uv_prepare_init(&loop->uv, &loop->prepare));
    must(uv_check_init(&loop->uv, &loop->check));
    loop->timer.data = loop->prepare.data = loop->check.data = loop;
    must(uv_prepare_start(&loop->prepare, on_prepare));
    must(uv_check_start(&loop->check, on_check));
    uv_unref((uv_handle_t *)&loop->prepare);
    uv_unref((uv_handle_t *)&loop->check);
    /* A peer that hangs up is an error of its call, not the end. */
    must(sigaction(SIGPIPE, &ignore, NULL));
    return loop;
}

static void tell_leak(uv_handle_t *handle, void *arg)
{
    (void)arg;
    (void)fprintf(stderr, "loop: a handle of type %s is still open\n",
                  uv_handle_type_name(uv_handle_get_type(handle)));
}

void loop_free(struct loop *loop)
{
    int rc;

    if (!loop)
        return;
    assert(loop->timers.count == 0); /* a timer outlives its owner */
    uv_close((uv_handle_t *)&loop->timer, NULL);
    uv_close((uv_handle_t *)&loop->prepare, NULL);
    uv_close((uv_handle_t *)&loop->check, NULL);
    for (struct watched_signal *s = loop->signals; s; s = s->next)
        uv_close((uv_handle_t *)&s->handle, NULL);
    /* Close callbacks take a turn or two; what is leaked would take for ever.
     */
    for (int turn = 0; turn < CLOSING_TURNS; turn++)
        uv_run(&loop->uv, UV_RUN_NOWAIT);
    rc = uv_loop_close(&loop->uv);
    if (rc != 0)
        uv_walk(&loop->uv, tell_leak, NULL);
    assert(rc == 0);
    for (struct watched_signal *s = loop->signals, *next; s; s = next) {
        next = s->next;
        free(s);
    }
    timers_fini(&loop->timers);
    free(loop);
}

void loop_run(struct loop *loop)
{
    loop->now_read = false;
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    loop->now_read = false;
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

struct now loop_now(struct loop *loop)
{
    struct timespec wall;

    if (loop->now_read)
        return loop->now;
    must(clock_gettime(CLOCK_REALTIME, &wall));
    loop->now.mono_ms = (int64_t)uv_hrtime() / NS_PER_MS;
    loop->now.wall_ms =
        (int64_t)wall.tv_sec * WHEN_SECOND + wall.tv_nsec / NS_PER_MS;
    loop->now_read = true;
    return loop->now;
}

uint64_t loop_random(struct loop *loop)
{
    uint64_t bits;

    must(uv_random(&loop->uv, NULL, &bits, sizeof(bits), 0, NULL));
    return bits;
}

static void on_timer(uv_timer_t *handle);

/* Keeps the one timer of libuv at the first of ours. */
static void schedule(struct loop *loop)
{
    const struct timer *first = timers_first(&loop->timers);
    int64_t wait;

    if (!first) {
        uv_timer_stop(&loop->timer);
        return;
    }
    wait = first->at_ms - (int64_t)uv_hrtime() / NS_PER_MS;
    uv_update_time(&loop->uv);
    must(uv_timer_start(&loop->timer, on_timer, wait > 0 ? (uint64_t)wait : 0,
                        0));
}

static void on_timer(uv_timer_t *handle)
{
    struct loop *loop = handle->data;
    uint64_t turn = loop->timers.added;
    struct timer *t;

    loop->now_read = false;
    while ((t = timers_pop(&loop->timers, loop_now(loop).mono_ms, turn))) {
        t->loop = NULL;
        t->fn(t->arg);
    }
    schedule(loop);
}

void timer_arm(struct loop *loop, struct timer *t, int64_t at_mono_ms,
               timer_fn *fn, void *arg)
{
    if (t->loop)
        timers_remove(&t->loop->timers, t);
    t->loop = loop;
    t->at_ms = at_mono_ms;
    t->fn = fn;
    t->arg = arg;
    timers_add(&loop->timers, t);
    if (timers_first(&loop->timers) == t)
        schedule(loop);
}

/* A wake-up too early does no harm; only the last one must not keep the loop
 * alive. */
void timer_disarm(struct timer *t)
{
    struct loop *loop = t->loop;

    if (!loop)
        return;
    timers_remove(&loop->timers, t);
    t->loop = NULL;
    if (loop->timers.count == 0)
        schedule(loop);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct watched_signal *s = handle->data;

    s->fn(s->arg, signum);
}

void loop_on_signal(struct loop *loop, int signum, signal_fn *fn, void *arg)
{
    struct watched_signal *s = xcalloc(1, sizeof(*s));

    s->fn = fn;
    s->arg = arg;
    s->next = loop->signals;
    loop->signals = s;
    must(uv_signal_init(&loop->uv, &s->handle));
    s->handle.data = s;
    must(uv_signal_start(&s->handle, on_signal, signum));
    uv_unref((uv_handle_t *)&s->handle);
}
