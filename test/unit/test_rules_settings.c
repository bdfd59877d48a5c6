/* SPDX-License-Identifier: Apache-2.0 */
/* A user's metrics beside, and in place of, the built-in ones. */
#include "test/lib/rules_world.h"
#include "test/lib/unit.h"

static const struct rule_info *info_of(const struct world *w, const char *name)
{
    for (size_t i = 0; i < rules_count(w->rules); i++)
        if (str_eqz(rules_info(w->rules, i)->name, name))
            return rules_info(w->rules, i);
    return NULL;
}

static void test_defaults_of_the_tables_pass_their_own_reading(void **state)
{
    struct conf *c = conf_new();
    struct preset_conf preset;
    struct rule_missing_conf missing;

    (void)state;
    conf_read(c, preset_keys, NULL, &preset);
    conf_read(c, rule_missing_keys, NULL, &missing);
    assert_true(conf_good(c));
    assert_non_null(preset_find(str_of(preset.preset)));
    assert_true(preset.jobs_per_worker == 5 && preset.queued_buffer == 0.3);
    assert_true(preset.capacity_rate == 0.45 && preset.utilization == 0.75);
    assert_int_equal(missing.hold_ms, 120000);
    assert_string_equal(missing.value, "");
    conf_free(c);
}

static void test_a_row_changes_only_what_it_says(void **state)
{
    struct world w;
    struct rule_conf *m;
    const struct rule_info *info;

    (void)state;
    world_init(&w);
    m = world_metric(&w, "JobsPerWorker", "");
    m->target = 3;
    m->max_replicas = 40;
    assert_true(world_start(&w));
    info = info_of(&w, "JobsPerWorker");
    assert_true(info->builtin);
    assert_true(info->target == 3);
    assert_int_equal(info->min_replicas, 2);
    assert_int_equal(info->max_replicas, 40);
    assert_true(str_eqz(info->unit, "Count"));
    assert_true(str_starts(info->expression, STR("(max(instant_tasks_jobs")));
    assert_int_equal(rules_count(w.rules), 11);
    world_fini(&w);
}

static void test_a_row_with_an_expression_takes_the_place(void **state)
{
    struct world w;
    const struct rule_info *info;

    (void)state;
    world_init(&w);
    world_metric(&w, "JobsPerWorker", "vector(5)");
    assert_true(world_start(&w));
    info = info_of(&w, "JobsPerWorker");
    assert_false(info->builtin);
    assert_true(str_eqz(info->expression, "vector(5)"));
    assert_int_equal(info->formula.len, 0);
    assert_true(info->target == 5);
    assert_int_equal(info->scaling, PRESET_RATIO);
    assert_int_equal(rules_count(w.rules), 11);
    assert_true(str_eqz(rules_info(w.rules, 0)->name, "JobsPerWorker"));
    world_fini(&w);
}

static void test_a_metric_can_be_switched_off(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_metric(&w, "JobQueueLength", "")->enabled = false;
    assert_true(world_start(&w));
    assert_int_equal(rules_count(w.rules), 10);
    assert_null(info_of(&w, "JobQueueLength"));
    world_fini(&w);
}

static void test_no_preset_means_only_a_users_own(void **state)
{
    static char none[] = "none";
    struct world w;

    (void)state;
    world_init(&w);
    w.membrane.preset = none;
    world_metric(&w, "Mine", "sum(rate(requests_total[2m]))");
    assert_true(world_start(&w));
    assert_int_equal(rules_count(w.rules), 1);
    assert_int_equal(rules_reach(w.rules), 120000);
    assert_true(rules_want_range(w.rules));
    assert_true(str_eqz(info_of(&w, "Mine")->unit, "None"));
    assert_int_equal(info_of(&w, "Mine")->min_replicas, -1);
    world_fini(&w);
}

static void test_the_built_in_ones_look_back_five_minutes(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    assert_true(world_start(&w));
    assert_int_equal(rules_reach(w.rules), 300000);
    assert_false(rules_want_range(w.rules));
    world_fini(&w);
}

static void assert_fault(struct world *w, const void *field, const char *part)
{
    assert_false(world_start(w));
    if (!strstr(w->fault, part))
        fail_msg("fault: %s", w->fault);
    assert_ptr_equal(w->fault_field, field);
    world_fini(w);
}

static void test_faults_name_the_metric_the_field_and_the_mend(void **state)
{
    static char typo[] = "membrane/2025-1", word[] = "many";
    struct world w;
    struct rule_conf *m;

    (void)state;
    world_init(&w);
    m = world_metric(&w, "Mine", "sum(depth");
    assert_fault(&w, &m->expr, "metric \"Mine\": 1:10: parse error");
    world_init(&w);
    m = world_metric(&w, "Mine", "sum(depth");
    assert_fault(&w, &m->expr, "^");
    world_init(&w);
    m = world_metric(&w, "Mine", "");
    assert_fault(&w, &m->expr, "metric \"Mine\" has no expr");
    world_init(&w);
    m = world_metric(&w, "Mine", "depth[5m]");
    assert_fault(&w, &m->expr, "gives a range vector");
    world_init(&w);
    world_metric(&w, "Mine", "depth");
    m = world_metric(&w, "Mine", "depth");
    assert_fault(&w, &m->name, "stands twice");
    world_init(&w);
    m = world_metric(&w, "Mine", "depth");
    m->missing.value = word;
    assert_fault(&w, &m->missing.value, "no number");
    world_init(&w);
    m = world_metric(&w, "Mine", "depth");
    m->min_replicas = 3;
    m->max_replicas = 2;
    assert_fault(&w, &m->max_replicas, "max_replicas below its min_replicas");
    world_init(&w);
    w.membrane.preset = typo;
    assert_fault(&w, &w.membrane.preset, "did you mean \"membrane/2025-10\"?");
}

static void test_a_users_ratio_and_total_ask_for_replicas(void **state)
{
    static char unit[] = "Count", running[] = "count(depth)";
    struct world w;
    struct rule_conf *m;

    (void)state;
    world_init(&w);
    m = world_metric(&w, "Total", "sum(depth)");
    m->unit = unit;
    m->target = 2;
    m->max_replicas = 4;
    m = world_metric(&w, "Ratio", "sum(depth) / count(depth)");
    m->target = 2;
    m->running = running;
    m = world_metric(&w, "Share", "sum(depth)");
    m->target = 2;
    assert_true(world_start(&w));
    world_job(&w, "one", 2);
    world_set(&w, "depth", "one", 0, 3);
    world_set(&w, "depth", "one", 1, 8);
    world_evaluate(&w);
    assert_int_equal(world_result(&w, "Total")->rows[0].implied_replicas, 4);
    assert_int_equal(world_result(&w, "Ratio")->rows[0].implied_replicas, 6);
    assert_false(world_result(&w, "Share")->rows[0].has_replicas);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_of_the_tables_pass_their_own_reading),
        cmocka_unit_test(test_a_row_changes_only_what_it_says),
        cmocka_unit_test(test_a_row_with_an_expression_takes_the_place),
        cmocka_unit_test(test_a_metric_can_be_switched_off),
        cmocka_unit_test(test_no_preset_means_only_a_users_own),
        cmocka_unit_test(test_the_built_in_ones_look_back_five_minutes),
        cmocka_unit_test(test_faults_name_the_metric_the_field_and_the_mend),
        cmocka_unit_test(test_a_users_ratio_and_total_ask_for_replicas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
