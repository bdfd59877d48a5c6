/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/policy_aca.h"

#include "agent/io/message.h"
#include "sinks/azure_monitor.h"

#include <inttypes.h>

struct maker {
    struct policy_metrics all;
    const struct aca_ask *ask;
    struct arena *arena;
    struct aca_plan *plan;
    const struct azure_monitor_conf *sink;    /* NULL: not published there */
    struct str subscription, group, resource; /* of the sink's resource */
};

/* ---- what a rule can follow ---- */

static struct str total_of(const struct policy_metrics *all, struct str service)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct rule_info *info = all->items[i].info;

        if (info->scaling == PRESET_TOTAL && service.len &&
            str_eq(info->service, service))
            return info->name;
    }
    return STR_NONE;
}

static bool followable(const struct policy_metrics *all,
                       const struct rule_info *info, struct err *err)
{
    struct str total = total_of(all, info->service);

    if (info->scaling == PRESET_RATIO)
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\" is a ratio, and each rule of Container "
                       "Apps makes ceil(value / target) replicas without "
                       "looking at those that run; ask for a total%s%.*s",
                       STR_ARG(info->name), total.len ? ", --metric " : "",
                       STR_ARG(total));
    if (!info->has_target || info->target <= 0)
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\" states no target above 0, how much of "
                       "it one replica takes; write its target",
                       STR_ARG(info->name));
    return true;
}

static bool plain(struct str name, const char *more)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !(c >= '0' && c <= '9') && c != '-' && !strchr(more, c))
            return false;
    }
    return name.len > 0;
}

/* ---- metadata ---- */

static void set(struct aca_app *app, const char *name, struct str value)
{
    app->metadata[app->metadata_count++] = (struct aca_pair){name, value};
}

static void set_target(struct maker *m, struct aca_app *app, double target)
{
    set(app, "targetValue", arena_printf(m->arena, "%.15g", target));
}

static bool set_metrics_api(struct maker *m, const struct rule_info *info,
                            struct aca_app *app, struct err *err)
{
    struct str url = m->ask->url;

    while (url.len > 0 && url.ptr[url.len - 1] == '/')
        url.len--;
    if (!plain(info->name, "_."))
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\": its name does not fit a URL; name it "
                       "with letters, digits, _ and -",
                       STR_ARG(info->name));
    if (info->dimension_count > 0)
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\" has several values, one a %.*s, and "
                       "metrics-api reads one; aggregate it",
                       STR_ARG(info->name), STR_ARG(info->dimensions->name));
    set(app, "url",
        arena_printf(m->arena, "%.*s/api/v1/metrics/%.*s", STR_ARG(url),
                     STR_ARG(info->name)));
    set(app, "format", STR("json"));
    set(app, "valueLocation", STR("value"));
    set_target(m, app, info->target);
    set(app, "authMode", STR("bearer"));
    return true;
}

/* OData: a quote is doubled. */
static void add_filter(struct buf *out, struct str name, struct str value)
{
    buf_addf(out, "%s%.*s eq '", out->len ? " and " : "", STR_ARG(name));
    for (size_t i = 0; i < value.len; i++) {
        buf_addc(out, value.ptr[i]);
        if (value.ptr[i] == '\'')
            buf_addc(out, '\'');
    }
    buf_addc(out, '\'');
}

static bool own_dimension(const struct rule_info *info, struct str name)
{
    for (size_t i = 0; i < info->dimension_count; i++)
        if (str_eq(info->dimensions[i].name, name))
            return true;
    return false;
}

static bool fill_filter(const struct maker *m, const struct rule_info *info,
                        struct buf *out, struct err *err)
{
    const struct conf_map *fixed = &m->all.settings->values.publish.dimensions;
    struct str value;

    for (size_t i = 0; i < fixed->count; i++)
        if (!own_dimension(info, str_of(fixed->pairs[i].name)))
            add_filter(out, str_of(fixed->pairs[i].name),
                       str_of(fixed->pairs[i].value));
    for (size_t i = 0; i < info->dimension_count; i++) {
        const struct label *d = &info->dimensions[i];

        if (!policy_ecs_pair(m->ask->common.dimensions, d->name, &value))
            return err_set(err, ERR_CONFIG,
                           "metric \"%.*s\": a rule reads one series; say "
                           "which: --dimension %.*s=VALUE",
                           STR_ARG(info->name), STR_ARG(d->name));
        add_filter(out, d->name, value);
    }
    return true;
}

static bool set_azure_monitor(struct maker *m, const struct rule_info *info,
                              struct aca_app *app, struct err *err)
{
    struct buf filter;
    bool ok;

    set(app, "tenantId", m->ask->tenant);
    set(app, "subscriptionId", m->subscription);
    set(app, "resourceGroupName", m->group);
    set(app, "resourceURI", m->resource);
    set(app, "metricName", info->name);
    set(app, "metricNamespace", str_of(m->sink->namespace));
    set(app, "metricAggregationType", STR("Maximum"));
    set(app, "metricAggregationInterval", STR("0:5:0"));
    set_target(m, app, info->target);
    buf_init(&filter, BUF_NO_LIMIT);
    ok = fill_filter(m, info, &filter, err);
    if (ok && filter.len)
        set(app, "metricFilter", arena_str(m->arena, buf_str(&filter)));
    buf_fini(&filter);
    return ok;
}

/* ---- one app ---- */

static bool set_bounds(const struct maker *m, const struct rule_info *info,
                       struct aca_app *app, struct err *err)
{
    app->min =
        m->ask->common.min >= 0 ? m->ask->common.min : info->min_replicas;
    app->max =
        m->ask->common.max >= 0 ? m->ask->common.max : info->max_replicas;
    if (app->min < 0 || app->max < 1 || app->max < app->min || app->max > 1000)
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\": replicas from %" PRId64 " to %" PRId64
                       " are not what Container Apps takes; write --min N "
                       "--max N, N from 0 to 1000",
                       STR_ARG(info->name), app->min, app->max);
    if (app->min == 0 && str_eqz(info->service, "custom-code-runner"))
        return err_set(err, ERR_CONFIG,
                       "--min 0: while no custom-code-runner runs nobody tells "
                       "its demand, so that nothing would start the first; "
                       "keep --min 1 or more (with --metric it holds for that "
                       "service alone)");
    return true;
}

/* Container Apps: 2 to 32 small letters, digits and hyphens. */
static bool set_app(const struct maker *m, const struct rule_info *info,
                    struct aca_app *app, struct err *err)
{
    struct str asked = m->ask->common.services;
    struct str service = info->service.len ? info->service : info->name;

    app->service = service;
    app->app = service;
    if (asked.len && str_find(asked, '=') == asked.len)
        app->app = asked;
    else if (asked.len)
        (void)policy_ecs_pair(asked, service, &app->app);
    for (size_t i = 0; i < app->app.len; i++)
        if (app->app.ptr[i] >= 'A' && app->app.ptr[i] <= 'Z')
            app->app.len = 0;
    if (plain(app->app, "") && app->app.len >= 2 && app->app.len <= 32)
        return true;
    return err_set(err, ERR_CONFIG,
                   "--service: how is the container app of %.*s called? write "
                   "%.*s=APP, 2 to 32 small letters, digits and -",
                   STR_ARG(service), STR_ARG(service));
}

static void set_rule_name(struct maker *m, const struct rule_info *info,
                          struct aca_app *app)
{
    char *name =
        arena_strdup(m->arena, arena_printf(m->arena, "scalebridge-%.*s",
                                            STR_ARG(info->name)));

    for (char *p = name; *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
        else if (!(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9'))
            *p = '-';
    }
    app->rule_name = str_of(name);
    app->metric = info->name;
}

static bool add(struct maker *m, const struct rule_info *info, struct err *err)
{
    struct aca_app *app = &m->plan->apps[m->plan->app_count];

    if (!followable(&m->all, info, err) || !set_app(m, info, app, err) ||
        !set_bounds(m, info, app, err))
        return false;
    set_rule_name(m, info, app);
    if (!(m->ask->rule == ACA_METRICS_API
              ? set_metrics_api(m, info, app, err)
              : set_azure_monitor(m, info, app, err)))
        return false;
    m->plan->app_count++;
    return true;
}

/* ---- all of them ---- */

/* The first total of a service is what it scales on by default. */
static bool add_defaults(struct maker *m, struct err *err)
{
    for (size_t i = 0; i < m->all.count; i++) {
        const struct settings_metric *x = &m->all.items[i];

        if (!x->on || x->info->scaling != PRESET_TOTAL ||
            !str_eq(total_of(&m->all, x->info->service), x->info->name))
            continue;
        if (!add(m, x->info, err))
            return false;
    }
    return m->plan->app_count > 0 ||
           err_set(err, ERR_CONFIG,
                   "no metric that Container Apps can scale on is published; "
                   "`scalebridge check-config` tells why");
}

/* That a ratio is of no use is told even of one that is off. */
static bool add_chosen(struct maker *m, struct err *err)
{
    const struct settings_metric *x = NULL;

    if (policy_ecs_find(&m->all, m->ask->common.metric, &x, err))
        return add(m, x->info, err);
    return x && x->info->scaling == PRESET_RATIO &&
           followable(&m->all, x->info, err);
}

/* /subscriptions/S/resourceGroups/G/providers/PROVIDER/TYPE/NAME */
static bool split_resource(struct maker *m, struct err *err)
{
    struct str rest = str_from(str_of(m->sink->resource_id), 1), part[8], more;
    size_t n = 0;

    while (n < 8 && str_next(&rest, '/', &part[n]))
        n++;
    if (n < 8 || str_next(&rest, '/', &more))
        return err_set(err, ERR_CONFIG,
                       "sinks.azure_monitor.resource_id: a rule names "
                       "PROVIDER/TYPE/NAME and no more, so that it cannot read "
                       "\"%s\"; publish to a resource like "
                       "Microsoft.App/containerApps/NAME",
                       m->sink->resource_id);
    m->subscription = part[1];
    m->group = part[3];
    m->resource = arena_printf(m->arena, "%.*s/%.*s/%.*s", STR_ARG(part[5]),
                               STR_ARG(part[6]), STR_ARG(part[7]));
    return true;
}

static bool prepare_azure_monitor(struct maker *m, struct err *err)
{
    static const struct aca_secret secrets[ACA_SECRETS] = {
        {"scalebridge-client-id", "activeDirectoryClientId", "CLIENT_ID",
         "scalebridgeClientId"},
        {"scalebridge-client-secret", "activeDirectoryClientPassword",
         "CLIENT_SECRET", "scalebridgeClientSecret"},
    };

    m->plan->type = "azure-monitor";
    m->plan->secrets = secrets;
    m->plan->secret_count = 2;
    if (!m->sink)
        return err_set(err, ERR_CONFIG,
                       "sinks: azure_monitor is not among them, so that no "
                       "rule would see a metric; set "
                       "SCALEBRIDGE_SINKS=azure_monitor, or use --rule "
                       "metrics-api");
    if (!plain(m->ask->tenant, "."))
        return err_set(err, ERR_CONFIG,
                       "--tenant: an azure-monitor rule cannot use a managed "
                       "identity in Container Apps; make an app registration "
                       "with a secret and write --tenant ID of its tenant");
    return true;
}

static bool prepare_metrics_api(struct maker *m, struct err *err)
{
    static const struct aca_secret token = {"scalebridge-token", "token",
                                            "TOKEN", "scalebridgeToken"};
    struct http_url url;

    m->plan->type = "metrics-api";
    m->plan->secrets = &token;
    m->plan->secret_count = 1;
    if (http_url_parse(m->ask->url, &url) && str_eqz(url.scheme, "https") &&
        !url.query.ptr)
        return true;
    return err_set(err, ERR_CONFIG,
                   "--url: where does KEDA reach this agent? write --url "
                   "https://FQDN of its ingress (https, for a token is sent)");
}

static bool prepare(struct maker *m, struct err *err)
{
    for (size_t i = 0; i < m->all.settings->sink_count; i++)
        if (strcmp(m->all.settings->sinks[i].type->name, "azure_monitor") == 0)
            m->sink = m->all.settings->sinks[i].conf;
    if (!(m->ask->rule == ACA_METRICS_API ? prepare_metrics_api(m, err)
                                          : prepare_azure_monitor(m, err)) ||
        (m->sink && m->ask->rule == ACA_AZURE_MONITOR &&
         !split_resource(m, err)))
        return false;
    m->plan->group = m->ask->group.len ? m->ask->group : m->group;
    return m->plan->group.len || m->ask->format != ACA_CLI ||
           err_set(err, ERR_CONFIG,
                   "--resource-group: which one holds the container apps? "
                   "write --resource-group NAME");
}

bool policy_aca_plan(const struct settings *s, const struct aca_ask *ask,
                     struct arena *a, struct aca_plan *plan, struct err *err)
{
    struct maker m = {
        .all = {.settings = s}, .ask = ask, .arena = a, .plan = plan};

    *plan = (struct aca_plan){0};
    if (!prepare(&m, err))
        return false;
    m.all.items = settings_metrics(s, a, &m.all.count);
    plan->apps = arena_array(a, m.all.count + 1, sizeof(*plan->apps));
    if (!(ask->common.metric.len ? add_chosen(&m, err) : add_defaults(&m, err)))
        return false;
    return ask->format != ACA_YAML || plan->app_count == 1 ||
           err_set(err, ERR_CONFIG,
                   "--format yaml: az reads one app a file; say which with "
                   "--metric %.*s",
                   STR_ARG(plan->apps->metric));
}
