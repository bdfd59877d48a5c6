/* SPDX-License-Identifier: Apache-2.0 */
/* A sum of which a part did not answer is not a smaller sum: it is unknown. */
#include "test/lib/rules_world.h"
#include "test/lib/unit.h"

#define RUNNER "custom-code-runner"
#define TOTAL  "custom_code_runner_total_job_spaces"
#define REMAIN "custom_code_runner_remaining_job_spaces"

static void start(struct world *w)
{
    world_init(w);
    assert_true(world_start(w));
    world_membrane(w);
}

static enum rule_state state_of(const struct world *w, const char *name)
{
    return world_result(w, name)->state;
}

static void test_an_own_figure_needs_every_replica(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    world_down(&w, RUNNER, 1, "connection refused");
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "CustomCodeRunnerCapacityRate"),
                     RULE_MISSING);
    assert_false(world_result(&w, "CustomCodeRunnerCapacityRate")->complete);
    world_assert_reason(&w, "CustomCodeRunnerCapacityRate",
                        "1 of 2 targets of custom-code-runner did not answer: "
                        "b: connection refused");
    /* Other jobs go on. */
    assert_int_equal(state_of(&w, "JobsPerWorker"), RULE_FRESH);
    assert_int_equal(state_of(&w, "QueuedTasksWorkersBusyRatio"), RULE_FRESH);
    world_fini(&w);
}

static void test_a_shared_figure_needs_one_replica(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    world_down(&w, "api", 0, "timed out after 10s");
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "JobsPerWorker"), RULE_FRESH);
    assert_true(world_value(&w, "JobsPerWorker") == 7);
    world_down(&w, "api", 1, "connection refused");
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "JobsPerWorker"), RULE_HELD);
    world_assert_reason(&w, "JobsPerWorker",
                        "no target of api answered: a: timed out after 10s");
    world_fini(&w);
}

static void test_replicas_of_a_job_can_be_said_to_be_shared_or_own(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    w.jobs[0].replicas = RULE_OWN;
    w.jobs[1].replicas = RULE_SHARED;
    world_down(&w, "api", 0, "gone");
    world_down(&w, RUNNER, 0, "gone");
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "JobsPerWorker"), RULE_MISSING);
    assert_int_equal(state_of(&w, "CustomCodeRunnerCapacityRate"), RULE_FRESH);
    world_fini(&w);
}

static void test_targets_that_are_not_all_known_are_not_complete(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    w.jobs[1].complete = false;
    w.jobs[1].reason = STR("runner.local: SERVFAIL");
    w.jobs[0].complete = false;
    w.jobs[0].reason = STR("api.local: SERVFAIL");
    world_evaluate(&w);
    world_assert_reason(&w, "CustomCodeRunnerSpacesUsed",
                        "the targets of custom-code-runner are not all known: "
                        "runner.local: SERVFAIL");
    assert_int_equal(state_of(&w, "CustomCodeRunnerSpacesUsed"), RULE_MISSING);
    assert_int_equal(state_of(&w, "JobsPerWorker"), RULE_FRESH);
    world_fini(&w);
}

static void test_a_target_not_scraped_yet_has_not_answered(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    w.targets[1][1].up = false;
    w.targets[1][1].good_ms = 0;
    world_evaluate(&w);
    world_assert_reason(&w, "CustomCodeRunnerSpacesUsed", "b: not scraped yet");
    /* No event: it has only just begun.  Failing is one. */
    assert_int_equal(world_events(&w, "CustomCodeRunnerSpacesUsed", ""), 0);
    w.targets[1][1].error = STR("connection refused");
    world_evaluate(&w);
    assert_int_equal(world_events(&w, "CustomCodeRunnerSpacesUsed", "refused"),
                     1);
    world_fini(&w);
}

static void test_a_job_without_targets_has_no_shared_figure(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    assert_true(world_start(&w));
    world_job(&w, "api", 0)->reason = STR("api.local: no such name");
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "JobQueueLength"), RULE_MISSING);
    world_assert_reason(&w, "JobQueueLength",
                        "api has no targets: api.local: no such name");
    world_fini(&w);
}

static void test_a_healthy_replica_that_lacks_the_figure_counts(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    w.jobs[1].target_count = 3;
    w.targets[1][2] = (struct rule_target){
        .url = STR("c"), .instance = STR("c"), .up = true, .good_ms = w.now_ms};
    world_set(&w, TOTAL, RUNNER, 2, 10);
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "CustomCodeRunnerSpacesUsed"), RULE_MISSING);
    world_assert_reason(&w, "CustomCodeRunnerSpacesUsed", "c shows no " REMAIN);
    world_set(&w, REMAIN, RUNNER, 2, 10);
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "CustomCodeRunnerSpacesUsed"), RULE_FRESH);
    assert_true(world_value(&w, "CustomCodeRunnerSpacesUsed") == 9);
    world_fini(&w);
}

static void test_an_unknown_worker_count_is_not_zero(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    w.services[0].known = false;
    w.services[0].reason = STR("worker.local: timed out");
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "JobsPerWorker"), RULE_MISSING);
    world_assert_reason(&w, "JobsPerWorker",
                        "how many workers of instant-tasks-worker run is not "
                        "known: worker.local: timed out");
    assert_int_equal(state_of(&w, "JobQueueLength"), RULE_FRESH);
    world_fini(&w);
}

static void test_who_has_shown_a_metric_is_remembered(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "Depth", "sum(depth) or vector(0)");
    assert_true(world_start(&w));
    world_job(&w, "one", 1);
    world_job(&w, "two", 1);
    world_set(&w, "depth", "one", 0, 3);
    world_evaluate(&w);
    assert_true(world_value(&w, "Depth") == 3);
    world_pass(&w, 15000);
    /* The other job does not matter, its own one does. */
    world_down(&w, "two", 0, "gone");
    world_set(&w, "depth", "one", 0, 4);
    world_evaluate(&w);
    assert_true(world_value(&w, "Depth") == 4);
    world_pass(&w, 15000);
    world_down(&w, "one", 0, "gone");
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "Depth"), RULE_HELD);
    assert_true(world_value(&w, "Depth") == 4);
    world_fini(&w);
}

static void test_a_metric_nobody_has_shown_may_be_anyones(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "Depth", "sum(depth) or vector(0)");
    assert_true(world_start(&w));
    world_job(&w, "one", 2);
    world_down(&w, "one", 1, "connection refused");
    w.targets[0][1].good_ms = 0;
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "Depth"), RULE_MISSING);
    world_assert_reason(&w, "Depth",
                        "nothing has shown depth yet, and a target never "
                        "answered: b: connection refused");
    world_up(&w, "one", 1);
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "Depth"), RULE_FRESH);
    assert_true(world_value(&w, "Depth") == 0);
    world_fini(&w);
}

static void test_a_matcher_on_the_job_decides(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "One", "sum(depth{job=\"one\"})");
    world_metric(&w, "Three", "sum(depth{job=\"three\"})");
    assert_true(world_start(&w));
    world_job(&w, "one", 1);
    world_job(&w, "two", 1);
    world_set(&w, "depth", "one", 0, 3);
    world_set(&w, "depth", "two", 0, 3);
    world_down(&w, "two", 0, "gone");
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "One"), RULE_FRESH);
    /* A user's own metric over what is not there is a failure. */
    assert_int_equal(state_of(&w, "Three"), RULE_MISSING);
    world_assert_reason(&w, "Three", "no job three is configured");
    world_fini(&w);
}

static void test_a_matcher_on_the_instance_narrows(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "A", "sum(depth{instance=\"a\"})");
    world_metric(&w, "NotA", "sum(depth{instance!=\"a\"})");
    assert_true(world_start(&w));
    world_job(&w, "one", 3);
    world_set_all(&w, "depth", "one", 3);
    world_down(&w, "one", 1, "gone");
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "A"), RULE_FRESH);
    assert_int_equal(state_of(&w, "NotA"), RULE_MISSING);
    world_assert_reason(&w, "NotA", "1 of 2 targets of one");
    world_fini(&w);
}

static void test_what_the_scraper_says_needs_no_answer(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "Healthy", "count(up == 1)");
    assert_true(world_start(&w));
    world_job(&w, "one", 2);
    world_down(&w, "one", 1, "gone");
    world_set(&w, "up", "one", 0, 1);
    world_set(&w, "up", "one", 1, 0);
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "Healthy"), RULE_FRESH);
    assert_true(world_value(&w, "Healthy") == 1);
    world_fini(&w);
}

static void test_a_partial_value_is_sent_where_it_is_allowed(void **state)
{
    struct world w;
    const struct rule_result *r;

    (void)state;
    world_init(&w);
    world_metric(&w, "Depth", "sum(depth)")->allow_partial = true;
    assert_true(world_start(&w));
    world_job(&w, "one", 2);
    world_set_all(&w, "depth", "one", 3);
    world_pass(&w, 15000);
    world_down(&w, "one", 1, "gone");
    world_evaluate(&w);
    r = world_result(&w, "Depth");
    assert_int_equal(r->state, RULE_FRESH);
    assert_false(r->complete);
    assert_true(world_value(&w, "Depth") == 3);
    assert_true(world_has_doubt(&w, "Depth", "partial: 1 of 2 targets of one"));
    world_fini(&w);
}

/* Discovery may lose one for a moment; a job that has become smaller is taken
 * as it is after a minute, within the hold time. */
static void test_a_target_that_is_gone_was_perhaps_lost(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "Depth", "sum(depth)");
    assert_true(world_start(&w));
    world_job(&w, "one", 3);
    world_set_all(&w, "depth", "one", 3);
    world_evaluate(&w);
    w.jobs[0].target_count = 2;
    for (int i = 0; i < 4; i++) {
        world_pass(&w, 15000);
        world_set_all(&w, "depth", "one", 3);
        world_evaluate(&w);
        assert_int_equal(state_of(&w, "Depth"), RULE_HELD);
        assert_true(world_value(&w, "Depth") == 9);
        world_assert_reason(&w, "Depth", "1 of 3 targets of one gone");
    }
    world_pass(&w, 15000);
    world_set_all(&w, "depth", "one", 3);
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "Depth"), RULE_FRESH);
    world_fini(&w);
}

static void test_a_target_that_was_replaced_is_not_missed(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "Depth", "sum(depth)");
    assert_true(world_start(&w));
    world_job(&w, "one", 2);
    world_set_all(&w, "depth", "one", 3);
    world_evaluate(&w);
    world_pass(&w, 15000);
    world_down(&w, "one", 1, "gone");
    w.targets[0][1] = (struct rule_target){
        .url = STR("c"), .instance = STR("c"), .up = true, .good_ms = w.now_ms};
    world_set(&w, "depth", "one", 2, 5);
    world_set(&w, "depth", "one", 0, 3);
    world_evaluate(&w);
    assert_int_equal(state_of(&w, "Depth"), RULE_FRESH);
    assert_true(world_value(&w, "Depth") == 8);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_own_figure_needs_every_replica),
        cmocka_unit_test(test_a_shared_figure_needs_one_replica),
        cmocka_unit_test(
            test_replicas_of_a_job_can_be_said_to_be_shared_or_own),
        cmocka_unit_test(test_targets_that_are_not_all_known_are_not_complete),
        cmocka_unit_test(test_a_target_not_scraped_yet_has_not_answered),
        cmocka_unit_test(test_a_job_without_targets_has_no_shared_figure),
        cmocka_unit_test(test_a_healthy_replica_that_lacks_the_figure_counts),
        cmocka_unit_test(test_an_unknown_worker_count_is_not_zero),
        cmocka_unit_test(test_who_has_shown_a_metric_is_remembered),
        cmocka_unit_test(test_a_metric_nobody_has_shown_may_be_anyones),
        cmocka_unit_test(test_a_matcher_on_the_job_decides),
        cmocka_unit_test(test_a_matcher_on_the_instance_narrows),
        cmocka_unit_test(test_what_the_scraper_says_needs_no_answer),
        cmocka_unit_test(test_a_partial_value_is_sent_where_it_is_allowed),
        cmocka_unit_test(test_a_target_that_is_gone_was_perhaps_lost),
        cmocka_unit_test(test_a_target_that_was_replaced_is_not_missed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
