/* SPDX-License-Identifier: Apache-2.0 */
/* The notation of series in unit tests of rules. */
#include "agent/base/num.h"
#include "agent/commands/testseries.h"
#include "agent/metric/sample.h"
#include "test/lib/unit.h"

#include <stdlib.h>

/* As "1 _ stale 2.5". */
static void assert_values(const char *text, const char *want)
{
    struct test_values v;
    char number[NUM_MAX];
    struct buf out;
    struct err err;

    if (!test_values_parse(str_of(text), &v, &err))
        fail_msg("%s: %s", text, err.text);
    buf_init(&out, BUF_NO_LIMIT);
    for (size_t i = 0; i < v.count; i++) {
        (void)num_json(v.items[i].v, number);
        buf_addf(&out, "%s%s", i ? " " : "",
                 v.items[i].omitted              ? "_"
                 : sample_is_stale(v.items[i].v) ? "stale"
                                                 : number);
    }
    assert_string_equal(buf_z(&out), want);
    buf_fini(&out);
    free(v.items);
}

static void test_values_are_written_out(void **state)
{
    (void)state;
    assert_values("", "");
    assert_values(" \n\t ", "");
    assert_values("1", "1");
    assert_values("1 2  3\n4", "1 2 3 4");
    assert_values("1x4", "1 1 1 1 1");
    assert_values("1x0", "1");
    assert_values("0x2", "0 0 0");
    assert_values("1+2x3", "1 3 5 7");
    assert_values("8-2x2", "8 6 4");
    assert_values("-1-1x2", "-1 -2 -3");
    assert_values("+1+.5x2", "1 1.5 2");
    assert_values("1e2+1e-1x1", "100 100.1");
    assert_values("_ _x3 1", "_ _ _ _ 1");
    assert_values("_x0", "");
    assert_values("1 stale 2", "1 stale 2");
    assert_values("NaN inf -Inf +INF", "NaN +Inf -Inf +Inf");
    assert_values("10x1 _x2 stale 5+1x1", "10 10 _ _ stale 5 6");
}

static void assert_refused(const char *text, const char *part)
{
    struct test_values v;
    struct err err = {.kind = ERR_NONE};

    if (test_values_parse(str_of(text), &v, &err))
        fail_msg("%s was taken", text);
    if (!strstr(err.text, part))
        fail_msg("%s: %s", text, err.text);
    assert_null(v.items);
}

static void test_what_is_no_value_is_told_with_its_column(void **state)
{
    (void)state;
    assert_refused("1 foo", "column 3: a number, stale or _");
    assert_refused("1x", "column 3: a whole number must follow the x");
    assert_refused("1+1", "column 4: how often is missing");
    assert_refused("1+x2", "column 3: a number");
    assert_refused("1,2", "column 2: a blank must stand between");
    assert_refused("1x2.5", "column 4: a blank");
    assert_refused("Stale", "column 1: a number");
    assert_refused("stalex2", "column 1: a number");
    assert_refused("1e400", "column 1: a number");
    assert_refused("5m", "column 1: a number");
    assert_refused("- 1", "column 2: a number");
    assert_refused("{{schema:0}}", "native histograms are not taken");
    assert_refused("1 1x9999999", "more than 1,000,000 values");
    assert_refused("_x99999999999999999999999", "more than 1,000,000 values");
}

static void assert_labels(const char *text, const char *want)
{
    const struct labels *l;
    struct arena a;
    struct buf out;
    struct err err;

    arena_init(&a, 1024);
    if (!test_labels_parse(str_of(text), &a, &l, &err))
        fail_msg("%s: %s", text, err.text);
    buf_init(&out, BUF_NO_LIMIT);
    labels_print(l, &out);
    assert_string_equal(buf_z(&out), want);
    buf_fini(&out);
    arena_fini(&a);
}

static void test_a_series_is_written_as_promql_has_it(void **state)
{
    (void)state;
    assert_labels("a", "a");
    assert_labels(" a:b ", "a:b");
    assert_labels("a{b=\"c\"}", "a{b=\"c\"}");
    assert_labels("a{ b = 'c', d=`e`, }", "a{b=\"c\", d=\"e\"}");
    assert_labels("{__name__=\"a\", b=\"\\\"\"}", "a{b=\"\\\"\"}");
    assert_labels("a{b=\"\"}", "a");
    assert_labels("{}", "{}");
    assert_labels("", "{}");
}

static void test_anything_else_is_no_series(void **state)
{
    static const char *const texts[] = {
        "a offset 5m", "a[5m]",   "sum(a)",    "a + a", "a{b!=\"c\"}",
        "a{b=~\"c\"}", "a b",     "a{b=}",     "1",     "-a",
        "(a)",         "a @ 100", "a{b=\"c\"", "'a'",   "a[5m:1m]",
    };
    const struct labels *l;
    struct arena a;
    struct err err;

    (void)state;
    arena_init(&a, 1024);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        err.text[0] = '\0';
        if (test_labels_parse(str_of(texts[i]), &a, &l, &err))
            fail_msg("%s was taken", texts[i]);
        assert_true(err.text[0] != '\0');
    }
    arena_fini(&a);
}

static void test_numbers_may_be_written_as_in_yaml(void **state)
{
    double v;

    (void)state;
    assert_true(test_number_parse(STR("1e3"), &v) && v == 1000);
    assert_true(test_number_parse(STR(".inf"), &v) && v > 1e308);
    assert_true(test_number_parse(STR("-.Inf"), &v) && v < -1e308);
    assert_true(test_number_parse(STR(" .NaN "), &v) && v != v);
    assert_false(test_number_parse(STR("many"), &v));
    assert_false(test_number_parse(STR(""), &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_written_out),
        cmocka_unit_test(test_what_is_no_value_is_told_with_its_column),
        cmocka_unit_test(test_a_series_is_written_as_promql_has_it),
        cmocka_unit_test(test_anything_else_is_no_series),
        cmocka_unit_test(test_numbers_may_be_written_as_in_yaml),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
