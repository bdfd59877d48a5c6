/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - many HTTP calls at once on the loop.
 *
 * A call is embedded in its owner and is idle, or running from http_start()
 * until `done` runs or http_cancel() returns.  `done` comes later, from the
 * loop, exactly once, never from inside http_start(), unless http_cancel()
 * came first; every failure, a bad URL included, arrives there.  The request
 * is copied, the response is lent to `done` for the length of the call.
 * Inside `done` the call is already idle: start it again, or free its owner.
 *
 * TLS is verified unless the request says no_verify, HTTP/2 spoken where a TLS
 * server offers it.  Only http and https, no redirects, no body with GET or
 * HEAD.  Proxies as http_proxy, https_proxy (HTTPS_PROXY), all_proxy and
 * no_proxy say; loopback hosts are never proxied.  Without a CA file
 * CURL_CA_BUNDLE, SSL_CERT_FILE and SSL_CERT_DIR are honoured, in this order.
 */
#ifndef AGENT_IO_HTTP_H
#define AGENT_IO_HTTP_H

#include "agent/base/err.h"
#include "agent/base/list.h"
#include "agent/io/loop.h"
#include "agent/io/message.h"

struct http;
struct http_call;

struct http_options {
    struct str user_agent;  /* default "scalebridge/<version>" */
    struct str ca_file;     /* for all calls that name none; empty: system's */
    size_t max_connections; /* kept open and in use; 0: 64 */
};

struct http *http_new(struct loop *loop, const struct http_options *options);
/* Every running call must have ended or been cancelled. */
void http_free(struct http *h);

/* `err` is NULL when an answer arrived, whatever its status; else it names the
 * URL without its query, and `res` holds no more than the duration. */
typedef void http_done_fn(void *arg, const struct http_response *res,
                          const struct err *err);
/*
 * Streaming, both optional.  `head` comes once, when status and headers are
 * in; `data` for each piece of the body as it arrives, which then is not
 * collected.  Returning false, with `err` set, ends the call: `done` follows
 * with that error.  Neither may start or cancel this call.
 */
typedef bool http_head_fn(void *arg, const struct http_response *res,
                          struct err *err);
typedef bool http_data_fn(void *arg, struct str piece, struct err *err);

struct http_hooks {
    http_done_fn *done;
    http_head_fn *head;
    http_data_fn *data;
};

struct http_call {
    struct http *http; /* NULL when idle */
    struct http_transfer *transfer;
};

void http_start(struct http *h, struct http_call *call,
                const struct http_request *req, const struct http_hooks *hooks,
                void *arg);
void http_cancel(struct http_call *call); /* fine when idle */
static inline bool http_running(const struct http_call *call)
{
    return call->http != NULL;
}

#endif
