/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/window.h"
#include "test/lib/unit.h"

static const struct label constant[] = {{{"Environment", 11}, {"prod", 4}},
                                        {{"Service", 7}, {"all", 3}}};

static struct rule_info info_of(const char *name)
{
    return (struct rule_info){.name = str_of(name),
                              .unit = STR("Count"),
                              .description = STR("as it says"),
                              .resolution = 60};
}

static void add(struct window *w, const struct rule_info *info, double v,
                const char *service, int64_t t_ms)
{
    const struct label own = {STR("Service"), str_of(service)};
    const struct rule_row row = {.labels = &labels_empty,
                                 .dimensions = &own,
                                 .dimension_count = service ? 1 : 0,
                                 .value = v};
    const struct rule_result result = {
        .info = info, .rows = &row, .row_count = 1};

    window_add(w, &result, t_ms);
}

static void test_every_evaluation_between_two_publishes_is_kept(void **state)
{
    static const double values[] = {7, 7, 3, 7, 5};
    struct rule_info info = info_of("JobsPerWorker");
    struct window *w = window_new(NULL, 0);
    const struct point *const *points;
    struct arena a;
    size_t n;

    (void)state;
    arena_init(&a, 1024);
    for (size_t i = 0; i < 5; i++)
        add(w, &info, values[i], NULL, 1000 + (int64_t)i * 15000);
    points = window_take(w, &a, &n);
    assert_int_equal(n, 1);
    assert_true(str_eqz(points[0]->name, "JobsPerWorker"));
    assert_true(str_eqz(points[0]->unit, "Count"));
    assert_true(str_eqz(points[0]->description, "as it says"));
    assert_int_equal(points[0]->dimension_count, 0);
    assert_int_equal(points[0]->value_count, 3);
    assert_true(points[0]->values[0].value == 7);
    assert_int_equal(points[0]->values[0].count, 3);
    assert_true(points[0]->newest == 5);
    assert_true(point_min(points[0]) == 3 && point_max(points[0]) == 7);
    assert_true(point_sum(points[0]) == 29);
    assert_int_equal(point_count(points[0]), 5);
    assert_int_equal(points[0]->start_ms, 1000);
    assert_int_equal(points[0]->t_ms, 61000);
    assert_int_equal(points[0]->resolution, 60);
    (void)window_take(w, &a, &n);
    assert_int_equal(n, 0);
    window_free(w);
    arena_fini(&a);
}

static void test_series_are_told_apart_by_name_and_dimensions(void **state)
{
    struct rule_info one = info_of("One"), two = info_of("Two");
    struct window *w = window_new(constant, 2);
    const struct point *const *points;
    struct arena a;
    size_t n;

    (void)state;
    arena_init(&a, 1024);
    add(w, &one, 1, "x", 1000);
    add(w, &two, 2, "x", 1000);
    add(w, &one, 3, NULL, 1000);
    add(w, &one, 4, "x", 2000);
    assert_int_equal(window_count_points(w), 3);
    points = window_take(w, &a, &n);
    assert_int_equal(n, 3);
    assert_int_equal(point_count(points[0]), 2);
    assert_int_equal(points[0]->dimension_count, 2);
    assert_true(str_eqz(points[0]->dimensions[0].name, "Environment"));
    assert_true(str_eqz(points[0]->dimensions[0].value, "prod"));
    assert_true(str_eqz(points[0]->dimensions[1].value, "x"));
    assert_true(str_eqz(points[1]->name, "Two"));
    assert_true(str_eqz(points[2]->dimensions[1].value, "all"));
    window_free(w);
    arena_fini(&a);
}

static void test_results_without_rows_leave_no_point(void **state)
{
    struct rule_info info = info_of("One");
    struct rule_result result = {.info = &info, .state = RULE_MISSING};
    struct window *w = window_new(constant, 2);

    (void)state;
    window_add(w, &result, 1000);
    assert_int_equal(window_count_points(w), 0);
    window_free(w);
}

static void test_a_window_outlives_the_rules_it_heard_of(void **state)
{
    struct window *w = window_new(NULL, 0);
    const struct point *const *points;
    struct arena a;
    size_t n;

    (void)state;
    arena_init(&a, 1024);
    {
        char name[] = "Gone";
        struct rule_info info = info_of(name);

        add(w, &info, 1, NULL, 1000);
        name[0] = 'X';
    }
    points = window_take(w, &a, &n);
    window_free(w);
    assert_true(str_eqz(points[0]->name, "Gone"));
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_evaluation_between_two_publishes_is_kept),
        cmocka_unit_test(test_series_are_told_apart_by_name_and_dimensions),
        cmocka_unit_test(test_results_without_rows_leave_no_point),
        cmocka_unit_test(test_a_window_outlives_the_rules_it_heard_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
