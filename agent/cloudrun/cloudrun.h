/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloudrun.h - the manual instance count of a Cloud Run service or worker
 * pool: read it, set it.
 *
 * Cloud Run Admin API v2 (google.cloud.run.v2: Services, WorkerPools,
 * `scaling.manualInstanceCount`; google.longrunning.Operations).  A call gets
 * a token, asks, and after a write follows the operation to its end.  A 401
 * is tried once more with a new token; nothing else is repeated here.
 *
 * What is left out of a place is taken from what Cloud Run tells its
 * containers: K_SERVICE or CLOUD_RUN_WORKER_POOL, GOOGLE_CLOUD_PROJECT, and
 * the metadata server for project and region.
 *
 * `done` comes later, from the loop, exactly once, unless cancel came first;
 * inside `done` the call is already idle.  Errors: ERR_DENIED, a role is
 * missing; ERR_LIMIT, a quota; ERR_CONFIG, there is no such thing or it does
 * not scale by hand; ERR_INPUT, what arrived cannot be used; CLOUDRUN_CHANGED
 * below.
 */
#ifndef AGENT_CLOUDRUN_CLOUDRUN_H
#define AGENT_CLOUDRUN_CLOUDRUN_H

#include "agent/config/conf.h"
#include "agent/io/http.h"
#include "auth/auth.h"
#include "auth/lease.h"

/* Reads of one project share a quota. */
#define CLOUDRUN_LEAST_MS (10 * WHEN_SECOND)

struct cloudrun_conf {
    char *project, *location, *service, *worker_pool, *endpoint, *ca_file;
};
extern const struct conf_key cloudrun_keys[];

/* False where it is clear that nothing can be found; the text begins with the
 * key. */
must_check bool cloudrun_check(const struct cloudrun_conf *conf,
                               const struct auth_env *env, struct err *err);
/* "cloud_run worker pool W". */
void cloudrun_describe(const struct cloudrun_conf *conf, struct buf *out);

struct cloudrun;

struct cloudrun_options {
    struct loop *loop;
    struct http *http;
    const struct auth_env *env;
    struct lease *lease; /* scope cloud-platform; lent */
};

struct cloudrun *cloudrun_new(const struct cloudrun_options *options);
/* Every running call must have ended or been cancelled. */
void cloudrun_free(struct cloudrun *c);

struct cloudrun_state {
    int64_t count;
    bool reconciling; /* a change is on its way, by anybody */
    struct str etag;  /* lent for the call of `done` */
};

/* `changed`: somebody else wrote first (409, 412). */
typedef void cloudrun_done_fn(void *arg, const struct cloudrun_state *state,
                              const struct err *err, bool changed);

enum cloudrun_step {
    CLOUDRUN_IDLE,
    CLOUDRUN_PROJECT, /* the metadata server's answer */
    CLOUDRUN_REGION,
    CLOUDRUN_TOKEN,
    CLOUDRUN_ANSWER,
    CLOUDRUN_PAUSE, /* before the operation is looked at again */
};

struct cloudrun_call {
    struct cloudrun *owner;
    const struct cloudrun_conf *conf;
    enum cloudrun_step step;
    bool write, dry, renewed;
    int64_t count, timeout_ms, deadline_ms;
    struct arena arena;
    struct str etag, operation; /* operation: the one that is followed */
    struct http_call http;
    struct lease_waiter waiter;
    struct timer timer;
    cloudrun_done_fn *done;
    void *arg;
};

/* `conf` is lent until `done`. */
void cloudrun_read(struct cloudrun *c, struct cloudrun_call *call,
                   const struct cloudrun_conf *conf, int64_t timeout_ms,
                   cloudrun_done_fn *done, void *arg);
/* Only if the thing is still as `etag` says.  `dry`: all is checked, nothing
 * is changed (validateOnly). */
struct cloudrun_write {
    int64_t count;
    struct str etag;
    bool dry;
    int64_t timeout_ms; /* for the operation as well */
};
void cloudrun_set(struct cloudrun *c, struct cloudrun_call *call,
                  const struct cloudrun_conf *conf,
                  const struct cloudrun_write *write, cloudrun_done_fn *done,
                  void *arg);
void cloudrun_cancel(struct cloudrun_call *call); /* fine when idle */
static inline bool cloudrun_running(const struct cloudrun_call *call)
{
    return call->step != CLOUDRUN_IDLE;
}

#endif
