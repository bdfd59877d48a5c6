/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen.h - a small HTTP server on the loop, by libmicrohttpd.
 *
 * It serves GET and HEAD, and POST where a body is allowed (405 else), refuses
 * larger bodies (413), keeps at most 64 connections, and closes those that are
 * idle for 10 s.  With a certificate it speaks TLS alone.  What a request
 * points to is lent for the call.
 */
#ifndef AGENT_IO_LISTEN_H
#define AGENT_IO_LISTEN_H

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/io/loop.h"
#include "agent/io/message.h"

struct listener;

struct listen_request {
    struct str method, path, query; /* as sent, nothing is decoded */
    struct str body;                /* of a POST */
    struct str peer;                /* the client's address, without port */
    /* The value of a request header (case ignored), or empty; lent. */
    struct str (*header)(const struct listen_request *req, const char *name);
};

struct listen_reply {
    int status;
    struct str content_type;
    struct buf body;
    const char *challenge; /* WWW-Authenticate, or NULL */
    int retry_after;       /* seconds; 0: not said */
};

/* Fills `reply` at once (status 200 and an empty body at first); its body is
 * freed by the listener, and left out of an answer to HEAD. */
typedef void listen_fn(void *arg, const struct listen_request *req,
                       struct listen_reply *reply);

/* `address` is "127.0.0.1:0", "[::1]:8080"; port 0 takes a free one.
 * NULL on failure. */
struct listener *listen_new(struct loop *loop, struct str address,
                            listen_fn *fn, void *arg, struct err *err);
struct listen_options {
    struct str address;
    const char *certificate, *key; /* PEM texts; NULL: plain HTTP */
    size_t post_max;               /* bytes of a body; 0: no POST */
};
struct listener *listen_with(struct loop *loop,
                             const struct listen_options *options,
                             listen_fn *fn, void *arg, struct err *err);
/* The port that was really taken. */
uint16_t listen_port(const struct listener *l);
void listen_free(struct listener *l); /* never inside `fn` */

#endif
