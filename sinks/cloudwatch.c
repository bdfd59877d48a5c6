/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/cloudwatch.h"

#include "agent/base/gzip.h"
#include "auth/aws.h"
#include "auth/aws_sts.h"
#include "auth/sigv4.h"
#include "sinks/sinks.h"

#include <string.h>

#define COMPRESSION_MAX (10 << 20) /* AWS SDKs: 0 to 10485760 */

static const struct conf_key keys[] = {
    CONF_TEXT(cloudwatch_conf, region, "",
              "AWS region, as eu-west-1; else AWS_REGION or "
              "AWS_DEFAULT_REGION says it."),
    CONF_TEXT(cloudwatch_conf, namespace, "Membrane",
              "CloudWatch namespace of all metrics.", .flags = CONF_FILLED),
    CONF_TEXT(cloudwatch_conf, endpoint, "",
              "URL in place of the region's own, for a private endpoint or an "
              "emulator; else AWS_ENDPOINT_URL_CLOUDWATCH or AWS_ENDPOINT_URL. "
              "Plain http only to loopback."),
    CONF_ENUM(cloudwatch_conf, protocol, "json", "json|query",
              "AWS JSON 1.0, or the older Query for emulators and proxies that "
              "know nothing else."),
    CONF_BOOL(cloudwatch_conf, fips, "false",
              "Use the FIPS 140 endpoint (also AWS_USE_FIPS_ENDPOINT)."),
    CONF_BOOL(cloudwatch_conf, dual_stack, "false",
              "Use the endpoint that has IPv6 addresses, too (also "
              "AWS_USE_DUALSTACK_ENDPOINT)."),
    CONF_MS(cloudwatch_conf, timeout, "10s", 100, 5 * WHEN_MINUTE,
            "How long one request may take."),
    CONF_TEXT(cloudwatch_conf, ca_file, "",
              "PEM file of authorities in place of the system's (also "
              "AWS_CA_BUNDLE)."),
    CONF_SIZE(cloudwatch_conf, min_compression_size, "10240", 0,
              COMPRESSION_MAX,
              "Bodies of this many bytes and more are sent gzipped (also "
              "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES; never where "
              "AWS_DISABLE_REQUEST_COMPRESSION is true)."),
    CONF_END,
};

#define COMPRESSION_DEFAULT 10240

static bool prepare_compression(struct cloudwatch_conf *c,
                                const struct auth_env *env, struct err *err)
{
    static const char name[] = "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES";
    const char *text = env->variable(env->arg, name);
    int64_t n;

    c->compress = !aws_true(env, "AWS_DISABLE_REQUEST_COMPRESSION");
    if (!text || c->min_compression_size != COMPRESSION_DEFAULT)
        return true; /* what the configuration says comes first */
    if (!str_int(str_trim(str_of(text)), &n) || n < 0 || n > COMPRESSION_MAX)
        return err_set(err, ERR_CONFIG,
                       "%s: \"%s\" is not a number from 0 to %d", name, text,
                       COMPRESSION_MAX);
    c->min_compression_size = n;
    return true;
}

static bool prepare(void *conf, const struct auth_env *env, struct arena *arena,
                    struct err *err)
{
    struct cloudwatch_conf *c = conf;
    const char *bundle = env->variable(env->arg, "AWS_CA_BUNDLE");
    struct aws_endpoint want = {.configured = str_of(c->endpoint),
                                .fips = c->fips,
                                .dual_stack = c->dual_stack};

    if (!cloudwatch_namespace_ok(str_of(c->namespace), err) ||
        !prepare_compression(c, env, err) ||
        !aws_region(env, str_of(c->region), arena, &c->signing_region, err))
        return false;
    want.region = c->signing_region;
    if (!aws_endpoint(env, &aws_cloudwatch, &want, arena, &c->url, err))
        return false;
    c->authorities = str_of(c->ca_file);
    if (c->authorities.len == 0 && bundle)
        c->authorities = arena_str(arena, str_of(bundle));
    return true;
}

/* The identity's calls go the way that the metrics go. */
static const struct auth_env *identity_env(const void *conf,
                                           const struct auth_env *under,
                                           struct arena *arena)
{
    const struct cloudwatch_conf *c = conf;
    const struct str yes = STR("true");
    const struct auth_value values[] = {
        {"AWS_USE_FIPS_ENDPOINT", c->fips ? yes : STR_NONE},
        {"AWS_USE_DUALSTACK_ENDPOINT", c->dual_stack ? yes : STR_NONE},
        {"AWS_CA_BUNDLE", str_of(c->ca_file)}};

    return auth_overlay(under, values, sizeof(values) / sizeof(*values), arena);
}

static bool compress(struct arena *arena, struct http_request *req,
                     struct err *err)
{
    struct buf packed;
    bool ok;

    buf_init(&packed, BUF_NO_LIMIT);
    ok = gzip_pack(&packed, req->body, err);
    if (ok) {
        req->body = arena_str(arena, buf_str(&packed));
        http_set(req, STR("Content-Encoding"), STR("gzip"));
    }
    buf_fini(&packed);
    return ok;
}

static bool sign(const void *conf, const struct credentials *creds,
                 int64_t wall_ms, struct arena *arena, struct http_request *req,
                 struct err *err)
{
    const struct cloudwatch_conf *c = conf;
    const struct sigv4 s = {.key_id = str_of(creds->key_id),
                            .secret = str_of(creds->secret),
                            .token = str_of(creds->token),
                            .region = c->signing_region,
                            .service = STR("monitoring"),
                            .wall_ms = wall_ms};

    if (c->compress && req->body.len >= (size_t)c->min_compression_size &&
        !compress(arena, req, err))
        return false;
    return sigv4_sign(&s, arena, req, err);
}

static bool ask_who(const void *conf, const struct auth_env *env,
                    const struct credentials *creds, int64_t wall_ms,
                    struct arena *arena, struct http_request *req,
                    struct err *err)
{
    const struct cloudwatch_conf *c = conf;
    const struct aws_keys signer = {.id = str_of(creds->key_id),
                                    .secret = str_of(creds->secret),
                                    .token = str_of(creds->token)};
    const struct aws_sts what = {.region = c->signing_region,
                                 .signer = &signer};

    return aws_sts_ask(env, &what, wall_ms, arena, req, err);
}

static bool read_who(const struct http_response *res, struct arena *arena,
                     struct str *who, struct err *err)
{
    struct str account, arn;

    if (!aws_sts_who(res, arena, &account, &arn, err))
        return false;
    *who = arena_printf(arena, "%.*s in account %.*s", STR_ARG(arn),
                        STR_ARG(account));
    return true;
}

const struct sink_type cloudwatch_sink = {
    .name = "cloudwatch",
    .help = "Amazon CloudWatch custom metrics, by PutMetricData.",
    .keys = keys,
    .conf_size = sizeof(struct cloudwatch_conf),
    .providers = aws_providers,
    .no_credentials = aws_no_credentials,
    .auth_env = identity_env,
    .ask_who = ask_who,
    .read_who = read_who,
    .oldest_ms = CLOUDWATCH_OLDEST,
    .ahead_ms = CLOUDWATCH_AHEAD,
    .prepare = prepare,
    .check = cloudwatch_check,
    .admit = cloudwatch_admit,
    .render = cloudwatch_render,
    .sign = sign,
    .judge = cloudwatch_judge,
};
