/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval.h - what the evaluator's files share.
 *
 * A value is a scalar, a string, or rows; rows of a vector have one sample,
 * rows of a matrix a run of them.  Everything lives in the arena of the
 * evaluation; labels are lent by the store until an operation changes them.
 * A function that fails has set `err` and returns false; partial results are
 * of no use then.
 */
#ifndef AGENT_PROMQL_EVAL_H
#define AGENT_PROMQL_EVAL_H

#include "agent/promql/ast.h"
#include "agent/promql/promql.h"

struct eval {
    const struct promql *q;
    const struct promql_eval *with;
    struct arena *arena;
    int64_t query_ms; /* of the whole query: start() and end() */
    int64_t t_ms;     /* of this step; differs inside a subquery */
    int64_t lookback_ms;
    size_t samples, max_samples;
    size_t arena_start; /* bytes that the arena had handed out before */
    struct err *err;
};

struct value {
    enum promql_type type;
    double scalar;
    struct str string;
    struct promql_row *rows;
    size_t count;
    /* Of a matrix: the window (start, end]. */
    int64_t start_ms, end_ms;
};

/* A range function's view of one series: at least one sample. */
struct range_call {
    const struct sample *samples;
    size_t count;
    int64_t start_ms, end_ms;
    int64_t t_ms;
    double args[2]; /* its scalar arguments, in order */
    struct eval *ev;
};

typedef double func_map_fn(double v);
/* False: no row for this series.  (`ev->err` may be set: the whole fails.) */
typedef bool func_range_fn(const struct range_call *c, double *out);
typedef bool func_call_fn(struct eval *ev, const struct node *n,
                          struct value *args, struct value *out);

must_check bool eval_node(struct eval *ev, const struct node *n,
                          struct value *out);
must_check bool eval_selector(struct eval *ev, const struct node *n,
                              bool own_time, struct value *out);
must_check bool eval_matrix(struct eval *ev, const struct node *n,
                            struct value *out);
must_check bool eval_subquery(struct eval *ev, const struct node *n,
                              struct value *out);
must_check bool eval_binary(struct eval *ev, const struct node *n,
                            struct value *out);
/* Both sides vectors, an operator that is no set operator. */
must_check bool eval_join(struct eval *ev, const struct node *n,
                          const struct value *left, const struct value *right,
                          struct value *out);
/* Of one pair of numbers; `*keep` is false where a filter drops it. */
double eval_element(const struct node *n, double a, double b, bool *keep);
/* Whether a binary operation takes the metric name off. */
bool eval_renames(const struct node *n);
must_check bool eval_aggregate(struct eval *ev, const struct node *n,
                               struct value *out);
must_check bool eval_topk(struct eval *ev, const struct node *n, double k,
                          const struct value *in, struct value *out);
must_check bool eval_count_values(struct eval *ev, const struct node *n,
                                  const struct value *in, struct value *out);
must_check bool eval_call(struct eval *ev, const struct node *n,
                          struct value *out);

/* An evaluation's error; always false. */
bool eval_fail(struct eval *ev, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Counts towards max_samples. */
must_check bool eval_charge(struct eval *ev, size_t samples);
/* Room for `cap` rows; `count` is 0. */
void value_vector(struct eval *ev, struct value *v, size_t cap);
static inline void value_add(struct value *v, const struct labels *labels,
                             int64_t t_ms, double number)
{
    v->rows[v->count++] =
        (struct promql_row){.labels = labels, .t_ms = t_ms, .v = number};
}
static inline void value_scalar(struct value *v, double number)
{
    *v = (struct value){.type = PROMQL_SCALAR, .scalar = number};
}
/* Fails with Prometheus' words when two rows have the same labels. */
must_check bool value_unique(struct eval *ev, const struct value *v);

/* Sorts NaN first, else ascending; stable in the order of equal values. */
void sort_numbers(double *v, size_t n);
double number_quantile(double q, double *values, size_t n);

/* Kahan's sum with Neumaier's improvement, as Prometheus has it. */
struct kahan {
    double sum, c;
};
static inline void kahan_add(struct kahan *k, double v)
{
    double t = k->sum + v;

    if (__builtin_isinf(t))
        k->c = 0;
    else if (__builtin_fabs(k->sum) >= __builtin_fabs(v))
        k->c += (k->sum - t) + v;
    else
        k->c += (v - t) + k->sum;
    k->sum = t;
}

/* Begins with the first value as k.sum and a count of 1. */
struct mean {
    struct kahan k;
    double count;
    bool running;
};
void mean_add(struct mean *m, double v);
double mean_get(const struct mean *m);

#endif
