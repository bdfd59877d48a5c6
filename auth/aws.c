/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/aws.h"

#include "agent/base/mem.h"

#include <stdio.h>

/*
 * Environment variables as a provider.
 */
static struct str variable(const struct auth_env *env, const char *name)
{
    const char *value = env->variable(env->arg, name);

    return value ? str_trim(str_of(value)) : STR_NONE;
}

static char *heap(struct str s)
{
    return s.len > 0 ? xstrndup(s.ptr, s.len) : NULL;
}

/* What would end up in a header must not end it. */
static bool printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return false;
    return true;
}

static enum provide environment_start(void *state, const struct auth_env *env,
                                      struct now now, struct provide_out *out)
{
    struct str id = variable(env, "AWS_ACCESS_KEY_ID");
    struct str secret = variable(env, "AWS_SECRET_ACCESS_KEY");
    struct str token = variable(env, "AWS_SESSION_TOKEN");

    (void)state;
    (void)now;
    if (id.len == 0 && secret.len == 0)
        return PROVIDE_ABSENT;
    if (id.len == 0 || secret.len == 0) {
        (void)err_set(&out->err, ERR_CONFIG,
                      "%s is set, but %s is not; set both, or neither",
                      id.len ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                      id.len ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
        return PROVIDE_FAILED;
    }
    if (!printable(id) || !printable(secret) || !printable(token)) {
        (void)err_set(&out->err, ERR_CONFIG,
                      "%s: holds a blank, a line feed or a character that no "
                      "key has; copy it again",
                      !printable(id)       ? "AWS_ACCESS_KEY_ID"
                      : !printable(secret) ? "AWS_SECRET_ACCESS_KEY"
                                           : "AWS_SESSION_TOKEN");
        return PROVIDE_FAILED;
    }
    out->creds = (struct credentials){.key_id = heap(id),
                                      .secret = heap(secret),
                                      .token = heap(token),
                                      .source = "environment"};
    return PROVIDE_DONE;
}

static const struct provider_type environment = {
    .name = "environment",
    .start = environment_start,
};

const struct provider_type *const aws_providers[] = {&environment, NULL};
const char aws_no_credentials[] =
    "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and "
    "AWS_SESSION_TOKEN where the keys are temporary)";

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

bool aws_region(const struct auth_env *env, struct str configured,
                struct arena *arena, struct str *out, struct err *err)
{
    const char *from = "region";
    struct str region = str_trim(configured);

    if (region.len == 0)
        region = variable(env, from = "AWS_REGION");
    if (region.len == 0)
        region = variable(env, from = "AWS_DEFAULT_REGION");
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
    return str_eqi(variable(env, name), STR("true"));
}

/* The URL that somebody wrote, and where. */
static struct str written_url(const struct auth_env *env,
                              const struct aws_service *service,
                              struct str configured, char from[64])
{
    struct str url = str_trim(configured);

    (void)snprintf(from, 64, "endpoint");
    if (url.len > 0 || aws_true(env, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
        return url;
    (void)snprintf(from, 64, "AWS_ENDPOINT_URL_%s", service->env_id);
    url = variable(env, from);
    if (url.len > 0)
        return url;
    (void)snprintf(from, 64, "AWS_ENDPOINT_URL");
    return variable(env, from);
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
    char from[64];
    struct str url = written_url(env, service, want->configured, from);
    bool fips = want->fips || aws_true(env, "AWS_USE_FIPS_ENDPOINT");
    bool dual = want->dual_stack || aws_true(env, "AWS_USE_DUALSTACK_ENDPOINT");
    const struct partition *p = partition_of(want->region);

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
