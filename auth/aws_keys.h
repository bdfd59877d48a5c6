/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws_keys.h - what the providers of AWS keys share; for auth/aws_*.c alone.
 *
 * Where keys come from and what each form is called: AWS SDKs and Tools
 * Reference Guide, "Standardized credential providers".  No error made here
 * shows a secret.
 */
#ifndef AUTH_AWS_KEYS_H
#define AUTH_AWS_KEYS_H

#include "auth/auth.h"

extern const struct provider_type aws_environment;
extern const struct provider_type aws_container;
extern const struct provider_type aws_imds;
extern const struct provider_type aws_profile;
extern const struct provider_type aws_web_identity;

/* No line feed and no other control character. */
bool aws_one_line_only(struct str s);

struct aws_keys {
    struct str id, secret, token; /* token may be empty */
    int64_t expires_ms;           /* 0: never */
};

/*
 * The JSON that the container endpoint, the instance metadata service and a
 * credential_process give: `token_name` is "Token" or "SessionToken".  Texts
 * live in `arena`.
 */
must_check bool aws_keys_json(struct str body, const char *token_name,
                              struct arena *arena, struct aws_keys *out,
                              struct err *err);
/* Into credentials of their own, after a look at each part; `names` are what
 * id, secret and token are called where they were written. */
must_check bool aws_keys_give(const struct aws_keys *keys,
                              const char *const names[3], const char *source,
                              struct credentials *out, struct err *err);

/* Whether an HTTP status may well be another one soon. */
bool aws_status_passes(int status);

/* A file that is not too long, as one line: without the line feed at its end,
 * refused when there is more than one line in it or none. */
must_check bool aws_read_token(const struct auth_env *env, const char *path,
                               struct arena *arena, struct str *out,
                               struct err *err);

#endif
