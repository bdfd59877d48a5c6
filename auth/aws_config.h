/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws_config.h - the profiles of ~/.aws/config and ~/.aws/credentials.
 *
 * SDKs and Tools Reference Guide, "Shared config and credentials files": a
 * profile is [profile NAME] in the former ([default] may do without) and
 * [NAME] in the latter, which wins.  AWS_CONFIG_FILE and
 * AWS_SHARED_CREDENTIALS_FILE name other files.
 */
#ifndef AUTH_AWS_CONFIG_H
#define AUTH_AWS_CONFIG_H

#include "auth/auth.h"
#include "auth/ini.h"

struct aws_config {
    struct ini config, credentials; /* empty where there is no such file */
    struct str profile;             /* that is in force */
    bool chosen;                    /* by AWS_PROFILE */
};

/* A file that is not there is empty; one that cannot be read, or holds what no
 * SDK would read, is an error.  All lives in `arena`. */
must_check bool aws_config_load(const struct auth_env *env, struct arena *arena,
                                struct aws_config *out, struct err *err);
bool aws_config_has(const struct aws_config *c, struct str profile);
/* Empty where the profile does not say. */
struct str aws_config_get(const struct aws_config *c, struct str profile,
                          const char *key);

/*
 * The endpoint_url for a service ("ecs", in any case): of the section
 * [services NAME] that the profile in force names, else of the profile; empty
 * where neither says.  `from` tells which, for people.
 */
struct str aws_config_endpoint(const struct aws_config *c, const char *service,
                               const char **from);

#endif
