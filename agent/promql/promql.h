/* SPDX-License-Identifier: Apache-2.0 */
/*
 * promql.h - instant queries of Prometheus 3 over a store.
 *
 * Parse once, evaluate often.  An expression owns its tree; an evaluation
 * allocates from the arena it is given and nowhere else, and its result is
 * good until that arena is reset (labels may be lent by the store: use the
 * result before the store changes).
 *
 * Errors of promql_parse() read "LINE:COL: parse error: ..." as Prometheus'
 * do, COL counting bytes from 1; promql_caret() shows the place.
 */
#ifndef AGENT_PROMQL_PROMQL_H
#define AGENT_PROMQL_PROMQL_H

#include "agent/base/arena.h"
#include "agent/base/err.h"
#include "agent/metric/labels.h"
#include "agent/metric/sample.h"
#include "agent/store/store.h"

struct promql; /* a parsed, typed expression */

enum promql_type {
    PROMQL_SCALAR,
    PROMQL_STRING,
    PROMQL_VECTOR, /* instant vector */
    PROMQL_MATRIX, /* range vector */
};

struct promql_options {
    int64_t lookback_ms; /* 0: 5 minutes */
    bool experimental;   /* functions behind Prometheus' flag */
};

struct promql_error {
    struct err err;
    size_t offset; /* byte of the text where it stands, and how far it goes */
    size_t length;
};

struct promql *promql_parse(struct str text,
                            const struct promql_options *options,
                            struct promql_error *error);
void promql_free(struct promql *q);
enum promql_type promql_type(const struct promql *q);
const char *promql_type_name(enum promql_type t); /* "instant vector" ... */
/* The text it was parsed from; lent by `q`. */
struct str promql_text(const struct promql *q);
/* The line of `text` at fault, and ^^^^ under the spot; two lines. */
void promql_caret(struct str text, const struct promql_error *error,
                  struct buf *out);

/*
 * What it reads: every vector selector with its matchers, and how far back
 * from the evaluation time it looks (range, offset, lookback and enclosing
 * subqueries added up; matchers are lent by `q`).
 */
struct promql_selector {
    const struct matcher *matchers;
    size_t matcher_count;
    int64_t reach_ms;
    struct str text; /* as written */
    bool range;      /* looks at a range, so it wants at least two samples */
    bool fixed; /* looks at a fixed time (@ 1700000000), whatever its reach */
    struct str over; /* "sum", "max" ...: the innermost aggregation over it
                        that drops the label instance; empty without one */
};
size_t promql_selectors(const struct promql *q,
                        const struct promql_selector **out);
int64_t promql_reach(const struct promql *q); /* the longest of them */

struct promql_row {
    const struct labels *labels;
    int64_t t_ms;
    double v;
    const struct sample *samples; /* matrix only */
    size_t count;
};

struct promql_result {
    enum promql_type type;
    double scalar;
    struct str string;
    struct promql_row *rows;
    size_t row_count;
};

/* Hears of each series that was read, with the newest sample that was used:
 * how a value is traced to its inputs. */
typedef void promql_input_fn(void *arg, const struct labels *labels,
                             struct sample newest);

struct promql_eval {
    const struct store *store;
    int64_t t_ms;    /* evaluation time */
    int64_t step_ms; /* of a subquery that states none; 0: 1m */
    struct arena *arena;
    promql_input_fn *input; /* may be NULL */
    void *input_arg;
    /* Samples read and computed; memory is bounded by 64 bytes for each, and
     * 64 MiB.  0: 50,000,000, as Prometheus' query.max-samples. */
    size_t max_samples;
};

must_check bool promql_eval(const struct promql *q,
                            const struct promql_eval *with,
                            struct promql_result *out, struct err *err);

/* Whether the order of the rows is the expression's (sort, topk ...). */
bool promql_ordered(const struct promql *q);
/* By labels: an order for people and tests where there is none. */
void promql_sort(struct promql_result *r);

/* The `data` object of Prometheus' query API: {"resultType":..,"result":..} */
void promql_print_json(const struct promql_result *r, int64_t t_ms,
                       struct buf *out);

#endif
