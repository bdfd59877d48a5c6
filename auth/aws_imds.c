/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role of an EC2 instance, from its metadata service, version 2: a token
 * (PUT), the role's name, its keys.  EC2 User Guide, "Use IMDSv2"; variables:
 * SDKs and Tools Reference Guide, "IMDS credential provider".  Version 1 is
 * never spoken: whoever can make us fetch a URL could read its keys as well.
 */
#include "auth/aws_imds.h"

#include "agent/base/jsonr.h"
#include "auth/aws_answer.h"
#include "auth/aws_keys.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <stdio.h>

#define DISABLED "AWS_EC2_METADATA_DISABLED"
#define ENDPOINT "AWS_EC2_METADATA_SERVICE_ENDPOINT"
#define MODE     "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
#define TIMEOUT  "AWS_METADATA_SERVICE_TIMEOUT"
#define ATTEMPTS "AWS_METADATA_SERVICE_NUM_ATTEMPTS"

#define IPV4_URL "http://169.254.169.254"
#define IPV6_URL "http://[fd00:ec2::254]"
#define ROLES    "/latest/meta-data/iam/security-credentials/"
/* What is asked for; the token is fetched anew a little earlier. */
#define TOKEN_TTL  (6 * WHEN_HOUR)
#define TOKEN_LESS (5 * WHEN_MINUTE)

#define OR_ELSE                                                             \
    "where this is not EC2, configure other credentials (and set " DISABLED \
    "=true)"

enum stage { TOKEN, ROLE, KEYS };

struct imds {
    enum stage stage;
    bool renewed;     /* the token, in this fetch */
    int64_t attempts; /* that are left of this fetch */
    int64_t token_until;
    char token[512]; /* kept from fetch to fetch; empty: none */
};

/*
 * Where it is.
 */
static bool is_link_local(const struct http_url *u)
{
    char text[INET6_ADDRSTRLEN + 2] = "";
    struct in6_addr have, imds;

    if (str_starts(u->host, STR("169.254.")))
        return true;
    if (u->host.len < 2 || u->host.ptr[0] != '[' || u->host.len >= sizeof(text))
        return false;
    (void)snprintf(text, sizeof(text), "%.*s", (int)u->host.len - 2,
                   u->host.ptr + 1);
    return inet_pton(AF_INET6, text, &have) == 1 &&
           inet_pton(AF_INET6, "fd00:ec2::", &imds) == 1 &&
           memcmp(&have, &imds, 4) == 0;
}

static bool find_base(const struct auth_env *env, struct arena *arena,
                      struct str *base, struct err *err)
{
    struct str url = auth_variable(env, ENDPOINT);
    struct str mode = auth_variable(env, MODE);
    struct http_url u;

    if (url.len == 0 && mode.len > 0 && !str_eqi(mode, STR("IPv4")) &&
        !str_eqi(mode, STR("IPv6")))
        return err_set(err, ERR_CONFIG, MODE ": \"%.*s\" is none of IPv4, IPv6",
                       STR_ARG(mode));
    if (url.len == 0)
        url = str_eqi(mode, STR("IPv6")) ? STR(IPV6_URL) : STR(IPV4_URL);
    if (!http_url_parse(url, &u) || u.query.ptr)
        return err_set(err, ERR_CONFIG,
                       ENDPOINT ": \"%.*s\" is not a url like " IPV4_URL,
                       STR_ARG(http_url_shown(url, arena)));
    if (!str_eqi(u.scheme, STR("https")) && !http_url_is_loopback(&u) &&
        !is_link_local(&u))
        return err_set(err, ERR_CONFIG,
                       ENDPOINT ": \"%.*s\": plain http is for link-local "
                                "addresses and loopback alone, as the answer "
                                "holds keys",
                       STR_ARG(url));
    while (str_ends(url, STR("/")))
        url.len--;
    *base = arena_str(arena, url);
    return true;
}

/* Whole; the SDKs' 1 where it is not set. */
static bool find_number(const struct auth_env *env, const char *name,
                        const char *what, int64_t *out, struct err *err)
{
    struct str text = auth_variable(env, name);

    *out = 1;
    if (text.len == 0 || (str_int(text, out) && *out >= 1 && *out <= 60))
        return true;
    return err_set(err, ERR_CONFIG,
                   "%s: \"%.*s\" is not a number of %s from 1 to 60", name,
                   STR_ARG(text), what);
}

bool aws_imds_disabled(const struct auth_env *env)
{
    return str_eqi(auth_variable(env, DISABLED), STR("true"));
}

bool aws_imds_attempts(const struct auth_env *env, int64_t *out,
                       struct err *err)
{
    return find_number(env, ATTEMPTS, "attempts", out, err);
}

/*
 * The three questions.
 */
bool aws_imds_ask(const struct auth_env *env, struct str path, struct str token,
                  struct arena *arena, struct http_request *req,
                  struct err *err)
{
    struct str base = STR_NONE;
    int64_t seconds;

    *req = (struct http_request){.method = token.len ? STR("GET") : STR("PUT"),
                                 .no_proxy = true};
    if (!find_base(env, arena, &base, err) ||
        !find_number(env, TIMEOUT, "seconds", &seconds, err))
        return false;
    req->timeout_ms = seconds * WHEN_SECOND;
    if (token.len == 0)
        path = STR("/latest/api/token");
    req->url = arena_printf(arena, "%.*s%.*s", STR_ARG(base), STR_ARG(path));
    if (token.len > 0)
        http_set_secret(req, STR("x-aws-ec2-metadata-token"),
                        arena_str(arena, token));
    else
        http_set(req, STR("x-aws-ec2-metadata-token-ttl-seconds"),
                 STR("21600"));
    return true;
}

static enum provide ask(const struct imds *s, const struct auth_env *env,
                        struct str path, struct provide_out *out)
{
    return aws_imds_ask(env, path, str_of(s->token), out->arena, &out->ask,
                        &out->err)
               ? PROVIDE_ASK
               : PROVIDE_FAILED;
}

static enum provide ask_token(struct imds *s, const struct auth_env *env,
                              struct provide_out *out)
{
    s->stage = TOKEN;
    s->token[0] = '\0';
    return ask(s, env, STR_NONE, out);
}

static enum provide ask_role(struct imds *s, const struct auth_env *env,
                             struct provide_out *out)
{
    s->stage = ROLE;
    return ask(s, env, STR(ROLES), out);
}

static enum provide ask_keys(struct imds *s, const struct auth_env *env,
                             struct str role, struct provide_out *out)
{
    s->stage = KEYS;
    return ask(s, env, arena_printf(out->arena, ROLES "%.*s", STR_ARG(role)),
               out);
}

static enum provide start(void *state, const struct auth_env *env,
                          struct now now, struct provide_out *out)
{
    struct imds *s = state;

    s->renewed = false;
    if (aws_imds_disabled(env))
        return PROVIDE_ABSENT;
    if (!aws_imds_attempts(env, &s->attempts, &out->err))
        return PROVIDE_FAILED;
    if (s->token[0] && now.mono_ms < s->token_until)
        return ask_role(s, env, out);
    return ask_token(s, env, out);
}

/*
 * The answers.
 */
static enum provide unreachable(const struct imds *s, const struct err *net,
                                struct provide_out *out)
{
    if (net->kind == ERR_TIMEOUT && s->stage == TOKEN)
        return provide_failed(
            out, PROVIDE_RETRY, ERR_TIMEOUT,
            "%s; in a container on EC2 the hop limit is too low, then: aws ec2 "
            "modify-instance-metadata-options --http-put-response-hop-limit "
            "2; " OR_ELSE,
            net->text);
    return provide_failed(out, PROVIDE_RETRY, net->kind, "%s; " OR_ELSE,
                          net->text);
}

static enum provide no_token(int status, struct provide_out *out)
{
    if (status == 404 || status == 405)
        return provide_failed(
            out, PROVIDE_FAILED, ERR_DENIED,
            "it answered %d to the question for a token, so it "
            "knows version 1 alone, which is never used; " OR_ELSE,
            status);
    if (status == 403)
        return provide_failed(
            out, PROVIDE_FAILED, ERR_DENIED,
            "it answered 403: it is switched off for this instance; " OR_ELSE);
    return provide_failed(
        out, aws_status_passes(status) ? PROVIDE_RETRY : PROVIDE_FAILED,
        ERR_DENIED, "it answered %d to the question for a token", status);
}

static enum provide got_token(struct imds *s, const struct auth_env *env,
                              struct now now, const struct http_response *res,
                              struct provide_out *out)
{
    struct str token = str_trim(res->body);

    if (res->status != 200)
        return no_token(res->status, out);
    if (token.len == 0 || token.len >= sizeof(s->token) ||
        !auth_printable(token))
        return provide_failed(out, PROVIDE_RETRY, ERR_INPUT,
                              "what it answered is no token");
    memcpy(s->token, token.ptr, token.len);
    s->token[token.len] = '\0';
    s->token_until = now.mono_ms + TOKEN_TTL - TOKEN_LESS;
    return ask_role(s, env, out);
}

static enum provide got_role(struct imds *s, const struct auth_env *env,
                             const struct http_response *res,
                             struct provide_out *out)
{
    struct str rest = res->body, role = STR_NONE;

    if (res->status == 200 && str_next(&rest, '\n', &role))
        role = str_trim(role);
    if (res->status == 404 || (res->status == 200 && role.len == 0))
        return provide_failed(out, PROVIDE_FAILED, ERR_DENIED,
                              "the instance has no role; attach an instance "
                              "profile to it");
    for (size_t i = 0; i < role.len; i++) /* IAM: [\w+=,.@-]+ */
        if (!auth_printable(role) || strchr("/?#%\\\"<>", role.ptr[i]))
            return provide_failed(out, PROVIDE_RETRY, ERR_INPUT,
                                  "what it answered is no name of a role");
    return ask_keys(s, env, role, out);
}

/* 200 with a Code and no keys is how it tells of a role that is broken. */
static bool says_success(struct str body, struct arena *arena, struct err *err)
{
    struct json_object *o;
    struct str code, message;
    bool ok = true;

    if (!jsonr_parse(body, &o, err))
        return false;
    code = jsonr_text_or(o, "Code", STR("Success"));
    message = aws_one_line(jsonr_text_or(o, "Message", STR_NONE), 200, arena);
    if (!str_eqz(code, "Success"))
        ok = err_set(err, ERR_DENIED, "it answered %.*s: %.*s",
                     STR_ARG(aws_one_line(code, 100, arena)), STR_ARG(message));
    json_object_put(o);
    return ok;
}

static enum provide got_keys(const struct http_response *res,
                             struct provide_out *out)
{
    static const char *const names[] = {"AccessKeyId", "SecretAccessKey",
                                        "Token"};
    struct aws_keys keys;

    return says_success(res->body, out->arena, &out->err) &&
                   aws_keys_json(res->body, names[2], out->arena, &keys,
                                 &out->err) &&
                   aws_keys_give(&keys, names, aws_imds.name, &out->creds,
                                 &out->err)
               ? PROVIDE_DONE
               : PROVIDE_RETRY;
}

static enum provide answer(void *state, const struct auth_env *env,
                           struct now now, const struct http_response *res,
                           const struct err *net, struct provide_out *out)
{
    struct imds *s = state;

    if ((net || aws_status_passes(res->status)) && --s->attempts > 0)
        return s->stage == TOKEN ? ask_token(s, env, out)
                                 : ask_role(s, env, out);
    if (net)
        return unreachable(s, net, out);
    if (s->stage == TOKEN)
        return got_token(s, env, now, res, out);
    if (res->status == 401 &&
        !s->renewed) { /* the token is not good any more */
        s->renewed = true;
        return ask_token(s, env, out);
    }
    if (res->status == 200 || (res->status == 404 && s->stage == ROLE))
        return s->stage == ROLE ? got_role(s, env, res, out)
                                : got_keys(res, out);
    return provide_failed(out, PROVIDE_RETRY, ERR_DENIED,
                          "it answered %d to the question for %s", res->status,
                          s->stage == ROLE ? "the role" : "its keys");
}

const struct provider_type aws_imds = {
    .name = "instance metadata",
    .state_size = sizeof(struct imds),
    .start = start,
    .answer = answer,
};
