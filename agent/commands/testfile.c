/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/testfile.h"

#include <math.h>
#include <stdlib.h>

/* Longer than anybody waits for a test to end. */
#define TIME_MAX (366 * WHEN_DAY)

struct exp_alert {
    struct conf_map exp_labels, exp_annotations;
};

struct test_alert {
    int64_t eval_time_ms;
    char *alertname;
    struct exp_alert *exp_alerts;
    size_t exp_alerts_count;
};

static const struct conf_key series_keys[] = {
    CONF_TEXT(test_series, series, NULL, "The series: name{label=\"value\"}.",
              .flags = CONF_MUST | CONF_FILLED),
    CONF_TEXT(test_series, values, "", "Its values: 1 2 3, 1+1x5, _x3, stale."),
    CONF_END,
};

static const struct conf_key sample_keys[] = {
    CONF_TEXT(test_sample, labels, "", "The row: name{label=\"value\"}."),
    CONF_TEXT(test_sample, value, "0", "Its value."),
    CONF_END,
};

static const struct conf_key expr_keys[] = {
    CONF_TEXT(test_expr, expr, NULL, "PromQL.",
              .flags = CONF_MUST | CONF_FILLED),
    CONF_MS(test_expr, eval_time, "0s", 0, TIME_MAX,
            "When it is evaluated, from the start of the test."),
    CONF_ROWS(test_expr, exp_samples, test_sample, sample_keys,
              "The rows that it must give."),
    CONF_END,
};

static const struct conf_key exp_alert_keys[] = {
    CONF_MAP(exp_alert, exp_labels, NULL, "Passed over."),
    CONF_MAP(exp_alert, exp_annotations, NULL, "Passed over."),
    CONF_END,
};

static const struct conf_key alert_keys[] = {
    CONF_MS(test_alert, eval_time, "0s", 0, TIME_MAX, "Passed over."),
    CONF_TEXT(test_alert, alertname, "", "Passed over."),
    CONF_ROWS(test_alert, exp_alerts, exp_alert, exp_alert_keys,
              "Passed over."),
    CONF_END,
};

static const struct conf_key metric_keys[] = {
    CONF_TEXT(test_metric, metric, NULL, "Name of a metric of the agent's.",
              .flags = CONF_MUST | CONF_FILLED),
    CONF_MS(test_metric, eval_time, "0s", 0, TIME_MAX,
            "When it is evaluated, from the start of the test."),
    CONF_TEXT(test_metric, value, "", "The one number that it must give."),
    CONF_BOOL(test_metric, missing, "false", "It must give none."),
    CONF_TEXT(test_metric, reason, "", "What the reason for that must hold."),
    CONF_ROWS(test_metric, exp_samples, test_sample, sample_keys,
              "The rows that it must give."),
    CONF_END,
};

static const struct conf_key group_keys[] = {
    CONF_TEXT(test_group, name, "", "What the test is called."),
    CONF_MS(test_group, interval, "0s", 0, TIME_MAX,
            "Between two values of a series; 0: evaluation_interval."),
    CONF_TEXT(
        test_group, start_timestamp, "",
        "The clock's time at the start: seconds since 1970, or RFC 3339."),
    CONF_ROWS(test_group, input_series, test_series, series_keys,
              "What is there to read."),
    CONF_ROWS(test_group, promql_expr_test, test_expr, expr_keys,
              "Expressions and what they must give."),
    CONF_ROWS(test_group, alert_rule_test, test_alert, alert_keys,
              "Passed over."),
    CONF_ROWS(test_group, metric_test, test_metric, metric_keys,
              "Metrics of the agent's and what they must give."),
    CONF_MAP(test_group, external_labels, NULL, "Passed over."),
    CONF_TEXT(test_group, external_url, "", "Passed over."),
    CONF_END,
};

static const struct conf_key file_keys[] = {
    CONF_LIST(test_settings, rule_files, NULL,
              "Rule files, seen from this file's folder."),
    CONF_LIST(test_settings, group_eval_order, NULL,
              "Groups that are evaluated in this order."),
    CONF_MS(test_settings, evaluation_interval, "1m", 1, TIME_MAX,
            "Between two evaluations of all groups."),
    CONF_BOOL(test_settings, fuzzy_compare, "false",
              "Take the neighbours of a number as well."),
    CONF_ROWS(test_settings, tests, test_group, group_keys, "The tests."),
    CONF_END,
};

/* ---- texts that mean something ---- */

static void parse_labels(struct conf *c, const char *const *field,
                         const struct labels **out)
{
    struct err err;

    if (!test_labels_parse(str_of(*field), conf_arena(c), out, &err))
        conf_blame(c, field, "%s", err.text);
}

static void parse_series(struct conf *c, struct test_series *s)
{
    struct err err = {.kind = ERR_NONE};

    s->parsed.labels = &labels_empty;
    parse_labels(c, (const char *const *)&s->series, &s->parsed.labels);
    if (!test_values_parse(str_of(s->values), &s->parsed.values, &err))
        conf_blame(c, &s->values, "%s", err.text);
}

static void parse_samples(struct conf *c, struct test_sample *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        parse_labels(c, (const char *const *)&s[i].labels, &s[i].parsed.labels);
        if (!test_number_parse(str_of(s[i].value), &s[i].parsed.value))
            conf_blame(c, &s[i].value, "\"%s\" is no number", s[i].value);
    }
}

static void parse_metric(struct conf *c, struct test_metric *m)
{
    bool rows = m->exp_samples_count > 0, value = m->value[0] != '\0';

    parse_samples(c, m->exp_samples, m->exp_samples_count);
    if (value && (!test_number_parse(str_of(m->value), &m->parsed) ||
                  !isfinite(m->parsed)))
        conf_blame(c, &m->value, "\"%s\" is no number that could be published",
                   m->value);
    if (rows + value + m->missing != 1 && !conf_faulty(c, m))
        conf_blame_section(c, m,
                           "must say one of value, exp_samples and missing");
    else if (m->reason[0] && !m->missing)
        conf_blame(c, &m->reason, "goes with missing: true");
}

/* As promtool reads it: Unix seconds, or RFC 3339. */
static void parse_start(struct conf *c, struct test_group *g)
{
    struct str text = str_trim(str_of(g->start_timestamp));
    double seconds;

    if (text.len == 0 || when_rfc3339_parse(text, &g->start_ms))
        return;
    if (test_number_parse(text, &seconds) && fabs(seconds) < 9e12)
        g->start_ms = (int64_t)round(seconds * 1000);
    else
        conf_blame(c, &g->start_timestamp,
                   "\"%s\" is no time: seconds since 1970, or "
                   "2025-11-24T17:00:00Z",
                   g->start_timestamp);
}

static void parse_group(struct test_file *f, struct test_group *g)
{
    struct conf *c = f->conf;

    if (g->interval_ms == 0)
        g->interval_ms = f->values.evaluation_interval_ms;
    parse_start(c, g);
    for (size_t i = 0; i < g->input_series_count; i++)
        parse_series(c, &g->input_series[i]);
    for (size_t i = 0; i < g->promql_expr_test_count; i++)
        parse_samples(c, g->promql_expr_test[i].exp_samples,
                      g->promql_expr_test[i].exp_samples_count);
    for (size_t i = 0; i < g->metric_test_count; i++)
        parse_metric(c, &g->metric_test[i]);
}

static void check_order(struct test_file *f)
{
    const struct conf_list *order = &f->values.group_eval_order;

    for (size_t i = 0; i < order->count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(order->items[i], order->items[k]) == 0)
                conf_blame(f->conf, &order->items[i],
                           "\"%s\" stands here twice", order->items[i]);
}

void test_file_read(struct test_file *f, const char *name, struct str text)
{
    const struct conf_node *root;

    *f = (struct test_file){.conf = conf_new()};
    root = conf_parse(f->conf, name, text);
    if (!conf_good(f->conf))
        return;
    conf_read(f->conf, file_keys, root, &f->values);
    check_order(f);
    for (size_t i = 0; i < f->values.tests_count; i++)
        parse_group(f, &f->values.tests[i]);
}

void test_file_fini(struct test_file *f)
{
    for (size_t i = 0; i < f->values.tests_count; i++)
        for (size_t k = 0; k < f->values.tests[i].input_series_count; k++)
            free(f->values.tests[i].input_series[k].parsed.values.items);
    conf_free(f->conf);
}

size_t test_file_alerts(const struct test_file *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->values.tests_count; i++)
        n += f->values.tests[i].alert_rule_test_count;
    return n;
}

bool test_file_has_metrics(const struct test_file *f)
{
    for (size_t i = 0; i < f->values.tests_count; i++)
        if (f->values.tests[i].metric_test_count > 0)
            return true;
    return false;
}
