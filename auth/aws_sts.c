/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/aws_sts.h"

#include "agent/base/enc.h"
#include "agent/base/mem.h"
#include "auth/aws.h"
#include "auth/aws_answer.h"
#include "auth/sigv4.h"

#define FORM        STR("application/x-www-form-urlencoded; charset=utf-8")
#define SESSION     "scalebridge"
#define SESSION_MAX 64
#define TIMEOUT_MS  (5 * WHEN_SECOND)

static const struct aws_service sts = {
    .host = "sts", .env_id = "STS", .gov_is_fips = true};

static bool session_char(char c)
{
    return c != '\0' && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789_+=,.@-",
                               c);
}

static bool session_name(struct str s)
{
    if (s.len < 2 || s.len > SESSION_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!session_char(s.ptr[i]))
            return false;
    return true;
}

bool aws_role_check(const struct aws_role *role, const char *where,
                    struct err *err)
{
    int64_t seconds;

    if (!str_starts(role->arn, STR("arn:")) || role->arn.len < 20 ||
        role->arn.len > 2048 || !auth_printable(role->arn))
        return err_set(err, ERR_CONFIG,
                       "%s: \"%.*s\" is not a role like "
                       "arn:aws:iam::123456789012:role/NAME",
                       where, STR_ARG(role->arn));
    if (role->session.len > 0 && !session_name(role->session))
        return err_set(err, ERR_CONFIG,
                       "%s: session name \"%.*s\": wants 2 to 64 letters, "
                       "digits or _+=,.@-",
                       where, STR_ARG(role->session));
    if (role->duration.len > 0 && (!str_int(role->duration, &seconds) ||
                                   seconds < 900 || seconds > 43200))
        return err_set(err, ERR_CONFIG,
                       "%s: duration_seconds \"%.*s\" is not a number from "
                       "900 to 43200",
                       where, STR_ARG(role->duration));
    return true;
}

/*
 * The request.
 */
static void parameter(struct buf *body, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    buf_addf(body, "&%s=", name);
    enc_percent(body, value, "");
}

static void write_body(const struct aws_sts *what, struct buf *body)
{
    const struct aws_role *role = what->role;

    buf_addf(body, "Action=%s&Version=2011-06-15",
             !role                 ? "GetCallerIdentity"
             : what->web_token.len ? "AssumeRoleWithWebIdentity"
                                   : "AssumeRole");
    if (!role)
        return;
    parameter(body, "RoleArn", role->arn);
    parameter(body, "RoleSessionName",
              role->session.len ? role->session : STR(SESSION));
    parameter(body, "ExternalId", role->external_id);
    parameter(body, "DurationSeconds", role->duration);
    parameter(body, "WebIdentityToken", what->web_token);
}

/* Where no region is known: one of the partition of "arn:PARTITION:". */
static struct str region_of_arn(struct str arn)
{
    if (str_starts(arn, STR("arn:aws-cn:")))
        return STR("cn-north-1");
    if (str_starts(arn, STR("arn:aws-us-gov:")))
        return STR("us-gov-west-1");
    if (str_starts(arn, STR("arn:aws-eusc:")))
        return STR("eusc-de-east-1");
    return STR("us-east-1");
}

static bool find_region(const struct auth_env *env, const struct aws_sts *what,
                        struct arena *arena, struct str *out, struct err *err)
{
    struct str known = what->region;

    if (known.len == 0 && auth_variable(env, "AWS_REGION").len == 0 &&
        auth_variable(env, "AWS_DEFAULT_REGION").len == 0)
        known = region_of_arn(what->role ? what->role->arn : STR_NONE);
    return aws_region(env, known, arena, out, err);
}

static bool sign(const struct aws_sts *what, struct str region, int64_t wall_ms,
                 struct arena *arena, struct http_request *req, struct err *err)
{
    const struct sigv4 s = {.key_id = what->signer->id,
                            .secret = what->signer->secret,
                            .token = what->signer->token,
                            .region = region,
                            .service = STR("sts"),
                            .wall_ms = wall_ms};

    return sigv4_sign(&s, arena, req, err);
}

bool aws_sts_ask(const struct auth_env *env, const struct aws_sts *what,
                 int64_t wall_ms, struct arena *arena, struct http_request *req,
                 struct err *err)
{
    struct aws_endpoint want = {0};
    struct buf body;

    *req =
        (struct http_request){.method = STR("POST"), .timeout_ms = TIMEOUT_MS};
    if (!find_region(env, what, arena, &want.region, err) ||
        !aws_endpoint(env, &sts, &want, arena, &req->url, err))
        return false;
    buf_init(&body, BUF_NO_LIMIT);
    write_body(what, &body);
    req->body = arena_str(arena, buf_str(&body));
    wipe(body.data, body.len);
    buf_fini(&body);
    req->ca_file = arena_str(arena, auth_variable(env, "AWS_CA_BUNDLE"));
    http_set(req, STR("Content-Type"), FORM);
    http_set(req, STR("Accept"), STR("text/xml"));
    return what->web_token.len > 0 ||
           sign(what, want.region, wall_ms, arena, req, err);
}

/*
 * The answer.
 */
static enum provide refused(const struct http_response *res,
                            struct provide_out *out)
{
    enum provide how = PROVIDE_FAILED;
    struct aws_answer a;

    aws_answer_read(res, out->arena, &a);
    /* A token that is not good any more may be renewed in its file. */
    if (a.fault == AWS_FAULT_THROTTLED || a.fault == AWS_FAULT_TRANSIENT ||
        a.fault == AWS_FAULT_CLOCK || a.fault == AWS_FAULT_KEYS ||
        str_starts(a.code, STR("InvalidIdentityToken")))
        how = PROVIDE_RETRY;
    return provide_failed(out, how, ERR_DENIED, "sts answered %d%s%.*s%s%.*s",
                          res->status, a.code.len ? " " : "", STR_ARG(a.code),
                          a.message.len ? ": " : "", STR_ARG(a.message));
}

enum provide aws_sts_keys(const struct http_response *res,
                          const struct err *net, struct provide_out *out,
                          struct aws_keys *keys)
{
    struct arena *arena = out->arena;
    struct str expiry;

    if (net) {
        out->err = *net;
        return PROVIDE_RETRY;
    }
    if (res->status != 200)
        return refused(res, out);
    keys->id = aws_xml_text(res->body, "AccessKeyId", arena);
    keys->secret = aws_xml_text(res->body, "SecretAccessKey", arena);
    keys->token = aws_xml_text(res->body, "SessionToken", arena);
    expiry = aws_xml_text(res->body, "Expiration", arena);
    if (keys->id.len > 0 && keys->secret.len > 0 && keys->token.len > 0 &&
        when_rfc3339_parse(expiry, &keys->expires_ms) && keys->expires_ms > 0)
        return PROVIDE_DONE;
    return provide_failed(
        out, PROVIDE_RETRY, ERR_INPUT,
        "sts answered 200, but no keys; perhaps it was somebody "
        "else who did");
}

bool aws_sts_who(const struct http_response *res, struct arena *arena,
                 struct str *account, struct str *arn, struct err *err)
{
    struct provide_out out = {.arena = arena};

    if (res->status != 200) {
        (void)refused(res, &out);
        return err_set(err, out.err.kind, "%s", out.err.text);
    }
    *account =
        aws_one_line(aws_xml_text(res->body, "Account", arena), 100, arena);
    *arn = aws_one_line(aws_xml_text(res->body, "Arn", arena), 300, arena);
    return (account->len > 0 && arn->len > 0) ||
           err_set(err, ERR_INPUT,
                   "sts answered 200, but not who we are; perhaps it was "
                   "somebody else who did");
}
