/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/policy_keda.h"

#include "agent/io/message.h"

#include <inttypes.h>

struct object {
    const struct rule_info *info;
    struct str target; /* what is scaled */
    struct str url;
    int64_t min, max;
};

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

static bool check_metric(const struct rule_info *info, struct err *err)
{
    if (info->scaling != PRESET_TOTAL)
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\" is no total, and what is needed is "
                       "ceil(value / target) workers, whatever runs; ask for a "
                       "total, as --metric InstantTasksWorkersRequired",
                       STR_ARG(info->name));
    if (!info->has_target || info->target <= 0)
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\" states no target above 0, how much of "
                       "it one worker takes; write its target",
                       STR_ARG(info->name));
    if (info->dimension_count || !plain(info->name, "_"))
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\": one value and a name of letters, "
                       "digits, _ and - can be asked for by URL; aggregate it",
                       STR_ARG(info->name));
    return true;
}

/* projects/P/locations/L/KIND/NAME. */
static bool is_run_name(struct str path)
{
    static const char *const fixed[] = {"projects", NULL, "locations",
                                        NULL,       NULL, NULL};
    struct str part;
    size_t n = 0;

    while (str_next(&path, '/', &part)) {
        if (n >= 6 || !plain(part, ".:") ||
            (fixed[n] && !str_eqz(part, fixed[n])) ||
            (n == 4 && !str_eqz(part, "workerpools") &&
             !str_eqz(part, "services")))
            return false;
        n++;
    }
    return n == 6;
}

static bool set_target(const struct keda_ask *ask, struct object *o,
                       struct err *err)
{
    struct str asked = ask->common.services;
    struct str service =
        o->info->service.len ? o->info->service : o->info->name;

    if (asked.len && str_find(asked, '=') == asked.len)
        o->target = asked;
    else
        (void)policy_ecs_pair(asked, service, &o->target);
    if (!ask->crema && !o->target.len)
        o->target = o->info->service;
    if (ask->crema ? is_run_name(o->target) : plain(o->target, "."))
        return true;
    return err_set(err, ERR_CONFIG,
                   "--service: what is to be scaled for "
                   "%.*s? write %.*s=%s",
                   STR_ARG(service), STR_ARG(service),
                   ask->crema ? "projects/P/locations/L/workerpools/NAME (or "
                                "services)"
                              : "DEPLOYMENT");
}

static bool make(const struct keda_ask *ask, const struct rule_info *info,
                 struct object *o, struct err *err)
{
    *o = (struct object){.info = info, .url = ask->url};
    if (!check_metric(info, err))
        return false;
    o->min = ask->common.min >= 0 ? ask->common.min : info->min_replicas;
    o->max = ask->common.max >= 0 ? ask->common.max : info->max_replicas;
    while (o->url.len && o->url.ptr[o->url.len - 1] == '/')
        o->url.len--;
    if (o->min < 0 || o->max < 1 || o->max < o->min)
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\": from how many workers to how many? "
                       "write --min N --max N",
                       STR_ARG(info->name));
    return set_target(ask, o, err);
}

static void trigger(const struct object *o, const char *in, struct buf *out)
{
    buf_addf(out,
             "%striggers:\n%s  - type: metrics-api\n"
             "%s    metricType: AverageValue\n%s    metadata:\n"
             "%s      url: \"%.*s/api/v1/metrics/%.*s\"\n"
             "%s      format: json\n%s      valueLocation: value\n"
             "%s      targetValue: \"%.15g\"\n",
             in, in, in, in, in, STR_ARG(o->url), STR_ARG(o->info->name), in,
             in, in, o->info->target);
}

static void behavior(const char *in, struct buf *out)
{
    buf_addf(out,
             "%sadvanced:\n%s  horizontalPodAutoscalerConfig:\n"
             "%s    behavior:\n%s      scaleDown:\n"
             "%s        stabilizationWindowSeconds: 300\n",
             in, in, in, in, in);
}

static void write_crema(const struct object *o, struct buf *out)
{
    buf_addf(out,
             "    # %.*s\n    - spec:\n        scaleTargetRef:\n"
             "          name: %.*s\n        minReplicaCount: %" PRId64
             "\n        maxReplicaCount: %" PRId64 "\n",
             STR_ARG(o->info->name), STR_ARG(o->target), o->min, o->max);
    trigger(o, "        ", out);
    behavior("        ", out);
}

static void write_keda(const struct object *o, struct buf *out)
{
    buf_addf(out,
             "---\n# %.*s\napiVersion: keda.sh/v1alpha1\nkind: ScaledObject\n"
             "metadata:\n  name: scalebridge-%.*s\nspec:\n"
             "  scaleTargetRef:\n    name: %.*s\n  pollingInterval: 15\n"
             "  minReplicaCount: %" PRId64 "\n  maxReplicaCount: %" PRId64 "\n",
             STR_ARG(o->info->name), STR_ARG(o->target), STR_ARG(o->target),
             o->min, o->max);
    behavior("  ", out);
    trigger(o, "  ", out);
}

static bool add(const struct keda_ask *ask, const struct rule_info *info,
                struct buf *out, struct err *err)
{
    struct object o;

    if (!make(ask, info, &o, err))
        return false;
    if (ask->crema)
        write_crema(&o, out);
    else
        write_keda(&o, out);
    return true;
}

/* The first total of a service is what it scales on by default; of services
 * that --service names, if it names any. */
static bool add_defaults(const struct policy_metrics *all,
                         const struct keda_ask *ask, struct buf *out,
                         struct err *err)
{
    struct str done = STR_NONE, named;
    size_t before = out->len;

    for (size_t i = 0; i < all->count; i++) {
        const struct rule_info *info = all->items[i].info;

        if (!all->items[i].on || info->scaling != PRESET_TOTAL ||
            !info->service.len || str_eq(info->service, done))
            continue;
        if (ask->common.services.len &&
            !policy_ecs_pair(ask->common.services, info->service, &named))
            continue;
        done = info->service;
        if (!add(ask, info, out, err))
            return false;
    }
    return out->len > before ||
           err_set(err, ERR_CONFIG,
                   "no total of these services is published; "
                   "`scalebridge check-config` tells why");
}

bool policy_keda_write(const struct settings *s, const struct keda_ask *ask,
                       struct buf *out, struct err *err)
{
    struct policy_metrics all = {.settings = s};
    const struct settings_metric *x = NULL;
    struct http_url url;
    struct arena a;
    bool ok;

    if (!http_url_parse(ask->url, &url) || url.query.ptr)
        return err_set(err, ERR_CONFIG,
                       "--url: where is this agent's own endpoint? write "
                       "http://127.0.0.1:PORT beside the autoscaler, or the "
                       "address of its service");
    arena_init(&a, 4096);
    all.items = settings_metrics(s, &a, &all.count);
    if (ask->crema)
        buf_addz(out, "apiVersion: crema/v1\nkind: CremaConfig\nspec:\n"
                      "  pollingInterval: 15\n  scaledObjects:\n");
    if (ask->common.metric.len)
        ok = policy_ecs_find(&all, ask->common.metric, &x, err) &&
             add(ask, x->info, out, err);
    else
        ok = add_defaults(&all, ask, out, err);
    arena_fini(&a);
    return ok;
}
