/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/rows.h"

#include "agent/base/mem.h"

#include <math.h>
#include <stdlib.h>

/* The row's dimensions: those of the rule for which it has a label. */
static void set_dimensions(const struct rule_info *info, struct rule_row *row,
                           struct arena *a)
{
    struct label *out;

    if (info->dimension_count == 0)
        return;
    out = arena_array(a, info->dimension_count, sizeof(*out));
    for (size_t i = 0; i < info->dimension_count; i++) {
        struct str value = labels_get(row->labels, info->dimensions[i].value);

        if (value.len > 0)
            out[row->dimension_count++] =
                (struct label){info->dimensions[i].name, value};
    }
    row->dimensions = out;
}

static int by_dimensions(const void *x, const void *y)
{
    const struct rule_row *a = x, *b = y;
    size_t n = a->dimension_count < b->dimension_count ? a->dimension_count
                                                       : b->dimension_count;

    for (size_t i = 0; i < n; i++) {
        int d = str_cmp(a->dimensions[i].name, b->dimensions[i].name);

        if (d == 0)
            d = str_cmp(a->dimensions[i].value, b->dimensions[i].value);
        if (d != 0)
            return d;
    }
    return (a->dimension_count > n) - (b->dimension_count > n);
}

/* The store has no order; reports have. */
static int by_labels(const void *x, const void *y)
{
    const struct rule_row *a = x, *b = y;

    return labels_cmp(a->labels, b->labels);
}

static int by_dimensions_first(const void *x, const void *y)
{
    int d = by_dimensions(x, y);

    return d != 0 ? d : by_labels(x, y);
}

static struct str printed(const struct labels *l, struct arena *a)
{
    struct buf out;
    struct str s;

    buf_init(&out, 512);
    labels_print(l, &out);
    s = arena_str(a, buf_str(&out));
    buf_fini(&out);
    return s;
}

/* Two rows of one name and dimensions would be one series in the cloud. */
static bool are_distinct(struct rows *rows, const struct rule_info *info,
                         struct arena *a)
{
    struct rule_row *sorted = rows->items;

    qsort(sorted, rows->count, sizeof(*sorted), by_dimensions_first);
    for (size_t i = 1; i < rows->count; i++) {
        if (by_dimensions(&sorted[i - 1], &sorted[i]) != 0)
            continue;
        rows->reason = arena_printf(
            a,
            "gives %zu series, and its dimensions%s do not tell %.*s from "
            "%.*s: aggregate them, or list a label that differs in dimensions",
            rows->count, info->dimension_count ? "" : " (none)",
            STR_ARG(printed(sorted[i - 1].labels, a)),
            STR_ARG(printed(sorted[i].labels, a)));
        return false;
    }
    return true;
}

static const char *name_of(double v)
{
    if (isnan(v))
        return "NaN (0 divided by 0, or a sample that is NaN)";
    return v > 0 ? "+Inf (a division by 0?)" : "-Inf (a division by 0?)";
}

/* Age of a held value, or -1 when it may not be held any more. */
static int64_t held_age(const struct rule *rule, const struct held *h,
                        int64_t t_ms)
{
    int64_t age = t_ms - h->t_ms;

    return age >= 0 && age <= rule->info.hold_ms ? age : -1;
}

static void add_held(const struct rule *rule, const struct held *h, int64_t age,
                     struct arena *a, struct rows *out)
{
    struct rule_row *row = &out->items[out->count++];

    *row = (struct rule_row){
        .labels = labels_copy(h->labels, a),
        .value = h->value,
        .held = true,
        .age_ms = age,
    };
    set_dimensions(&rule->info, row, a);
}

/* A row is the metric's own, under its own name. */
static const struct labels *without_name(const struct labels *l,
                                         struct arena *a)
{
    struct labels_builder b = {0};
    const struct labels *out;

    if (labels_name(l).len == 0)
        return l;
    labels_start_from(&b, l);
    labels_drop(&b, LABEL_NAME);
    out = labels_build(&b, a);
    labels_builder_fini(&b);
    return out;
}

/* A series whose value is no number: the last good one, if there is. */
static void carry(const struct rule *rule, const struct promql_row *bad,
                  int64_t t_ms, struct arena *a, struct rows *out)
{
    for (size_t i = 0; i < rule->held_count; i++) {
        const struct held *h = &rule->held[i];
        int64_t age = held_age(rule, h, t_ms);

        if (age < 0 || !labels_eq(h->labels, bad->labels))
            continue;
        add_held(rule, h, age, a, out);
        return;
    }
}

static void add_fresh(const struct rule *rule, const struct promql_row *from,
                      struct arena *a, struct rows *out)
{
    struct rule_row *row = &out->items[out->count++];

    *row = (struct rule_row){.labels = from->labels, .value = from->v};
    set_dimensions(&rule->info, row, a);
    out->fresh++;
}

static void read_vector(const struct rule *rule,
                        const struct promql_result *result, int64_t t_ms,
                        struct arena *a, struct rows *out)
{
    out->items = arena_array(a, result->row_count, sizeof(*out->items));
    for (size_t i = 0; i < result->row_count; i++) {
        struct promql_row row = result->rows[i];
        const char *bad = isfinite(row.v) ? NULL : name_of(row.v);

        row.labels = without_name(row.labels, a);
        if (!bad) {
            add_fresh(rule, &row, a, out);
            continue;
        }
        carry(rule, &row, t_ms, a, out);
        out->reason = arena_printf(a, "the expression gives %s", bad);
        if (result->row_count > 1)
            texts_add(&out->doubts, a,
                      arena_printf(a, "%.*s is %s",
                                   STR_ARG(printed(row.labels, a)), bad));
    }
}

bool rows_read(const struct rule *rule, const struct promql_result *result,
               int64_t t_ms, struct arena *a, struct rows *out)
{
    struct promql_row scalar = {
        .labels = &labels_empty, .t_ms = t_ms, .v = result->scalar};
    struct promql_result vector = *result;

    *out = (struct rows){0};
    if (result->type == PROMQL_SCALAR) {
        vector.rows = &scalar;
        vector.row_count = 1;
    }
    if (vector.row_count == 0)
        return false; /* the caller knows why */
    read_vector(rule, &vector, t_ms, a, out);
    return out->fresh > 0 && are_distinct(out, &rule->info, a);
}

void rows_hold(const struct rule *rule, int64_t t_ms, struct arena *a,
               struct rows *out)
{
    *out = (struct rows){
        .items = arena_array(a, rule->held_count, sizeof(*out->items))};
    for (size_t i = 0; i < rule->held_count; i++) {
        int64_t age = held_age(rule, &rule->held[i], t_ms);

        if (age >= 0)
            add_held(rule, &rule->held[i], age, a, out);
    }
}

void rows_single(double value, struct arena *a, struct rows *out)
{
    *out = (struct rows){.items = arena_array(a, 1, sizeof(*out->items)),
                         .count = 1};
    out->items[0] = (struct rule_row){.labels = &labels_empty, .value = value};
}

void rows_keep(struct rule *rule, const struct rows *rows, int64_t t_ms)
{
    struct held *held = xreallocarray(NULL, rows->count, sizeof(*held));

    for (size_t i = 0; i < rows->count; i++)
        held[i] = (struct held){
            .labels = labels_copy(rows->items[i].labels, NULL),
            .value = rows->items[i].value,
            .t_ms = t_ms - rows->items[i].age_ms,
        };
    rule_forget(rule);
    rule->held = held;
    rule->held_count = rows->count;
}

/* Rounded up, but not for what is rounding itself: 6 * (25 / 6) / 5. */
static double up(double v)
{
    return ceil(v - 1e-9 * fmax(1, fabs(v)));
}

static int64_t clamp(const struct rule_info *info, double v)
{
    int64_t n = v >= 1e15 ? INT64_C(1000000000000000) : (int64_t)fmax(v, 0);

    if (info->min_replicas >= 0 && n < info->min_replicas)
        n = info->min_replicas;
    if (info->max_replicas >= 0 && n > info->max_replicas)
        n = info->max_replicas;
    return n;
}

void rows_imply(const struct rule_info *info, const double *running,
                struct rows *rows)
{
    double factor = 1;

    if (info->scaling == PRESET_NO_SCALING ||
        (info->scaling == PRESET_RATIO && !running))
        return;
    if (info->scaling == PRESET_RATIO)
        factor = fmax(*running, 1); /* as the ratios divide by at least 1 */
    for (size_t i = 0; i < rows->count; i++) {
        struct rule_row *row = &rows->items[i];

        row->has_replicas = true;
        row->implied_replicas =
            clamp(info, up(factor * row->value / info->target));
    }
}
