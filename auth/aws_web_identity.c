/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token that an identity provider keeps in a file, for the keys of a role:
 * EKS' roles for service accounts, and whatever else speaks OpenID Connect.
 * SDKs and Tools Reference Guide, "Assume role credential provider".
 */
#include "auth/aws_sts.h"

#define TOKEN_FILE "AWS_WEB_IDENTITY_TOKEN_FILE"
#define ROLE       "AWS_ROLE_ARN"

static enum provide start(void *state, const struct auth_env *env,
                          struct now now, struct provide_out *out)
{
    struct str file = auth_variable(env, TOKEN_FILE);
    const struct aws_role role = {
        .arn = auth_variable(env, ROLE),
        .session = auth_variable(env, "AWS_ROLE_SESSION_NAME")};
    struct aws_sts what = {.role = &role};

    (void)state;
    if (file.len == 0)
        return PROVIDE_ABSENT;
    if (role.arn.len == 0)
        return provide_failed(out, PROVIDE_FAILED, ERR_CONFIG,
                              TOKEN_FILE " is set, but " ROLE
                                         " is not; set both, "
                                         "or neither");
    if (!aws_role_check(&role, ROLE, &out->err))
        return PROVIDE_FAILED;
    /* Read at every fetch: it is renewed where it stands. */
    if (!aws_read_token(env, arena_strdup(out->arena, file), out->arena,
                        &what.web_token, &out->err)) {
        (void)err_wrap(&out->err, TOKEN_FILE);
        return PROVIDE_RETRY;
    }
    return aws_sts_ask(env, &what, now.wall_ms, out->arena, &out->ask,
                       &out->err)
               ? PROVIDE_ASK
               : PROVIDE_FAILED;
}

static enum provide answer(void *state, const struct auth_env *env,
                           struct now now, const struct http_response *res,
                           const struct err *net, struct provide_out *out)
{
    static const char *const names[] = {"AccessKeyId", "SecretAccessKey",
                                        "SessionToken"};
    struct aws_keys keys;
    enum provide what = aws_sts_keys(res, net, out, &keys);

    (void)state;
    (void)env;
    (void)now;
    if (what == PROVIDE_DONE &&
        !aws_keys_give(&keys, names, aws_web_identity.name, &out->creds,
                       &out->err))
        return PROVIDE_RETRY;
    return what;
}

const struct provider_type aws_web_identity = {
    .name = "web identity",
    .start = start,
    .answer = answer,
};
