/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/eval.h"

#include "agent/promql/func.h"
#include "agent/promql/subset.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_SLACK ((size_t)1 << 20)
#define MAX_SAMPLES ((size_t)50000000) /* Prometheus' query.max-samples */

bool eval_fail(struct eval *ev, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set(ev->err, ERR_INPUT, "%s", text);
}

/* Memory follows from what was counted, up to this many bytes a sample. */
#define BYTES_A_SAMPLE 64

bool eval_charge(struct eval *ev, size_t samples)
{
    size_t used = ev->arena->used - ev->arena_start;

    if (samples > ev->max_samples - ev->samples ||
        used / BYTES_A_SAMPLE > ev->max_samples + ARENA_SLACK)
        return err_set(ev->err, ERR_LIMIT,
                       "query processing would load too many samples into "
                       "memory (over %zu)",
                       ev->max_samples);
    ev->samples += samples;
    return true;
}

void value_vector(struct eval *ev, struct value *v, size_t cap)
{
    *v = (struct value){.type = PROMQL_VECTOR};
    v->rows = cap ? arena_alloc(ev->arena, cap * sizeof(*v->rows)) : NULL;
}

bool value_unique(struct eval *ev, const struct value *v)
{
    struct subset_index ix;

    if (v->count < 2)
        return true;
    subset_index_init(&ix, NULL, v->count, ev->arena);
    for (size_t i = 0; i < v->count; i++) {
        bool added;

        (void)subset_index_add(&ix, v->rows[i].labels, &added);
        if (!added)
            return eval_fail(ev, "vector cannot contain metrics with the "
                                 "same labelset");
    }
    return true;
}

static bool eval_unary(struct eval *ev, const struct node *n, struct value *out)
{
    if (!eval_node(ev, n->child, out))
        return false;
    if (n->op != T_SUB)
        return true;
    out->scalar = -out->scalar;
    for (size_t i = 0; i < out->count; i++) {
        struct promql_row *row = &out->rows[i];

        row->v = -row->v;
        row->labels = subset_labels(&subset_nameless, row->labels, ev->arena);
    }
    return value_unique(ev, out);
}

bool eval_node(struct eval *ev, const struct node *n, struct value *out)
{
    switch (n->kind) {
    case NODE_NUMBER:
        value_scalar(out, n->number);
        return true;
    case NODE_STRING:
        *out = (struct value){.type = PROMQL_STRING, .string = n->string};
        return true;
    case NODE_PAREN:
        return eval_node(ev, n->child, out);
    case NODE_UNARY:
        return eval_unary(ev, n, out);
    case NODE_BINARY:
        return eval_binary(ev, n, out);
    case NODE_AGGREGATE:
        return eval_aggregate(ev, n, out);
    case NODE_CALL:
        return eval_call(ev, n, out);
    case NODE_SELECTOR:
        return eval_selector(ev, n, false, out);
    case NODE_MATRIX:
        return eval_matrix(ev, n, out);
    case NODE_SUBQUERY:
        return eval_subquery(ev, n, out);
    }
    return false;
}

bool promql_ordered(const struct promql *q)
{
    const struct node *n = q->root;

    while (n->kind == NODE_PAREN)
        n = n->child;
    if (n->kind == NODE_AGGREGATE)
        return n->op == T_TOPK || n->op == T_BOTTOMK;
    return n->kind == NODE_CALL && n->call.func->flags & FUNC_ORDERED;
}

bool promql_eval(const struct promql *q, const struct promql_eval *with,
                 struct promql_result *out, struct err *err)
{
    struct err scratch = {0};
    struct eval ev = {
        .q = q,
        .with = with,
        .arena = with->arena,
        .arena_start = with->arena->used,
        .query_ms = with->t_ms,
        .t_ms = with->t_ms,
        .lookback_ms = q->options.lookback_ms,
        .max_samples = with->max_samples ? with->max_samples : MAX_SAMPLES,
        .err = err ? err : &scratch,
    };
    struct value v;

    if (!eval_node(&ev, q->root, &v))
        return false;
    *out = (struct promql_result){v.type, v.scalar, v.string, v.rows, v.count};
    return true;
}

/* NaN first, as Prometheus sorts for quantiles. */
static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    if (isnan(x) || isnan(y))
        return (int)isnan(y) - (int)isnan(x);
    return (x > y) - (x < y);
}

void sort_numbers(double *v, size_t n)
{
    if (n > 1)
        qsort(v, n, sizeof(*v), compare_numbers);
}

double number_quantile(double q, double *values, size_t n)
{
    double rank, weight;
    size_t lower, upper;

    if (n == 0 || isnan(q))
        return sample_nan();
    if (q < 0 || q > 1)
        return q < 0 ? -HUGE_VAL : HUGE_VAL;
    sort_numbers(values, n);
    rank = q * (double)(n - 1);
    lower = (size_t)floor(rank);
    upper = lower + 1 < n ? lower + 1 : n - 1;
    weight = rank - floor(rank);
    return values[lower] * (1 - weight) + values[upper] * weight;
}
