/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h - HTTP requests and responses as data.
 *
 * Nothing here knows a socket: sinks and auth build and read these.
 */
#ifndef AGENT_IO_MESSAGE_H
#define AGENT_IO_MESSAGE_H

#include "agent/base/arena.h"
#include "agent/base/str.h"

struct http_header {
    struct str name, value;
    bool secret; /* masked wherever the request is shown */
};

#define HTTP_HEADERS_MAX          32
#define HTTP_TIMEOUT_DEFAULT_MS   INT64_C(30000)
#define HTTP_RESPONSE_DEFAULT_MAX ((size_t)1 << 20)

struct http_request {
    struct str method; /* GET, POST, PUT */
    struct str url;    /* absolute, http or https */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    struct str body;
    int64_t timeout_ms;  /* from start to the last byte; 0: 30 s */
    size_t max_response; /* bytes of body on the wire; more is an ERR_LIMIT;
                            0: 1 MiB */
    struct str ca_file;  /* PEM, in place of the system's; empty: system's */
    struct str cert_file, key_file; /* PEM, of the client; empty: none */
    bool no_verify;                 /* whoever answers is believed */
    bool no_proxy;                  /* link-local services are never proxied */
};

struct http_response {
    int status;
    const struct http_header *headers;
    size_t header_count;
    struct str body; /* empty where the body was streamed */
    int64_t duration_ms;
};

/* Adds or replaces; slices are kept, lent.  Asserts that there is room. */
void http_set(struct http_request *req, struct str name, struct str value);
void http_set_secret(struct http_request *req, struct str name,
                     struct str value);
/* The value of the first header of that name (case ignored), or empty. */
struct str http_get(const struct http_response *res, struct str name);
/* Everything copied into `a`. */
struct http_request *http_request_copy(const struct http_request *req,
                                       struct arena *a);
/*
 * scheme, host (brackets kept), port text and path?query of a URL, lent by it
 * (RFC 3986); false where it is no absolute http or https URL, or holds user
 * info, blanks or what must be percent-encoded.  Port and path are empty where
 * the URL has none; query has no '?', and its ptr is NULL where there is none;
 * a fragment is left out.
 */
struct http_url {
    struct str scheme, host, port, path, query;
};
bool http_url_parse(struct str url, struct http_url *out);
/* As errors and logs show it: without query, fragment and user info, and with
 * '?' for what cannot be printed; made in `a`, NUL-terminated. */
struct str http_url_shown(struct str url, struct arena *a);
/* localhost, 127.0.0.0/8, [::1]: by the letters alone, nothing is resolved. */
bool http_url_is_loopback(const struct http_url *u);

#endif
