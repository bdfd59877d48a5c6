/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws_sts.h - AWS Security Token Service: keys for a role, and who we are.
 *
 * The Query protocol, version 2011-06-15 (STS API Reference: AssumeRole,
 * AssumeRoleWithWebIdentity, GetCallerIdentity).  Pure.  The endpoint is the
 * region's; without a region it is that of the partition in the role's ARN,
 * as a session is good everywhere in its partition.
 */
#ifndef AUTH_AWS_STS_H
#define AUTH_AWS_STS_H

#include "auth/aws_keys.h"

struct aws_role {
    struct str arn;
    struct str session;     /* empty: "scalebridge" */
    struct str external_id; /* empty: none */
    struct str duration;    /* seconds, as written; empty: the service's */
};

struct aws_sts {
    struct str region; /* wins; empty: the environment's, else the ARN's */
    const struct aws_role *role;   /* NULL: who are we? */
    struct str web_token;          /* the request is not signed, then */
    const struct aws_keys *signer; /* else: by these */
};

/* A role as it may stand in a request; `where` is said first: "profile x". */
must_check bool aws_role_check(const struct aws_role *role, const char *where,
                               struct err *err);
/* Writes the request, signed where it is to be. */
must_check bool aws_sts_ask(const struct auth_env *env,
                            const struct aws_sts *what, int64_t wall_ms,
                            struct arena *arena, struct http_request *req,
                            struct err *err);
/* PROVIDE_DONE with `keys` (in out->arena), or why not, in out->err. */
enum provide aws_sts_keys(const struct http_response *res,
                          const struct err *net, struct provide_out *out,
                          struct aws_keys *keys);

/* GetCallerIdentity. */
must_check bool aws_sts_who(const struct http_response *res,
                            struct arena *arena, struct str *account,
                            struct str *arn, struct err *err);

#endif
