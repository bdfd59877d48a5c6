/* SPDX-License-Identifier: Apache-2.0 */
/*
 * func.h - the table of functions.
 *
 * A row says what a function takes and gives, and how it is computed: `map`
 * for a number to a number, row by row; `range` for the samples of one
 * series to a number; `call` for the rest.  A row without any of them is
 * known and refused.  To add a function, add a row to
 * func.c and its implementation to the eval_*.c of its family.
 * Facts: prometheus/prometheus promql/parser/functions.go (3.14).
 */
#ifndef AGENT_PROMQL_FUNC_H
#define AGENT_PROMQL_FUNC_H

#include "agent/promql/eval.h"

#define FUNC_MAX_TYPES 5

enum func_flag {
    FUNC_EXPERIMENTAL = 1,
    FUNC_NATIVE = 2,    /* reads native histograms, which are not held */
    FUNC_KEEP_NAME = 4, /* of a range function: the metric name stays */
    FUNC_ORDERED = 8,   /* the order of the result means something */
};

struct func {
    const char *name;
    enum promql_type types[FUNC_MAX_TYPES];
    int type_count;
    int variadic; /* optional arguments at the end; -1: any number */
    enum promql_type result;
    unsigned flags;
    func_map_fn *map;
    func_range_fn *range;
    func_call_fn *call;
};

/* NULL when there is none of that name. */
const struct func *func_find(struct str name);
/* `i` from 0; NULL at the end. */
const struct func *func_at(size_t i);

#endif
