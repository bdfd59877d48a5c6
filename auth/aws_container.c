/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role of an ECS task, of a pod with EKS Pod Identity, or of whatever else
 * serves keys beside a container.  Variables, hosts and the answer: AWS SDKs
 * and Tools Reference Guide, "Container credential provider"; botocore's
 * ContainerMetadataFetcher.
 */
#include "auth/aws_answer.h"
#include "auth/aws_keys.h"

#include <arpa/inet.h>
#include <stdio.h>

#define RELATIVE   "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
#define FULL       "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define TOKEN_FILE "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
#define TOKEN      "AWS_CONTAINER_AUTHORIZATION_TOKEN"

#define ECS_HOST "169.254.170.2"
#define EKS_HOST "169.254.170.23"
#define EKS_IPV6 "fd00:ec2::23"

struct container {
    bool eks;
};

static bool is_ipv6(struct str host, const char *address)
{
    char text[INET6_ADDRSTRLEN + 1] = "";
    struct in6_addr have, want;

    if (host.len < 2 || host.ptr[0] != '[' || host.len - 2 >= sizeof(text))
        return false;
    (void)snprintf(text, sizeof(text), "%.*s", (int)host.len - 2, host.ptr + 1);
    return inet_pton(AF_INET6, text, &have) == 1 &&
           inet_pton(AF_INET6, address, &want) == 1 &&
           memcmp(&have, &want, sizeof(have)) == 0;
}

static bool is_eks(const struct http_url *u)
{
    return str_eqz(u->host, EKS_HOST) || is_ipv6(u->host, EKS_IPV6);
}

/* Over plain http keys may come from this very machine only. */
static bool trusted(const struct http_url *u)
{
    return str_eqi(u->scheme, STR("https")) || http_url_is_loopback(u) ||
           str_eqz(u->host, ECS_HOST) || is_eks(u);
}

static enum provide relative(struct str uri, struct provide_out *out)
{
    struct http_url u;

    out->ask.url =
        arena_printf(out->arena, "http://" ECS_HOST "%.*s", STR_ARG(uri));
    if (!str_starts(uri, STR("/")) || !http_url_parse(out->ask.url, &u))
        return provide_failed(out, PROVIDE_FAILED, ERR_CONFIG,
                              RELATIVE ": \"%.*s\" is not a path like "
                                       "/v2/credentials/ID",
                              STR_ARG(uri));
    return PROVIDE_ASK;
}

static enum provide full(struct container *c, struct str uri,
                         struct provide_out *out)
{
    struct str shown = http_url_shown(uri, out->arena);
    struct http_url u;

    if (!http_url_parse(uri, &u))
        return provide_failed(out, PROVIDE_FAILED, ERR_CONFIG,
                              FULL ": \"%.*s\" is not a url", STR_ARG(shown));
    if (!trusted(&u))
        return provide_failed(
            out, PROVIDE_FAILED, ERR_CONFIG,
            FULL ": \"%.*s\": plain http is for loopback, " ECS_HOST
                 ", " EKS_HOST " and [" EKS_IPV6 "] alone; write https",
            STR_ARG(shown));
    c->eks = is_eks(&u);
    out->ask.url = arena_str(out->arena, uri);
    return PROVIDE_ASK;
}

/* The file is read at every fetch, for whoever wrote it renews it. */
static bool authorize(const struct auth_env *env, struct provide_out *out,
                      enum provide *what)
{
    struct str file = auth_variable(env, TOKEN_FILE);
    struct str token = auth_variable(env, TOKEN);

    *what = PROVIDE_RETRY;
    if (file.len > 0 && !aws_read_token(env, arena_strdup(out->arena, file),
                                        out->arena, &token, &out->err))
        return err_wrap(&out->err, TOKEN_FILE);
    *what = PROVIDE_FAILED;
    if (!aws_one_line_only(token))
        return err_set(&out->err, ERR_CONFIG,
                       TOKEN ": holds a line feed or another control "
                             "character");
    if (token.len > 0)
        http_set_secret(&out->ask, STR("Authorization"),
                        arena_str(out->arena, token));
    return true;
}

static enum provide start(void *state, const struct auth_env *env,
                          struct now now, struct provide_out *out)
{
    struct container *c = state;
    struct str path = auth_variable(env, RELATIVE);
    struct str uri = auth_variable(env, FULL);
    enum provide what;

    (void)now;
    *c = (struct container){0};
    if (path.len == 0 && uri.len == 0)
        return PROVIDE_ABSENT;
    what = path.len > 0 ? relative(path, out) : full(c, uri, out);
    if (what != PROVIDE_ASK || !authorize(env, out, &what))
        return what;
    out->ask.method = STR("GET");
    out->ask.no_proxy = true;
    http_set(&out->ask, STR("Accept"), STR("application/json"));
    return PROVIDE_ASK;
}

static enum provide refused(const struct http_response *res,
                            struct provide_out *out)
{
    struct aws_answer a;
    /* A token that has just been renewed is read again. */
    bool passes = aws_status_passes(res->status) || res->status == 401 ||
                  res->status == 403;

    aws_answer_read(res, out->arena, &a);
    return provide_failed(out, passes ? PROVIDE_RETRY : PROVIDE_FAILED,
                          ERR_DENIED, "it answered %d%s%.*s%s%.*s", res->status,
                          a.code.len ? " " : "", STR_ARG(a.code),
                          a.message.len ? ": " : "", STR_ARG(a.message));
}

static enum provide answer(void *state, const struct auth_env *env,
                           struct now now, const struct http_response *res,
                           const struct err *net, struct provide_out *out)
{
    static const char *const names[] = {"AccessKeyId", "SecretAccessKey",
                                        "Token"};
    const struct container *c = state;
    struct aws_keys keys;

    (void)env;
    (void)now;
    if (net) {
        out->err = *net;
        return PROVIDE_RETRY;
    }
    if (res->status != 200)
        return refused(res, out);
    if (!aws_keys_json(res->body, names[2], out->arena, &keys, &out->err) ||
        !aws_keys_give(&keys, names,
                       c->eks ? "EKS pod identity" : aws_container.name,
                       &out->creds, &out->err))
        return PROVIDE_RETRY;
    return PROVIDE_DONE;
}

const struct provider_type aws_container = {
    .name = "container endpoint",
    .state_size = sizeof(struct container),
    .start = start,
    .answer = answer,
};
