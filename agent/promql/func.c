/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/func.h"

#include "agent/promql/func_impl.h"

#include <math.h>

#define S PROMQL_SCALAR
#define T PROMQL_STRING
#define V PROMQL_VECTOR
#define M PROMQL_MATRIX
#define X FUNC_EXPERIMENTAL

#define MAP(name, fn)                         \
    {                                         \
        name, {V}, 1, 0, V, 0, fn, NULL, NULL \
    }
#define OVER(name, flags, fn)                     \
    {                                             \
        name, {M}, 1, 0, V, flags, NULL, fn, NULL \
    }
#define DATE(name, fn)                        \
    {                                         \
        name, {V}, 1, 1, V, 0, NULL, NULL, fn \
    }
#define NATIVE(name)                                      \
    {                                                     \
        name, {V}, 1, 0, V, FUNC_NATIVE, NULL, NULL, NULL \
    }

/* clang-format off */
static const struct func table[] = {
    /* name, arguments, how many, variadic, result, flags, map, range, call */
    MAP("abs", fabs),
    {"absent", {V}, 1, 0, V, 0, NULL, NULL, call_absent},
    {"absent_over_time", {M}, 1, 0, V, 0, NULL, NULL, call_absent_over_time},
    MAP("acos", acos),
    MAP("acosh", acosh),
    MAP("asin", asin),
    MAP("asinh", asinh),
    MAP("atan", atan),
    MAP("atanh", atanh),
    OVER("avg_over_time", 0, range_avg),
    MAP("ceil", ceil),
    OVER("changes", 0, range_changes),
    {"clamp", {V, S, S}, 3, 0, V, 0, NULL, NULL, call_clamp},
    {"clamp_max", {V, S}, 2, 0, V, 0, NULL, NULL, call_clamp_max},
    {"clamp_min", {V, S}, 2, 0, V, 0, NULL, NULL, call_clamp_min},
    MAP("cos", cos),
    MAP("cosh", cosh),
    OVER("count_over_time", 0, range_count),
    DATE("day_of_month", call_day_of_month),
    DATE("day_of_week", call_day_of_week),
    DATE("day_of_year", call_day_of_year),
    DATE("days_in_month", call_days_in_month),
    MAP("deg", map_deg),
    OVER("delta", 0, range_delta),
    OVER("deriv", 0, range_deriv),
    {"double_exponential_smoothing", {M, S, S}, 3, 0, V, X, NULL,
     range_smooth, NULL},
    {"end", {0}, 0, 0, S, X, NULL, NULL, call_end},
    MAP("exp", exp),
    OVER("first_over_time", FUNC_KEEP_NAME, range_first),
    MAP("floor", floor),
    NATIVE("histogram_avg"),
    NATIVE("histogram_count"),
    {"histogram_fraction", {S, S, V}, 3, 0, V, 0, NULL, NULL,
     call_histogram_fraction},
    {"histogram_quantile", {S, V}, 2, 0, V, 0, NULL, NULL,
     call_histogram_quantile},
    {"histogram_quantiles", {V, T, S, S}, 4, 9, V, X, NULL, NULL,
     call_histogram_quantiles},
    NATIVE("histogram_stddev"),
    NATIVE("histogram_stdvar"),
    NATIVE("histogram_sum"),
    DATE("hour", call_hour),
    OVER("idelta", 0, range_idelta),
    OVER("increase", 0, range_increase),
    {"info", {V, V}, 2, 1, V, X, NULL, NULL, NULL},
    OVER("irate", 0, range_irate),
    {"label_join", {V, T, T, T}, 4, -1, V, 0, NULL, NULL, call_label_join},
    {"label_replace", {V, T, T, T, T}, 5, 0, V, 0, NULL, NULL,
     call_label_replace},
    OVER("last_over_time", FUNC_KEEP_NAME, range_last),
    MAP("ln", log),
    MAP("log10", log10),
    MAP("log2", log2),
    OVER("mad_over_time", X, range_mad),
    {"max_of", {S, S}, 2, 0, S, X, NULL, NULL, call_max_of},
    OVER("max_over_time", 0, range_max),
    {"min_of", {S, S}, 2, 0, S, X, NULL, NULL, call_min_of},
    OVER("min_over_time", 0, range_min),
    DATE("minute", call_minute),
    DATE("month", call_month),
    {"pi", {0}, 0, 0, S, 0, NULL, NULL, call_pi},
    {"predict_linear", {M, S}, 2, 0, V, 0, NULL, range_predict, NULL},
    OVER("present_over_time", 0, range_present),
    {"quantile_over_time", {S, M}, 2, 0, V, 0, NULL, range_quantile, NULL},
    MAP("rad", map_rad),
    {"range", {0}, 0, 0, S, X, NULL, NULL, call_range},
    OVER("rate", 0, range_rate),
    OVER("resets", 0, range_resets),
    {"round", {V, S}, 2, 1, V, 0, NULL, NULL, call_round},
    {"scalar", {V}, 1, 0, S, 0, NULL, NULL, call_scalar},
    MAP("sgn", map_sgn),
    MAP("sin", sin),
    MAP("sinh", sinh),
    {"sort", {V}, 1, 0, V, FUNC_ORDERED, NULL, NULL, call_sort},
    {"sort_by_label", {V, T}, 2, -1, V, X | FUNC_ORDERED, NULL, NULL,
     call_sort_by_label},
    {"sort_by_label_desc", {V, T}, 2, -1, V, X | FUNC_ORDERED, NULL, NULL,
     call_sort_by_label_desc},
    {"sort_desc", {V}, 1, 0, V, FUNC_ORDERED, NULL, NULL, call_sort_desc},
    MAP("sqrt", sqrt),
    {"start", {0}, 0, 0, S, X, NULL, NULL, call_start},
    {"start_timestamp", {V}, 1, 0, V, X, NULL, NULL, NULL},
    OVER("stddev_over_time", 0, range_stddev),
    OVER("stdvar_over_time", 0, range_stdvar),
    {"step", {0}, 0, 0, S, X, NULL, NULL, call_step},
    OVER("sum_over_time", 0, range_sum),
    MAP("tan", tan),
    MAP("tanh", tanh),
    {"time", {0}, 0, 0, S, 0, NULL, NULL, call_time},
    {"timestamp", {V}, 1, 0, V, 0, NULL, NULL, call_timestamp},
    OVER("ts_of_first_over_time", X, range_ts_first),
    OVER("ts_of_last_over_time", X, range_ts_last),
    OVER("ts_of_max_over_time", X, range_ts_max),
    OVER("ts_of_min_over_time", X, range_ts_min),
    {"vector", {S}, 1, 0, V, 0, NULL, NULL, call_vector},
    DATE("year", call_year),
};
/* clang-format on */

#define COUNT (sizeof(table) / sizeof(*table))

const struct func *func_at(size_t i)
{
    return i < COUNT ? &table[i] : NULL;
}

const struct func *func_find(struct str name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (str_eqz(name, table[i].name))
            return &table[i];
    return NULL;
}
