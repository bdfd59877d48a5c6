/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/google_token.h"

#include "agent/base/jsonr.h"
#include "agent/base/mem.h"
#include "auth/aws_answer.h"
#include "auth/google.h"
#include "auth/jwt.h"

#include <json-c/json.h>
#include <stdio.h>

#define MESSAGE_MAX 300
#define LIFE_MAX    (48 * INT64_C(3600))
/* Of an answer that does not say it. */
#define LIFE_ASSUMED INT64_C(3600)

struct str google_setting(const struct auth_env *env, const char *name)
{
    const char *value = env->variable(env->arg, name);

    return value ? str_trim(str_of(value)) : STR_NONE;
}

struct str google_scope(const struct auth_env *env)
{
    struct str s = google_setting(env, GOOGLE_SCOPE);

    return s.len ? s : STR(GOOGLE_SCOPE_WRITE);
}

/*
 * Tokens.
 */
static bool printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return false;
    return s.len > 0;
}

void google_token_set(struct str token, int64_t expires_ms, const char *source,
                      struct provide_out *out)
{
    out->creds = (struct credentials){.token = xstrndup(token.ptr, token.len),
                                      .expires_ms = expires_ms};
    (void)snprintf(out->creds.source, sizeof(out->creds.source), "%s", source);
}

static struct str token_of(struct json_object *o)
{
    static const char *const keys[] = {"access_token", "accessToken",
                                       "id_token", "token"};
    struct str s = STR_NONE;

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys) && s.len == 0; i++)
        s = str_trim(jsonr_text_or(o, keys[i], STR_NONE));
    return s;
}

/* exp of an ID token; it is never verified, only renewed in time. */
static bool jwt_end(struct str token, int64_t *wall_ms)
{
    struct json_object *claims;
    int64_t s;
    bool ok;

    if (!jwt_claims(token, &claims, NULL))
        return false;
    ok = jsonr_int(claims, "exp", &s, NULL) && s > 0 &&
         s < INT64_C(253402300799);
    json_object_put(claims);
    if (ok)
        *wall_ms = s * WHEN_SECOND;
    return ok;
}

static int64_t end_of(struct json_object *o, struct str token, struct now now)
{
    int64_t s, wall_ms;

    if (when_rfc3339_parse(jsonr_text_or(o, "expireTime", STR_NONE), &wall_ms))
        return wall_ms;
    if (!jsonr_int(o, "expires_in", &s, NULL) &&
        !str_int(str_trim(jsonr_text_or(o, "expires_in", STR_NONE)), &s))
        return jwt_end(token, &wall_ms)
                   ? wall_ms
                   : now.wall_ms + LIFE_ASSUMED * WHEN_SECOND;
    if (s < 0 || s > LIFE_MAX)
        s = s < 0 ? 0 : LIFE_MAX;
    return now.wall_ms + s * WHEN_SECOND;
}

bool google_token(const struct http_response *res, struct now now,
                  const char *source, struct provide_out *out)
{
    struct json_object *o;
    struct str token;
    bool ok;

    /* The parser's own words could show a piece of the body. */
    if (!jsonr_parse(res->body, &o, NULL))
        return err_set(&out->err, ERR_INPUT,
                       "what it answered is no JSON, or is cut short");
    token = token_of(o);
    ok = printable(token);
    if (ok)
        google_token_set(token, end_of(o, token, now), source, out);
    json_object_put(o);
    return ok ||
           err_set(&out->err, ERR_INPUT, "what it answered holds no token");
}

/*
 * Refusals: {"error": "invalid_grant", "error_description": "..."} of OAuth,
 * {"error": {"code", "status", "message"}} of Google's services.
 */
static struct str safe(struct json_object *o, const char *key,
                       struct arena *arena)
{
    struct str s = str_trim(jsonr_text_or(o, key, STR_NONE));

    /* Every JSON Web Token begins with eyJ, every access token with ya29. */
    if (s.len &&
        (memmem(s.ptr, s.len, "eyJ", 3) || memmem(s.ptr, s.len, "ya29.", 5)))
        return STR_NONE;
    s = aws_one_line(s, MESSAGE_MAX, arena);
    while (s.len > 0 && s.ptr[s.len - 1] == '.')
        s.len--;
    return s;
}

enum provide google_refused(const struct http_response *res, struct now now,
                            const char *mend, struct provide_out *out)
{
    int status = res->status;
    struct json_object *root = NULL, *error;
    struct str code, message;

    if (!jsonr_parse(res->body, &root, NULL))
        root = NULL;
    error = jsonr_get(root, "error");
    if (json_object_is_type(error, json_type_object)) {
        code = safe(error, "status", out->arena);
        message = safe(error, "message", out->arena);
    } else {
        code = safe(root, "error", out->arena);
        message = safe(root, "error_description", out->arena);
    }
    json_object_put(root);
    (void)err_set(&out->err, ERR_DENIED, "it answered %d%s%.*s%s%.*s%s%s",
                  status, code.len ? " " : "", STR_ARG(code),
                  message.len ? ": " : "", STR_ARG(message), mend ? "; " : "",
                  mend ? mend : "");
    if (status < 500 && status != 408 && status != 429)
        return PROVIDE_FAILED;
    out->after_ms = aws_retry_after_ms(res, now.wall_ms);
    return PROVIDE_RETRY;
}
