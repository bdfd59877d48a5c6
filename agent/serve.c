/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.c - the daemon: evaluate every scrape interval, publish every publish
 * interval, both on the grid of the wall clock; flush and end on a signal, and
 * take new settings on another.
 *
 * A sink that wants each evaluation gets it at once, and at least one at the
 * first moment of each half minute, however seldom is scraped: its readers
 * look at the minute that has just begun.
 */
#include "agent/agent.h"
#include "agent/base/log.h"
#include "agent/parts.h"
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
    const struct agent_serve_options *with;
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

/* A sink that a reload took out is done. */
static void on_left(struct agent *a)
{
    struct serve *s = a->owner;

    if (s->ending)
        on_flushed(s);
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
    for (const struct agent_sink *k = a->leaving; k; k = k->next)
        s->flushing++;
    for (size_t i = 0; i < a->sink_count; i++)
        outbox_flush(a->sinks[i]->outbox, deadline, on_flushed, s);
    if (s->flushing == 0)
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

static void tell_faults(const struct settings *fresh)
{
    struct buf line;

    buf_init(&line, BUF_NO_LIMIT);
    for (size_t i = 0; i < conf_fault_count(fresh->conf); i++) {
        const struct conf_fault *f = conf_fault_at(fresh->conf, i);

        buf_reset(&line);
        conf_fault_print(f, &line);
        if (!f->warning)
            log_error("reload_refused", log_s("reason", buf_str(&line)));
    }
    buf_fini(&line);
}

static void take(struct serve *s, struct settings *fresh)
{
    struct agent *a = s->agent;
    struct err err;

    if (!settings_good(fresh)) {
        tell_faults(fresh);
    } else if (!agent_reload(a, fresh, &err)) {
        log_error("reload_refused", log_z("reason", err.text));
    } else {
        served_reload(a, &s->served);
        arm_evaluate(s, false);
        arm_publish(s, false);
        timer_disarm(&s->half);
        arm_half(s, false);
        log_info("reloaded", log_z("settings", fresh->origin));
    }
}

static void on_reload(void *arg, int signum)
{
    struct serve *s = arg;
    struct settings *fresh;

    (void)signum;
    if (s->ending)
        return;
    fresh = s->with->again(s->with->arg);
    take(s, fresh);
    settings_free(fresh);
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
    for (size_t i = 0; i < a->sink_count; i++)
        parts_tell_sink(a->sinks[i]);
    log_info("ended");
}

bool agent_serve(struct settings *settings,
                 const struct agent_serve_options *options, struct err *err)
{
    struct serve s = {.with = options};
    struct agent_options with = {.settings = settings,
                                 .loop = options->loop,
                                 .deliver = true,
                                 .owner = &s};
    struct agent *a = agent_new(&with, err);

    if (!a)
        return false;
    s.agent = a;
    if (!served_new(a, &s.served, err)) {
        agent_free(a);
        return false;
    }
    a->left = on_left;
    loop_on_signal(a->loop, SIGTERM, on_signal, &s);
    loop_on_signal(a->loop, SIGINT, on_signal, &s);
    if (options->again)
        loop_on_signal(a->loop, SIGHUP, on_reload, &s);
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
