/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws_imds.h - questions to the EC2 instance metadata service, version 2.
 *
 * EC2 User Guide, "Use IMDSv2"; the variables: SDKs and Tools Reference Guide,
 * "IMDS credential provider".
 */
#ifndef AUTH_AWS_IMDS_H
#define AUTH_AWS_IMDS_H

#include "auth/auth.h"

#define AWS_IMDS_REGION "/latest/meta-data/placement/region"

/* AWS_EC2_METADATA_DISABLED. */
bool aws_imds_disabled(const struct auth_env *env);
/* AWS_METADATA_SERVICE_NUM_ATTEMPTS, 1 where it is not set. */
must_check bool aws_imds_attempts(const struct auth_env *env, int64_t *out,
                                  struct err *err);
/* The question for a token; or, with a token, for what stands at `path`. */
must_check bool aws_imds_ask(const struct auth_env *env, struct str path,
                             struct str token, struct arena *arena,
                             struct http_request *req, struct err *err);

#endif
