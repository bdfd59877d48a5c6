/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workers.c - running workers, as series that expressions can read.
 */
#include "agent/parts.h"

#include <stdlib.h>

static void write_workers(struct agent *a, struct str name, struct str service,
                          bool known, int64_t at_ms, int64_t count)
{
    struct labels_builder b = {0};
    struct labels *labels;
    struct series *series;

    labels_set(&b, LABEL_NAME, name);
    labels_set(&b, STR("service"), service);
    labels = labels_build(&b, NULL);
    series = store_series(a->store, labels);
    if (series && known)
        (void)series_append(series, at_ms, (double)count);
    else if (series)
        (void)series_append(series, loop_now(a->loop).wall_ms, sample_stale());
    labels_builder_fini(&b);
    free(labels);
}

static void on_capacity(void *arg, const struct capacity_reading *r)
{
    struct agent *a = arg;

    write_workers(a, CAPACITY_SERIES, r->service, r->known, r->at_ms,
                  r->running);
    if (r->has_desired)
        write_workers(a, CAPACITY_DESIRED_SERIES, r->service, r->known,
                      r->at_ms, r->desired);
}

void parts_make_capacity(struct agent *a)
{
    const struct settings_values *s = &a->settings->values;
    struct capacity_options o = {.loop = a->loop,
                                 .resolver = a->resolver,
                                 .ecs = a->ecs,
                                 .cloudrun = a->cloudrun,
                                 .container_apps = a->container_apps,
                                 .up = parts_count_up,
                                 .read = on_capacity,
                                 .arg = a};

    a->capacity_lends = settings_ref(a->settings);
    a->capacity = capacity_new(&o);
    for (size_t i = 0; i < s->capacity_count; i++)
        capacity_add(a->capacity, str_of(s->capacity[i].service),
                     &s->capacity[i].source);
}

void parts_free_capacity(struct agent *a)
{
    capacity_free(a->capacity);
    settings_free(a->capacity_lends);
}

static bool same_services(const struct settings_values *a,
                          const struct settings_values *b)
{
    if (a->capacity_count != b->capacity_count)
        return false;
    for (size_t i = 0; i < a->capacity_count; i++)
        if (strcmp(a->capacity[i].service, b->capacity[i].service) != 0 ||
            !conf_same(capacity_keys, &a->capacity[i].source,
                       &b->capacity[i].source))
            return false;
    return true;
}

/* A service that is counted in another way, or no longer, has no count until
 * it is read. */
static void forget_counts(struct agent *a)
{
    for (size_t i = 0; i < capacity_count(a->capacity); i++) {
        struct capacity_reading r = capacity_reading(a->capacity, i);

        r.known = false;
        r.has_desired = true;
        on_capacity(a, &r);
    }
}

void parts_reload_capacity(struct agent *a, bool ask_anew, struct reloaded *out)
{
    if (!ask_anew &&
        same_services(&a->capacity_lends->values, &a->settings->values))
        return;
    forget_counts(a);
    parts_free_capacity(a);
    parts_make_capacity(a);
    capacity_start(a->capacity);
    out->changed++;
}

const struct rule_service *parts_describe_services(struct agent *a)
{
    size_t n = capacity_count(a->capacity);
    struct rule_service *services =
        arena_array(&a->arena, n, sizeof(*services));

    for (size_t i = 0; i < n; i++) {
        struct capacity_reading r = capacity_reading(a->capacity, i);

        services[i].name = arena_str(&a->arena, r.service);
        services[i].known = r.known;
        services[i].reason = arena_str(&a->arena, r.reason);
    }
    return services;
}
