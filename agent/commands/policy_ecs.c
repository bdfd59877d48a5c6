/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/policy_ecs.h"

#include "agent/base/near.h"
#include "agent/commands/policy_ecs_make.h"
#include "sinks/cloudwatch.h"

#include <inttypes.h>

/* ---- what target tracking can follow ---- */

/* The metric of the same service that falls as workers come. */
static struct str ratio_of(const struct policy_metrics *all,
                           const struct rule_info *total)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct rule_info *info = all->items[i].info;

        if (info->scaling == PRESET_RATIO && info->service.len &&
            str_eq(info->service, total->service))
            return info->name;
    }
    return STR_NONE;
}

static bool refuse_total(const struct policy_metrics *all,
                         const struct rule_info *info, struct err *err)
{
    struct str ratio = ratio_of(all, info);

    if (ratio.len)
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\" is an absolute number: it does not "
                       "fall as workers are added, so that target tracking "
                       "would run to the maximum; ask for the ratio, --metric "
                       "%.*s",
                       STR_ARG(info->name), STR_ARG(ratio));
    return err_set(err, ERR_CONFIG,
                   "metric \"%.*s\" is an absolute number: it does not fall "
                   "as workers are added, so that target tracking would run "
                   "to the maximum; divide it by the workers that run, and "
                   "write `running`",
                   STR_ARG(info->name));
}

static bool trackable(const struct policy_metrics *all,
                      const struct rule_info *info, struct err *err)
{
    if (info->scaling == PRESET_TOTAL)
        return refuse_total(all, info, err);
    if (info->scaling == PRESET_RATIO)
        return true;
    if (!info->has_target)
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\" states no target to keep it at; write "
                       "its target, and in `running` the workers that run",
                       STR_ARG(info->name));
    return err_set(err, ERR_CONFIG,
                   "metric \"%.*s\" is not known to fall as workers are "
                   "added, which target tracking needs; write in `running` "
                   "how many run",
                   STR_ARG(info->name));
}

/* ---- where a service runs ---- */

/* Amazon ECS API Reference, CreateService: up to 255 letters, digits,
 * underscores and hyphens. */
static bool ecs_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return name.len > 0 && name.len <= 255;
}

/* The name at the end of arn:aws:ecs:REGION:ACCOUNT:cluster/NAME. */
static struct str unarn(struct str name)
{
    size_t end = name.len;

    if (!str_starts(name, STR("arn:")))
        return name;
    while (end > 0 && name.ptr[end - 1] != '/')
        end--;
    return str_from(name, end);
}

static bool check_name(const char *option, struct str name, struct err *err)
{
    return ecs_name(name) ||
           err_set(err, ERR_CONFIG,
                   "--%s: \"%.*s\" is no name in ECS: up to 255 letters, "
                   "digits, - and _",
                   option, STR_ARG(name));
}

bool policy_make_cluster(const struct policy_maker *m, struct str service,
                         struct str *cluster, struct err *err)
{
    struct str name;

    policy_ecs_place(m->all.settings, service, cluster, &name);
    if (m->ask->cluster.len)
        *cluster = m->ask->cluster;
    *cluster = unarn(*cluster);
    if (!cluster->len)
        return err_set(err, ERR_CONFIG,
                       "--cluster: which ECS cluster is it? write --cluster "
                       "NAME");
    return check_name("cluster", *cluster, err);
}

static bool set_resource(struct policy_maker *m, const struct rule_info *info,
                         struct policy_service *v, struct err *err)
{
    struct str cluster, name, service = info->service;
    struct str asked = m->ask->services;

    policy_ecs_place(m->all.settings, service, &cluster, &name);
    if (!policy_make_cluster(m, service, &cluster, err))
        return false;
    if (!name.len)
        name = service;
    if (asked.len && str_find(asked, '=') == asked.len)
        name = asked;
    else if (asked.len)
        (void)policy_ecs_pair(asked, service.len ? service : info->name, &name);
    name = unarn(name);
    if (!name.len)
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\": which ECS service does it scale? "
                       "write --service NAME",
                       STR_ARG(info->name));
    if (!check_name("service", name, err))
        return false;
    v->name = service.len ? service : name;
    v->resource = arena_printf(m->arena, "service/%.*s/%.*s", STR_ARG(cluster),
                               STR_ARG(name));
    if (!m->plan->cluster.len)
        m->plan->cluster = cluster;
    return true;
}

static bool set_bounds(const struct policy_maker *m,
                       const struct rule_info *info, struct policy_service *v,
                       struct err *err)
{
    v->min = m->ask->min >= 0 ? m->ask->min : info->min_replicas;
    v->max = m->ask->max >= 0 ? m->ask->max : info->max_replicas;
    if (v->min < 0 || v->max < 0)
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\": how few and how many tasks may there "
                       "be? write --min N --max N, or min_replicas and "
                       "max_replicas of the metric",
                       STR_ARG(info->name));
    if (v->max < v->min || v->max == 0)
        return err_set(err, ERR_CONFIG,
                       "--max: %" PRId64 " is %s; at least %" PRId64
                       " is needed for \"%.*s\"",
                       v->max, v->max ? "below the minimum" : "no task at all",
                       v->min ? v->min : 1, STR_ARG(info->name));
    return true;
}

/* ---- one service ---- */

static void add_tracking(struct policy_maker *m, const struct rule_info *info,
                         const struct policy_metric *metric,
                         struct policy_service *v)
{
    char *why = arena_strdup(
        m->arena,
        arena_printf(m->arena,
                     "%.*s is kept at %g: tasks follow in proportion, out "
                     "after %d s, in after %d s.",
                     STR_ARG(info->name), info->target, POLICY_OUT_COOLDOWN,
                     POLICY_IN_COOLDOWN));

    v->scalings[v->scaling_count++] = (struct policy_scaling){
        .name =
            arena_printf(m->arena, "%.*s-target-tracking", STR_ARG(info->name)),
        .why = str_of(why),
        .metric = metric,
        .target = info->target,
    };
}

static void note_substitute(struct policy_maker *m,
                            const struct rule_info *info)
{
    if (info->has_substitute)
        policy_make_note(m,
                         arena_printf(m->arena,
                                      "metric \"%.*s\": missing.value "
                                      "makes unknown look like %g, and "
                                      "tasks will be set by it; without "
                                      "it their number stands still",
                                      STR_ARG(info->name), info->substitute));
}

static bool add_service(struct policy_maker *m, const struct rule_info *info,
                        struct err *err)
{
    struct policy_service *v = &m->plan->services[m->plan->service_count];
    struct policy_metric *metric = arena_zalloc(m->arena, sizeof(*metric));

    if (!trackable(&m->all, info, err) || !set_resource(m, info, v, err) ||
        !set_bounds(m, info, v, err) ||
        !policy_ecs_published(m->all.settings, info, m->ask->dimensions,
                              m->arena, metric, err))
        return false;
    add_tracking(m, info, metric, v);
    note_substitute(m, info);
    if (m->ask->high_resolution && !policy_make_fast(m, info, metric, v, err))
        return false;
    if (v->min == 0 && !policy_make_from_zero(m, v, err))
        return false;
    m->plan->service_count++;
    return true;
}

/* ---- all of them ---- */

/* The first ratio of a service is what it scales on by default. */
static bool is_first(const struct policy_metrics *all, size_t at)
{
    const struct rule_info *info = all->items[at].info;

    if (info->scaling != PRESET_RATIO || !info->service.len)
        return false;
    for (size_t i = 0; i < at; i++)
        if (all->items[i].info->scaling == PRESET_RATIO &&
            str_eq(all->items[i].info->service, info->service))
            return false;
    return true;
}

static bool add_defaults(struct policy_maker *m, struct err *err)
{
    for (size_t i = 0; i < m->all.count; i++) {
        const struct settings_metric *x = &m->all.items[i];

        if (!is_first(&m->all, i))
            continue;
        if (!x->on)
            policy_make_note(m, arena_printf(m->arena,
                                             "%.*s is not scaled, for %.*s is "
                                             "off: %.*s",
                                             STR_ARG(x->info->service),
                                             STR_ARG(x->info->name),
                                             STR_ARG(x->reason)));
        else if (!add_service(m, x->info, err))
            return false;
    }
    if (m->plan->service_count > 0 && m->ask->high_resolution && !m->fast)
        return err_set(err, ERR_CONFIG,
                       "--high-resolution: no metric is stored by the second, "
                       "so that an alarm of 10 s would lack data; write "
                       "resolution: 1 for a metric (metrics: [{name: %.*s, "
                       "resolution: 1}])",
                       STR_ARG(m->plan->services->scalings->metric->name));
    return m->plan->service_count > 0 ||
           err_set(err, ERR_CONFIG,
                   "no metric that ECS can scale on is published; "
                   "`scalebridge check-config` tells why");
}

/* What is scaled goes by Membrane's name, or by the metric's own. */
static bool known_service(const struct policy_metrics *all, struct str name,
                          struct near *near)
{
    near_start(near, name);
    for (size_t i = 0; i < all->count; i++) {
        const struct rule_info *info = all->items[i].info;
        struct str service = info->service.len ? info->service : info->name;

        if (str_eq(name, service))
            return true;
        near_offer(near, service);
    }
    return false;
}

static bool check_pair(const struct policy_metrics *all, struct str pair,
                       struct err *err)
{
    struct str name = str_n(pair.ptr, str_find(pair, '='));
    struct near near;
    bool known = known_service(all, name, &near);

    if (known && name.len < pair.len)
        return true;
    if (!known && near.best.ptr)
        return err_set(err, ERR_CONFIG,
                       "--service: there is no \"%.*s\"; did you mean "
                       "\"%.*s\"?",
                       STR_ARG(name), STR_ARG(near.best));
    return err_set(err, ERR_CONFIG,
                   "--service: \"%.*s\" is not NAME=ECS_SERVICE with a "
                   "service of Membrane, as instant-tasks-worker=worker",
                   STR_ARG(pair));
}

/* A mistyped name would leave its service under the default name. */
static bool check_services(const struct policy_maker *m, struct err *err)
{
    struct str rest = m->ask->services, pair;

    if (str_find(rest, '=') == rest.len)
        return !rest.len || m->ask->metric.len ||
               err_set(err, ERR_CONFIG,
                       "--service: \"%.*s\" names no service of Membrane; "
                       "write instant-tasks-worker=%.*s, or --metric NAME as "
                       "well",
                       STR_ARG(rest), STR_ARG(rest));
    while (str_next(&rest, ',', &pair))
        if (!check_pair(&m->all, pair, err))
            return false;
    return true;
}

static bool add_chosen(struct policy_maker *m, struct err *err)
{
    const struct settings_metric *x;

    return policy_ecs_find(&m->all, m->ask->metric, &x, err) &&
           add_service(m, x->info, err);
}

bool policy_ecs_plan(const struct settings *s, const struct policy_ask *ask,
                     struct arena *a, struct policy_plan *plan, struct err *err)
{
    const struct cloudwatch_conf *sink = policy_ecs_sink(s, err);
    struct policy_maker m = {
        .all = {.settings = s}, .ask = ask, .arena = a, .plan = plan};

    if (!sink)
        return false;
    m.all.items = settings_metrics(s, a, &m.all.count);
    *plan = (struct policy_plan){
        .region = sink->signing_region,
        .namespace = str_of(sink->namespace),
        .services = arena_array(a, m.all.count + 1, sizeof(*plan->services)),
        .notes = arena_array(a, 3 * m.all.count + 2, sizeof(*plan->notes)),
    };
    if (!check_services(&m, err))
        return false;
    if (!(ask->metric.len ? add_chosen(&m, err) : add_defaults(&m, err)))
        return false;
    return policy_make_age(&m, err);
}
