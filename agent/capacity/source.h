/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h - one way to learn how many workers run.
 *
 * A source is a const struct.  start() asks once: `done` comes later, from the
 * loop, exactly once, unless cancel() came first; inside `done` the source is
 * idle again.  Refreshing, keeping and telling are written once, in
 * capacity.c.
 */
#ifndef AGENT_CAPACITY_SOURCE_H
#define AGENT_CAPACITY_SOURCE_H

#include "agent/base/buf.h"
#include "agent/capacity/capacity.h"

struct capacity_answer {
    int64_t running;
    bool has_desired;
    int64_t desired;
};

/* `answer` is NULL, with `err`, when the number cannot be told. */
typedef void capacity_done_fn(void *arg, const struct capacity_answer *answer,
                              const struct err *err);

struct capacity_source {
    const struct capacity_type *type;
    const struct capacity_options *with;
    const struct capacity_conf *conf;
    capacity_done_fn *done;
    void *arg;
    struct timer timer;       /* for answers that need no asking */
    struct resolve_call call; /* dns */
    struct ecs_count_call count;
    struct cloudrun_call cloudrun;
    struct container_app_call container_app;
};

struct capacity_type {
    const char *name; /* as the configuration names it */
    bool near;        /* asks nobody outside: read often, and no fuss about
                         what is not known yet */
    int64_t least_ms; /* between readings, where the other side has limits */
    /* Is this the source that was written down? */
    bool (*named)(const struct capacity_conf *conf);
    /* What the table cannot check; NULL: nothing. */
    bool (*check)(const struct capacity_conf *conf, struct err *err);
    /* For people: "dns worker.local A". */
    void (*describe)(const struct capacity_conf *conf, struct buf *out);
    void (*start)(struct capacity_source *s);
    void (*cancel)(struct capacity_source *s); /* fine when idle */
};

extern const struct capacity_type capacity_fixed;
extern const struct capacity_type capacity_dns;
extern const struct capacity_type capacity_up;
extern const struct capacity_type capacity_ecs;
extern const struct capacity_type capacity_cloud_run;
extern const struct capacity_type capacity_container_app;

/* For sources that know at once: `fn` runs on the next turn of the loop. */
void capacity_soon(struct capacity_source *s, timer_fn *fn);
void capacity_soon_cancel(struct capacity_source *s);

#endif
