/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_app_call.c - one count: a token, the revisions, then the replicas
 * of each active one.
 */
#include "agent/base/jsonr.h"
#include "agent/base/mem.h"
#include "agent/capacity/container_app.h"
#include "auth/entra.h"

#include <json-c/json.h>
#include <stdlib.h>

#define API_VERSION "api-version=2025-07-01"
#define PAGES       20

struct container_apps {
    struct loop *loop;
    struct http *http;
    struct lease *lease;
    struct str url; /* of Azure Resource Manager */
    struct arena arena;
};

struct container_app_work {
    struct container_app_call *call;
    const struct container_app_conf *conf;
    container_app_fn *done;
    void *arg;
    int64_t deadline_ms; /* monotonic */
    struct arena arena;
    struct lease_waiter waiter;
    struct http_call http;
    struct timer timer;
    struct container_app_revisions revisions;
    bool listed; /* all revisions are known */
    size_t at;   /* the revision whose replicas are asked for */
    size_t pages;
    bool renewed; /* a fresh token was asked for already */
    struct container_app_count count;
};

struct container_apps *container_apps_new(struct loop *loop, struct http *http,
                                          const struct auth_env *env)
{
    struct container_apps *apps = xcalloc(1, sizeof(*apps));
    const struct entra_options who = {.audience =
                                          entra_audience(env, ENTRA_ARM)};
    struct lease_options lease = {.providers = entra_providers,
                                  .mend = entra_no_credentials};

    apps->loop = loop;
    apps->http = http;
    arena_init(&apps->arena, 512);
    apps->url = arena_str(&apps->arena, entra_arm_url(env));
    lease.env = entra_env(env, &who, &apps->arena);
    apps->lease = lease_new(loop, http, &lease);
    return apps;
}

void container_apps_free(struct container_apps *apps)
{
    if (!apps)
        return;
    lease_free(apps->lease);
    arena_fini(&apps->arena);
    free(apps);
}

void container_app_cancel(struct container_app_call *call)
{
    struct container_app_work *w = call->work;

    if (!call->apps)
        return;
    timer_disarm(&w->timer);
    lease_leave(&w->waiter);
    http_cancel(&w->http);
    arena_fini(&w->arena);
    free(w);
    *call = (struct container_app_call){0};
}

/* Nothing of the work is touched after this. */
static void finish(struct container_app_work *w, const struct err *err)
{
    const struct container_app_count count = w->count;
    container_app_fn *done = w->done;
    void *arg = w->arg;

    container_app_cancel(w->call);
    done(arg, err ? NULL : &count, err);
}

static void on_token(void *arg, const struct credentials *creds,
                     const struct err *none);

static void next(struct container_app_work *w)
{
    lease_wait(w->call->apps->lease, &w->waiter, on_token, w);
}

static void out_of_time(void *arg)
{
    struct container_app_work *w = arg;
    struct err err;

    (void)err_set(&err, ERR_TIMEOUT,
                  "container_app: no count of %s in time; raise timeout",
                  w->conf->resource_id);
    finish(w, &err);
}

/* ---- judging ---- */

static enum err_kind kind_of(int status)
{
    if (status == 401 || status == 403)
        return ERR_DENIED;
    if (status == 429)
        return ERR_LIMIT;
    return status >= 500 || status == 408 ? ERR_NETWORK : ERR_INPUT;
}

static const char *mend_of(int status)
{
    switch (status) {
    case 401:
        return "; the token is not for this cloud: look at "
               "AZURE_AUTHORITY_HOST";
    case 403:
        return "; grant this identity the role Reader on the app";
    case 404:
        return "; look at resource_id";
    default:
        return "";
    }
}

static void tell(const struct container_app_work *w,
                 const struct http_response *res, struct err *err)
{
    struct json_object *root = NULL, *fault;
    struct str code = STR_NONE, message = STR_NONE;

    if (jsonr_parse(res->body, &root, NULL)) {
        fault = jsonr_get(root, "error");
        code = jsonr_text_or(fault, "code", STR_NONE);
        message = jsonr_text_or(fault, "message", STR_NONE);
    }
    if (message.len > 200)
        message.len = 200;
    if (str_ends(message, STR(".")))
        message.len--;
    (void)err_set(err, kind_of(res->status),
                  "container_app %s: answered %d%s%.*s%s%.*s%s",
                  w->conf->resource_id, res->status, code.len ? " " : "",
                  STR_ARG(code), message.len ? ": " : "", STR_ARG(message),
                  mend_of(res->status));
    json_object_put(root);
}

static struct str base_of(const struct container_app_work *w)
{
    struct str base = str_of(w->conf->endpoint);

    return base.len ? base : w->call->apps->url;
}

/* The token goes nowhere else. */
static bool check_next(struct container_app_work *w, struct err *err)
{
    struct str next_url = w->revisions.next, base = base_of(w);

    if (!next_url.len) {
        w->listed = true;
        return true;
    }
    if (++w->pages == PAGES)
        return err_set(err, ERR_LIMIT, "the list of revisions does not end");
    return (str_starts(next_url, base) && next_url.len > base.len &&
            next_url.ptr[base.len] == '/') ||
           err_set(err, ERR_INPUT, "nextLink: leads away from %.*s",
                   STR_ARG(base));
}

static bool take(struct container_app_work *w, struct str body, struct err *err)
{
    if (!w->listed)
        return container_app_read_revisions(body, &w->arena, &w->revisions,
                                            err) &&
               check_next(w, err);
    w->at++;
    return container_app_read_replicas(body, &w->count, err);
}

static void on_answer(void *arg, const struct http_response *res,
                      const struct err *net)
{
    struct container_app_work *w = arg;
    struct err err;

    if (net) {
        err = *net;
        (void)err_wrap(&err, "container_app");
        finish(w, &err);
    } else if (res->status == 401 && !w->renewed) {
        w->renewed = true;
        lease_refused(w->call->apps->lease);
        next(w);
    } else if (res->status != 200) {
        tell(w, res, &err);
        finish(w, &err);
    } else if (!take(w, res->body, &err)) {
        (void)err_wrap(&err, "container_app %s", w->conf->resource_id);
        finish(w, &err);
    } else if (w->listed && w->at == w->revisions.count) {
        finish(w, NULL);
    } else {
        next(w);
    }
}

/* ---- asking ---- */

static struct str url_of(struct container_app_work *w)
{
    struct str base = base_of(w);

    if (w->revisions.next.len && !w->listed)
        return w->revisions.next;
    if (!w->listed)
        return arena_printf(&w->arena, "%.*s%s/revisions?" API_VERSION,
                            STR_ARG(base), w->conf->resource_id);
    return arena_printf(
        &w->arena, "%.*s%s/revisions/%.*s/replicas?" API_VERSION, STR_ARG(base),
        w->conf->resource_id, STR_ARG(w->revisions.active[w->at]));
}

static void on_token(void *arg, const struct credentials *creds,
                     const struct err *none)
{
    const struct http_hooks hooks = {.done = on_answer};
    struct container_app_work *w = arg;
    struct container_apps *apps = w->call->apps;
    struct http_request req = {.method = STR("GET"), .url = url_of(w)};
    struct buf bearer;

    if (!creds) {
        finish(w, none);
        return;
    }
    req.timeout_ms = w->deadline_ms - loop_now(apps->loop).mono_ms;
    if (req.timeout_ms < 1)
        req.timeout_ms = 1;
    buf_init(&bearer, BUF_NO_LIMIT);
    buf_addf(&bearer, "Bearer %s", creds->token);
    http_set_secret(&req, STR("Authorization"), buf_str(&bearer));
    http_start(apps->http, &w->http, &req, &hooks, w);
    wipe(bearer.data, bearer.len);
    buf_fini(&bearer);
}

void container_app_start(struct container_apps *apps,
                         struct container_app_call *call,
                         const struct container_app_conf *conf,
                         int64_t timeout_ms, container_app_fn *done, void *arg)
{
    struct container_app_work *w = xcalloc(1, sizeof(*w));

    *call = (struct container_app_call){apps, w};
    w->call = call;
    w->conf = conf;
    w->done = done;
    w->arg = arg;
    w->deadline_ms = loop_now(apps->loop).mono_ms + timeout_ms;
    arena_init(&w->arena, 2048);
    timer_arm(apps->loop, &w->timer, w->deadline_ms, out_of_time, w);
    next(w);
}
