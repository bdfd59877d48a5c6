/* SPDX-License-Identifier: Apache-2.0 */
/* What happens while there is no value: hold, substitute, or say why not. */
#include "test/lib/rules_world.h"
#include "test/lib/unit.h"

static enum rule_state state_of(const struct world *w, const char *name)
{
    return world_result(w, name)->state;
}

/* One job `one` with two targets, `depth` 3 and 4. */
static void start(struct world *w)
{
    assert_true(world_start(w));
    world_job(w, "one", 2);
    world_set(w, "depth", "one", 0, 3);
    world_set(w, "depth", "one", 1, 4);
    world_evaluate(w);
}

static void lose(struct world *w, int64_t after_ms)
{
    world_pass(w, after_ms);
    world_down(w, "one", 0, "gone");
    world_evaluate(w);
}

static void test_the_last_good_value_is_held_for_its_time(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "Depth", "sum(depth)");
    start(&w);
    assert_int_equal(state_of(&w, "Depth"), RULE_FRESH);
    lose(&w, 15000);
    assert_int_equal(state_of(&w, "Depth"), RULE_HELD);
    assert_true(world_value(&w, "Depth") == 7);
    assert_true(world_result(&w, "Depth")->rows[0].held);
    assert_int_equal(world_result(&w, "Depth")->rows[0].age_ms, 15000);
    assert_int_equal(world_events(&w, "Depth", "did not answer"), 1);
    lose(&w, 105000);
    assert_int_equal(state_of(&w, "Depth"), RULE_HELD);
    assert_int_equal(world_events(&w, "Depth", ""), 0);
    lose(&w, 1);
    assert_int_equal(state_of(&w, "Depth"), RULE_MISSING);
    assert_int_equal(world_result(&w, "Depth")->row_count, 0);
    assert_int_equal(world_events(&w, "Depth", "did not answer"), 1);
    /* Back again: of now, and told once. */
    world_pass(&w, 15000);
    world_up(&w, "one", 0);
    world_set_all(&w, "depth", "one", 5);
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "Depth"), RULE_FRESH);
    assert_false(world_result(&w, "Depth")->rows[0].held);
    assert_int_equal(world_events(&w, "Depth", ""), 1);
    world_fini(&w);
}

static void test_a_given_number_is_sent_after_the_hold_time(void **state)
{
    static char number[] = "2.5";
    struct world w;
    struct rule_conf *m;

    (void)state;
    world_init(&w);
    m = world_metric(&w, "Depth", "sum(depth)");
    m->missing.hold_ms = 30000;
    m->missing.value = number;
    start(&w);
    lose(&w, 30000);
    assert_int_equal(state_of(&w, "Depth"), RULE_HELD);
    lose(&w, 15000);
    assert_int_equal(state_of(&w, "Depth"), RULE_SUBSTITUTED);
    assert_true(world_value(&w, "Depth") == 2.5);
    world_fini(&w);
}

static void test_a_given_number_waits_as_long_at_the_start(void **state)
{
    static char number[] = "0";
    struct world w;
    struct rule_conf *m;

    (void)state;
    world_init(&w);
    m = world_metric(&w, "Other", "sum(other)");
    m->missing.hold_ms = 30000;
    m->missing.value = number;
    start(&w);
    assert_int_equal(state_of(&w, "Other"), RULE_MISSING);
    world_pass(&w, 30001);
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "Other"), RULE_SUBSTITUTED);
    world_fini(&w);
}

static void test_without_a_hold_time_nothing_stands_in(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "Depth", "sum(depth)")->missing.hold_ms = 0;
    start(&w);
    lose(&w, 1000);
    assert_int_equal(state_of(&w, "Depth"), RULE_MISSING);
    world_fini(&w);
}

static void test_a_clock_set_back_ends_the_holding(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "Depth", "sum(depth)");
    start(&w);
    w.targets[0][0].up = false;
    world_pass(&w, -WHEN_HOUR);
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "Depth"), RULE_MISSING);
    world_fini(&w);
}

static void test_nan_and_infinity_are_missing(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "Ratio", "sum(depth) / sum(width)");
    assert_true(world_start(&w));
    world_job(&w, "one", 1);
    world_set(&w, "depth", "one", 0, 0);
    world_set(&w, "width", "one", 0, 0);
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "Ratio"), RULE_MISSING);
    world_assert_reason(&w, "Ratio", "gives NaN");
    world_pass(&w, 15000);
    world_set(&w, "depth", "one", 0, 4);
    world_set(&w, "width", "one", 0, 2);
    world_evaluate(&w);
    assert_true(world_value(&w, "Ratio") == 2);
    world_pass(&w, 15000);
    world_set(&w, "depth", "one", 0, -1);
    world_set(&w, "width", "one", 0, 0);
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "Ratio"), RULE_HELD);
    world_assert_reason(&w, "Ratio", "gives -Inf");
    assert_true(world_value(&w, "Ratio") == 2);
    world_fini(&w);
}

static void test_no_runner_spaces_are_no_capacity_rate(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    assert_true(world_start(&w));
    world_job(&w, "custom-code-runner", 1);
    world_set(&w, "custom_code_runner_total_job_spaces", "custom-code-runner",
              0, 0);
    world_set(&w, "custom_code_runner_remaining_job_spaces",
              "custom-code-runner", 0, 0);
    world_evaluate(&w);
    world_assert_reason(&w, "CustomCodeRunnerCapacityRate", "gives NaN");
    assert_true(world_value(&w, "CustomCodeRunnerSpacesUsed") == 0);
    world_fini(&w);
}

static void test_a_series_without_a_number_holds_alone(void **state)
{
    static char dimension[] = "Instance", label[] = "instance";
    struct conf_pair by_instance = {dimension, label};
    struct world w;
    const struct rule_result *r;

    (void)state;
    world_init(&w);
    world_metric(&w, "Each", "depth")->dimensions =
        (struct conf_map){&by_instance, 1};
    start(&w);
    r = world_result(&w, "Each");
    assert_int_equal(r->row_count, 2);
    world_pass(&w, 15000);
    world_set(&w, "depth", "one", 0, sample_nan());
    world_set(&w, "depth", "one", 1, 9);
    world_evaluate(&w);
    r = world_result(&w, "Each");
    assert_int_equal(r->state, RULE_FRESH);
    assert_int_equal(r->row_count, 2);
    for (size_t i = 0; i < 2; i++) {
        bool first = str_eqz(r->rows[i].dimensions[0].value, "a");

        assert_int_equal(r->rows[i].held, first);
        assert_int_equal(labels_name(r->rows[i].labels).len, 0);
        assert_true(r->rows[i].value == (first ? 3 : 9));
    }
    assert_true(world_has_doubt(&w, "Each", "is NaN"));
    world_fini(&w);
}

static void test_a_wrong_name_gets_the_nearest_one(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "Typo", "sum(depht)");
    world_metric(&w, "Labels", "sum(depth{job=\"one\", queue=\"x\"})");
    world_metric(&w, "Other", "sum(something_else_altogether)");
    world_metric(&w, "None", "depth > 1000");
    start(&w);
    world_assert_reason(&w, "Typo",
                        "no series is called depht; did you mean depth?");
    world_assert_reason(&w, "Labels", "no series matches depth{");
    world_assert_reason(&w, "Other",
                        "no series is called something_else_altogether");
    world_assert_reason(&w, "None", "the expression gives no value");
    world_pass(&w, 6 * WHEN_MINUTE);
    world_evaluate(&w);
    world_assert_reason(&w, "None", "has no sample that is new enough");
    world_fini(&w);
}

static void test_an_error_of_the_evaluation_is_the_reason(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "Many", "depth * on(job) depth");
    start(&w);
    assert_int_equal(state_of(&w, "Many"), RULE_MISSING);
    world_assert_reason(&w, "Many", "many-to-many");
    world_fini(&w);
}

static void test_rows_must_be_told_apart_by_dimensions(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "Depth", "depth");
    world_metric(&w, "Scalar", "1 + 1");
    start(&w);
    assert_int_equal(state_of(&w, "Depth"), RULE_MISSING);
    world_assert_reason(&w, "Depth",
                        "gives 2 series, and its dimensions (none) do not "
                        "tell {instance=\"a\", job=\"one\"} from");
    assert_true(world_value(&w, "Scalar") == 2);
    world_fini(&w);
}

static void test_memory_survives_a_reload(void **state)
{
    struct world w;
    struct rules *old;

    (void)state;
    world_init(&w);
    world_metric(&w, "Depth", "sum(depth)");
    start(&w);
    old = w.rules;
    assert_true(world_start(&w));
    rules_inherit(w.rules, old);
    rules_free(old);
    lose(&w, 15000);
    assert_int_equal(state_of(&w, "Depth"), RULE_HELD);
    assert_true(world_value(&w, "Depth") == 7);
    assert_int_equal(world_result(&w, "Depth")->rows[0].age_ms, 15000);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_good_value_is_held_for_its_time),
        cmocka_unit_test(test_a_given_number_is_sent_after_the_hold_time),
        cmocka_unit_test(test_a_given_number_waits_as_long_at_the_start),
        cmocka_unit_test(test_without_a_hold_time_nothing_stands_in),
        cmocka_unit_test(test_a_clock_set_back_ends_the_holding),
        cmocka_unit_test(test_nan_and_infinity_are_missing),
        cmocka_unit_test(test_no_runner_spaces_are_no_capacity_rate),
        cmocka_unit_test(test_a_series_without_a_number_holds_alone),
        cmocka_unit_test(test_a_wrong_name_gets_the_nearest_one),
        cmocka_unit_test(test_an_error_of_the_evaluation_is_the_reason),
        cmocka_unit_test(test_rows_must_be_told_apart_by_dimensions),
        cmocka_unit_test(test_memory_survives_a_reload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
