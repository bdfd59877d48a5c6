/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_app.h - how many replicas of a container app run, as Azure
 * Resource Manager tells it: the active revisions, and of each its replicas.
 *
 * Counted are replicas whose containers are all ready.  The role Reader on
 * the app is enough.  (Azure REST API, Microsoft.App 2025-07-01: Container
 * Apps Revisions - List Revisions, Revision Replicas - List Replicas.)
 *
 * `done` comes later, from the loop, exactly once, unless cancel came first;
 * inside `done` the call is already idle.
 */
#ifndef AGENT_CAPACITY_CONTAINER_APP_H
#define AGENT_CAPACITY_CONTAINER_APP_H

#include "agent/config/conf.h"
#include "auth/lease.h"

/* A subscription's reads share one limit, so that nobody asks more often. */
#define CONTAINER_APP_LEAST_MS (10 * WHEN_SECOND)

struct container_app_conf {
    char *resource_id;
    char *endpoint; /* empty: of the cloud that we are in */
};
extern const struct conf_key container_app_keys[];

/* False with what is wrong; the text begins with the key. */
must_check bool container_app_check(const struct container_app_conf *conf,
                                    struct err *err);

/* One for the whole process: the token is shared. */
struct container_apps;

struct container_apps *container_apps_new(struct loop *loop, struct http *http,
                                          const struct auth_env *env);
/* Every running call must have ended or been cancelled. */
void container_apps_free(struct container_apps *apps);

struct container_app_count {
    int64_t ready;
    int64_t replicas; /* those that are still starting included */
};

typedef void container_app_fn(void *arg, const struct container_app_count *n,
                              const struct err *err);

struct container_app_call {
    struct container_apps *apps; /* NULL when idle */
    struct container_app_work *work;
};

/* `conf` is lent until `done`. */
void container_app_start(struct container_apps *apps,
                         struct container_app_call *call,
                         const struct container_app_conf *conf,
                         int64_t timeout_ms, container_app_fn *done, void *arg);
void container_app_cancel(struct container_app_call *call); /* fine when idle */

/* ---- answers; pure ---- */

#define CONTAINER_APP_REVISIONS 100

struct container_app_revisions {
    struct str active[CONTAINER_APP_REVISIONS]; /* names */
    size_t count;
    struct str next; /* URL of the next page; empty: this was the last */
};

/* Adds a page. */
must_check bool container_app_read_revisions(
    struct str body, struct arena *arena, struct container_app_revisions *out,
    struct err *err);
/* Adds the replicas of a revision. */
must_check bool container_app_read_replicas(struct str body,
                                            struct container_app_count *out,
                                            struct err *err);

#endif
