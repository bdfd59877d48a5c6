/* SPDX-License-Identifier: Apache-2.0 */
#include "test/lib/points.h"

#include "agent/base/jsonr.h"
#include "agent/base/when.h"
#include "test/lib/unit.h"

#include <json-c/json.h>

struct point *points_new(struct arena *a, const char *name)
{
    struct point *p = arena_zalloc(a, sizeof(*p));

    p->name = arena_str(a, str_of(name));
    p->unit = STR("Count");
    p->t_ms = p->start_ms = POINTS_NOW - WHEN_MINUTE;
    p->resolution = 60;
    return p;
}

static void read_values(struct arena *a, struct json_object *list,
                        struct point *p)
{
    size_t n = json_object_array_length(list);
    struct point_value *v = arena_array(a, n, sizeof(*v));

    for (size_t i = 0; i < n; i++) {
        struct json_object *pair = json_object_array_get_idx(list, i);

        v[i].value = json_object_get_double(json_object_array_get_idx(pair, 0));
        v[i].count =
            (uint32_t)json_object_get_int(json_object_array_get_idx(pair, 1));
        p->newest = v[i].value;
    }
    p->values = v;
    p->value_count = n;
}

static void read_dimensions(struct arena *a, struct json_object *map,
                            struct point *p)
{
    struct label *d = arena_array(a, 64, sizeof(*d));
    struct json_object_iterator it = json_object_iter_begin(map);
    const struct json_object_iterator end = json_object_iter_end(map);

    for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
        struct json_object *value = json_object_iter_peek_value(&it);

        assert_in_range(p->dimension_count, 0, 63);
        d[p->dimension_count].name =
            arena_str(a, str_of(json_object_iter_peek_name(&it)));
        d[p->dimension_count++].value =
            arena_str(a, str_of(json_object_get_string(value)));
    }
    p->dimensions = d;
}

struct point *points_read(struct arena *a, struct json_object *o)
{
    char *name = arena_strdup(a, jsonr_text_or(o, "name", STR_NONE));
    struct point *p = points_new(a, name);
    int64_t resolution = 60;
    struct err err;

    p->unit = arena_str(a, jsonr_text_or(o, "unit", STR_NONE));
    if (jsonr_get(o, "dimensions"))
        read_dimensions(a, jsonr_get(o, "dimensions"), p);
    read_values(a, jsonr_get(o, "values"), p);
    if (jsonr_get(o, "t_ms"))
        assert_true(jsonr_int(o, "t_ms", &p->t_ms, &err));
    if (jsonr_get(o, "resolution"))
        assert_true(jsonr_int(o, "resolution", &resolution, &err));
    p->resolution = (unsigned)resolution;
    return p;
}
