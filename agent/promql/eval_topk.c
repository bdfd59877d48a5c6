/* SPDX-License-Identifier: Apache-2.0 */
/* The aggregations that keep rows, or count them by their value. */
#include "agent/base/num.h"
#include "agent/promql/eval.h"
#include "agent/promql/subset.h"

#include <math.h>
#include <stdlib.h>

struct kept {
    const struct promql_row *row;
    size_t group, at; /* `at`: its place in the input, earlier wins a tie */
};

/* 2^63: what a count of rows must stay below. */
#define COUNT_MAX 9223372036854775808.0

static bool good_count(struct eval *ev, double k)
{
    char text[NUM_MAX];

    if (isnan(k))
        return eval_fail(ev, "Parameter value is NaN");
    (void)num_general(k, text);
    if (k >= COUNT_MAX)
        return eval_fail(ev, "Scalar value %s overflows int64", text);
    if (k <= -COUNT_MAX)
        return eval_fail(ev, "Scalar value %s underflows int64", text);
    return true;
}

/* NaN comes last either way. */
static int compare(double a, double b, bool descending)
{
    if (isnan(a) || isnan(b))
        return (int)isnan(a) - (int)isnan(b);
    return descending ? (a < b) - (a > b) : (a > b) - (a < b);
}

static int compare_kept(const struct kept *a, const struct kept *b,
                        bool descending)
{
    int order = a->group < b->group ? -1 : a->group > b->group;

    if (order == 0)
        order = compare(a->row->v, b->row->v, descending);
    return order ? order : (a->at < b->at ? -1 : a->at > b->at);
}

static int best_high(const void *a, const void *b)
{
    return compare_kept(a, b, true);
}

static int best_low(const void *a, const void *b)
{
    return compare_kept(a, b, false);
}

static int as_found(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;

    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* limit_ratio: by a hash of the labels, so that r and r - 1 complement each
 * other.  (Prometheus' hash is another one; which rows is not promised.) */
static bool in_ratio(const struct promql_row *row, double r)
{
    double at = (double)row->labels->hash / 18446744073709551616.0;

    return r >= 0 ? at < r : at >= 1 + r;
}

static bool limit_ratio(struct eval *ev, double r, const struct value *in,
                        struct value *out)
{
    if (isnan(r))
        return eval_fail(ev, "Ratio value is NaN");
    r = fmax(-1, fmin(1, r));
    value_vector(ev, out, in->count);
    for (size_t i = 0; r != 0 && i < in->count; i++)
        if (in_ratio(&in->rows[i], r))
            out->rows[out->count++] = in->rows[i];
    return true;
}

bool eval_topk(struct eval *ev, const struct node *n, double k,
               const struct value *in, struct value *out)
{
    struct subset subset = {n->aggregate.labels, !n->aggregate.without};
    struct subset_index ix;
    struct kept *kept;
    double used = 0;

    if (n->op == T_LIMIT_RATIO)
        return limit_ratio(ev, k, in, out);
    value_vector(ev, out, in->count);
    if (k < 1)
        return true;
    if (!good_count(ev, k))
        return false;
    subset_index_init(&ix, &subset, in->count, ev->arena);
    kept = arena_array(ev->arena, in->count + 1, sizeof(*kept));
    for (size_t i = 0; i < in->count; i++) {
        bool added;

        kept[i] = (struct kept){
            &in->rows[i], subset_index_add(&ix, in->rows[i].labels, &added), i};
    }
    if (in->count > 1)
        qsort(kept, in->count, sizeof(*kept),
              n->op == T_TOPK      ? best_high
              : n->op == T_BOTTOMK ? best_low
                                   : as_found);
    for (size_t i = 0; i < in->count; i++) {
        used = i > 0 && kept[i].group == kept[i - 1].group ? used + 1 : 1;
        if (used <= floor(k))
            out->rows[out->count++] = *kept[i].row;
    }
    return true;
}

/* The rows with the value as a label; the groups are those of all labels
 * that stay. */
static const struct labels *with_value(struct eval *ev,
                                       struct labels_builder *b,
                                       struct str label,
                                       const struct promql_row *row)
{
    char text[NUM_MAX];
    size_t len = num_plain(row->v, text);

    labels_start_from(b, row->labels);
    labels_set(b, label, str_n(text, len));
    return labels_build(b, ev->arena);
}

bool eval_count_values(struct eval *ev, const struct node *n,
                       const struct value *in, struct value *out)
{
    struct subset subset = {n->aggregate.labels, !n->aggregate.without};
    struct str label = node_string(n->aggregate.param);
    struct labels_builder b = {0};
    struct subset_index ix;
    double *counts = arena_array(ev->arena, in->count + 1, sizeof(*counts));

    subset_index_init(&ix, &subset, in->count, ev->arena);
    for (size_t i = 0; i < in->count; i++) {
        bool added;

        counts[subset_index_add(&ix, with_value(ev, &b, label, &in->rows[i]),
                                &added)]++;
    }
    labels_builder_fini(&b);
    value_vector(ev, out, ix.count);
    for (size_t i = 0; i < ix.count; i++)
        value_add(out, subset_labels(&subset, ix.keys[i], ev->arena), ev->t_ms,
                  counts[i]);
    return value_unique(ev, out);
}
