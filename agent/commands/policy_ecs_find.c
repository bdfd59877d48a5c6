/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/near.h"
#include "agent/commands/policy_ecs.h"
#include "sinks/cloudwatch.h"

#include <stdlib.h>

const struct cloudwatch_conf *policy_ecs_sink(const struct settings *s,
                                              struct err *err)
{
    const struct sink_type *type = sink_find(STR("cloudwatch"));

    for (size_t i = 0; i < s->sink_count; i++)
        if (s->sinks[i].type == type)
            return s->sinks[i].conf;
    for (size_t i = 0; i < s->sink_count; i++)
        if (strcmp(s->sinks[i].type->name, "emf") == 0) {
            (void)err_set(err, ERR_CONFIG,
                          "sinks: emf does not tell the region; for this "
                          "command choose cloudwatch in its place, with the "
                          "same namespace: the metrics are the same");
            return NULL;
        }
    (void)err_set(err, ERR_CONFIG,
                  "sinks: cloudwatch is not among them, so that no policy of "
                  "ECS would see a metric; set SCALEBRIDGE_SINKS=cloudwatch, "
                  "or write sinks.cloudwatch");
    return NULL;
}

void policy_ecs_place(const struct settings *s, struct str service,
                      struct str *cluster, struct str *name)
{
    *cluster = *name = STR_NONE;
    for (size_t i = 0; i < s->values.capacity_count; i++) {
        const struct settings_capacity *row = &s->values.capacity[i];

        if (!row->source.ecs)
            continue;
        if (!cluster->len || str_eqz(service, row->service))
            *cluster = str_of(row->source.ecs->at.cluster);
        if (str_eqz(service, row->service))
            *name = str_of(row->source.ecs->at.service);
    }
}

bool policy_ecs_pair(struct str pairs, struct str name, struct str *value)
{
    struct str pair;

    while (str_next(&pairs, ',', &pair)) {
        size_t eq = str_find(pair, '=');

        if (eq == pair.len || !str_eq(str_n(pair.ptr, eq), name))
            continue;
        *value = str_from(pair, eq + 1);
        return true;
    }
    return false;
}

/* ---- metrics by name ---- */

static bool switched_off(const struct settings *s, struct str name)
{
    for (size_t i = 0; i < s->values.metrics_count; i++)
        if (str_eqz(name, s->values.metrics[i].name))
            return !s->values.metrics[i].enabled;
    return false;
}

static bool unknown(const struct policy_metrics *all, struct str name,
                    struct err *err)
{
    struct near near;

    if (switched_off(all->settings, name))
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\" is switched off in the settings; "
                       "leave out its enabled: false",
                       STR_ARG(name));
    near_start(&near, name);
    for (size_t i = 0; i < all->count; i++)
        near_offer(&near, all->items[i].info->name);
    if (near.best.ptr)
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\" is unknown; did you mean \"%.*s\"?",
                       STR_ARG(name), STR_ARG(near.best));
    return err_set(err, ERR_CONFIG,
                   "metric \"%.*s\" is unknown; `scalebridge check-config` "
                   "lists those there are",
                   STR_ARG(name));
}

bool policy_ecs_find(const struct policy_metrics *all, struct str name,
                     const struct settings_metric **out, struct err *err)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct settings_metric *m = &all->items[i];

        if (!str_eq(m->info->name, name))
            continue;
        *out = m;
        return m->on || err_set(err, ERR_CONFIG,
                                "metric \"%.*s\" is off, so that nothing is "
                                "published: %.*s",
                                STR_ARG(name), STR_ARG(m->reason));
    }
    return unknown(all, name, err);
}

/* ---- as published ---- */

static int by_name(const void *a, const void *b)
{
    const struct label *x = a, *y = b;

    return str_cmp(x->name, y->name);
}

/* A metric's own dimension wins over a fixed one of the same name. */
static void set(struct policy_metric *m, struct label *all, struct str name,
                struct str value)
{
    size_t i = 0;

    while (i < m->dimension_count && !str_eq(all[i].name, name))
        i++;
    all[i] = (struct label){name, value};
    m->dimension_count += i == m->dimension_count;
}

static bool from_label(const struct rule_info *info, const struct label *d,
                       struct str asked, struct str *value, struct err *err)
{
    return policy_ecs_pair(asked, d->name, value) ||
           err_set(err, ERR_CONFIG,
                   "metric \"%.*s\": dimension \"%.*s\" takes its value from "
                   "the label \"%.*s\", and a policy must name one value; say "
                   "which: --dimension %.*s=VALUE",
                   STR_ARG(info->name), STR_ARG(d->name), STR_ARG(d->value),
                   STR_ARG(d->name));
}

/* What CloudWatch would not take under this name is never published. */
static bool admitted(const struct cloudwatch_conf *sink,
                     const struct policy_metric *m, struct err *err)
{
    const struct point_value one = {1, 1};
    const struct point p = {.name = m->name,
                            .unit = m->unit,
                            .dimensions = m->dimensions,
                            .dimension_count = m->dimension_count,
                            .values = &one,
                            .value_count = 1};

    return cloudwatch_admit(sink, &p, err);
}

bool policy_ecs_published(const struct settings *s,
                          const struct rule_info *info, struct str asked,
                          struct arena *a, struct policy_metric *out,
                          struct err *err)
{
    const struct conf_map *fixed = &s->values.publish.dimensions;
    const struct cloudwatch_conf *sink = policy_ecs_sink(s, err);
    struct label *all =
        arena_array(a, fixed->count + info->dimension_count + 1, sizeof(*all));
    struct str value;

    out->name = info->name;
    out->unit = info->unit;
    out->resolution = info->resolution;
    out->dimensions = all;
    out->dimension_count = 0;
    for (size_t i = 0; i < fixed->count; i++)
        set(out, all, str_of(fixed->pairs[i].name),
            str_of(fixed->pairs[i].value));
    for (size_t i = 0; i < info->dimension_count; i++) {
        if (!from_label(info, &info->dimensions[i], asked, &value, err))
            return false;
        set(out, all, info->dimensions[i].name, value);
    }
    qsort(all, out->dimension_count, sizeof(*all), by_name);
    return sink && admitted(sink, out, err);
}
