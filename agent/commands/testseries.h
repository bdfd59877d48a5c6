/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testseries.h - the notation of series in unit tests of rules.
 *
 * Values stand apart by blanks; a number, `stale` or `_` (none) is one of
 * them, and
 *     1x4       is 1 1 1 1 1
 *     1+2x3     is 1 3 5 7
 *     8-2x2     is 8 6 4
 *     _x3       is _ _ _
 * Facts: prometheus/prometheus docs/configuration/unit_testing_rules.md and
 * promql/parser/generated_parser.y (series_values).
 */
#ifndef AGENT_COMMANDS_TESTSERIES_H
#define AGENT_COMMANDS_TESTSERIES_H

#include "agent/base/err.h"
#include "agent/metric/labels.h"

/* Values of one series; more are refused. */
#define TEST_VALUES_MAX 1000000

struct test_value {
    double v;
    bool omitted;
};

struct test_values { /* to be freed: items */
    struct test_value *items;
    size_t count, cap;
};

/* The error names the column, from 1. */
must_check bool test_values_parse(struct str text, struct test_values *out,
                                  struct err *err);
/* name{label="value"}; `{}` and nothing are the empty set.  The labels live
 * in `a`. */
must_check bool test_labels_parse(struct str text, struct arena *a,
                                  const struct labels **out, struct err *err);
/* A number as YAML writes one: 1e3, .inf, -.inf, .nan. */
bool test_number_parse(struct str text, double *out);

#endif
