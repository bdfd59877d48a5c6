/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/azure_monitor.h"

#include "agent/base/gzip.h"
#include "auth/entra.h"
#include "sinks/sinks.h"

static const struct conf_key keys[] = {
    CONF_TEXT(azure_monitor_conf, resource_id, "",
              "Azure resource that carries the metrics, as /subscriptions/S/"
              "resourceGroups/G/providers/Microsoft.App/containerApps/NAME; no "
              "resource group or subscription.  Must be written."),
    CONF_TEXT(azure_monitor_conf, region, "",
              "The resource's own region, as westeurope; else that of the "
              "Container Apps environment this runs in "
              "(CONTAINER_APP_ENV_DNS_SUFFIX)."),
    CONF_TEXT(azure_monitor_conf, namespace, "Membrane",
              "Metric namespace of all metrics.", .flags = CONF_FILLED),
    CONF_TEXT(azure_monitor_conf, endpoint, "",
              "URL in place of https://REGION.monitoring.azure.com, for "
              "another cloud, a proxy or an emulator.  Plain http only to "
              "loopback."),
    CONF_ENUM(azure_monitor_conf, format, "ndjson", "ndjson|json",
              "All metrics in one request, a line each, or one request a "
              "metric."),
    CONF_BOOL(azure_monitor_conf, seed_next, "false",
              "Also write each value of a minute's second half into the next "
              "minute, so that a reader finds one there from its first "
              "second; Total and Count count it twice."),
    CONF_BOOL(azure_monitor_conf, compress, "true", "Send bodies gzipped."),
    CONF_MS(azure_monitor_conf, timeout, "10s", 100, 5 * WHEN_MINUTE,
            "How long one request may take."),
    CONF_TEXT(azure_monitor_conf, ca_file, "",
              "PEM file of authorities in place of the system's, for the "
              "endpoint and for who gives tokens."),
    CONF_TEXT(azure_monitor_conf, audience, "",
              "Whom the token is for, where it is not "
              "https://monitoring.azure.com/."),
    CONF_TEXT(azure_monitor_conf, credential, "auto",
              "The one way to an identity: auto (the first that is "
              "configured), environment, secret, certificate, workload, "
              "managed, app-service, arc or imds.",
              .flags = CONF_FILLED),
    CONF_TEXT(azure_monitor_conf, tenant_id, "",
              "Entra tenant, where AZURE_TENANT_ID does not say it."),
    CONF_TEXT(azure_monitor_conf, client_id, "",
              "Client id of the application or of a user-assigned managed "
              "identity, where AZURE_CLIENT_ID does not say it."),
    CONF_TEXT(azure_monitor_conf, object_id, "",
              "Object id of a user-assigned managed identity."),
    CONF_TEXT(azure_monitor_conf, identity_resource_id, "",
              "Resource id of a user-assigned managed identity."),
    CONF_END,
};

/*
 * Where to.
 */
bool azure_region(struct str name, struct arena *arena, struct str *out,
                  struct err *err)
{
    char *text = arena_zalloc(arena, name.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (c == ' ')
            continue;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
            return err_set(err, ERR_CONFIG,
                           "region: \"%.*s\" is not a region like westeurope",
                           STR_ARG(name));
        text[n++] = c;
    }
    *out = str_n(text, n);
    return true;
}

/* UNIQUE.REGION.azurecontainerapps.io */
static struct str region_of_environment(const struct auth_env *env)
{
    const char *suffix =
        env->variable(env->arg, "CONTAINER_APP_ENV_DNS_SUFFIX");
    struct str rest = str_trim(str_of(suffix ? suffix : "")), part;

    if (!str_ends(rest, STR(".azurecontainerapps.io")) ||
        !str_next(&rest, '.', &part) || !str_next(&rest, '.', &part))
        return STR_NONE;
    return str_starts(rest, STR("azurecontainerapps.")) ? part : STR_NONE;
}

static bool is_other_cloud(const struct auth_env *env)
{
    const char *host = env->variable(env->arg, "AZURE_AUTHORITY_HOST");
    struct str s = str_trim(str_of(host ? host : ""));

    while (str_ends(s, STR("/")))
        s.len--;
    return str_ends(s, STR(".microsoftonline.us")) ||
           str_ends(s, STR(".chinacloudapi.cn"));
}

static bool regional_url(struct azure_monitor_conf *c,
                         const struct auth_env *env, struct arena *arena,
                         struct err *err)
{
    struct str region = str_trim(str_of(c->region));

    if (is_other_cloud(env))
        return err_set(err, ERR_CONFIG,
                       "endpoint: not set, but AZURE_AUTHORITY_HOST names "
                       "another cloud than Azure's public one; write its "
                       "endpoint of custom metrics");
    if (region.len == 0)
        region = region_of_environment(env);
    if (region.len == 0)
        return err_set(err, ERR_CONFIG,
                       "region: not set; write the resource's own, as `az "
                       "resource show --ids %s --query location` tells it",
                       c->resource_id);
    if (!azure_region(region, arena, &c->home, err))
        return false;
    c->url = arena_printf(arena, "https://%.*s.monitoring.azure.com%s/metrics",
                          STR_ARG(c->home), c->resource_id);
    return true;
}

static bool custom_url(struct azure_monitor_conf *c, struct arena *arena,
                       struct err *err)
{
    struct str base = str_of(c->endpoint);

    if (!sink_endpoint(&base, "https://monitoring.example.com", err))
        return false;
    c->url =
        arena_printf(arena, "%.*s%s/metrics", STR_ARG(base), c->resource_id);
    return true;
}

/*
 * Who we are.
 */
static struct entra_options identity(const struct azure_monitor_conf *c)
{
    return (struct entra_options){
        .audience = str_of(c->audience),
        .credential = str_of(c->credential),
        .tenant_id = str_of(c->tenant_id),
        .client_id = str_of(c->client_id),
        .object_id = str_of(c->object_id),
        .resource_id = str_of(c->identity_resource_id),
        .ca_file = str_of(c->ca_file),
    };
}

static const struct auth_env *lay_identity(const void *conf,
                                           const struct auth_env *under,
                                           struct arena *arena)
{
    const struct entra_options o = identity(conf);

    return entra_env(under, &o, arena);
}

static bool know_who(const void *conf, const struct credentials *creds,
                     struct arena *arena, struct str *who, struct err *err)
{
    const struct azure_monitor_conf *c = conf;
    struct str claims;

    if (!entra_who(str_of(creds->token), arena, &claims, err))
        return false;
    *who = arena_printf(arena,
                        "%.*s; needs the role Monitoring Metrics Publisher on "
                        "%s",
                        STR_ARG(claims), c->resource_id);
    return true;
}

static bool prepare(void *conf, const struct auth_env *env, struct arena *arena,
                    struct err *err)
{
    struct azure_monitor_conf *c = conf;
    const struct entra_options who = identity(c);
    struct http_url u;

    if (!azure_resource_ok(str_of(c->resource_id), err) ||
        !azure_namespace_ok(str_of(c->namespace), err) ||
        !entra_options_check(&who, err))
        return false;
    if (c->seed_next && c->format == AZURE_JSON)
        return err_set(err, ERR_CONFIG,
                       "seed_next: writes two documents, so that format json "
                       "cannot take it; use ndjson");
    if (!(c->endpoint[0] ? custom_url(c, arena, err)
                         : regional_url(c, env, arena, err)))
        return false;
    return http_url_parse(c->url, &u) ||
           err_set(err, ERR_CONFIG,
                   "resource_id: \"%s\": holds what no resource id does, as "
                   "blanks",
                   c->resource_id);
}

static bool sign(const void *conf, const struct credentials *creds,
                 int64_t wall_ms, struct arena *arena, struct http_request *req,
                 struct err *err)
{
    const struct azure_monitor_conf *c = conf;
    struct buf packed;
    bool ok = true;

    (void)wall_ms;
    http_set_secret(req, STR("Authorization"),
                    arena_printf(arena, "Bearer %s", creds->token));
    if (!c->compress)
        return true;
    buf_init(&packed, BUF_NO_LIMIT);
    ok = gzip_pack(&packed, req->body, err);
    if (ok) {
        req->body = arena_str(arena, buf_str(&packed));
        http_set(req, STR("Content-Encoding"), STR("gzip"));
    }
    buf_fini(&packed);
    return ok;
}

const struct sink_type azure_monitor_sink = {
    .name = "azure_monitor",
    .help = "Azure Monitor custom metrics of one resource.",
    .keys = keys,
    .conf_size = sizeof(struct azure_monitor_conf),
    .providers = entra_providers,
    .no_credentials = entra_no_credentials,
    .auth_env = lay_identity,
    .know_who = know_who,
    .each_evaluation = true,
    .oldest_ms = AZURE_OLDEST,
    .ahead_ms = AZURE_AHEAD,
    .prepare = prepare,
    .check = azure_check,
    .admit = azure_admit,
    .render = azure_render,
    .sign = sign,
    .judge = azure_judge,
};
