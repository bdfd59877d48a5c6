/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capacity.h - how many workers of a service run.
 *
 * One source a service; a source answers with a number or with the reason why
 * there is none.  A failed reading leaves the last number standing for `keep`;
 * after that the count is unknown.  Unknown is never zero.  This part writes
 * nothing itself: it tells each reading to its owner.
 *
 * To add a platform: write source_<name>.c with a struct capacity_type, list
 * it in capacity.c, add its table to struct capacity_conf.
 */
#ifndef AGENT_CAPACITY_CAPACITY_H
#define AGENT_CAPACITY_CAPACITY_H

#include "agent/base/err.h"
#include "agent/capacity/container_app.h"
#include "agent/cloudrun/cloudrun.h"
#include "agent/config/conf.h"
#include "agent/ecs/ecs.h"
#include "agent/io/loop.h"
#include "agent/io/resolve.h"

/* The series that the composition root writes; label `service`. */
#define CAPACITY_SERIES         STR("scalebridge_running_workers")
#define CAPACITY_DESIRED_SERIES STR("scalebridge_desired_workers")

enum capacity_dns_type { CAPACITY_A, CAPACITY_AAAA, CAPACITY_SRV };

struct capacity_dns_conf {
    char *name; /* empty: this is not the source */
    int64_t type;
    int64_t port; /* taken for symmetry with discovery; does not matter */
    bool trust_eight;
};

extern const struct conf_key capacity_dns_keys[];

struct capacity_ecs_conf {
    struct ecs_conf at;
    bool primary_only; /* leave out the tasks of older deployments */
};

extern const struct conf_key capacity_ecs_keys[];

/* Where nothing is written, ECS, or Cloud Run, is asked this often. */
#define CAPACITY_ECS_REFRESH (15 * WHEN_SECOND)

struct capacity_conf {
    int64_t fixed; /* -1: this is not the source */
    char *up;      /* a job's name; empty: this is not the source */
    struct capacity_dns_conf dns;
    struct capacity_ecs_conf *ecs;   /* NULL: this is not the source */
    struct cloudrun_conf *cloud_run; /* the same */
    struct container_app_conf *container_app;
    int64_t refresh_ms;
    int64_t timeout_ms;
    int64_t keep_ms;
};

extern const struct conf_key capacity_keys[];

/* Exactly one source is named. */
must_check bool capacity_check(const struct capacity_conf *conf,
                               struct err *err);

struct capacity_reading {
    struct str service;
    bool known;
    int64_t running;
    bool has_desired; /* platforms tell what they are heading for */
    int64_t desired;
    struct str source; /* "fixed", "dns worker.local A", "ecs CLUSTER/NAME" */
    struct str reason; /* not known: why; known: why the newest reading
                          failed while this one is kept, or empty */
    int64_t at_ms;     /* wall clock when the number was read; 0: never */
};

/* How many targets of a scraped job answer; false with the reason while
 * that is not known. */
typedef bool capacity_up_fn(void *arg, struct str job, int64_t *up,
                            struct err *err);
/* After every attempt to read, later, from the loop; `r` is lent. */
typedef void capacity_read_fn(void *arg, const struct capacity_reading *r);

struct capacity_options {
    struct loop *loop;
    struct resolver *resolver; /* may be NULL where no DNS is configured */
    struct ecs *ecs;           /* may be NULL where no ECS is configured */
    struct cloudrun *cloudrun; /* the same */
    struct container_apps *container_apps;
    capacity_up_fn *up;
    capacity_read_fn *read;
    void *arg;
};

struct capacity;

struct capacity *capacity_new(const struct capacity_options *options);
void capacity_free(struct capacity *c);
/* `conf` is checked, and lent until capacity_free(). */
void capacity_add(struct capacity *c, struct str service,
                  const struct capacity_conf *conf);
/* Reads every service now and then every `refresh`; sooner after a failure,
 * and every 5 s where nobody outside is asked.  A cloud's own interface is
 * never asked sooner than its least, refreshed with jitter, and less and less
 * often while it fails. */
void capacity_start(struct capacity *c);
/* One-shot: reads every service once; `done` comes later, from the loop, once,
 * after the last `read`. */
void capacity_once(struct capacity *c, void (*done)(void *arg), void *arg);

size_t capacity_count(const struct capacity *c);
/* What stands now; lent until the next turn of the loop. */
struct capacity_reading capacity_reading(const struct capacity *c, size_t i);

#endif
