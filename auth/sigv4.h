/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigv4.h - AWS Signature Version 4 in the Authorization header.
 *
 * Pure: the time is passed in.  Each stage can be called alone and leaves its
 * text behind, so that a failing test names the stage.  Rules: IAM User
 * Guide, "Create a signed AWS API request"; where that is silent, botocore's
 * auth.py (host, excluded headers, dot segments).
 *
 * The URL's query and path are taken as they go over the wire.  Query names
 * and values are brought to one form (decoded, then encoded); the path is
 * normalised and encoded once more, unless `s3_path`.
 */
#ifndef AUTH_SIGV4_H
#define AUTH_SIGV4_H

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/io/message.h"

struct sigv4 {
    struct str key_id, secret;
    struct str token; /* of a session; empty: none */
    struct str region, service;
    int64_t wall_ms;
    bool s3_path; /* the path as it stands: not normalised, not encoded */
};

#define SIGV4_HEX 65 /* a digest in hex, with its NUL */

/* Stage 0: sets X-Amz-Date and, before anything is signed, the session token.
 * Texts come from `arena`. */
void sigv4_stamp(const struct sigv4 *s, struct arena *arena,
                 struct http_request *req);
/* Stage 1: the canonical request, and the list of signed headers. */
must_check bool sigv4_canonical(const struct sigv4 *s,
                                const struct http_request *req, struct buf *out,
                                struct buf *signed_headers, struct err *err);
/* Stage 2: the string to sign. */
void sigv4_string_to_sign(const struct sigv4 *s, struct str canonical,
                          struct buf *out);
/* Stage 3: its signature. */
void sigv4_signature(const struct sigv4 *s, struct str string_to_sign,
                     char hex[SIGV4_HEX]);
/* Stage 4: the value of Authorization. */
void sigv4_authorization(const struct sigv4 *s, struct str signed_headers,
                         const char *signature, struct buf *out);

/* All stages: adds Authorization, masked like the token where shown. */
must_check bool sigv4_sign(const struct sigv4 *s, struct arena *arena,
                           struct http_request *req, struct err *err);

#endif
