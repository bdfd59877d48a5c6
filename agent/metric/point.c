/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/metric/point.h"

#include "agent/base/mem.h"

double point_min(const struct point *p)
{
    double v = p->values[0].value;

    for (size_t i = 1; i < p->value_count; i++)
        if (p->values[i].value < v)
            v = p->values[i].value;
    return v;
}

double point_max(const struct point *p)
{
    double v = p->values[0].value;

    for (size_t i = 1; i < p->value_count; i++)
        if (p->values[i].value > v)
            v = p->values[i].value;
    return v;
}

double point_sum(const struct point *p)
{
    double sum = 0;

    for (size_t i = 0; i < p->value_count; i++)
        sum += p->values[i].value * (double)p->values[i].count;
    return sum;
}

uint64_t point_count(const struct point *p)
{
    uint64_t n = 0;

    for (size_t i = 0; i < p->value_count; i++)
        n += p->values[i].count;
    return n;
}

bool point_same_series(const struct point *a, const struct point *b)
{
    if (!str_eq(a->name, b->name) || a->dimension_count != b->dimension_count)
        return false;
    for (size_t i = 0; i < a->dimension_count; i++)
        if (!str_eq(a->dimensions[i].name, b->dimensions[i].name) ||
            !str_eq(a->dimensions[i].value, b->dimensions[i].value))
            return false;
    return true;
}

size_t point_bytes(const struct point *p)
{
    size_t n = sizeof(*p) + p->value_count * sizeof(*p->values) +
               p->dimension_count * sizeof(*p->dimensions) + p->name.len +
               p->unit.len + p->description.len;

    for (size_t i = 0; i < p->dimension_count; i++)
        n += p->dimensions[i].name.len + p->dimensions[i].value.len;
    return n;
}

static struct str put(char **at, struct str s)
{
    struct str copy = {*at, s.len};

    if (s.len > 0)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return copy;
}

/* The block: the point, its dimensions, its values, then all text. */
struct point *point_copy(const struct point *p)
{
    struct point *copy = xmalloc(point_bytes(p));
    struct label *dimensions = (struct label *)(void *)(copy + 1);
    struct point_value *values =
        (struct point_value *)(void *)(dimensions + p->dimension_count);
    char *at = (char *)(values + p->value_count);

    *copy = *p;
    copy->dimensions = dimensions;
    copy->values = values;
    if (p->value_count > 0)
        memcpy(values, p->values, p->value_count * sizeof(*values));
    copy->name = put(&at, p->name);
    copy->unit = put(&at, p->unit);
    copy->description = put(&at, p->description);
    for (size_t i = 0; i < p->dimension_count; i++) {
        dimensions[i].name = put(&at, p->dimensions[i].name);
        dimensions[i].value = put(&at, p->dimensions[i].value);
    }
    return copy;
}
