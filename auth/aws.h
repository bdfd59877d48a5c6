/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws.h - AWS: who we are, which region, which host.
 *
 * Pure: what the environment says comes through struct auth_env.  Names and
 * order of variables: AWS SDKs and Tools Reference Guide, "Settings
 * reference".  Host names per partition: the endpoint rules and partitions of
 * botocore (data/partitions.json, cloudwatch/.../endpoint-rule-set-1.json).
 */
#ifndef AUTH_AWS_H
#define AUTH_AWS_H

#include "auth/auth.h"

/* In the order in which they are tried; NULL ends the list. */
extern const struct provider_type *const aws_providers[];
/* The mend, when none of them is configured. */
extern const char aws_no_credentials[];

/*
 * The region: `configured` where that is not empty, else AWS_REGION, else
 * AWS_DEFAULT_REGION, else the profile's.  Refused when it could not be part of
 * a host name.
 */
must_check bool aws_region(const struct auth_env *env, struct str configured,
                           struct arena *arena, struct str *out,
                           struct err *err);

struct aws_service {
    const char *host;   /* first label: "monitoring" */
    const char *env_id; /* AWS_ENDPOINT_URL_<env_id> */
    /* In aws-us-gov the ordinary host is the FIPS one. */
    bool gov_is_fips;
};
extern const struct aws_service aws_cloudwatch;
extern const struct aws_service aws_ecs;

struct aws_endpoint {
    struct str configured; /* a URL that wins over all; empty: none */
    struct str region;
    bool fips, dual_stack; /* asked for; the environment may ask as well */
};

/*
 * The URL to send to, ending in a slash: the configured one, else
 * AWS_ENDPOINT_URL_<service>, else AWS_ENDPOINT_URL, else endpoint_url for the
 * service or for all in the profile in force (none of them where
 * AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true), else the partition's rule.
 * Plain http is for loopback alone.
 */
must_check bool aws_endpoint(const struct auth_env *env,
                             const struct aws_service *service,
                             const struct aws_endpoint *want,
                             struct arena *arena, struct str *out,
                             struct err *err);

/* A variable that is "true" in any case. */
bool aws_true(const struct auth_env *env, const char *name);

#endif
