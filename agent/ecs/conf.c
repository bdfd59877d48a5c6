/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ecs/inside.h"

#define NAME_MAX_LEN 255

const struct conf_key ecs_keys[] = {
    CONF_TEXT(ecs_conf, cluster, "",
              "The cluster's name or ARN; empty: the one that this task runs "
              "in."),
    CONF_TEXT(ecs_conf, service, "",
              "The service's name or ARN; empty: the one that this task "
              "belongs to (Fargate does not tell it)."),
    CONF_TEXT(ecs_conf, region, "",
              "The region; empty: of the ARN, AWS_REGION, or the one that this "
              "task runs in."),
    CONF_TEXT(ecs_conf, endpoint, "",
              "URL of the ECS API, for private endpoints (also "
              "AWS_ENDPOINT_URL_ECS, AWS_ENDPOINT_URL)."),
    CONF_BOOL(ecs_conf, fips, "false",
              "Use the FIPS 140 endpoint (also AWS_USE_FIPS_ENDPOINT)."),
    CONF_BOOL(ecs_conf, dual_stack, "false",
              "Use the endpoint that has IPv6 addresses, too (also "
              "AWS_USE_DUALSTACK_ENDPOINT)."),
    CONF_TEXT(ecs_conf, ca_file, "",
              "PEM file of authorities in place of the system's (also "
              "AWS_CA_BUNDLE)."),
    CONF_END,
};

static struct str or_else(struct str first, struct str second)
{
    return first.len > 0 ? first : second;
}

static struct str variable(const struct auth_env *env, const char *name)
{
    return str_trim(str_of(env->variable(env->arg, name)));
}

/* What the environment says; a text that is no region is kept, so that its
 * fault is told and not passed over. */
static struct str usual_region(const struct auth_env *env, struct arena *arena)
{
    struct str region;

    if (aws_region(env, STR_NONE, arena, &region, NULL))
        return region;
    return or_else(variable(env, "AWS_REGION"),
                   variable(env, "AWS_DEFAULT_REGION"));
}

struct ecs_metadata ecs_written(const struct ecs_conf *conf,
                                const struct auth_env *env, struct arena *arena)
{
    struct ecs_metadata m = {
        .cluster = or_else(str_of(conf->cluster),
                           ecs_arn_cluster(str_of(conf->service))),
        .service = str_of(conf->service),
        .region = or_else(str_of(conf->region),
                          or_else(ecs_arn_region(str_of(conf->service)),
                                  ecs_arn_region(str_of(conf->cluster)))),
    };

    if (!m.region.len)
        m.region = usual_region(env, arena);
    return m;
}

bool ecs_endpoint(const struct ecs_conf *conf, struct str region,
                  const struct auth_env *env, struct arena *arena,
                  struct str *out, struct err *err)
{
    struct aws_endpoint want = {.configured = str_of(conf->endpoint),
                                .fips = conf->fips,
                                .dual_stack = conf->dual_stack};

    return aws_region(env, region, arena, &want.region, err) &&
           aws_endpoint(env, &aws_ecs, &want, arena, out, err);
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return s.len > 0 && s.len <= NAME_MAX_LEN;
}

static bool check_name(const char *key, struct str text, struct err *err)
{
    if (text.len == 0 || is_name(text) ||
        (str_starts(text, STR("arn:")) && ecs_arn_region(text).len > 0 &&
         is_name(ecs_short_name(text))))
        return true;
    return err_set(err, ERR_CONFIG,
                   "%s: \"%.*s\" is neither a name (letters, digits, - and _) "
                   "nor an ARN",
                   key, STR_ARG(text));
}

/* What is left out can only come from the task that we run in. */
static bool check_found(const struct ecs_metadata *m, struct err *err)
{
    const char *key = !m->cluster.len   ? "cluster"
                      : !m->service.len ? "service"
                      : !m->region.len  ? "region"
                                        : NULL;

    if (!key)
        return true;
    return err_set(err, ERR_CONFIG,
                   "%s: not set, and this is no ECS task that could tell it "
                   "(" ECS_METADATA_VARIABLE " is not set); write it here%s",
                   key, m->region.len ? "" : ", or set AWS_REGION");
}

static bool check_place(const struct ecs_conf *conf, const struct auth_env *env,
                        struct arena *arena, struct err *err)
{
    struct ecs_metadata m = ecs_written(conf, env, arena);
    struct str url;

    if (!variable(env, ECS_METADATA_VARIABLE).len && !check_found(&m, err))
        return false;
    return !m.region.len || ecs_endpoint(conf, m.region, env, arena, &url, err);
}

bool ecs_check(const struct ecs_conf *conf, const struct auth_env *env,
               struct err *err)
{
    struct arena arena;
    bool ok;

    if (!check_name("cluster", str_of(conf->cluster), err) ||
        !check_name("service", str_of(conf->service), err))
        return false;
    arena_init(&arena, 512);
    ok = check_place(conf, env, &arena, err);
    arena_fini(&arena);
    return ok;
}

void ecs_describe(const struct ecs_conf *conf, struct buf *out)
{
    struct str cluster =
        or_else(str_of(conf->cluster), ecs_arn_cluster(str_of(conf->service)));

    cluster = or_else(ecs_short_name(cluster), STR("(own)"));
    buf_addf(
        out, "ecs %.*s/%.*s", STR_ARG(cluster),
        STR_ARG(or_else(ecs_short_name(str_of(conf->service)), STR("(own)"))));
}
