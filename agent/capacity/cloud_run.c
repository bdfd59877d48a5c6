/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloud_run.c - the manual instance count.  The metric instance_count is not
 * asked: it lags by minutes.
 */
#include "agent/capacity/source.h"

static bool named(const struct capacity_conf *conf)
{
    return conf->cloud_run != NULL;
}

static bool check(const struct capacity_conf *conf, struct err *err)
{
    if (conf->refresh_ms < CLOUDRUN_LEAST_MS)
        return err_set(err, ERR_CONFIG,
                       "refresh: is shorter than 10s, and all that this "
                       "project asks Cloud Run shares one quota; write 10s or "
                       "more");
    return true;
}

static void describe(const struct capacity_conf *conf, struct buf *out)
{
    cloudrun_describe(conf->cloud_run, out);
}

static void on_read(void *arg, const struct cloudrun_state *state,
                    const struct err *err, bool changed)
{
    struct capacity_source *s = arg;
    struct capacity_answer a = {.has_desired = true};

    (void)changed; /* nothing was written */
    if (err) {
        s->done(s->arg, NULL, err);
        return;
    }
    a.running = state->count;
    a.desired = state->count;
    s->done(s->arg, &a, NULL);
}

static void start(struct capacity_source *s)
{
    cloudrun_read(s->with->cloudrun, &s->cloudrun, s->conf->cloud_run,
                  s->conf->timeout_ms, on_read, s);
}

static void cancel(struct capacity_source *s)
{
    cloudrun_cancel(&s->cloudrun);
}

const struct capacity_type capacity_cloud_run = {
    .name = "cloud_run",
    .least_ms = CLOUDRUN_LEAST_MS,
    .named = named,
    .check = check,
    .describe = describe,
    .start = start,
    .cancel = cancel,
};
