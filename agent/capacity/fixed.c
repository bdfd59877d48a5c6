/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/capacity/source.h"

static bool named(const struct capacity_conf *conf)
{
    return conf->fixed >= 0;
}

static void describe(const struct capacity_conf *conf, struct buf *out)
{
    (void)conf;
    buf_addz(out, "fixed");
}

static void answer(void *arg)
{
    struct capacity_source *s = arg;
    struct capacity_answer a = {.running = s->conf->fixed};

    s->done(s->arg, &a, NULL);
}

static void start(struct capacity_source *s)
{
    capacity_soon(s, answer);
}

const struct capacity_type capacity_fixed = {
    .name = "fixed",
    .near = true,
    .named = named,
    .describe = describe,
    .start = start,
    .cancel = capacity_soon_cancel,
};
