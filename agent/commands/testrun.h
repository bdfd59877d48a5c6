/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testrun.h - unit tests of rules, run over a store of their own.
 *
 * As promtool does it: from the start of a test to its last eval_time, every
 * evaluation_interval, the samples up to then are added and all groups are
 * evaluated; then the expressions are.  Pure: what fails is written to a
 * buffer.
 */
#ifndef AGENT_COMMANDS_TESTRUN_H
#define AGENT_COMMANDS_TESTRUN_H

#include "agent/commands/testfile.h"
#include "agent/rules/rules.h"

struct settings;

/* False when something fails; it is told in `out`, as promtool words it. */
bool test_run_expressions(const struct test_file *f, const struct test_group *g,
                          struct groups *rules, struct buf *out);
/* The metrics, evaluated as the agent with these settings would (its rule
 * files, not the test's; testmetric.c). */
bool test_run_metrics(const struct test_file *f, const struct test_group *g,
                      const struct settings *s, struct buf *out);

/* ---- shared by both ---- */

/* Adds a test's samples to a store as time goes on. */
struct test_feed {
    const struct test_group *group;
    struct store *store;
    int64_t start_ms;
    size_t *next; /* of each series: the value to be added next */
};
void test_feed_init(struct test_feed *f, const struct test_group *g,
                    struct store *store, int64_t start_ms);
void test_feed_fini(struct test_feed *f);
void test_feed_until(struct test_feed *f, int64_t t_ms);

/* Rows side by side: what was asked for and what came. */
struct test_row {
    const struct labels *labels;
    double value;
};
struct test_rows {
    struct test_row *items;
    size_t count;
};
struct test_rows test_rows_expected(const struct test_sample *s, size_t count,
                                    struct arena *a);
/* Sorts both. */
bool test_rows_equal(struct test_rows *x, struct test_rows *y,
                     bool (*equal)(double expected, double got));
void test_rows_print(const struct test_rows *rows, struct buf *out);
/* "    name: N,\n" where the test has a name. */
void test_print_name(const struct test_group *g, struct buf *out);

#endif
