/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/entra_token.h"

#include "agent/base/jsonr.h"
#include "agent/base/mem.h"
#include "agent/base/num.h"
#include "auth/aws_answer.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#define MESSAGE_MAX 300
/* Year 9999, in seconds. */
#define SECONDS_MAX INT64_C(253402300799)
/* A token that lives longer is renewed at half of its life. */
#define LONG_LIFE (2 * WHEN_HOUR)

/*
 * The end of a token's life, in all its forms.
 */

/* Seconds, "1767247200" or "1767247200.0". */
static bool seconds(struct str text, int64_t *out)
{
    double d;

    if (str_int(text, out))
        return *out >= 0 && *out <= SECONDS_MAX;
    if (!num_parse(text, &d) || !(d >= 0 && d <= (double)SECONDS_MAX))
        return false;
    *out = (int64_t)d;
    return true;
}

/* Up to `sep`, a number from `least` to `most`. */
static bool field(struct str *rest, char sep, int64_t least, int64_t most,
                  int64_t *out)
{
    struct str part;

    return str_next(rest, sep, &part) && str_int(part, out) && *out >= least &&
           *out <= most;
}

/* "1/2/2026 3:04:05 PM": month first; without AM or PM the hour is of 24. */
static bool american(struct str date, struct str time, struct str half,
                     int64_t *out)
{
    bool twelve = half.len > 0, pm = str_eqi(half, STR("PM"));
    int64_t year, month, day, hour, minute, second;
    char iso[WHEN_TEXT];

    if (twelve && !pm && !str_eqi(half, STR("AM")))
        return false;
    if (!field(&date, '/', 1, 12, &month) || !field(&date, '/', 1, 31, &day) ||
        !field(&date, '/', 1970, 9999, &year) ||
        !field(&time, ':', twelve ? 1 : 0, twelve ? 12 : 23, &hour) ||
        !field(&time, ':', 0, 59, &minute) ||
        !field(&time, ':', 0, 60, &second) || date.ptr || time.ptr)
        return false;
    if (twelve)
        hour = hour % 12 + (pm ? 12 : 0);
    (void)snprintf(iso, sizeof(iso), "%04d-%02d-%02dT%02d:%02d:%02dZ",
                   (int)year, (int)month, (int)day, (int)hour, (int)minute,
                   (int)second);
    return when_rfc3339_parse(str_of(iso), out);
}

/* "2026-01-02 03:04:05". */
static bool plain(struct str date, struct str time, int64_t *out)
{
    char iso[WHEN_TEXT];

    if (date.len != 10 || time.len < 8 || time.len > 16)
        return false;
    (void)snprintf(iso, sizeof(iso), "%.*sT%.*sZ", STR_ARG(date),
                   STR_ARG(time));
    return when_rfc3339_parse(str_of(iso), out);
}

bool entra_expires_on(struct str text, int64_t *wall_ms)
{
    struct str rest = str_trim(text), date, time, half = STR_NONE;
    int64_t s;

    if (seconds(rest, &s)) {
        *wall_ms = s * WHEN_SECOND;
        return s > 0;
    }
    if (when_rfc3339_parse(rest, wall_ms))
        return true;
    if (!str_next(&rest, ' ', &date) || !str_next(&rest, ' ', &time))
        return false;
    if (rest.ptr && !str_next(&rest, ' ', &half))
        return false;
    if (str_eqz(half, "+00:00")) /* it is UTC in any case */
        half = STR_NONE;
    if (rest.ptr && !str_eqz(rest, "+00:00"))
        return false;
    if (str_find(date, '/') < date.len)
        return american(date, time, half, wall_ms);
    return half.len == 0 && plain(date, time, wall_ms);
}

/* A number or a text, as text; empty when it is neither. */
static struct str scalar(struct json_object *o, const char *key)
{
    struct json_object *v = jsonr_get(o, key);
    enum json_type type = json_object_get_type(v);

    if (type != json_type_string && type != json_type_int &&
        type != json_type_double)
        return STR_NONE;
    return str_of(json_object_get_string(v));
}

static bool read_times(struct json_object *o, struct now now,
                       struct credentials *c)
{
    int64_t s;

    if (!entra_expires_on(scalar(o, "expires_on"), &c->expires_ms)) {
        if (!seconds(str_trim(scalar(o, "expires_in")), &s))
            return false;
        c->expires_ms = now.wall_ms + s * WHEN_SECOND;
    }
    if (seconds(str_trim(scalar(o, "refresh_in")), &s) && s > 0)
        c->renew_ms = now.wall_ms + s * WHEN_SECOND;
    else if (c->expires_ms - now.wall_ms > LONG_LIFE)
        c->renew_ms = now.wall_ms + (c->expires_ms - now.wall_ms) / 2;
    if (c->renew_ms >= c->expires_ms)
        c->renew_ms = 0;
    return true;
}

static bool read_token(struct json_object *o, struct now now,
                       struct credentials *c, struct err *err)
{
    struct str token = jsonr_text_or(o, "access_token", STR_NONE);
    struct str type = jsonr_text_or(o, "token_type", STR("Bearer"));

    if (token.len == 0 || !auth_printable(token))
        return err_set(err, ERR_INPUT,
                       "what it answered holds no access_token");
    if (!str_eqi(type, STR("Bearer")))
        return err_set(err, ERR_INPUT, "the token it gave is no bearer token");
    if (!read_times(o, now, c))
        return err_set(err, ERR_INPUT,
                       "the token it gave says not when it ends: neither "
                       "expires_on nor expires_in is a time");
    c->token = xstrndup(token.ptr, token.len);
    return true;
}

bool entra_token(const struct http_response *res, struct now now,
                 const char *source, struct provide_out *out)
{
    struct credentials c = {0};
    struct json_object *o;
    bool ok;

    /* The parser's own words could show a piece of the body. */
    if (!jsonr_parse(res->body, &o, NULL))
        return err_set(&out->err, ERR_INPUT,
                       "what it answered is no JSON, or is cut short");
    ok = read_token(o, now, &c, &out->err);
    json_object_put(o);
    if (!ok)
        return false;
    (void)snprintf(c.source, sizeof(c.source), "%s", source);
    out->creds = c;
    return true;
}

/*
 * Refusals.
 */

/* Codes of Microsoft Entra ID ("AADSTS error codes") that have one mend. */
static const struct {
    const char *code, *mend;
} mends[] = {
    {"AADSTS7000215", "the secret is wrong: copy its value, not its id"},
    {"AADSTS7000222", "the secret has expired: make a new one"},
    {"AADSTS700016", "the application is not in this tenant: look at "
                     "AZURE_CLIENT_ID and AZURE_TENANT_ID"},
    {"AADSTS90002", "there is no such tenant: look at AZURE_TENANT_ID and "
                    "AZURE_AUTHORITY_HOST"},
    {"AADSTS700027", "the certificate is not registered at the application"},
    {"AADSTS700024", "the proof is out of its time: look at this clock"},
    {"AADSTS70021", "no federated credential of the application has this "
                    "issuer and subject"},
    {"AADSTS700213", "no federated credential of the application has this "
                     "issuer and subject"},
    {"AADSTS500011", "the audience does not exist in this tenant's cloud"},
};

/* "AADSTS7000215: Invalid ...", whose code ends at the colon. */
static const char *mend_of(struct str message)
{
    struct str code = message;

    code.len = str_find(message, ':');
    for (size_t i = 0; i < sizeof(mends) / sizeof(*mends); i++)
        if (str_eqz(code, mends[i].code))
            return mends[i].mend;
    return NULL;
}

/* What follows is times and ids; the one that matters is told by itself. */
static struct str first_line(struct str s)
{
    const char *trace = s.len ? memmem(s.ptr, s.len, " Trace ID:", 10) : NULL;

    if (trace)
        s.len = (size_t)(trace - s.ptr);
    s.len = str_find(s, '\n');
    s.len = str_find(s, '\r');
    return str_trim(s);
}

static bool holds(struct str text, struct str part)
{
    return part.len > 0 && text.len >= part.len &&
           memmem(text.ptr, text.len, part.ptr, part.len);
}

/* Whoever answers may repeat what he was asked; eyJ begins every JSON Web
 * Token. */
static bool is_secret(const struct auth_env *env, struct str text)
{
    return holds(text, auth_variable(env, "AZURE_CLIENT_SECRET")) ||
           holds(text, auth_variable(env, "IDENTITY_HEADER")) ||
           holds(text, STR("eyJ"));
}

static struct str words(const struct auth_env *env, struct json_object *o,
                        const char *a, const char *b)
{
    struct str s = jsonr_text_or(o, a, STR_NONE);

    if (s.len == 0)
        s = jsonr_text_or(o, b, STR_NONE);
    return is_secret(env, s) ? STR_NONE : s;
}

static void tell(const struct auth_env *env, int status, struct json_object *o,
                 struct provide_out *out)
{
    struct str code =
        aws_one_line(words(env, o, "error", "code"), 60, out->arena);
    struct str message = words(env, o, "error_description", "message");
    struct str trace =
        aws_one_line(words(env, o, "trace_id", "traceId"), 60, out->arena);
    const char *mend;

    message = aws_one_line(first_line(message), MESSAGE_MAX, out->arena);
    mend = mend_of(message);
    if (str_ends(message, STR(".")))
        message.len--;
    (void)err_set(&out->err, ERR_DENIED,
                  "it answered %d%s%.*s%s%.*s%s%.*s%s%s%s", status,
                  code.len ? " " : "", STR_ARG(code), message.len ? ": " : "",
                  STR_ARG(message), trace.len ? " (trace " : "", STR_ARG(trace),
                  trace.len ? ")" : "", mend ? "; " : "", mend ? mend : "");
}

/* @azure/identity: these may pass, everything else stays. */
static bool passes(int status)
{
    return status >= 500 || status == 404 || status == 408 || status == 410 ||
           status == 429;
}

enum provide entra_refused(const struct auth_env *env,
                           const struct http_response *res, struct now now,
                           struct provide_out *out)
{
    struct json_object *o = NULL;

    if (!jsonr_parse(res->body, &o, NULL))
        o = NULL;
    tell(env, res->status, o, out);
    json_object_put(o);
    if (!passes(res->status))
        return PROVIDE_FAILED;
    out->after_ms = aws_retry_after_ms(res, now.wall_ms);
    return PROVIDE_RETRY;
}
