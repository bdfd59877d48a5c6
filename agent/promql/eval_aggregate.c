/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/eval.h"
#include "agent/promql/subset.h"

#include <math.h>

/* What an aggregation keeps of one group. */
struct group {
    struct kahan sum;
    struct mean avg;
    double value; /* min, max; stddev: sum of squares */
    double mean;  /* stddev */
    double count;
    double *values; /* quantile */
    size_t value_count, value_cap;
};

static void start(enum token_kind op, struct group *g, double v)
{
    g->sum.sum = v;
    g->avg = (struct mean){.k.sum = v, .count = 1};
    g->value = v;
    g->mean = v;
    g->count = 1;
    if (op == T_STDDEV || op == T_STDVAR)
        g->value = isfinite(v) ? 0 : sample_nan();
}

static void variance(struct group *g, double v)
{
    double delta = v - g->mean;

    g->count++;
    g->mean += delta / g->count;
    g->value += delta * (v - g->mean);
}

static void add(enum token_kind op, struct group *g, double v)
{
    switch ((int)op) {
    case T_SUM:
        kahan_add(&g->sum, v);
        return;
    case T_AVG:
        mean_add(&g->avg, v);
        return;
    case T_MIN:
        if (g->value > v || isnan(g->value))
            g->value = v;
        return;
    case T_MAX:
        if (g->value < v || isnan(g->value))
            g->value = v;
        return;
    case T_STDDEV:
    case T_STDVAR:
        variance(g, v);
        return;
    default:
        g->count++;
    }
}

static void keep_value(struct eval *ev, struct group *g, double v)
{
    if (g->value_count == g->value_cap) {
        size_t cap = g->value_cap ? 2 * g->value_cap : 8;
        double *values = arena_alloc(ev->arena, cap * sizeof(*values));

        if (g->value_count)
            memcpy(values, g->values, g->value_count * sizeof(*values));
        g->values = values;
        g->value_cap = cap;
    }
    g->values[g->value_count++] = v;
}

static double finish(enum token_kind op, struct group *g, double param)
{
    switch ((int)op) {
    case T_SUM:
        return g->sum.sum + g->sum.c;
    case T_AVG:
        return mean_get(&g->avg);
    case T_COUNT:
        return g->count;
    case T_STDVAR:
        return g->value / g->count;
    case T_STDDEV:
        return sqrt(g->value / g->count);
    case T_QUANTILE:
        return number_quantile(param, g->values, g->value_count);
    case T_GROUP:
        return 1;
    default:
        return g->value;
    }
}

static bool aggregate(struct eval *ev, const struct node *n, double param,
                      const struct value *in, struct value *out)
{
    struct subset subset = {n->aggregate.labels, !n->aggregate.without};
    struct group *groups;
    struct subset_index ix;
    size_t most = in->count;

    if (subset.only && subset.names.count == 0 && most > 1)
        most = 1; /* one group in all */
    subset_index_init(&ix, &subset, most, ev->arena);
    groups = arena_array(ev->arena, most + 1, sizeof(*groups));
    for (size_t i = 0; i < in->count; i++) {
        const struct promql_row *row = &in->rows[i];
        bool added;
        struct group *g = &groups[subset_index_add(&ix, row->labels, &added)];

        if (n->op == T_QUANTILE)
            keep_value(ev, g, row->v);
        else if (added)
            start(n->op, g, row->v);
        else
            add(n->op, g, row->v);
    }
    value_vector(ev, out, ix.count);
    for (size_t i = 0; i < ix.count; i++)
        value_add(out, subset_labels(&subset, ix.keys[i], ev->arena), ev->t_ms,
                  finish(n->op, &groups[i], param));
    return true;
}

bool eval_aggregate(struct eval *ev, const struct node *n, struct value *out)
{
    struct value param = {0}, in;

    if (n->aggregate.param && !eval_node(ev, n->aggregate.param, &param))
        return false;
    if (!eval_node(ev, n->aggregate.expr, &in))
        return false;
    if (n->op == T_COUNT_VALUES)
        return eval_count_values(ev, n, &in, out);
    if (n->op == T_QUANTILE || !n->aggregate.param)
        return aggregate(ev, n, param.scalar, &in, out);
    return eval_topk(ev, n, param.scalar, &in, out);
}
