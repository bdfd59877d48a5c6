/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testfile.h - unit tests of rules: the file format of `promtool test rules`,
 * and metric_test, which is ours.
 *
 * Facts: prometheus/prometheus docs/configuration/unit_testing_rules.md and
 * cmd/promtool/unittest.go.  The structs are what the tables read; `parsed`
 * members are made from the texts beside them.  All of it lives in the file's
 * conf.
 */
#ifndef AGENT_COMMANDS_TESTFILE_H
#define AGENT_COMMANDS_TESTFILE_H

#include "agent/commands/testseries.h"
#include "agent/config/source.h"

struct test_series {
    char *series, *values;
    struct {
        const struct labels *labels;
        struct test_values values; /* freed with the file */
    } parsed;
};

struct test_sample {
    char *labels, *value;
    struct {
        const struct labels *labels;
        double value;
    } parsed;
};

struct test_expr {
    char *expr;
    int64_t eval_time_ms;
    struct test_sample *exp_samples;
    size_t exp_samples_count;
};

/* One of: a value, some samples, or that there is none. */
struct test_metric {
    char *metric;
    int64_t eval_time_ms;
    char *value, *reason;
    bool missing;
    struct test_sample *exp_samples;
    size_t exp_samples_count;
    double parsed;
};

struct test_alert; /* passed over */

struct test_group {
    char *name;
    int64_t interval_ms; /* between two values of a series */
    char *start_timestamp;
    struct test_series *input_series;
    size_t input_series_count;
    struct test_expr *promql_expr_test;
    size_t promql_expr_test_count;
    struct test_alert *alert_rule_test;
    size_t alert_rule_test_count;
    struct test_metric *metric_test;
    size_t metric_test_count;
    struct conf_map external_labels; /* of templates: not needed */
    char *external_url;
    int64_t start_ms; /* parsed */
};

struct test_settings {
    struct conf_list rule_files, group_eval_order;
    int64_t evaluation_interval_ms;
    bool fuzzy_compare; /* also the two numbers beside the expected one */
    struct test_group *tests;
    size_t tests_count;
};

struct test_file {
    struct conf *conf; /* its faults */
    struct test_settings values;
};

/* Reads and checks; whether it can be used is conf_good(). */
void test_file_read(struct test_file *f, const char *name, struct str text);
void test_file_fini(struct test_file *f);
size_t test_file_alerts(const struct test_file *f);
bool test_file_has_metrics(const struct test_file *f);

#endif
