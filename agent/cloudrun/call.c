/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.c - one call: where, a token, the question, and after a write the
 * operation.
 *
 *   IDLE -> PROJECT -> REGION -> TOKEN -> ANSWER -> IDLE
 *                                  ^         |
 *                                  +- PAUSE <+   the operation goes on
 */
#include "agent/base/mem.h"
#include "agent/cloudrun/inside.h"

#include <stdlib.h>

/* Between looks at an operation: it takes Cloud Run some seconds. */
#define METADATA_MS  (3 * WHEN_SECOND)
#define REQUEST_MS   (15 * WHEN_SECOND)
#define OPERATION_MS (2 * WHEN_SECOND)

struct cloudrun {
    struct cloudrun_options with;
    struct arena arena;           /* of what the metadata server said */
    struct str project, location; /* its answers; empty: not asked */
};

struct cloudrun *cloudrun_new(const struct cloudrun_options *options)
{
    struct cloudrun *c = xcalloc(1, sizeof(*c));

    c->with = *options;
    arena_init(&c->arena, 1024);
    return c;
}

void cloudrun_free(struct cloudrun *c)
{
    if (!c)
        return;
    arena_fini(&c->arena);
    free(c);
}

/* Nothing of the call is touched after `done`, which may free it. */
static void finish(struct cloudrun_call *k, const struct cloudrun_state *state,
                   const struct err *err, bool changed)
{
    struct arena arena = k->arena; /* what `state` points to lives on */

    k->step = CLOUDRUN_IDLE;
    k->arena = (struct arena){0};
    k->done(k->arg, state, err, changed);
    arena_fini(&arena);
}

void cloudrun_cancel(struct cloudrun_call *call)
{
    if (call->step == CLOUDRUN_IDLE)
        return;
    http_cancel(&call->http);
    lease_leave(&call->waiter);
    timer_disarm(&call->timer);
    arena_fini(&call->arena);
    call->step = CLOUDRUN_IDLE;
}

static struct cloudrun_place place_of(const struct cloudrun_call *k)
{
    struct cloudrun_place p = cloudrun_written(k->conf, k->owner->with.env);

    if (!p.project.len)
        p.project = k->owner->project;
    if (!p.location.len)
        p.location = k->owner->location;
    return p;
}

/* ---- where: the metadata server ---- */

static void go_on(struct cloudrun_call *k);

/* The last part of "projects/123/regions/us-east1". */
static struct str last_part(struct str path)
{
    struct str part = path;

    while (str_next(&path, '/', &part))
        continue;
    return part;
}

static void on_metadata(void *arg, const struct http_response *res,
                        const struct err *err)
{
    struct cloudrun_call *k = arg;
    struct cloudrun *c = k->owner;
    bool project = k->step == CLOUDRUN_PROJECT;
    struct str said = {0};
    struct err none;

    if (!err && res->status == 200)
        said = last_part(str_trim(res->body));
    if (!said.len) {
        (void)err_set(&none, ERR_CONFIG,
                      "cloud_run: %s is not written, and the metadata server "
                      "does not tell it%s%s; write %s",
                      project ? "project" : "location", err ? ": " : "",
                      err ? err->text : "", project ? "project" : "location");
        finish(k, NULL, &none, false);
        return;
    }
    *(project ? &c->project : &c->location) = arena_str(&c->arena, said);
    go_on(k);
}

static void ask_metadata(struct cloudrun_call *k, enum cloudrun_step step,
                         const char *path)
{
    static const struct http_hooks hooks = {.done = on_metadata};
    const struct auth_env *env = k->owner->with.env;
    const char *host = env->variable(env->arg, "GCE_METADATA_HOST");
    struct http_request req = {
        .method = STR("GET"), .timeout_ms = METADATA_MS, .no_proxy = true};

    k->step = step;
    req.url =
        arena_printf(&k->arena, "http://%s/computeMetadata/v1/%s",
                     host && host[0] ? host : CLOUDRUN_METADATA_HOST, path);
    http_set(&req, STR("Metadata-Flavor"), STR("Google"));
    http_start(k->owner->with.http, &k->http, &req, &hooks, k);
}

/* ---- answers ---- */

static void ask_token(void *arg);

static void on_state(struct cloudrun_call *k, const struct cloudrun_place *p,
                     struct str body)
{
    struct cloudrun_state state;
    struct err err;

    if (cloudrun_read_state(body, p, &k->arena, &state, &err))
        finish(k, &state, NULL, false);
    else
        finish(k, NULL, &err, false);
}

static void on_operation(struct cloudrun_call *k, struct str body)
{
    int64_t now_ms = loop_now(k->owner->with.loop).mono_ms;
    struct cloudrun_state state = {.count = k->count};
    bool done = false, changed = false;
    struct str name;
    struct err err;

    if (!cloudrun_read_operation(body, &k->arena, &name, &done, &changed,
                                 &err)) {
        finish(k, NULL, &err, changed);
        return;
    }
    if (done || k->dry) {
        finish(k, &state, NULL, false);
        return;
    }
    if (now_ms + OPERATION_MS >= k->deadline_ms) {
        (void)err_set(&err, ERR_TIMEOUT,
                      "cloud_run: the change was taken, and has not ended in "
                      "time");
        finish(k, NULL, &err, false);
        return;
    }
    k->operation = name;
    k->step = CLOUDRUN_PAUSE;
    timer_arm(k->owner->with.loop, &k->timer, now_ms + OPERATION_MS, ask_token,
              k);
}

static void on_answer(void *arg, const struct http_response *res,
                      const struct err *net)
{
    struct cloudrun_call *k = arg;
    struct cloudrun_place p = place_of(k);
    struct err err;
    bool changed = false;

    if (net) {
        finish(k, NULL, net, false);
        return;
    }
    if (res->status == 401 && !k->renewed) {
        k->renewed = true;
        lease_refused(k->owner->with.lease);
        ask_token(k);
        return;
    }
    if (res->status >= 300) {
        (void)cloudrun_refused(res, &p, k->write, &k->arena, &changed, &err);
        finish(k, NULL, &err, changed);
    } else if (k->write) {
        on_operation(k, res->body);
    } else {
        on_state(k, &p, res->body);
    }
}

/* ---- questions ---- */

static void fill(struct cloudrun_call *k, struct http_request *req)
{
    struct cloudrun_place p = place_of(k);

    if (k->operation.len) {
        req->url = arena_printf(&k->arena, "%.*s/v2/%.*s", STR_ARG(p.base),
                                STR_ARG(k->operation));
    } else if (k->write) {
        req->method = STR("PATCH");
        req->url = cloudrun_patch_url(&p, k->dry, &k->arena);
        req->body = cloudrun_patch_body(&p, k->count, k->etag, &k->arena);
        http_set(req, STR("Content-Type"), STR("application/json"));
    } else {
        req->url = cloudrun_url(&p, &k->arena);
    }
}

static void on_token(void *arg, const struct credentials *creds,
                     const struct err *err)
{
    static const struct http_hooks hooks = {.done = on_answer};
    struct cloudrun_call *k = arg;
    struct http_request req = {
        .method = STR("GET"),
        .timeout_ms = k->timeout_ms < REQUEST_MS ? k->timeout_ms : REQUEST_MS,
        .ca_file = str_of(k->conf->ca_file)};

    if (!creds) {
        finish(k, NULL, err, false);
        return;
    }
    k->step = CLOUDRUN_ANSWER;
    fill(k, &req);
    http_set_secret(&req, STR("Authorization"),
                    arena_printf(&k->arena, "Bearer %s", creds->token));
    http_start(k->owner->with.http, &k->http, &req, &hooks, k);
}

static void ask_token(void *arg)
{
    struct cloudrun_call *k = arg;

    k->step = CLOUDRUN_TOKEN;
    lease_wait(k->owner->with.lease, &k->waiter, on_token, k);
}

static void go_on(struct cloudrun_call *k)
{
    struct cloudrun_place p = place_of(k);

    if (!p.project.len)
        ask_metadata(k, CLOUDRUN_PROJECT, "project/project-id");
    else if (!p.location.len)
        ask_metadata(k, CLOUDRUN_REGION, "instance/region");
    else
        ask_token(k);
}

static void begin(struct cloudrun *c, struct cloudrun_call *k)
{
    k->owner = c;
    k->deadline_ms = loop_now(c->with.loop).mono_ms + k->timeout_ms;
    arena_init(&k->arena, 1024);
}

void cloudrun_read(struct cloudrun *c, struct cloudrun_call *call,
                   const struct cloudrun_conf *conf, int64_t timeout_ms,
                   cloudrun_done_fn *done, void *arg)
{
    *call = (struct cloudrun_call){
        .conf = conf, .timeout_ms = timeout_ms, .done = done, .arg = arg};
    begin(c, call);
    go_on(call);
}

void cloudrun_set(struct cloudrun *c, struct cloudrun_call *call,
                  const struct cloudrun_conf *conf,
                  const struct cloudrun_write *write, cloudrun_done_fn *done,
                  void *arg)
{
    *call = (struct cloudrun_call){.conf = conf,
                                   .write = true,
                                   .dry = write->dry,
                                   .count = write->count,
                                   .timeout_ms = write->timeout_ms,
                                   .done = done,
                                   .arg = arg};
    begin(c, call);
    call->etag = arena_str(&call->arena, write->etag);
    go_on(call);
}
