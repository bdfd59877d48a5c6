/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/http.h"

#include "agent/base/mem.h"
#include "agent/io/ready.h"
#include "agent/io/transfer.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#define CONNECTIONS_DEFAULT 64

struct http {
    struct loop *loop;
    CURLM *multi;
    struct transfer_conf conf;
    struct timer curl_timer; /* libcurl's own */
    struct timer kick;       /* starts what http_start() was given */
    struct list starting, running;
    struct list dead; /* cancelled while libcurl was at work */
    bool inside;      /* curl_multi_socket_action() */
    bool closing;
};

/* The one place where a transfer gives everything back. */
static void release(struct http *h, struct http_transfer *t)
{
    timer_disarm(&t->deadline);
    list_remove(&t->node);
    if (t->added)
        (void)curl_multi_remove_handle(h->multi, t->easy);
    transfer_free(t);
}

static void detach(struct http_transfer *t)
{
    *t->call = (struct http_call){0};
    t->call = NULL;
}

/* The call is idle before `done`, which may start it again or free it. */
static void finish(struct http *h, struct http_transfer *t,
                   const struct err *err)
{
    struct http_response res = {0};

    if (!err)
        res = transfer_response(t);
    res.duration_ms = loop_now(h->loop).mono_ms - t->start_ms;
    timer_disarm(&t->deadline);
    list_remove(&t->node);
    if (t->added)
        (void)curl_multi_remove_handle(h->multi, t->easy);
    t->added = false;
    detach(t);
    t->hooks.done(t->arg, &res, err);
    transfer_free(t);
}

static void on_deadline(void *arg)
{
    struct http_transfer *t = arg;
    struct err err;

    transfer_late(t, &err);
    finish(t->call->http, t, &err);
}

/* Runs after libcurl has returned: `done` is never called from inside it. */
static void drain(struct http *h)
{
    struct list_node *n;
    CURLMsg *msg;
    int left;

    while ((n = list_pop(&h->dead)))
        release(h, list_entry(n, struct http_transfer, node));
    while ((msg = curl_multi_info_read(h->multi, &left))) {
        struct http_transfer *t = NULL;
        CURLcode code = msg->data.result; /* dies with the handle */
        struct err err;
        bool ok;

        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        ok = transfer_ok(t, code, &err);
        finish(h, t, ok ? NULL : &err);
    }
}

static void act(struct http *h, curl_socket_t s, int what)
{
    int running;

    h->inside = true;
    (void)curl_multi_socket_action(h->multi, s, what, &running);
    h->inside = false;
    drain(h);
}

static void on_ready(void *arg, const struct ready_now *now)
{
    int what = (now->readable ? CURL_CSELECT_IN : 0) |
               (now->writable ? CURL_CSELECT_OUT : 0) |
               (now->broken ? CURL_CSELECT_ERR : 0);

    act(arg, now->fd, what);
}

/* Never -1: that would end the whole multi handle.  A socket that cannot be
 * watched ends its call at the deadline. */
static int on_socket(CURL *easy, curl_socket_t s, int what, void *arg,
                     void *watch)
{
    struct http *h = arg;
    struct ready *r = watch;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        (void)curl_multi_assign(h->multi, s, NULL);
        ready_free(r);
        return 0;
    }
    if (!r && !h->closing) { /* cleaning up calls for kept connections */
        r = ready_new(h->loop, s, on_ready, h);
        (void)curl_multi_assign(h->multi, s, r);
    }
    if (r)
        (void)ready_want(r, what != CURL_POLL_OUT, what != CURL_POLL_IN);
    return 0;
}

static void on_curl_timer(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* 0 means soon, never from inside this. */
static int on_timeout(CURLM *multi, long timeout_ms, void *arg)
{
    struct http *h = arg;

    (void)multi;
    if (timeout_ms < 0 || h->closing)
        timer_disarm(&h->curl_timer);
    else
        timer_arm(h->loop, &h->curl_timer,
                  loop_now(h->loop).mono_ms + timeout_ms, on_curl_timer, h);
    return 0;
}

static void launch(struct http *h, struct http_transfer *t)
{
    struct err err;

    if (!transfer_setup(t, &h->conf, &err)) {
        finish(h, t, &err);
        return;
    }
    list_append(&h->running, &t->node);
    if (curl_multi_add_handle(h->multi, t->easy) != CURLM_OK)
        abort(); /* no memory, or wrong use */
    t->added = true;
}

static void on_kick(void *arg)
{
    struct http *h = arg;
    struct list starting = {0};
    struct list_node *n;

    list_take(&starting, &h->starting);
    while ((n = list_pop(&starting)))
        launch(h, list_entry(n, struct http_transfer, node));
}

void http_start(struct http *h, struct http_call *call,
                const struct http_request *req, const struct http_hooks *hooks,
                void *arg)
{
    struct http_transfer *t = transfer_new(req, hooks, arg);

    assert(!http_running(call));
    *call = (struct http_call){h, t};
    t->call = call;
    t->start_ms = loop_now(h->loop).mono_ms;
    list_append(&h->starting, &t->node);
    timer_arm(h->loop, &t->deadline, t->start_ms + t->req->timeout_ms,
              on_deadline, t);
    timer_arm(h->loop, &h->kick, t->start_ms, on_kick, h);
}

void http_cancel(struct http_call *call)
{
    struct http_transfer *t = call->transfer;
    struct http *h = call->http;

    if (!h)
        return;
    assert(!t->in_hook); /* a hook returns false instead */
    detach(t);
    if (!h->inside) {
        release(h, t);
        return;
    }
    timer_disarm(&t->deadline);
    list_remove(&t->node);
    list_append(&h->dead, &t->node);
}

/* The first that is set and not empty. */
static const char *first_env(const char *const *names)
{
    for (; *names; names++) {
        const char *value = getenv(*names);

        if (value && *value)
            return value;
    }
    return NULL;
}

/* Where distributions keep the bundle: a binary may run on another one than
 * it was built on. */
static const char *find_bundle(void)
{
    static const char *const usual[] = {
        "/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine */
        "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, Amazon Linux */
        "/etc/ssl/ca-bundle.pem",             /* openSUSE */
        "/etc/ssl/cert.pem",                  /* BSD */
    };
    const char *built_in = curl_version_info(CURLVERSION_NOW)->cainfo;

    if (built_in && access(built_in, R_OK) == 0)
        return built_in;
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (access(usual[i], R_OK) == 0)
            return usual[i];
    return NULL;
}

static void find_authorities(struct transfer_conf *conf, struct str option)
{
    static const char *const files[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE",
                                        NULL};
    static const char *const paths[] = {"SSL_CERT_DIR", NULL};
    const char *file = first_env(files);
    const char *path = file ? NULL : first_env(paths);

    if (!file && !path)
        file = find_bundle();
    if (option.len > 0)
        conf->ca_file = xstrndup(option.ptr, option.len);
    else if (file)
        conf->ca_file = xstrdup(file);
    else if (path)
        conf->ca_path = xstrdup(path);
}

struct http *http_new(struct loop *loop, const struct http_options *options)
{
    struct http *h = xcalloc(1, sizeof(*h));
    long connections = options->max_connections ? (long)options->max_connections
                                                : CONNECTIONS_DEFAULT;
    struct str agent = options->user_agent;

    h->loop = loop;
    h->conf.user_agent = agent.len > 0
                             ? xstrndup(agent.ptr, agent.len)
                             : xstrdup("scalebridge/" PACKAGE_VERSION);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        !(h->multi = curl_multi_init()))
        abort(); /* no memory, or a broken installation */
    find_authorities(&h->conf, options->ca_file);
    (void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    (void)curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    (void)curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    (void)curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                            connections);
    (void)curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, connections);
    return h;
}

void http_free(struct http *h)
{
    if (!h)
        return;
    assert(!h->inside);
    assert(h->starting.count == 0 && h->running.count == 0);
    h->closing = true;
    timer_disarm(&h->kick);
    (void)curl_multi_cleanup(h->multi);
    timer_disarm(&h->curl_timer);
    curl_global_cleanup();
    free(h->conf.user_agent);
    free(h->conf.ca_file);
    free(h->conf.ca_path);
    free(h);
}
