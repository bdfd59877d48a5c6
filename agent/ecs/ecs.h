/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecs.h - what Amazon ECS knows of a service: how many of its tasks run, and
 * where they are.
 *
 * A service is named by cluster, name and region; each may be an ARN, and
 * what is left out is taken from the ARN, from AWS_REGION, or from the task
 * that we run in (task metadata endpoint, version 4; it tells the service's
 * name on EC2 and ECS Anywhere alone).  Counts of one cluster that are asked
 * for in one turn of the loop share calls of ten services each, the most that
 * DescribeServices takes.  (Amazon ECS API Reference; Developer Guide, "Task
 * metadata endpoint version 4".)
 *
 * `done` comes later, from the loop, exactly once, unless cancel came first;
 * inside `done` the call is already idle.
 */
#ifndef AGENT_ECS_ECS_H
#define AGENT_ECS_ECS_H

#include "agent/base/buf.h"
#include "agent/base/list.h"
#include "agent/config/conf.h"
#include "agent/io/http.h"
#include "auth/auth.h"

/* Limits of the account are shared with its consoles and pipelines, so that
 * nobody asks more often than this. */
#define ECS_LEAST_MS (10 * WHEN_SECOND)

struct ecs_conf {
    char *cluster, *service, *region, *endpoint; /* empty: to be found */
    char *ca_file;
    bool fips, dual_stack;
};
extern const struct conf_key ecs_keys[];

/* False where it is clear that nothing can be found, or that a name is none;
 * the text begins with the key. */
must_check bool ecs_check(const struct ecs_conf *conf,
                          const struct auth_env *env, struct err *err);
/* "ecs CLUSTER/SERVICE", with "(own)" for what is to be found. */
void ecs_describe(const struct ecs_conf *conf, struct buf *out);

/* One for the whole process: keys, endpoints and metadata are shared. */
struct ecs;

struct ecs *ecs_new(struct loop *loop, struct http *http,
                    const struct auth_env *env);
/* Every running call must have ended or been cancelled. */
void ecs_free(struct ecs *e);

struct ecs_count {
    int64_t running, desired, pending;
    bool draining;    /* the service is being deleted */
    bool has_primary; /* has a deployment that ECS rolls out itself */
    int64_t primary_running, primary_desired;
};

typedef void ecs_count_fn(void *arg, const struct ecs_count *count,
                          const struct err *err);

/* Where a service is. */
struct ecs_place {
    struct str cluster, service;
    struct ecs_client *client;
};

typedef void ecs_find_fn(void *arg, const struct ecs_place *place,
                         const struct err *err);

struct ecs_find {
    struct list_node node; /* idle when in no list */
    const struct ecs_conf *conf;
    ecs_find_fn *done;
    void *arg;
};

struct ecs_batch;

struct ecs_count_call {
    struct ecs *ecs; /* NULL when idle */
    struct ecs_find find;
    struct list_node node; /* among those to ask for, or of a batch */
    struct ecs_batch *batch;
    struct ecs_place place;
    int64_t timeout_ms;
    ecs_count_fn *done;
    void *arg;
};

/* `conf` is lent until `done`. */
void ecs_count_start(struct ecs *e, struct ecs_count_call *call,
                     const struct ecs_conf *conf, int64_t timeout_ms,
                     ecs_count_fn *done, void *arg);
void ecs_count_cancel(struct ecs_count_call *call); /* fine when idle */

/* Addresses of the tasks that run and are not unhealthy. */
struct ecs_tasks {
    const struct str *addresses; /* private IPv4; lent for the call */
    size_t count;
};

typedef void ecs_tasks_fn(void *arg, const struct ecs_tasks *tasks,
                          const struct err *err);

struct ecs_tasks_work;

struct ecs_tasks_call {
    struct ecs_tasks_work *work; /* NULL when idle */
};

void ecs_tasks_start(struct ecs *e, struct ecs_tasks_call *call,
                     const struct ecs_conf *conf, int64_t timeout_ms,
                     ecs_tasks_fn *done, void *arg);
void ecs_tasks_cancel(struct ecs_tasks_call *call); /* fine when idle */

#endif
