/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in the environment: AWS_ACCESS_KEY_ID and its companions. */
#include "auth/aws_keys.h"

static enum provide start(void *state, const struct auth_env *env,
                          struct now now, struct provide_out *out)
{
    static const char *const names[] = {
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"};
    const struct aws_keys keys = {.id = auth_variable(env, names[0]),
                                  .secret = auth_variable(env, names[1]),
                                  .token = auth_variable(env, names[2])};

    (void)state;
    (void)now;
    if (keys.id.len == 0 && keys.secret.len == 0)
        return PROVIDE_ABSENT;
    return aws_keys_give(&keys, names, aws_environment.name, &out->creds,
                         &out->err)
               ? PROVIDE_DONE
               : PROVIDE_FAILED;
}

const struct provider_type aws_environment = {
    .name = "environment",
    .start = start,
};
