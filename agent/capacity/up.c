/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/capacity/source.h"

static bool named(const struct capacity_conf *conf)
{
    return *conf->up;
}

static void describe(const struct capacity_conf *conf, struct buf *out)
{
    buf_addf(out, "up of job %s", conf->up);
}

static void answer(void *arg)
{
    struct capacity_source *s = arg;
    struct capacity_answer a = {0};
    struct err err;

    if (s->with->up(s->with->arg, str_of(s->conf->up), &a.running, &err))
        s->done(s->arg, &a, NULL);
    else
        s->done(s->arg, NULL, &err);
}

static void start(struct capacity_source *s)
{
    capacity_soon(s, answer);
}

const struct capacity_type capacity_up = {
    .name = "up",
    .near = true,
    .named = named,
    .describe = describe,
    .start = start,
    .cancel = capacity_soon_cancel,
};
