/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jwt.h - JSON Web Tokens in the compact form (RFC 7519, RFC 7515): made and
 * signed for an identity provider, or read to tell people who we are.
 *
 * Reading verifies nothing, and nothing is ever decided by what was read.
 */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H

#include "agent/base/arena.h"
#include "auth/crypto.h"

struct json_object;

struct jwt {
    enum crypto_scheme alg;
    /* Members of the header beside alg and typ, as JSON without braces
     * ("\"kid\":\"1\""); empty: none. */
    struct str header;
    struct str claims; /* a JSON object */
};

/* header.claims.signature, in `arena`: it is a secret while it is good. */
must_check bool jwt_sign(const struct jwt *t, const struct crypto_key *key,
                         struct arena *arena, struct str *out, struct err *err);
/* The claims of a token, unverified; the tree is the caller's:
 * json_object_put().  The error does not show the token. */
must_check bool jwt_claims(struct str token, struct json_object **out,
                           struct err *err);

#endif
