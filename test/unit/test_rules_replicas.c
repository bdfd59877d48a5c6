/* SPDX-License-Identifier: Apache-2.0 */
/* Whether sum or max fits what the replicas report. */
#include "test/lib/rules_world.h"
#include "test/lib/unit.h"

static void start(struct world *w, const char *expr)
{
    world_init(w);
    world_metric(w, "Depth", expr);
    assert_true(world_start(w));
    world_job(w, "one", 2);
}

static void cycle(struct world *w, double a, double b)
{
    world_pass(w, 15000);
    world_set(w, "depth", "one", 0, a);
    world_set(w, "depth", "one", 1, b);
    world_evaluate(w);
}

static void test_a_sum_of_what_all_report_alike_is_doubted_once(void **state)
{
    struct world w;

    (void)state;
    start(&w, "sum(depth)");
    cycle(&w, 17, 17);
    cycle(&w, 18, 18);
    assert_int_equal(world_result(&w, "Depth")->doubt_count, 0);
    cycle(&w, 17, 17);
    assert_true(world_has_doubt(&w, "Depth",
                                "sum over depth adds up what all 2 replicas "
                                "report alike (17)"));
    assert_int_equal(world_events(&w, "Depth", "take max"), 1);
    cycle(&w, 17, 17);
    assert_int_equal(world_result(&w, "Depth")->doubt_count, 1);
    assert_int_equal(w.results.event_count, 0);
    assert_int_equal(world_result(&w, "Depth")->state, RULE_FRESH);
    /* It ends when they differ for as long. */
    for (int i = 0; i < 3; i++)
        cycle(&w, 10 + i, 30 + i);
    assert_int_equal(world_result(&w, "Depth")->doubt_count, 0);
    assert_int_equal(w.results.event_count, 1);
    assert_true(w.results.events[0].good);
    world_fini(&w);
}

static void test_zeroes_and_single_replicas_say_nothing(void **state)
{
    struct world w;

    (void)state;
    start(&w, "sum(depth)");
    for (int i = 0; i < 5; i++)
        cycle(&w, 0, 0);
    assert_int_equal(world_result(&w, "Depth")->doubt_count, 0);
    world_fini(&w);
    start(&w, "sum(depth)");
    w.jobs[0].target_count = 1;
    for (int i = 0; i < 5; i++) {
        world_pass(&w, 15000);
        world_set(&w, "depth", "one", 0, 17);
        world_evaluate(&w);
    }
    assert_int_equal(world_result(&w, "Depth")->doubt_count, 0);
    world_fini(&w);
}

static void test_one_different_cycle_starts_the_count_again(void **state)
{
    struct world w;

    (void)state;
    start(&w, "sum(depth)");
    cycle(&w, 17, 17);
    cycle(&w, 17, 17);
    cycle(&w, 17, 25);
    cycle(&w, 17, 17);
    cycle(&w, 17, 17);
    assert_int_equal(world_result(&w, "Depth")->doubt_count, 0);
    world_fini(&w);
}

static void test_evaluating_twice_is_not_two_cycles(void **state)
{
    struct world w;

    (void)state;
    start(&w, "sum(depth)");
    cycle(&w, 17, 17);
    for (int i = 0; i < 10; i++)
        world_evaluate(&w);
    assert_int_equal(world_result(&w, "Depth")->doubt_count, 0);
    world_fini(&w);
}

static void test_a_maximum_of_figures_that_stay_apart_is_doubted(void **state)
{
    struct world w;

    (void)state;
    start(&w, "max(depth)");
    cycle(&w, 5, 9);
    cycle(&w, 5, 9);
    assert_int_equal(world_result(&w, "Depth")->doubt_count, 0);
    cycle(&w, 5, 9);
    assert_true(world_has_doubt(&w, "Depth",
                                "max over depth takes one of 2 replicas' "
                                "figures, but they differ (5 to 9)"));
    world_fini(&w);
}

/* The replicas are read some seconds apart, so a busy queue looks different
 * in each of them for a while. */
static void test_a_shared_figure_that_moves_is_not_doubted_soon(void **state)
{
    struct world w;

    (void)state;
    start(&w, "max(depth)");
    for (int i = 0; i < 19; i++)
        cycle(&w, 10 + i % 3, 20 + i % 4);
    assert_int_equal(world_result(&w, "Depth")->doubt_count, 0);
    cycle(&w, 1, 2);
    assert_int_equal(world_result(&w, "Depth")->doubt_count, 1);
    world_fini(&w);
}

static void test_nearly_the_same_is_no_difference(void **state)
{
    struct world w;

    (void)state;
    start(&w, "max(depth)");
    for (int i = 0; i < 30; i++)
        cycle(&w, 100, 105);
    assert_int_equal(world_result(&w, "Depth")->doubt_count, 0);
    world_fini(&w);
}

static void test_an_aggregation_that_keeps_instances_is_not_doubted(
    void **state)
{
    struct world w;

    (void)state;
    start(&w, "max(sum by (instance) (depth))");
    for (int i = 0; i < 4; i++)
        cycle(&w, 17, 17);
    assert_int_equal(world_result(&w, "Depth")->doubt_count, 0);
    world_fini(&w);
}

/* All runners have ten spaces: alike, and each has its own. */
static void test_what_the_preset_knows_to_be_own_may_be_alike(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    assert_true(world_start(&w));
    world_membrane(&w);
    for (int i = 0; i < 5; i++) {
        world_pass(&w, 15000);
        world_set_all(&w, "custom_code_runner_total_job_spaces",
                      "custom-code-runner", 10);
        world_set_all(&w, "custom_code_runner_remaining_job_spaces",
                      "custom-code-runner", 10);
        world_evaluate(&w);
    }
    assert_int_equal(
        world_result(&w, "CustomCodeRunnerSpacesUsed")->doubt_count, 0);
    world_fini(&w);
}

static void test_a_sum_of_what_the_preset_knows_to_be_shared_is_doubted(
    void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "JobsPerWorker",
                 "(sum(instant_tasks_jobs_active) + "
                 "sum(instant_tasks_jobs_waiting)) / "
                 "max(scalebridge_running_workers)");
    assert_true(world_start(&w));
    world_membrane(&w);
    world_evaluate(&w);
    assert_true(world_has_doubt(&w, "JobsPerWorker",
                                "sum over instant_tasks_jobs_active adds up "
                                "one figure of the whole queue, which each of "
                                "2 replicas reports; take max"));
    assert_int_equal(world_result(&w, "JobsPerWorker")->doubt_count, 2);
    assert_int_equal(world_result(&w, "JobQueueLength")->doubt_count, 0);
    world_fini(&w);
}

static void test_the_only_look_tells_at_once(void **state)
{
    struct world w;

    (void)state;
    start(&w, "sum(depth)");
    w.once = true;
    cycle(&w, 17, 17);
    assert_true(world_has_doubt(&w, "Depth", "take max"));
    world_fini(&w);
}

static void test_a_doubtful_target_list_is_told(void **state)
{
    struct world w;

    (void)state;
    start(&w, "sum(depth)");
    w.jobs[0].doubt = STR("8 addresses, which may be cut off");
    cycle(&w, 1, 2);
    assert_true(
        world_has_doubt(&w, "Depth", "targets of one: 8 addresses, which may"));
    world_fini(&w);
}

static void test_a_worker_count_kept_from_earlier_is_told(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    assert_true(world_start(&w));
    world_membrane(&w);
    w.services[0].reason = STR("kept for 20s: timed out");
    world_evaluate(&w);
    assert_true(world_has_doubt(
        &w, "JobsPerWorker",
        "workers of instant-tasks-worker: kept for 20s: timed out"));
    assert_int_equal(world_result(&w, "JobQueueLength")->doubt_count, 0);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sum_of_what_all_report_alike_is_doubted_once),
        cmocka_unit_test(test_zeroes_and_single_replicas_say_nothing),
        cmocka_unit_test(test_one_different_cycle_starts_the_count_again),
        cmocka_unit_test(test_evaluating_twice_is_not_two_cycles),
        cmocka_unit_test(test_a_maximum_of_figures_that_stay_apart_is_doubted),
        cmocka_unit_test(test_a_shared_figure_that_moves_is_not_doubted_soon),
        cmocka_unit_test(test_nearly_the_same_is_no_difference),
        cmocka_unit_test(
            test_an_aggregation_that_keeps_instances_is_not_doubted),
        cmocka_unit_test(test_what_the_preset_knows_to_be_own_may_be_alike),
        cmocka_unit_test(
            test_a_sum_of_what_the_preset_knows_to_be_shared_is_doubted),
        cmocka_unit_test(test_the_only_look_tells_at_once),
        cmocka_unit_test(test_a_doubtful_target_list_is_told),
        cmocka_unit_test(test_a_worker_count_kept_from_earlier_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
