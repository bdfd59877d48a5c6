/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/entra.h"

#include "agent/base/jsonr.h"
#include "auth/entra_token.h"
#include "auth/jwt.h"

#include <json-c/json.h>

const struct provider_type *const entra_providers[] = {&entra_secret,
                                                       &entra_certificate,
                                                       &entra_workload,
                                                       &entra_app_service,
                                                       &entra_arc,
                                                       &entra_imds,
                                                       NULL};
const char entra_no_credentials[] =
    "no Azure credentials: give the container app or virtual machine a managed "
    "identity; else set AZURE_TENANT_ID, AZURE_CLIENT_ID and "
    "AZURE_CLIENT_SECRET";

/*
 * Clouds, by their authority; the first is the public one.  Hosts: constants of
 * @azure/identity and @azure/monitor-query-metrics.
 */
static const struct cloud {
    const char *authority, *arm;
} clouds[] = {
    {"login.microsoftonline.com", "https://management.azure.com/"},
    {"login.microsoftonline.us", "https://management.usgovcloudapi.net/"},
    {"login.chinacloudapi.cn", "https://management.chinacloudapi.cn/"},
    {"login.partner.microsoftonline.cn",
     "https://management.chinacloudapi.cn/"},
};

static const struct cloud *cloud_of(const struct auth_env *env)
{
    struct str host = auth_variable(env, "AZURE_AUTHORITY_HOST");
    struct http_url u;

    if (http_url_parse(host, &u))
        host = u.host;
    while (str_ends(host, STR("/")))
        host.len--;
    for (size_t i = 0; i < sizeof(clouds) / sizeof(*clouds); i++)
        if (str_eqi(host, str_of(clouds[i].authority)))
            return &clouds[i];
    return &clouds[0];
}

struct str entra_arm_url(const struct auth_env *env)
{
    struct str url = str_of(cloud_of(env)->arm);

    url.len--;
    return url;
}

struct str entra_audience(const struct auth_env *env,
                          enum entra_service service)
{
    return service == ENTRA_ARM ? str_of(cloud_of(env)->arm)
                                : STR("https://monitoring.azure.com/");
}

const struct auth_env *entra_env(const struct auth_env *under,
                                 const struct entra_options *o,
                                 struct arena *arena)
{
    /* Names that no variable has, but for the two that have one. */
    const struct auth_value values[] = {
        {ENTRA_AUDIENCE, o->audience},     {ENTRA_CREDENTIAL, o->credential},
        {"AZURE_TENANT_ID", o->tenant_id}, {"AZURE_CLIENT_ID", o->client_id},
        {ENTRA_OBJECT_ID, o->object_id},   {ENTRA_RESOURCE_ID, o->resource_id},
        {ENTRA_CA_FILE, o->ca_file}};

    return auth_overlay(under, values, sizeof(values) / sizeof(*values), arena);
}

/*
 * Which of the ways are asked for.
 */
#define ALL         0x3fU
#define ENVIRONMENT (1U << ENTRA_WAY_SECRET | 1U << ENTRA_WAY_CERTIFICATE)
#define MANAGED \
    (1U << ENTRA_WAY_APP_SERVICE | 1U << ENTRA_WAY_ARC | 1U << ENTRA_WAY_IMDS)
#define WORKLOAD (1U << ENTRA_WAY_WORKLOAD)

static const struct {
    const char *name;
    unsigned ways;
} names[] = {
    {"auto", ALL},
    {"environment", ENVIRONMENT},
    {"secret", 1U << ENTRA_WAY_SECRET},
    {"certificate", 1U << ENTRA_WAY_CERTIFICATE},
    {"workload", WORKLOAD},
    {"managed", MANAGED},
    {"app-service", 1U << ENTRA_WAY_APP_SERVICE},
    {"arc", 1U << ENTRA_WAY_ARC},
    {"imds", 1U << ENTRA_WAY_IMDS},
};
/* AZURE_TOKEN_CREDENTIALS; its other values are developers' tools. */
static const struct {
    const char *name;
    unsigned ways;
} sdk_names[] = {
    {"prod", ALL},
    {"environmentcredential", ENVIRONMENT},
    {"workloadidentitycredential", WORKLOAD},
    {"managedidentitycredential", MANAGED},
};

bool entra_is_credential(struct str name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (str_eqz(name, names[i].name))
            return true;
    return false;
}

bool entra_wanted(const struct auth_env *env, enum entra_way way)
{
    struct str own = auth_variable(env, ENTRA_CREDENTIAL);
    struct str sdk = auth_variable(env, "AZURE_TOKEN_CREDENTIALS");
    unsigned ways = ALL;

    for (size_t i = 0; i < sizeof(sdk_names) / sizeof(*sdk_names); i++)
        if (str_eqi(sdk, str_of(sdk_names[i].name)))
            ways = sdk_names[i].ways;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (i > 0 && str_eqz(own, names[i].name)) /* auto: as the SDK says */
            ways = names[i].ways;
    return ways & 1U << way;
}

bool entra_options_check(const struct entra_options *o, struct err *err)
{
    int ids = (o->client_id.len > 0) + (o->object_id.len > 0) +
              (o->resource_id.len > 0);

    if (o->credential.len > 0 && !entra_is_credential(o->credential))
        return err_set(err, ERR_CONFIG,
                       "credential: \"%.*s\" is none of auto, environment, "
                       "secret, certificate, workload, managed, app-service, "
                       "arc, imds",
                       STR_ARG(o->credential));
    if (ids > 1)
        return err_set(err, ERR_CONFIG,
                       "client_id, object_id and resource_id each name an "
                       "identity; leave one of them");
    return true;
}

/*
 * Who a token says it is.
 */
static void add(struct buf *line, const char *what, struct json_object *claims,
                const char *a, const char *b)
{
    struct str s = jsonr_text_or(claims, a, STR_NONE);

    if (s.len == 0 && b)
        s = jsonr_text_or(claims, b, STR_NONE);
    if (s.len > 0 && s.len <= 300 && auth_printable(s))
        buf_addf(line, "%s%s %.*s", line->len ? ", " : "", what, STR_ARG(s));
}

bool entra_who(struct str token, struct arena *arena, struct str *who,
               struct err *err)
{
    struct json_object *claims;
    struct buf line;

    if (!jwt_claims(token, &claims, err))
        return err_wrap(err, "the token");
    buf_init(&line, 2048);
    add(&line, "application", claims, "appid", "azp");
    add(&line, "object", claims, "oid", "sub");
    add(&line, "tenant", claims, "tid", NULL);
    add(&line, "resource", claims, "xms_mirid", NULL);
    add(&line, "audience", claims, "aud", NULL);
    json_object_put(claims);
    *who = arena_str(arena,
                     line.len ? buf_str(&line) : STR("the token names nobody"));
    buf_fini(&line);
    return true;
}
