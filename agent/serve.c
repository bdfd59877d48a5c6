/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.c - the daemon: evaluate every scrape interval, publish every publish
 * interval, both on the grid of the wall clock; flush and end on a signal.
 *
 * A sink that wants each evaluation gets it at once, and at least one at the
 * first moment of each half minute, however seldom is scraped: its readers
 * look at the minute that has just begun.
 */
#include "agent/agent.h"
#include "agent/base/log.h"
#include "agent/served.h"

#include <signal.h>
#include <unistd.h>

/* Two ticks of the wall clock's grid that are armed apart may be so far apart,
 * by the rounding of clocks. */
#define SAME_MOMENT INT64_C(50)
#define HALF_MINUTE (30 * WHEN_SECOND)

struct serve {
    struct agent *agent;
    struct served *served;
    struct timer evaluate, publish, half;
    bool ending;
    size_t flushing;
};

static void on_evaluate(void *arg);
static void on_publish(void *arg);
static void on_half(void *arg);

/* When the wall clock is next on a multiple of `period`; a clock that steps
 * moves the grid with it, since this is asked anew every time.  A tick that
 * came a little early, by the rounding of the two clocks, is not repeated. */
static void arm_on_grid(struct serve *s, struct timer *t, int64_t period_ms,
                        bool ticked, timer_fn *fn)
{
    struct now now = loop_now(s->agent->loop);
    int64_t wait = period_ms - now.wall_ms % period_ms;

    if (ticked && wait < period_ms / 2)
        wait += period_ms;
    timer_arm(s->agent->loop, t, now.mono_ms + wait, fn, s);
}

static void arm_evaluate(struct serve *s, bool ticked)
{
    arm_on_grid(s, &s->evaluate,
                s->agent->settings->values.scrape.common.interval_ms, ticked,
                on_evaluate);
}

static void arm_publish(struct serve *s, bool ticked)
{
    arm_on_grid(s, &s->publish, s->agent->settings->values.publish.interval_ms,
                ticked, on_publish);
}

static void arm_half(struct serve *s, bool ticked)
{
    if (s->agent->each)
        arm_on_grid(s, &s->half, HALF_MINUTE, ticked, on_half);
}

static void on_evaluate(void *arg)
{
    struct serve *s = arg;

    agent_evaluate(s->agent);
    agent_publish_each(s->agent);
    arm_evaluate(s, true);
}

static bool evaluated_now(const struct serve *s)
{
    struct now now = loop_now(s->agent->loop);
    int64_t ago = now.wall_ms - s->agent->evaluated_ms;

    return (ago >= 0 && ago < SAME_MOMENT) ||
           (timer_armed(&s->evaluate) &&
            s->evaluate.at_ms - now.mono_ms < SAME_MOMENT);
}

static void on_half(void *arg)
{
    struct serve *s = arg;

    if (!evaluated_now(s)) {
        agent_evaluate(s->agent);
        agent_publish_each(s->agent);
    }
    arm_half(s, true);
}

static void on_publish(void *arg)
{
    struct serve *s = arg;

    /* An evaluation that is due at the same moment goes first. */
    if (timer_armed(&s->evaluate) &&
        s->evaluate.at_ms - loop_now(s->agent->loop).mono_ms < SAME_MOMENT) {
        timer_disarm(&s->evaluate);
        on_evaluate(s);
    }
    agent_publish(s->agent);
    arm_publish(s, true);
}

static void on_flushed(void *arg)
{
    struct serve *s = arg;

    if (--s->flushing == 0)
        loop_stop(s->agent->loop);
}

static void end(struct serve *s)
{
    struct agent *a = s->agent;
    int64_t deadline =
        loop_now(a->loop).mono_ms + a->settings->values.shutdown.timeout_ms;

    timer_disarm(&s->evaluate);
    timer_disarm(&s->publish);
    timer_disarm(&s->half);
    for (size_t i = 0; i < a->job_count; i++)
        scrape_pool_stop(a->jobs[i]->pool);
    agent_publish(a);
    s->flushing = a->sink_count;
    for (size_t i = 0; i < a->sink_count; i++)
        outbox_flush(a->sinks[i]->outbox, deadline, on_flushed, s);
    if (a->sink_count == 0)
        loop_stop(a->loop);
}

static void on_signal(void *arg, int signum)
{
    struct serve *s = arg;

    if (s->ending) {
        log_warn("ended_at_once", log_i("signal", signum));
        _exit(EXIT_FAILED);
    }
    s->ending = true;
    log_info("ending", log_i("signal", signum));
    end(s);
}

static void tell_start(const struct agent *a)
{
    log_info("started", log_z("version", PACKAGE_VERSION),
             log_i("jobs", (int64_t)a->job_count),
             log_i("metrics", (int64_t)rules_count(a->rules)),
             log_i("sinks", (int64_t)a->sink_count),
             log_i("pid", (int64_t)getpid()));
}

static void tell_end(const struct agent *a)
{
    for (size_t i = 0; i < a->sink_count; i++) {
        const struct outbox_stats *st = outbox_stats(a->sinks[i]->outbox);

        log_write(st->queued ? LOG_WARN : LOG_INFO, "sink_ended",
                  log_z("sink", a->sinks[i]->conf->type->name),
                  log_i("accepted", (int64_t)a->sinks[i]->accepted),
                  log_i("lost", (int64_t)(a->sinks[i]->lost + st->queued)),
                  LOG_END);
    }
    log_info("ended");
}

bool agent_serve(const struct settings *settings, struct loop *loop,
                 struct err *err)
{
    struct serve s = {0};
    struct agent_options with = {
        .settings = settings, .loop = loop, .deliver = true};
    struct agent *a = agent_new(&with, err);

    if (!a)
        return false;
    s.agent = a;
    if (!served_new(a, &s.served, err)) {
        agent_free(a);
        return false;
    }
    loop_on_signal(a->loop, SIGTERM, on_signal, &s);
    loop_on_signal(a->loop, SIGINT, on_signal, &s);
    for (size_t i = 0; i < a->job_count; i++)
        scrape_pool_start(a->jobs[i]->pool);
    capacity_start(a->capacity);
    arm_evaluate(&s, false);
    arm_publish(&s, false);
    arm_half(&s, false);
    tell_start(a);
    loop_run(a->loop);
    tell_end(a);
    served_free(s.served);
    agent_free(a);
    return true;
}
