/* SPDX-License-Identifier: Apache-2.0 */
/* simhttp.c - http.h of the simulated world. */
#include "agent/base/mem.h"
#include "test/lib/sim.h"
#include "test/lib/simworld.h"

#include <assert.h>
#include <stdlib.h>

struct sim_route {
    struct sim_route *next;
    struct str prefix;
    sim_answer_fn *fn;
    void *arg;
    int status; /* of a fixed answer; fn is NULL */
    struct str body;
};

struct http {
    struct loop *loop;
    size_t running;
};

struct http_transfer {
    struct list_node node;
    struct http_call *call;
    struct http_hooks hooks;
    void *arg;
    struct sim_seen *seen;
    struct str shown; /* the URL, for errors */
    struct sim_reply reply;
    struct timer timer;
    bool in_hook;
};

struct http *http_new(struct loop *loop, const struct http_options *options)
{
    struct http *h = xcalloc(1, sizeof(*h));

    (void)options;
    h->loop = loop;
    return h;
}

void http_free(struct http *h)
{
    assert(!h || h->running == 0);
    free(h);
}

void sim_reply_header(struct sim_reply *reply, struct str name,
                      struct str value)
{
    assert(reply->header_count < HTTP_HEADERS_MAX);
    reply->headers[reply->header_count++] =
        (struct http_header){.name = name, .value = value};
}

static struct sim_route *add_route(struct loop *loop, struct str prefix)
{
    struct sim_route *r = arena_zalloc(&loop->arena, sizeof(*r));

    r->prefix = arena_str(&loop->arena, prefix);
    r->next = loop->routes;
    loop->routes = r;
    return r;
}

void sim_on_url(struct loop *loop, struct str prefix, sim_answer_fn *fn,
                void *arg)
{
    struct sim_route *r = add_route(loop, prefix);

    r->fn = fn;
    r->arg = arg;
}

void sim_serve(struct loop *loop, struct str prefix, int status,
               struct str body)
{
    struct sim_route *r = add_route(loop, prefix);

    r->status = status;
    r->body = arena_str(&loop->arena, body);
}

static const struct sim_route *find_route(const struct loop *loop,
                                          struct str url)
{
    const struct sim_route *best = NULL;

    for (const struct sim_route *r = loop->routes; r; r = r->next)
        if (str_starts(url, r->prefix) &&
            (!best || r->prefix.len > best->prefix.len))
            best = r;
    return best;
}

size_t sim_request_count(const struct loop *loop)
{
    return loop->seen_count;
}

const struct sim_seen *sim_request(const struct loop *loop, size_t i)
{
    assert(i < loop->seen_count);
    return loop->seen[i];
}

const struct sim_seen *sim_request_last(const struct loop *loop)
{
    return loop->seen_count > 0 ? loop->seen[loop->seen_count - 1] : NULL;
}

struct str sim_request_header(const struct sim_seen *seen, struct str name)
{
    struct http_response as = {.headers = seen->req->headers,
                               .header_count = seen->req->header_count};

    return http_get(&as, name);
}

static struct sim_seen *remember(struct loop *loop,
                                 const struct http_request *req)
{
    struct sim_seen *s = arena_zalloc(&loop->arena, sizeof(*s));

    s->req = http_request_copy(req, &loop->arena);
    s->at = loop->now;
    xgrow((void *)&loop->seen, &loop->seen_cap, loop->seen_count,
          sizeof(struct sim_seen *));
    loop->seen[loop->seen_count++] = s;
    return s;
}

static void no_answer(struct sim_reply *reply, enum err_kind kind,
                      struct str text)
{
    *reply = (struct sim_reply){
        .error = kind, .error_text = text, .latency_ms = reply->latency_ms};
}

static void copy_reply(struct loop *loop, struct sim_reply *r)
{
    r->body = arena_str(&loop->arena, r->body);
    r->error_text = arena_str(&loop->arena, r->error_text);
    for (size_t i = 0; i < r->header_count; i++) {
        r->headers[i].name = arena_str(&loop->arena, r->headers[i].name);
        r->headers[i].value = arena_str(&loop->arena, r->headers[i].value);
    }
}

static void decide(struct loop *loop, const struct http_request *req,
                   struct sim_reply *reply)
{
    const struct sim_route *route = find_route(loop, req->url);
    struct http_url url;

    *reply = (struct sim_reply){.status = 200, .latency_ms = 1};
    if (!http_url_parse(req->url, &url))
        no_answer(reply, ERR_CONFIG, STR("not an absolute http or https URL"));
    else if (!route)
        no_answer(reply, ERR_NETWORK, STR("connection refused"));
    else if (route->fn)
        route->fn(route->arg, req, reply);
    else
        *reply = (struct sim_reply){
            .status = route->status, .latency_ms = 1, .body = route->body};
    if (sim_fault(loop))
        no_answer(reply, ERR_NETWORK, STR("simulated fault"));
    copy_reply(loop, reply);
}

static void release(struct http_transfer *t)
{
    struct http_call *call = t->call;

    timer_disarm(&t->timer);
    list_remove(&t->node);
    call->http->running--;
    call->http = NULL;
    call->transfer = NULL;
}

static void finish(struct http_transfer *t, const struct http_response *res,
                   const struct err *err)
{
    static const struct http_response none;

    release(t);
    t->seen->ended = true;
    t->hooks.done(t->arg, err ? &none : res, err);
    free(t);
}

static bool body_pieces(struct http_transfer *t, struct str body,
                        struct err *err)
{
    size_t piece = t->reply.piece ? t->reply.piece : body.len;

    for (size_t at = 0; at < body.len; at += piece) {
        struct str rest = str_from(body, at);

        if (rest.len > piece)
            rest.len = piece;
        if (!t->hooks.data(t->arg, rest, err))
            return false;
    }
    return true;
}

static bool failed(const struct http_transfer *t, struct err *err)
{
    struct str text = t->reply.error_text;

    if (text.len == 0)
        text = STR("simulated failure");
    return err_set(err, t->reply.error, "%s: %.*s", t->shown.ptr,
                   STR_ARG(text));
}

static bool receive(struct http_transfer *t, struct http_response *res,
                    struct err *err)
{
    struct str body = t->reply.body;
    size_t max = t->seen->req->max_response;
    struct http_response head = *res;

    if (t->reply.error != ERR_NONE && t->reply.cut_at == 0)
        return failed(t, err);
    if (t->hooks.head && !t->hooks.head(t->arg, &head, err))
        return false;
    if (t->reply.cut_at > 0 && t->reply.cut_at < body.len)
        body.len = t->reply.cut_at;
    if (body.len > (max ? max : HTTP_RESPONSE_DEFAULT_MAX))
        return err_set(err, ERR_LIMIT, "%s: body is over the limit",
                       t->shown.ptr);
    if (t->hooks.data && !body_pieces(t, body, err))
        return false;
    if (t->reply.error != ERR_NONE)
        return failed(t, err);
    if (!t->hooks.data)
        res->body = body;
    return true;
}

static void on_answer(void *arg)
{
    struct http_transfer *t = arg;
    struct http_response res = {.status = t->reply.status,
                                .headers = t->reply.headers,
                                .header_count = t->reply.header_count,
                                .duration_ms =
                                    loop_now(t->call->http->loop).mono_ms -
                                    t->seen->at.mono_ms};
    struct err err = {0};
    bool ok;

    t->in_hook = true;
    ok = receive(t, &res, &err);
    t->in_hook = false;
    finish(t, &res, ok ? NULL : &err);
}

static void on_deadline(void *arg)
{
    struct http_transfer *t = arg;
    struct err err;

    err_set(&err, ERR_TIMEOUT, "%s: no answer in time", t->shown.ptr);
    finish(t, NULL, &err);
}

void http_start(struct http *h, struct http_call *call,
                const struct http_request *req, const struct http_hooks *hooks,
                void *arg)
{
    struct loop *loop = h->loop;
    struct http_transfer *t = xcalloc(1, sizeof(*t));
    int64_t timeout =
        req->timeout_ms ? req->timeout_ms : HTTP_TIMEOUT_DEFAULT_MS;
    bool late;

    assert(!http_running(call));
    t->call = call;
    t->hooks = *hooks;
    t->arg = arg;
    t->seen = remember(loop, req);
    t->shown = http_url_shown(req->url, &loop->arena);
    call->http = h;
    call->transfer = t;
    h->running++;
    list_append(&loop->calls, &t->node);
    decide(loop, t->seen->req, &t->reply);
    late = t->reply.never || t->reply.latency_ms > timeout;
    timer_arm(loop, &t->timer,
              loop->now.mono_ms + (late ? timeout : t->reply.latency_ms),
              late ? on_deadline : on_answer, t);
}

void http_cancel(struct http_call *call)
{
    struct http_transfer *t = call->transfer;

    if (!http_running(call))
        return;
    assert(!t->in_hook); /* http.h: hooks may not cancel their own call */
    t->seen->cancelled = true;
    release(t);
    free(t);
}
