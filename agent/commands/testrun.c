/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/testrun.h"

#include "agent/base/mem.h"
#include "agent/base/num.h"
#include "agent/metric/sample.h"
#include "agent/promql/quote.h"

#include <math.h>
#include <stdlib.h>

/* ---- samples ---- */

/* Of two series with the same labels the last one counts. */
static bool is_hidden(const struct test_group *g, size_t i)
{
    for (size_t k = i + 1; k < g->input_series_count; k++)
        if (labels_eq(g->input_series[k].parsed.labels,
                      g->input_series[i].parsed.labels))
            return true;
    return false;
}

void test_feed_init(struct test_feed *f, const struct test_group *g,
                    struct store *store, int64_t start_ms)
{
    size_t n = g->input_series_count;

    *f = (struct test_feed){.group = g, .store = store, .start_ms = start_ms};
    f->next = xcalloc(n ? n : 1, sizeof(*f->next));
    for (size_t i = 0; i < n; i++)
        if (is_hidden(g, i))
            f->next[i] = g->input_series[i].parsed.values.count;
}

void test_feed_fini(struct test_feed *f)
{
    free(f->next);
}

static void feed_series(struct test_feed *f, size_t i, int64_t t_ms)
{
    const struct test_series *s = &f->group->input_series[i];
    const struct test_values *v = &s->parsed.values;

    for (; f->next[i] < v->count; f->next[i]++) {
        const struct test_value *value = &v->items[f->next[i]];
        int64_t at = f->start_ms + (int64_t)f->next[i] * f->group->interval_ms;

        if (at > t_ms)
            return;
        if (!value->omitted)
            (void)series_append(store_series(f->store, s->parsed.labels), at,
                                value->v);
    }
}

void test_feed_until(struct test_feed *f, int64_t t_ms)
{
    for (size_t i = 0; i < f->group->input_series_count; i++)
        feed_series(f, i, t_ms);
}

/* ---- rows ---- */

struct test_rows test_rows_expected(const struct test_sample *s, size_t count,
                                    struct arena *a)
{
    struct test_rows rows = {arena_array(a, count, sizeof(*rows.items)), count};

    for (size_t i = 0; i < count; i++)
        rows.items[i] =
            (struct test_row){s[i].parsed.labels, s[i].parsed.value};
    return rows;
}

static int by_labels(const void *x, const void *y)
{
    const struct test_row *a = x, *b = y;

    return labels_cmp(a->labels, b->labels);
}

static void sort(struct test_rows *rows)
{
    if (rows->count > 1)
        qsort(rows->items, rows->count, sizeof(*rows->items), by_labels);
}

bool test_rows_equal(struct test_rows *x, struct test_rows *y,
                     bool (*equal)(double expected, double got))
{
    sort(x);
    sort(y);
    if (x->count != y->count)
        return false;
    for (size_t i = 0; i < x->count; i++)
        if (!labels_eq(x->items[i].labels, y->items[i].labels) ||
            !equal(x->items[i].value, y->items[i].value))
            return false;
    return true;
}

void test_rows_print(const struct test_rows *rows, struct buf *out)
{
    char number[NUM_MAX];

    if (rows->count == 0)
        buf_addz(out, "nil");
    for (size_t i = 0; i < rows->count; i++) {
        buf_addz(out, i ? ", " : "");
        if (rows->items[i].labels->count == 0)
            buf_addz(out, "{}");
        else
            labels_print(rows->items[i].labels, out);
        (void)num_json(rows->items[i].value, number);
        buf_addf(out, " %s", number);
    }
}

void test_print_name(const struct test_group *g, struct buf *out)
{
    if (g->name[0])
        buf_addf(out, "    name: %s,\n", g->name);
}

/* ---- groups ---- */

struct run {
    const struct test_file *file;
    const struct test_group *group;
    struct groups *rules;
    struct store *store;
    struct arena arena;   /* of one evaluation */
    struct promql *query; /* the newest */
    struct buf *out;
    bool ok;
};

/* Those that are not named come with the first, as in promtool. */
static size_t place_of(const struct test_file *f, const struct group *g)
{
    const struct conf_list *order = &f->values.group_eval_order;

    for (size_t i = 0; i < order->count; i++)
        if (str_eqz(g->name, order->items[i]))
            return i;
    return 0;
}

static struct group **order_groups(const struct test_file *f, struct groups *g)
{
    struct group **order = xcalloc(g->count + 1, sizeof(struct group *));

    for (size_t i = 0; i < g->count; i++) {
        size_t k = i;

        for (; k > 0 && place_of(f, order[k - 1]) > place_of(f, &g->items[i]);
             k--)
            order[k] = order[k - 1];
        order[k] = &g->items[i];
    }
    return order;
}

static void tell_time(struct run *run, int64_t ms)
{
    char text[WHEN_TEXT];

    when_duration_format(ms, text);
    buf_addf(run->out, ", time: %s,", text);
}

static void record_all(struct run *run, struct group *g, int64_t t_ms)
{
    const struct record_world w = {
        .store = run->store,
        .arena = &run->arena,
        .step_ms = run->file->values.evaluation_interval_ms};
    struct err err;

    group_begin(g, t_ms);
    for (size_t i = 0; i < g->count; i++) {
        arena_reset(&run->arena);
        if (record_evaluate(&g->records[i], g, &w, &err))
            continue;
        run->ok = false;
        test_print_name(run->group, run->out);
        buf_addf(run->out, "    rule: %.*s", STR_ARG(g->records[i].name));
        tell_time(run, t_ms - run->group->start_ms);
        buf_addf(run->out, " err: %s\n", err.text);
    }
}

static int64_t last_time(const struct test_group *g)
{
    int64_t last = 0;

    for (size_t i = 0; i < g->promql_expr_test_count; i++)
        if (g->promql_expr_test[i].eval_time_ms > last)
            last = g->promql_expr_test[i].eval_time_ms;
    return last;
}

/* A rule that fails ends the test. */
static bool run_rules(struct run *run)
{
    const struct test_group *g = run->group;
    int64_t end = last_time(g);
    struct group **order = order_groups(run->file, run->rules);
    struct test_feed feed;

    groups_forget(run->rules);
    test_feed_init(&feed, g, run->store, g->start_ms);
    for (int64_t t = 0; t <= end && run->ok;
         t += run->file->values.evaluation_interval_ms) {
        test_feed_until(&feed, g->start_ms + t);
        for (size_t i = 0; i < run->rules->count; i++)
            record_all(run, order[i], g->start_ms + t);
    }
    test_feed_fini(&feed);
    free(order);
    return run->ok;
}

/* ---- expressions ---- */

/* NaN is taken for NaN here, since nothing else could be meant by it. */
static bool is_equal(double expected, double got)
{
    return expected == got || (isnan(expected) && isnan(got));
}

static bool is_near(double expected, double got)
{
    return is_equal(expected, got) || nextafter(expected, HUGE_VAL) == got ||
           nextafter(expected, -HUGE_VAL) == got;
}

static void tell_expr(struct run *run, const struct test_expr *t)
{
    run->ok = false;
    test_print_name(run->group, run->out);
    buf_addz(run->out, "    expr: ");
    quote_text(run->out, str_of(t->expr));
    tell_time(run, t->eval_time_ms);
}

static bool query(struct run *run, const struct test_expr *t,
                  struct promql_result *out, struct err *err)
{
    const struct promql_eval with = {
        .store = run->store,
        .t_ms = run->group->start_ms + t->eval_time_ms,
        .step_ms = run->file->values.evaluation_interval_ms,
        .arena = &run->arena};
    struct promql_error error;

    promql_free(run->query);
    run->query =
        promql_parse(str_of(t->expr), &(struct promql_options){0}, &error);
    if (!run->query)
        return err_set(err, ERR_INPUT, "%s", error.err.text);
    return promql_eval(run->query, &with, out, err);
}

static bool read_rows(const struct promql_result *r, struct arena *a,
                      struct test_rows *out, struct err *err)
{
    size_t n = r->type == PROMQL_SCALAR ? 1 : r->row_count;

    if (r->type != PROMQL_SCALAR && r->type != PROMQL_VECTOR)
        return err_set(err, ERR_INPUT,
                       "gives a %s, not an instant vector or a scalar",
                       promql_type_name(r->type));
    *out = (struct test_rows){arena_array(a, n, sizeof(*out->items)), n};
    for (size_t i = 0; i < n; i++)
        out->items[i] =
            r->type == PROMQL_SCALAR
                ? (struct test_row){&labels_empty, r->scalar}
                : (struct test_row){r->rows[i].labels, r->rows[i].v};
    return true;
}

static void run_expression(struct run *run, const struct test_expr *t)
{
    bool fuzzy = run->file->values.fuzzy_compare;
    struct promql_result result = {.rows = NULL};
    struct test_rows expected, got = {.items = NULL};
    struct err err;

    arena_reset(&run->arena);
    if (!query(run, t, &result, &err) ||
        !read_rows(&result, &run->arena, &got, &err)) {
        tell_expr(run, t);
        buf_addf(run->out, " err: %s\n", err.text);
        return;
    }
    expected =
        test_rows_expected(t->exp_samples, t->exp_samples_count, &run->arena);
    if (test_rows_equal(&expected, &got, fuzzy ? is_near : is_equal))
        return;
    tell_expr(run, t);
    buf_addz(run->out, "\n        exp: ");
    test_rows_print(&expected, run->out);
    buf_addz(run->out, "\n        got: ");
    test_rows_print(&got, run->out);
    buf_addc(run->out, '\n');
}

bool test_run_expressions(const struct test_file *f, const struct test_group *g,
                          struct groups *rules, struct buf *out)
{
    const struct store_options all = {.retention_ms = INT64_MAX / 4};
    struct run run = {
        .file = f, .group = g, .rules = rules, .out = out, .ok = true};

    run.store = store_new(&all);
    arena_init(&run.arena, 65536);
    if (run_rules(&run))
        for (size_t i = 0; i < g->promql_expr_test_count; i++)
            run_expression(&run, &g->promql_expr_test[i]);
    promql_free(run.query);
    arena_fini(&run.arena);
    store_free(run.store);
    return run.ok;
}
