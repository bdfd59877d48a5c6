/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/jwt.h"

#include "agent/base/enc.h"
#include "agent/base/jsonr.h"
#include "agent/base/mem.h"

#include <json-c/json.h>

/* No token is longer: it goes into a header. */
#define TOKEN_MAX ((size_t)64 << 10)

static void add_header(const struct jwt *t, struct buf *out)
{
    struct buf json;

    buf_init(&json, BUF_NO_LIMIT);
    buf_addf(&json, "{\"alg\":\"%s\",\"typ\":\"JWT\"%s%.*s}",
             t->alg == CRYPTO_PS256 ? "PS256" : "RS256",
             t->header.len ? "," : "", STR_ARG(t->header));
    enc_base64url(out, json.data, json.len);
    buf_fini(&json);
}

bool jwt_sign(const struct jwt *t, const struct crypto_key *key,
              struct arena *arena, struct str *out, struct err *err)
{
    struct buf token, signature;
    bool ok;

    buf_init(&token, BUF_NO_LIMIT);
    buf_init(&signature, BUF_NO_LIMIT);
    add_header(t, &token);
    buf_addc(&token, '.');
    enc_base64url(&token, t->claims.ptr, t->claims.len);
    ok = crypto_sign(key, t->alg, buf_str(&token), &signature, err);
    if (ok) {
        buf_addc(&token, '.');
        enc_base64url(&token, signature.data, signature.len);
        *out = arena_str(arena, buf_str(&token));
    }
    wipe(token.data, token.len);
    buf_fini(&token);
    buf_fini(&signature);
    return ok;
}

bool jwt_claims(struct str token, struct json_object **out, struct err *err)
{
    struct str rest = token, header, claims, signature;
    struct buf json;
    bool ok;

    if (token.len > TOKEN_MAX || !str_next(&rest, '.', &header) ||
        !str_next(&rest, '.', &claims) || !str_next(&rest, '.', &signature) ||
        rest.ptr)
        return err_set(err, ERR_INPUT, "is no JSON Web Token");
    buf_init(&json, TOKEN_MAX);
    ok = dec_base64(&json, claims) && jsonr_parse(buf_str(&json), out, NULL);
    buf_fini(&json);
    return ok || err_set(err, ERR_INPUT, "its claims cannot be read");
}
