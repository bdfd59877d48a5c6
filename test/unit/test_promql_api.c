/* SPDX-License-Identifier: Apache-2.0 */
/* What the case files of test_promql cannot say: the table of functions, the
 * page that lists it, inputs, limits and what is known without samples. */
#include "agent/promql/func.h"
#include "test/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>

static struct promql *parse(const char *text)
{
    struct promql_error error;
    struct promql *q = promql_parse(str_of(text), NULL, &error);

    if (!q)
        fail_msg("%s: %s", text, error.err.text);
    return q;
}

static void add(struct store *store, const char *name, const char *job,
                int64_t t_ms, double v)
{
    struct labels_builder b = {0};
    struct labels *labels;

    labels_set(&b, LABEL_NAME, str_of(name));
    labels_set(&b, LABEL_JOB, str_of(job));
    labels = labels_build(&b, NULL);
    labels_builder_fini(&b);
    assert_true(series_append(store_series(store, labels), t_ms, v));
    free(labels);
}

static struct store *some_store(void)
{
    struct store_options options = {.retention_ms = INT64_MAX / 4};
    struct store *store = store_new(&options);

    for (int i = 0; i < 10; i++) {
        add(store, "x", "api", INT64_C(1000) * i, i);
        add(store, "x", "worker", INT64_C(1000) * i, 10 * i);
    }
    add(store, "y", "api", 4000, 1);
    return store;
}

static void test_each_function_is_computed_in_one_way_or_refused(void **state)
{
    const struct func *f;

    (void)state;
    for (size_t i = 0; (f = func_at(i)); i++) {
        int ways = (f->map != NULL) + (f->range != NULL) + (f->call != NULL);
        bool refused = f->flags & (FUNC_NATIVE | FUNC_EXPERIMENTAL);

        assert_ptr_equal(func_find(str_of(f->name)), f);
        assert_true(ways == 1 || (ways == 0 && refused));
        assert_in_range(f->type_count, 0, FUNC_MAX_TYPES);
        assert_true(!f->range || f->types[0] == PROMQL_MATRIX ||
                    f->types[1] == PROMQL_MATRIX);
        assert_true(!f->map || f->types[0] == PROMQL_VECTOR);
    }
}

static void test_the_page_on_promql_lists_every_function(void **state)
{
    const char *srcdir = getenv("srcdir");
    static char page[65536];
    char path[512], word[64];
    const struct func *f;
    size_t n;
    FILE *file;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/docs/promql.md",
                   srcdir ? srcdir : ".");
    file = fopen(path, "rb");
    assert_non_null(file);
    n = fread(page, 1, sizeof(page) - 1, file);
    (void)fclose(file);
    page[n] = '\0';
    for (size_t i = 0; (f = func_at(i)); i++) {
        (void)snprintf(word, sizeof(word), "`%s`", f->name);
        if (!strstr(page, word))
            fail_msg("docs/promql.md does not know %s", f->name);
    }
}

struct heard {
    size_t count;
    double newest;
};

static void hear(void *arg, const struct labels *labels, struct sample newest)
{
    struct heard *h = arg;

    assert_true(str_eqz(labels_name(labels), "x"));
    h->count++;
    h->newest += newest.v;
}

static void test_inputs_are_told_with_the_newest_sample_used(void **state)
{
    struct promql *q = parse("sum(rate(x[5s] offset 2s)) + 0 * sum(x)");
    struct store *store = some_store();
    struct heard heard = {0};
    struct promql_result r;
    struct arena arena;
    struct promql_eval with = {.store = store,
                               .t_ms = 9500,
                               .arena = &arena,
                               .input = hear,
                               .input_arg = &heard};

    (void)state;
    arena_init(&arena, 1024);
    assert_true(promql_eval(q, &with, &r, NULL));
    assert_int_equal(heard.count, 4);
    assert_true(heard.newest == 7 + 70 + 9 + 90);
    arena_fini(&arena);
    store_free(store);
    promql_free(q);
}

static bool fits(const char *text, size_t max_samples, struct err *err)
{
    struct promql *q = parse(text);
    struct store *store = some_store();
    struct promql_result r;
    struct arena arena;
    struct promql_eval with = {.store = store,
                               .t_ms = 9500,
                               .arena = &arena,
                               .max_samples = max_samples};
    bool ok;

    arena_init(&arena, 1024);
    ok = promql_eval(q, &with, &r, err);
    arena_fini(&arena);
    store_free(store);
    promql_free(q);
    return ok;
}

static void test_a_query_over_its_samples_is_refused_as_a_limit(void **state)
{
    struct err err = {0};

    (void)state;
    assert_true(fits("sum(x)", 2, &err));
    assert_false(fits("sum(x)", 1, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_true(fits("x[1m]", 20, &err));
    assert_false(fits("x[1m]", 19, &err));
    assert_false(fits("max_over_time(x[1m:1s])", 60, &err));
}

static void test_a_broken_expression_is_the_operators_error(void **state)
{
    struct promql_error error;

    (void)state;
    assert_null(promql_parse(STR("sum(x"), NULL, &error));
    assert_int_equal(error.err.kind, ERR_CONFIG);
    assert_int_equal(error.offset, 5);
    assert_null(promql_parse(STR("sum(x"), NULL, NULL));
}

static void test_the_caret_stands_below_tabs_and_wide_letters(void **state)
{
    struct str text = STR("sum(\"\xc3\xa4\") +\n\tx bad");
    struct promql_error error;
    struct buf out;

    (void)state;
    assert_null(promql_parse(text, NULL, &error));
    buf_init(&out, BUF_NO_LIMIT);
    promql_caret(text, &error, &out);
    assert_string_equal(buf_z(&out), "\tx bad\n\t  ^^^\n");
    buf_fini(&out);
}

static void test_deep_nesting_is_an_error_and_no_overflow(void **state)
{
    struct promql_error error;
    struct buf b;

    (void)state;
    buf_init(&b, BUF_NO_LIMIT);
    for (int i = 0; i < 100000; i++)
        buf_addc(&b, '(');
    assert_null(promql_parse(buf_str(&b), NULL, &error));
    assert_non_null(strstr(error.err.text, "nested too deeply"));
    buf_reset(&b);
    for (int i = 0; i < 100000; i++)
        buf_addz(&b, "1+");
    buf_addc(&b, '1');
    assert_null(promql_parse(buf_str(&b), NULL, &error));
    assert_non_null(strstr(error.err.text, "nested too deeply"));
    buf_fini(&b);
}

static void test_what_is_read_is_known_without_samples(void **state)
{
    const struct promql_selector *s;
    struct promql *q =
        parse("max(x) + sum by (instance) (max_over_time(y[5m:1m] @ 100))");

    (void)state;
    assert_int_equal(promql_type(q), PROMQL_VECTOR);
    assert_int_equal(promql_selectors(q, &s), 2);
    assert_true(str_eqz(s[0].over, "max"));
    assert_false(s[0].range || s[0].fixed);
    assert_true(str_eqz(s[0].matchers[0].value, "x"));
    assert_true(s[1].range && s[1].fixed && s[1].over.len == 0);
    assert_int_equal(s[1].reach_ms, 600000);
    assert_int_equal(promql_reach(q), 600000);
    promql_free(q);
}

static void test_only_sorting_expressions_have_an_order(void **state)
{
    static const struct {
        const char *text;
        bool ordered;
    } cases[] = {
        {"sort(x)", true},       {"(topk(2, x))", true}, {"sum(x)", false},
        {"-sort(x)", false},     {"x", false},           {"1", false},
        {"bottomk(1, x)", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct promql *q = parse(cases[i].text);

        assert_int_equal(promql_ordered(q), cases[i].ordered);
        promql_free(q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_function_is_computed_in_one_way_or_refused),
        cmocka_unit_test(test_the_page_on_promql_lists_every_function),
        cmocka_unit_test(test_inputs_are_told_with_the_newest_sample_used),
        cmocka_unit_test(test_a_query_over_its_samples_is_refused_as_a_limit),
        cmocka_unit_test(test_a_broken_expression_is_the_operators_error),
        cmocka_unit_test(test_the_caret_stands_below_tabs_and_wide_letters),
        cmocka_unit_test(test_deep_nesting_is_an_error_and_no_overflow),
        cmocka_unit_test(test_what_is_read_is_known_without_samples),
        cmocka_unit_test(test_only_sorting_expressions_have_an_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
