/* SPDX-License-Identifier: Apache-2.0 */
/* check_policy_rule.c - one rule against what its scaler takes. */
#include "agent/base/near.h"
#include "agent/base/num.h"
#include "agent/commands/check_policy.h"
#include "agent/io/message.h"
#include "agent/rules/preset.h"

struct scaler {
    const char *type;
    const char *const *required, *const *optional;
    const char *target;
    void (*check)(struct conf *c, const struct policy_rule *r);
};

static void check_azure_monitor(struct conf *c, const struct policy_rule *r);
static void check_metrics_api(struct conf *c, const struct policy_rule *r);
static void check_prometheus(struct conf *c, const struct policy_rule *r);

/* clang-format off */
static const char *const monitor_required[] = {
    "tenantId", "subscriptionId", "resourceGroupName", "resourceURI",
    "metricName", "metricNamespace", "metricAggregationType", "targetValue",
    NULL};
static const char *const monitor_optional[] = {
    "metricAggregationInterval", "metricFilter", "metricInterval",
    "activationTargetValue", "activeDirectoryClientId",
    "activeDirectoryClientIdFromEnv", "activeDirectoryClientPassword",
    "activeDirectoryClientPasswordFromEnv", "cloud",
    "azureResourceManagerEndpoint", NULL};
static const char *const api_required[] = {
    "url", "valueLocation", "targetValue", NULL};
static const char *const api_optional[] = {
    "format", "activationTargetValue", "authMode", "method", "keyParamName",
    "unsafeSsl", "timeout", "aggregationType", NULL};
static const char *const prometheus_required[] = {
    "serverAddress", "query", "threshold", NULL};
static const char *const prometheus_optional[] = {
    "activationThreshold", "namespace", "customHeaders", "ignoreNullValues",
    "queryParameters", "unsafeSsl", "timeout", "authModes", "cortexOrgID",
    "metricName", NULL};
/* clang-format on */

static const struct scaler scalers[] = {
    {"azure-monitor", monitor_required, monitor_optional, "targetValue",
     check_azure_monitor},
    {"metrics-api", api_required, api_optional, "targetValue",
     check_metrics_api},
    {"prometheus", prometheus_required, prometheus_optional, "threshold",
     check_prometheus},
};

const struct policy_field *policy_field(const struct policy_fields *all,
                                        const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        if (str_eqz(all->items[i].name, name))
            return &all->items[i];
    return NULL;
}

void policy_field_add(struct policy_fields *all, struct policy_field field)
{
    if (all->count < POLICY_FIELDS)
        all->items[all->count++] = field;
}

static struct str value_of(const struct policy_rule *r, const char *name)
{
    const struct policy_field *f = policy_field(&r->metadata, name);

    return f ? f->value : STR_NONE;
}

static bool listed(const char *const *names, struct str name)
{
    for (; *names; names++)
        if (str_eqz(name, *names))
            return true;
    return false;
}

/* ---- names ---- */

static void tell_unknown(struct conf *c, const struct scaler *s,
                         const struct policy_field *f)
{
    struct near near;

    if (str_eqi(f->name, STR("metricResourceId")) ||
        str_eqi(f->name, STR("metricResourceUri"))) {
        conf_fault(c, &f->mark, NULL,
                   "%.*s: is no field of azure-monitor; write subscriptionId, "
                   "resourceGroupName and resourceURI=PROVIDER/TYPE/NAME, as "
                   "Microsoft.App/containerApps/NAME",
                   STR_ARG(f->name));
        if (str_find(f->value, '/') < f->value.len &&
            !strstr(f->value.ptr, "/providers/"))
            conf_fault(c, &f->mark, NULL,
                       "%.*s: is a resource group, and none can carry custom "
                       "metrics; name the resource that they are published "
                       "for",
                       STR_ARG(f->name));
        return;
    }
    near_start(&near, f->name);
    for (const char *const *n = s->required; *n; n++)
        near_offer(&near, str_of(*n));
    for (const char *const *n = s->optional; *n; n++)
        near_offer(&near, str_of(*n));
    if (near.best.ptr)
        conf_fault(c, &f->mark, NULL,
                   "%.*s: is no field of %s and is passed over without a word; "
                   "did you mean %.*s?",
                   STR_ARG(f->name), s->type, STR_ARG(near.best));
    else
        conf_fault(c, &f->mark, NULL,
                   "%.*s: is no field of %s and is passed over without a word; "
                   "leave it out",
                   STR_ARG(f->name), s->type);
}

static void check_names(struct conf *c, const struct policy_rule *r,
                        const struct scaler *s)
{
    for (size_t i = 0; i < r->metadata.count; i++) {
        const struct policy_field *f = &r->metadata.items[i];

        if (!listed(s->required, f->name) && !listed(s->optional, f->name))
            tell_unknown(c, s, f);
    }
    for (const char *const *n = s->required; *n; n++)
        if (!value_of(r, *n).len)
            conf_fault(c, &r->mark, NULL, "%s: is missing, and %s needs it%s",
                       *n, s->type,
                       strcmp(*n, "metricNamespace") == 0
                           ? " for custom metrics; write Membrane, or the "
                             "namespace of the sink"
                       : strcmp(*n, "metricAggregationType") == 0
                           ? "; write Maximum"
                           : "");
}

/* ---- values ---- */

static void check_target(struct conf *c, const struct policy_rule *r,
                         const char *name)
{
    const struct policy_field *f = policy_field(&r->metadata, name);
    double v;

    if (!f || !f->value.len)
        return;
    if (!num_parse(f->value, &v) || !(v > 0))
        conf_fault(c, &f->mark, NULL,
                   "%s: \"%.*s\" is not a number above 0, how much one "
                   "replica takes",
                   name, STR_ARG(f->value));
}

static const struct preset_metric *metric_of(struct str name)
{
    for (const struct preset_metric *m = preset_at(0)->metrics; m->name; m++)
        if (str_eqz(name, m->name))
            return m;
    return NULL;
}

static const char *total_of(const char *service)
{
    for (const struct preset_metric *m = preset_at(0)->metrics; m->name; m++)
        if (m->scaling == PRESET_TOTAL && strcmp(m->service, service) == 0)
            return m->name;
    return "a total";
}

static void check_ratio(struct conf *c, const struct policy_rule *r,
                        const struct policy_field *f, struct str name)
{
    const struct preset_metric *m = metric_of(name);

    if (!r->average || !m || m->scaling != PRESET_RATIO)
        return;
    conf_fault(c, &f->mark, NULL,
               "%.*s: %s is a ratio, and this rule makes ceil(value / target) "
               "replicas without looking at those that run; use %s",
               STR_ARG(f->name), m->name, total_of(m->service));
}

static void check_aggregation(struct conf *c, const struct policy_rule *r)
{
    const struct policy_field *f =
        policy_field(&r->metadata, "metricAggregationType");
    static const char *const types[] = {"Average", "Maximum", "Minimum",
                                        "Total",   "Count",   NULL};

    if (!f || !f->value.len)
        return;
    if (!listed(types, f->value))
        conf_fault(c, &f->mark, NULL,
                   "metricAggregationType: \"%.*s\" is unknown; write Maximum "
                   "or Average, with the capital",
                   STR_ARG(f->value));
    else if (str_eqz(f->value, "Total") || str_eqz(f->value, "Count"))
        conf_fault(c, &f->mark, NULL,
                   "metricAggregationType: %.*s grows with every post of a "
                   "minute; write Maximum or Average",
                   STR_ARG(f->value));
}

static void check_resource(struct conf *c, const struct policy_rule *r)
{
    const struct policy_field *f = policy_field(&r->metadata, "resourceURI");
    struct str rest, part;
    size_t n = 0;

    if (!f || !f->value.len)
        return;
    rest = f->value;
    while (str_next(&rest, '/', &part))
        n += part.len > 0 ? 1 : 100;
    if (n != 3)
        conf_fault(c, &f->mark, NULL,
                   "resourceURI: \"%.*s\" is not PROVIDER/TYPE/NAME, as "
                   "Microsoft.App/containerApps/NAME; subscription and group "
                   "have fields of their own",
                   STR_ARG(f->value));
}

static void check_azure_monitor(struct conf *c, const struct policy_rule *r)
{
    static const char *const needed[] = {"activeDirectoryClientId",
                                         "activeDirectoryClientPassword"};
    const struct policy_field *name = policy_field(&r->metadata, "metricName");

    check_aggregation(c, r);
    check_resource(c, r);
    if (name)
        check_ratio(c, r, name, name->value);
    if (r->identity)
        conf_fault(c, &r->mark, NULL,
                   "identity: Container Apps refuses a managed identity on "
                   "azure-monitor rules, and then stops scaling the app; give "
                   "client id and secret of an app registration");
    for (size_t i = 0; i < 2 && !r->other_auth; i++)
        if (!policy_field(&r->auth, needed[i]) && !value_of(r, needed[i]).len)
            conf_fault(c, &r->mark, NULL,
                       "%s: no credential is given; name a secret for it in "
                       "the rule's auth",
                       needed[i]);
}

static void check_metrics_api(struct conf *c, const struct policy_rule *r)
{
    const struct policy_field *f = policy_field(&r->metadata, "url");
    struct str mode = value_of(r, "authMode");
    struct http_url url;
    struct str rest, last = STR_NONE;

    if (f && !http_url_parse(f->value, &url)) {
        conf_fault(c, &f->mark, NULL, "url: is no http or https URL");
    } else if (f) {
        rest = url.path;
        while (str_next(&rest, '/', &last))
            ;
        check_ratio(c, r, f, last);
        if (mode.len && str_eqz(url.scheme, "http"))
            conf_fault(c, &f->mark, NULL,
                       "url: sends a secret over http; write https");
    }
    if (str_eqz(mode, "bearer") && !r->other_auth &&
        !policy_field(&r->auth, "token"))
        conf_fault(c, &r->mark, NULL,
                   "token: authMode is bearer and no token is given; name a "
                   "secret for it in the rule's auth");
    if (r->identity)
        conf_fault(c, &r->mark, NULL,
                   "identity: metrics-api takes none, and Container Apps "
                   "loses the rule's metadata; leave it out");
}

static void check_prometheus(struct conf *c, const struct policy_rule *r)
{
    if (!str_eqz(value_of(r, "ignoreNullValues"), "false"))
        conf_fault(c, &r->mark, NULL,
                   "ignoreNullValues: is true where it is not written, so "
                   "that an empty answer counts as 0 and replicas go; write "
                   "false");
}

void policy_rule_check(struct conf *c, const struct policy_rule *r)
{
    for (size_t i = 0; i < sizeof(scalers) / sizeof(*scalers); i++) {
        if (!str_eqz(r->type, scalers[i].type))
            continue;
        check_names(c, r, &scalers[i]);
        check_target(c, r, scalers[i].target);
        scalers[i].check(c, r);
        return;
    }
    if (!r->type.len) {
        conf_fault(c, &r->mark, NULL, "type: is missing");
        return;
    }
    conf_fault(c, &r->mark, NULL,
               "type: \"%.*s\" is not looked into; azure-monitor, metrics-api "
               "and prometheus are",
               STR_ARG(r->type));
    conf_fault_warns(c);
}
