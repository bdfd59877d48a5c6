/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/near.h"
#include "sinks/cloudwatch.h"

#include <math.h>
#include <stdio.h>

static const char *const units[] = {
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
};

static bool unit_ok(struct str unit, const char *what, struct err *err)
{
    struct near near;

    if (unit.len == 0)
        return true;
    near_start(&near, unit);
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (str_eqz(unit, units[i]))
            return true;
        near_offer(&near, str_of(units[i]));
    }
    if (near.best.ptr)
        return err_set(err, ERR_CONFIG,
                       "%s: unit \"%.*s\" is not one of CloudWatch's; did you "
                       "mean %.*s",
                       what, STR_ARG(unit), STR_ARG(near.best));
    return err_set(err, ERR_CONFIG,
                   "%s: unit \"%.*s\" is not one of CloudWatch's, as Count, "
                   "Percent, Seconds, Bytes or None",
                   what, STR_ARG(unit));
}

/* ASCII without control characters, something to see, not too long. */
static bool text_ok(struct str s, size_t most, const char *what,
                    struct err *err)
{
    bool seen = false;

    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < ' ' || s.ptr[i] > '~')
            return err_set(err, ERR_CONFIG,
                           "%s: cloudwatch takes ASCII without control "
                           "characters alone; byte %zu is neither",
                           what, i + 1);
        seen |= s.ptr[i] != ' ';
    }
    if (!seen)
        return err_set(err, ERR_CONFIG, "%s: is empty or blank", what);
    if (s.len > most)
        return err_set(err, ERR_CONFIG,
                       "%s: is %zu characters long; cloudwatch takes %zu", what,
                       s.len, most);
    return true;
}

bool cloudwatch_name_ok(struct str name, const char *what, struct err *err)
{
    if (!text_ok(name, CLOUDWATCH_NAME, what, err))
        return false;
    if (name.ptr[0] == ':')
        return err_set(err, ERR_CONFIG, "%s: may not begin with a colon", what);
    return true;
}

bool cloudwatch_namespace_ok(struct str namespace, struct err *err)
{
    if (!cloudwatch_name_ok(namespace, "namespace", err))
        return false;
    if (str_starts(namespace, STR("AWS/")))
        return err_set(err, ERR_CONFIG,
                       "namespace: \"%.*s\": names that begin with AWS/ belong "
                       "to AWS's own services; choose another",
                       STR_ARG(namespace));
    return true;
}

/* For people, and short: what is too long is said by its beginning. */
#define WHAT_MAX 160
static void metric_called(char what[WHAT_MAX], struct str name)
{
    (void)snprintf(what, WHAT_MAX, "metric \"%.*s\"",
                   (int)(name.len < 100 ? name.len : 100), name.ptr);
}

static void dimension_called(char what[WHAT_MAX], struct str metric,
                             struct str name)
{
    (void)snprintf(what, WHAT_MAX, "metric \"%.*s\": dimension \"%.*s\"",
                   (int)(metric.len < 60 ? metric.len : 60), metric.ptr,
                   (int)(name.len < 60 ? name.len : 60), name.ptr);
}

static bool few_dimensions(size_t n, const char *what, struct err *err)
{
    return n <= CLOUDWATCH_DIMENSIONS ||
           err_set(err, ERR_CONFIG,
                   "%s: has %zu dimensions; cloudwatch takes %d, and none is "
                   "left out by itself: name fewer",
                   what, n, CLOUDWATCH_DIMENSIONS);
}

bool cloudwatch_check(const void *conf, const struct sink_metric *m,
                      struct err *err)
{
    char what[WHAT_MAX];

    (void)conf;
    metric_called(what, m->name);
    if (!cloudwatch_name_ok(m->name, what, err) ||
        !unit_ok(m->unit, what, err) ||
        !few_dimensions(m->dimension_count, what, err))
        return false;
    if (m->resolution != 1 && m->resolution != 60)
        return err_set(err, ERR_CONFIG,
                       "%s: resolution %u s; cloudwatch stores at 1s or 60s",
                       what, m->resolution);
    for (size_t i = 0; i < m->dimension_count; i++) {
        dimension_called(what, m->name, m->dimensions[i]);
        if (!cloudwatch_name_ok(m->dimensions[i], what, err))
            return false;
    }
    return true;
}

static bool values_ok(const struct point *p, const char *what, struct err *err)
{
    for (size_t i = 0; i < p->value_count; i++) {
        double v = p->values[i].value;

        if (!isfinite(v) || fabs(v) > CLOUDWATCH_MOST)
            return err_set(err, ERR_INPUT,
                           "%s: value %g is outside what cloudwatch takes "
                           "(%g to %g)",
                           what, v, -CLOUDWATCH_MOST, CLOUDWATCH_MOST);
    }
    return true;
}

bool cloudwatch_admit(const void *conf, const struct point *p, struct err *err)
{
    char what[WHAT_MAX];

    (void)conf;
    metric_called(what, p->name);
    if (!cloudwatch_name_ok(p->name, what, err) ||
        !unit_ok(p->unit, what, err) || !values_ok(p, what, err) ||
        !few_dimensions(p->dimension_count, what, err))
        return false;
    for (size_t i = 0; i < p->dimension_count; i++) {
        dimension_called(what, p->name, p->dimensions[i].name);
        if (!cloudwatch_name_ok(p->dimensions[i].name, what, err) ||
            !text_ok(p->dimensions[i].value, CLOUDWATCH_DIM_VALUE, what, err))
            return false;
    }
    return true;
}

size_t cloudwatch_values(const struct point *p, struct arena *arena,
                         const struct point_value **out)
{
    struct point_value *all = arena_array(arena, p->value_count, sizeof(*all));
    struct point_value *zero = NULL;
    size_t n = 0;

    for (size_t i = 0; i < p->value_count; i++) {
        struct point_value v = p->values[i];
        bool tiny = fabs(v.value) < CLOUDWATCH_LEAST;

        if (tiny && zero) {
            zero->count += v.count;
            continue;
        }
        if (tiny) {
            v.value = 0;
            zero = &all[n];
        }
        all[n++] = v;
    }
    *out = all;
    return n;
}
