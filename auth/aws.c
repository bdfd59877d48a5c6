/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/aws.h"

#include "auth/aws_config.h"
#include "auth/aws_keys.h"

/* Standardized credential providers of the SDKs' reference guide, in its
 * order. */
const struct provider_type *const aws_providers[] = {
    &aws_environment, &aws_web_identity, &aws_profile,
    &aws_container,   &aws_imds,         NULL};
const char aws_no_credentials[] =
    "no AWS credentials: on ECS give the task a role, on EKS the service "
    "account one; else set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

/*
 * Region.
 */

/* Letters, then groups of letters, then a number: eu-west-1, us-gov-east-1. */
static bool is_region(struct str s)
{
    struct str rest = s, part;
    size_t parts = 0;
    int64_t number;
    bool last = false;

    while (str_next(&rest, '-', &part)) {
        if (last || part.len == 0)
            return false;
        parts++;
        last = part.ptr[0] >= '0' && part.ptr[0] <= '9';
        if (last && (part.len > 2 || !str_int(part, &number)))
            return false;
        for (size_t i = 0; !last && i < part.len; i++)
            if (part.ptr[i] < 'a' || part.ptr[i] > 'z')
                return false;
    }
    return last && parts >= 3 && s.len <= 32;
}

/* What the profile in force says. */
static bool profile_region(const struct auth_env *env, struct arena *arena,
                           struct str *out, struct err *err)
{
    struct aws_config c;

    if (!aws_config_load(env, arena, &c, err))
        return false;
    *out = aws_config_get(&c, c.profile, "region");
    return true;
}

bool aws_region(const struct auth_env *env, struct str configured,
                struct arena *arena, struct str *out, struct err *err)
{
    const char *from = "region";
    struct str region = str_trim(configured);

    if (region.len == 0)
        region = auth_variable(env, from = "AWS_REGION");
    if (region.len == 0)
        region = auth_variable(env, from = "AWS_DEFAULT_REGION");
    if (region.len == 0) {
        from = "region of the profile";
        if (!profile_region(env, arena, &region, err))
            return false;
    }
    if (region.len == 0)
        return err_set(err, ERR_CONFIG,
                       "region: not set; write it here or set AWS_REGION, for "
                       "example eu-west-1");
    if (!is_region(region))
        return err_set(err, ERR_CONFIG,
                       "%s: \"%.*s\" is not a region like eu-west-1", from,
                       STR_ARG(region));
    *out = arena_str(arena, region);
    return true;
}

/*
 * Endpoint.
 */
const struct aws_service aws_cloudwatch = {
    .host = "monitoring", .env_id = "CLOUDWATCH", .gov_is_fips = true};
const struct aws_service aws_ecs = {.host = "ecs", .env_id = "ECS"};

/* By the region's beginning; the first that fits.  Others are in `aws`. */
static const struct partition {
    const char *prefix, *suffix, *dual_suffix;
    bool gov;
} partitions[] = {
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", false},
    {"us-gov-", "amazonaws.com", "api.aws", true},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu", false},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov", false},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud", false},
    {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", false},
    {"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", false},
    {"", "amazonaws.com", "api.aws", false},
};

static const struct partition *partition_of(struct str region)
{
    const struct partition *p = partitions;

    while (!str_starts(region, str_of(p->prefix)))
        p++;
    return p;
}

bool aws_true(const struct auth_env *env, const char *name)
{
    return str_eqi(auth_variable(env, name), STR("true"));
}

/*
 * What the profile in force says.  A home that is not ours to look into is
 * none, unless somebody chose a profile of it.
 */
static bool profile_url(const struct auth_env *env,
                        const struct aws_service *service, struct arena *arena,
                        struct str *url, const char **from, struct err *err)
{
    struct aws_config c;
    struct err why;

    if (!aws_config_load(env, arena, &c, &why)) {
        *url = STR_NONE;
        return (why.kind == ERR_DENIED && !c.chosen) ||
               err_set(err, why.kind, "%s", why.text);
    }
    *url = aws_config_endpoint(&c, service->env_id, from);
    if (str_eqi(
            aws_config_get(&c, c.profile, "ignore_configured_endpoint_urls"),
            STR("true")))
        *url = STR_NONE;
    return true;
}

/* The URL that somebody wrote, and where; empty: nobody did. */
static bool written_url(const struct auth_env *env,
                        const struct aws_service *service,
                        struct str configured, struct arena *arena,
                        struct str *url, const char **from, struct err *err)
{
    *from = "endpoint";
    *url = str_trim(configured);
    if (url->len > 0 || aws_true(env, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
        return true;
    *from = arena_printf(arena, "AWS_ENDPOINT_URL_%s", service->env_id).ptr;
    *url = auth_variable(env, *from);
    if (url->len == 0)
        *url = auth_variable(env, *from = "AWS_ENDPOINT_URL");
    return url->len > 0 || profile_url(env, service, arena, url, from, err);
}

static bool custom(struct str url, const char *from, struct arena *arena,
                   struct str *out, struct err *err)
{
    struct http_url u;

    if (!http_url_parse(url, &u) || u.query.len > 0)
        return err_set(err, ERR_CONFIG,
                       "%s: \"%.*s\" is not a url like "
                       "https://monitoring.example.com (no user, no query)",
                       from, STR_ARG(url));
    if (!str_eqi(u.scheme, STR("https")) && !http_url_is_loopback(&u))
        return err_set(err, ERR_CONFIG,
                       "%s: \"%.*s\": plain http is for loopback alone, as it "
                       "would show credentials on the wire; write https",
                       from, STR_ARG(url));
    *out = arena_printf(arena, "%.*s%s", STR_ARG(url),
                        str_ends(url, STR("/")) ? "" : "/");
    return true;
}

bool aws_endpoint(const struct auth_env *env, const struct aws_service *service,
                  const struct aws_endpoint *want, struct arena *arena,
                  struct str *out, struct err *err)
{
    const char *from;
    struct str url;
    bool fips = want->fips || aws_true(env, "AWS_USE_FIPS_ENDPOINT");
    bool dual = want->dual_stack || aws_true(env, "AWS_USE_DUALSTACK_ENDPOINT");
    const struct partition *p = partition_of(want->region);

    if (!written_url(env, service, want->configured, arena, &url, &from, err))
        return false;
    if (url.len > 0 && (fips || dual))
        return err_set(err, ERR_CONFIG,
                       "%s: names the host, so %s cannot choose it; leave out "
                       "one of them",
                       from, fips ? "fips" : "dual_stack");
    if (url.len > 0)
        return custom(url, from, arena, out, err);
    *out =
        arena_printf(arena, "https://%s%s.%.*s.%s/", service->host,
                     fips && !(p->gov && service->gov_is_fips) ? "-fips" : "",
                     STR_ARG(want->region), dual ? p->dual_suffix : p->suffix);
    return true;
}
