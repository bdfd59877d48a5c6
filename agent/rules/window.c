/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/window.h"

#include "agent/base/map.h"
#include "agent/base/mem.h"

#include <stdlib.h>

/* One series between two publishes. */
struct pending {
    struct labels *key; /* the dimensions, and the metric as __name__ */
    char *unit, *description;
    unsigned resolution;
    struct point_value *values;
    size_t count, cap;
    double newest;
    int64_t start_ms, t_ms;
};

struct window {
    const struct label *constant;
    size_t constant_count;
    struct pending **items; /* in order of first appearance */
    size_t count, cap;
    struct map by_key;
    struct labels_builder builder;
};

struct window *window_new(const struct label *constant, size_t count)
{
    struct window *w = xcalloc(1, sizeof(*w));

    window_set_constant(w, constant, count);
    return w;
}

void window_set_constant(struct window *w, const struct label *constant,
                         size_t count)
{
    w->constant = constant;
    w->constant_count = count;
}

static void pending_free(struct pending *p)
{
    free(p->key);
    free(p->unit);
    free(p->description);
    free(p->values);
    free(p);
}

static void empty(struct window *w)
{
    map_fini(&w->by_key);
    for (size_t i = 0; i < w->count; i++)
        pending_free(w->items[i]);
    w->count = 0;
}

void window_free(struct window *w)
{
    if (!w)
        return;
    empty(w);
    free(w->items);
    labels_builder_fini(&w->builder);
    free(w);
}

static struct labels *key_of(struct window *w, struct str name,
                             const struct rule_row *row)
{
    labels_start(&w->builder);
    for (size_t i = 0; i < w->constant_count; i++)
        labels_set(&w->builder, w->constant[i].name, w->constant[i].value);
    for (size_t i = 0; i < row->dimension_count; i++)
        labels_set(&w->builder, row->dimensions[i].name,
                   row->dimensions[i].value);
    labels_set(&w->builder, LABEL_NAME, name);
    return labels_build(&w->builder, NULL);
}

static struct str key_text(const struct labels *key)
{
    return str_n((const char *)key->packed, key->size);
}

static char *copy(struct str s)
{
    return xstrndup(s.ptr ? s.ptr : "", s.len);
}

/* The series of a row, made if need be. */
static struct pending *series_of(struct window *w, const struct rule_info *info,
                                 const struct rule_row *row)
{
    struct labels *key = key_of(w, info->name, row);
    struct pending *p = map_get(&w->by_key, key_text(key));

    if (p) {
        free(key);
        return p;
    }
    p = xcalloc(1, sizeof(*p));
    p->key = key;
    p->unit = copy(info->unit);
    p->description = copy(info->description);
    p->resolution = info->resolution;
    map_put(&w->by_key, key_text(key), p);
    xgrow(&w->items, &w->cap, w->count, sizeof(*w->items));
    w->items[w->count++] = p;
    return p;
}

static void count_value(struct pending *p, double v)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->values[i].value == v) {
            p->values[i].count++;
            return;
        }
    xgrow(&p->values, &p->cap, p->count, sizeof(*p->values));
    p->values[p->count++] = (struct point_value){v, 1};
}

void window_add(struct window *w, const struct rule_result *result,
                int64_t t_ms)
{
    for (size_t i = 0; i < result->row_count; i++) {
        const struct rule_row *row = &result->rows[i];
        struct pending *p = series_of(w, result->info, row);

        if (p->count == 0)
            p->start_ms = t_ms;
        p->newest = row->value;
        p->t_ms = t_ms;
        count_value(p, row->value);
    }
}

size_t window_count_points(const struct window *w)
{
    return w->count;
}

static void take_labels(const struct pending *p, struct arena *a,
                        struct point *out)
{
    const struct labels *l = labels_copy(p->key, a);
    struct label *dimensions = arena_array(a, l->count, sizeof(*dimensions));
    struct labels_iter it = labels_iter(l);
    struct label pair;

    while (labels_next(&it, &pair)) {
        if (str_eq(pair.name, LABEL_NAME))
            out->name = pair.value;
        else
            dimensions[out->dimension_count++] = pair;
    }
    out->dimensions = dimensions;
}

static struct point *take_one(const struct pending *p, struct arena *a)
{
    struct point *out = arena_zalloc(a, sizeof(*out));
    struct point_value *values = arena_array(a, p->count, sizeof(*values));

    memcpy(values, p->values, p->count * sizeof(*values));
    *out = (struct point){
        .unit = arena_str(a, str_of(p->unit)),
        .description = arena_str(a, str_of(p->description)),
        .values = values,
        .value_count = p->count,
        .newest = p->newest,
        .start_ms = p->start_ms,
        .t_ms = p->t_ms,
        .resolution = p->resolution,
    };
    take_labels(p, a, out);
    return out;
}

const struct point *const *window_take(struct window *w, struct arena *a,
                                       size_t *count)
{
    const struct point **points = arena_array(a, w->count, sizeof(*points));

    for (size_t i = 0; i < w->count; i++)
        points[i] = take_one(w->items[i], a);
    *count = w->count;
    empty(w);
    return points;
}
