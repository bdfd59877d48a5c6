/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in metrics over a whole Membrane. */
#include "test/lib/rules_world.h"
#include "test/lib/unit.h"

static void assert_about(double got, double want)
{
    if (got < want - 1e-9 || got > want + 1e-9)
        fail_msg("%.17g is not %.17g", got, want);
}

static void start(struct world *w)
{
    world_init(w);
    assert_true(world_start(w));
    world_membrane(w);
    world_evaluate(w);
}

static void test_every_metric_of_the_table_has_its_value(void **state)
{
    static const struct {
        const char *name, *unit;
        double value, target;
        int64_t replicas; /* -1: a policy asks for nothing */
    } want[] = {
        {"JobsPerWorker", "Count", 7, 5, 9},
        {"JobQueueLength", "Count", 42, 5, 9},
        {"InstantTasksWorkersRequired", "Count", 9, 1, 9},
        {"InstantTasksUtilization", "None", 17.0 / 6, 0.75, 20},
        {"QueuedTasksWorkersRequired", "Count", 13, 1, 13},
        {"QueuedTasksWorkersRequiredPercent", "Percent", 325, 100, 13},
        {"QueuedTasksWorkersBusyRatio", "None", 0.5, 0, -1},
        {"CustomCodeRunnerCapacityRate", "None", 0.45, 0.45, 2},
        {"CustomCodeRunnerSpacesUsed", "Count", 9, 0, -1},
        {"CustomCodeRunnersRequired", "Count", 2, 1, 2},
        {"ScalebridgeDataAge", "Seconds", 0, 0, -1},
    };
    struct world w;

    (void)state;
    start(&w);
    assert_int_equal(w.results.count, sizeof(want) / sizeof(want[0]));
    for (size_t i = 0; i < w.results.count; i++) {
        const struct rule_result *r = &w.results.results[i];

        assert_true(str_eqz(r->info->name, want[i].name));
        assert_true(str_eqz(r->info->unit, want[i].unit));
        assert_int_equal(r->state, RULE_FRESH);
        assert_true(r->complete);
        assert_about(world_value(&w, want[i].name), want[i].value);
        assert_int_equal(r->info->has_target, want[i].target > 0);
        assert_about(r->info->target, want[i].target);
        assert_int_equal(r->rows[0].has_replicas, want[i].replicas >= 0);
        if (want[i].replicas >= 0)
            assert_int_equal(r->rows[0].implied_replicas, want[i].replicas);
        assert_int_equal(r->rows[0].dimension_count, 0);
        assert_int_equal(r->doubt_count, 0);
        assert_true(r->info->formula.len > 0 && r->info->description.len > 0);
    }
    assert_int_equal(w.results.event_count, 0);
    world_fini(&w);
}

static void test_parameters_change_the_formulas(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    w.membrane.jobs_per_worker = 10;
    w.membrane.queued_buffer = 0.5;
    w.membrane.capacity_rate = 0.9;
    assert_true(world_start(&w));
    world_membrane(&w);
    world_evaluate(&w);
    assert_about(world_value(&w, "InstantTasksWorkersRequired"), 5);
    assert_about(world_value(&w, "QueuedTasksWorkersRequired"), 15);
    assert_about(world_value(&w, "CustomCodeRunnersRequired"), 1);
    assert_about(world_result(&w, "JobsPerWorker")->info->target, 10);
    assert_about(world_result(&w, "CustomCodeRunnerCapacityRate")->info->target,
                 0.9);
    world_fini(&w);
}

static void test_without_workers_the_jobs_are_the_value(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    assert_true(world_start(&w));
    world_job(&w, "api", 2);
    world_workers(&w, 0);
    world_api(&w, 0, 12);
    world_evaluate(&w);
    assert_about(world_value(&w, "JobsPerWorker"), 12);
    assert_int_equal(
        world_result(&w, "JobsPerWorker")->rows[0].implied_replicas, 3);
    world_pass(&w, 15000);
    world_workers(&w, 0);
    world_api(&w, 0, 0);
    world_evaluate(&w);
    assert_int_equal(world_result(&w, "JobsPerWorker")->state, RULE_FRESH);
    assert_about(world_value(&w, "JobsPerWorker"), 0);
    world_fini(&w);
}

static void test_a_value_is_traced_to_its_inputs(void **state)
{
    struct world w;
    const struct rule_result *r;

    (void)state;
    start(&w);
    r = world_result(&w, "JobsPerWorker");
    assert_int_equal(r->input_count, 5); /* two figures twice, the workers */
    for (size_t i = 0; i < r->input_count; i++) {
        const struct rule_input *in = &r->inputs[i];

        if (str_eqz(in->name, "scalebridge_running_workers")) {
            assert_int_equal(in->instance.len, 0);
            assert_about(in->value, 6);
        } else {
            assert_true(in->instance.len == 1);
            assert_true(in->value == 17 || in->value == 25);
        }
        assert_int_equal(in->age_ms, 0);
    }
    /* One that is read twice is told once. */
    assert_int_equal(
        world_result(&w, "CustomCodeRunnerCapacityRate")->input_count, 4);
    world_fini(&w);
}

static void test_what_is_not_configured_is_off_and_no_failure(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    assert_true(world_start(&w));
    world_job(&w, "api", 1);
    world_api(&w, 1, 2);
    world_set_all(&w, "queued_tasks_workers", "api", 4);
    world_set_all(&w, "queued_tasks_workers_required", "api", 4);
    world_evaluate(&w);
    assert_int_equal(world_result(&w, "JobQueueLength")->state, RULE_FRESH);
    assert_int_equal(world_result(&w, "JobsPerWorker")->state, RULE_OFF);
    world_assert_reason(&w, "JobsPerWorker",
                        "no capacity.instant-tasks-worker is configured");
    assert_int_equal(world_result(&w, "CustomCodeRunnerCapacityRate")->state,
                     RULE_OFF);
    world_assert_reason(&w, "CustomCodeRunnerCapacityRate",
                        "SCALEBRIDGE_CUSTOM_CODE_RUNNER_URL");
    assert_int_equal(world_result(&w, "ScalebridgeDataAge")->state, RULE_FRESH);
    world_fini(&w);
}

static void test_with_nothing_configured_all_is_off(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    assert_true(world_start(&w));
    world_evaluate(&w);
    for (size_t i = 0; i < w.results.count; i++)
        assert_int_equal(w.results.results[i].state, RULE_OFF);
    world_fini(&w);
}

static void test_figures_are_found_under_another_job_name(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    assert_true(world_start(&w));
    world_job(&w, "membrane", 2);
    world_workers(&w, 6);
    world_set_all(&w, "instant_tasks_jobs_active", "membrane", 17);
    world_set_all(&w, "instant_tasks_jobs_waiting", "membrane", 25);
    world_evaluate(&w);
    assert_about(world_value(&w, "JobsPerWorker"), 7);
    /* And they stay shared: one replica will do. */
    world_pass(&w, 15000);
    world_down(&w, "membrane", 0, "timed out after 10s");
    world_set(&w, "instant_tasks_jobs_active", "membrane", 1, 18);
    world_set(&w, "instant_tasks_jobs_waiting", "membrane", 1, 24);
    world_evaluate(&w);
    assert_int_equal(world_result(&w, "JobsPerWorker")->state, RULE_FRESH);
    world_fini(&w);
}

static void test_the_data_age_grows_while_a_scaler_is_blind(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    for (int i = 1; i <= 40; i++) {
        world_pass(&w, 15000);
        world_down(&w, "custom-code-runner", 0, "connection refused");
        world_workers(&w, 6);
        world_api(&w, 1, 1);
        world_set_all(&w, "queued_tasks_workers", "api", 4);
        world_set_all(&w, "queued_tasks_workers_required", "api", 10);
        world_evaluate(&w);
        assert_about(world_value(&w, "ScalebridgeDataAge"), 15.0 * i);
    }
    assert_int_equal(world_result(&w, "CustomCodeRunnerCapacityRate")->state,
                     RULE_MISSING);
    world_fini(&w);
}

static void test_the_data_age_is_that_of_the_oldest_input(void **state)
{
    struct world w;
    const struct rule_result *r;

    (void)state;
    world_init(&w);
    assert_true(world_start(&w));
    world_job(&w, "api", 1);
    world_set(&w, "instant_tasks_jobs_active", "api", 0, 1);
    world_pass(&w, 7000);
    world_set(&w, "instant_tasks_jobs_waiting", "api", 0, 1);
    world_set(&w, "queued_tasks_workers", "api", 0, 1);
    world_set(&w, "queued_tasks_workers_required", "api", 0, 1);
    world_pass(&w, 2500);
    world_evaluate(&w);
    assert_about(world_value(&w, "ScalebridgeDataAge"), 9.5);
    r = world_result(&w, "ScalebridgeDataAge");
    assert_int_equal(r->input_count, 1);
    assert_true(str_eqz(r->inputs[0].name, "instant_tasks_jobs_active"));
    world_fini(&w);
}

static void test_both_presets_have_the_same_names(void **state)
{
    const struct preset *p;

    (void)state;
    assert_ptr_equal(preset_find(STR("membrane/2025-10")), preset_at(0));
    assert_null(preset_find(STR("membrane/1999")));
    for (size_t i = 0; (p = preset_at(i)); i++) {
        assert_string_equal(p->metrics[0].name, "JobsPerWorker");
        assert_true(preset_figure(p, STR("instant_tasks_jobs_active"))->shared);
        assert_null(preset_figure(p, STR("up")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_metric_of_the_table_has_its_value),
        cmocka_unit_test(test_parameters_change_the_formulas),
        cmocka_unit_test(test_without_workers_the_jobs_are_the_value),
        cmocka_unit_test(test_a_value_is_traced_to_its_inputs),
        cmocka_unit_test(test_what_is_not_configured_is_off_and_no_failure),
        cmocka_unit_test(test_with_nothing_configured_all_is_off),
        cmocka_unit_test(test_figures_are_found_under_another_job_name),
        cmocka_unit_test(test_the_data_age_grows_while_a_scaler_is_blind),
        cmocka_unit_test(test_the_data_age_is_that_of_the_oldest_input),
        cmocka_unit_test(test_both_presets_have_the_same_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
