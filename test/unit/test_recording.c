/* SPDX-License-Identifier: Apache-2.0 */
/* Recording rules: what they write, and how far their numbers can be
 * trusted. */
#include "agent/base/mem.h"
#include "test/lib/rules_world.h"
#include "test/lib/unit.h"

#include <stdlib.h>

#define RUNNER "custom-code-runner"
#define TOTAL  "custom_code_runner_total_job_spaces"
#define REMAIN "custom_code_runner_remaining_job_spaces"
#define USED   "groups: [{name: g, rules: [{record: used, expr: "

static void start(struct world *w, const char *rules, const char *expr)
{
    world_init(w);
    world_rule_file(w, rules);
    world_metric(w, "Mine", expr);
    assert_true(world_start(w));
    world_membrane(w);
}

/* A cycle later, all figures as they were. */
static void pass(struct world *w, int64_t ms)
{
    world_pass(w, ms);
    world_workers(w, 6);
    world_api(w, 17, 25);
    world_set_all(w, TOTAL, RUNNER, 10);
    world_set_all(w, REMAIN, RUNNER, 4);
    world_evaluate(w);
}

struct newest {
    struct world *w;
    size_t rows;
    double last;
    int64_t t_ms;
};

static void look(void *arg, struct series *se)
{
    struct newest *n = arg;
    const struct sample *s =
        series_newest(se, n->w->now_ms - 5 * WHEN_MINUTE, n->w->now_ms);

    if (!s || sample_is_stale(s->v))
        return;
    n->rows++;
    n->last = s->v;
    n->t_ms = s->t_ms;
}

static struct newest recorded(struct world *w, const char *name)
{
    const struct matcher named = {MATCH_EQ, LABEL_NAME, str_of(name), NULL};
    struct newest n = {.w = w};

    store_select(w->store, &named, 1, look, &n);
    return n;
}

static enum rule_state state_of(const struct world *w)
{
    return world_result(w, "Mine")->state;
}

/* ---- what is written ---- */

static void test_a_later_rule_reads_what_an_earlier_one_wrote(void **state)
{
    struct world w;

    (void)state;
    start(&w,
          "groups:\n"
          "- name: g\n"
          "  rules:\n"
          "  - {record: used, expr: sum(" TOTAL ") - sum(" REMAIN ")}\n"
          "  - {record: used:double, expr: used * 2, labels: {kind: twice}}\n",
          "used:double{kind='twice'} + used * 0");
    world_evaluate(&w);
    assert_int_equal(recorded(&w, "used").rows, 1);
    assert_true(recorded(&w, "used").last == 9);
    assert_true(recorded(&w, "used:double").last == 18);
    assert_int_equal(recorded(&w, "used").t_ms, w.now_ms);
    world_fini(&w);
}

static void test_a_metric_reads_a_recorded_series(void **state)
{
    struct world w;

    (void)state;
    start(&w, USED "'sum(" TOTAL ") - sum(" REMAIN ")'}]}]", "used * 10");
    world_evaluate(&w);
    assert_true(world_value(&w, "Mine") == 90);
    assert_true(world_result(&w, "Mine")->complete);
    assert_int_equal(world_result(&w, "Mine")->input_count, 1);
    assert_true(str_eqz(world_result(&w, "Mine")->inputs[0].name, "used"));
    world_fini(&w);
}

static void test_labels_of_the_rule_win_over_the_group_and_the_row(void **state)
{
    const struct label *l;
    struct labels_builder b = {0};
    struct labels *want;
    struct world w;

    (void)state;
    start(&w,
          "groups:\n"
          "- name: g\n"
          "  labels: {team: a, tier: a, job: a}\n"
          "  rules:\n"
          "  - record: x\n"
          "    expr: max by (job, instance) (" TOTAL "{instance='b'})\n"
          "    labels: {tier: b, instance: ''}\n",
          "max(x)");
    world_evaluate(&w);
    labels_set(&b, LABEL_NAME, STR("x"));
    labels_set(&b, STR("team"), STR("a"));
    labels_set(&b, STR("tier"), STR("b"));
    labels_set(&b, STR("job"), STR("a"));
    want = labels_build(&b, NULL);
    assert_non_null(store_find(w.store, want));
    labels_builder_fini(&b);
    free(want);
    l = w.groups->items[0].records[0].labels;
    assert_true(str_eqz(l[0].name, "team"));
    world_fini(&w);
}

static void test_a_row_that_vanishes_goes_stale_at_once(void **state)
{
    struct world w;

    (void)state;
    start(&w, USED "'" REMAIN " > 5'}]}]", "count(used) or vector(0)");
    world_evaluate(&w);
    assert_true(world_value(&w, "Mine") == 1); /* of instance b, which has 7 */
    pass(&w, 15 * WHEN_SECOND);                /* now 4 each */
    assert_int_equal(recorded(&w, "used").rows, 0);
    assert_true(world_value(&w, "Mine") == 0);
    world_fini(&w);
}

static void test_a_scalar_is_recorded_as_one_row(void **state)
{
    struct world w;

    (void)state;
    start(&w, USED "3 * 4}]}]", "used");
    world_evaluate(&w);
    assert_true(world_value(&w, "Mine") == 12);
    world_fini(&w);
}

static void test_a_query_offset_looks_and_writes_in_the_past(void **state)
{
    struct world w;

    (void)state;
    start(&w,
          "groups: [{name: g, query_offset: 15s, rules: "
          "[{record: used, expr: sum(" TOTAL ")}]}]",
          "used");
    world_evaluate(&w);
    assert_int_equal(recorded(&w, "used").rows, 0);
    pass(&w, 15 * WHEN_SECOND);
    assert_int_equal(recorded(&w, "used").t_ms, w.now_ms - 15 * WHEN_SECOND);
    world_fini(&w);
}

static void test_a_group_keeps_its_interval(void **state)
{
    int64_t first;
    struct world w;

    (void)state;
    start(&w,
          "groups:\n"
          "- {name: slow, interval: 1m, rules: [{record: slow, expr: 1}]}\n"
          "- {name: quick, rules: [{record: quick, expr: 1}]}\n",
          "slow + quick");
    w.now_ms -= w.now_ms % WHEN_MINUTE;
    first = w.now_ms;
    world_evaluate(&w);
    pass(&w, 15 * WHEN_SECOND);
    pass(&w, 30 * WHEN_SECOND);
    assert_int_equal(recorded(&w, "slow").t_ms, first);
    assert_int_equal(recorded(&w, "quick").t_ms, w.now_ms);
    pass(&w, 15 * WHEN_SECOND);
    assert_int_equal(recorded(&w, "slow").t_ms, first + WHEN_MINUTE);
    world_fini(&w);
}

/* ---- what fails ---- */

static void assert_told(const struct world *w, const char *part)
{
    assert_int_equal(w->recorded.count, 1);
    assert_true(str_eqz(w->recorded.events[0].record, "used"));
    assert_false(w->recorded.events[0].good);
    if (!memmem(w->recorded.events[0].text.ptr, w->recorded.events[0].text.len,
                part, strlen(part)))
        fail_msg("%.*s", STR_ARG(w->recorded.events[0].text));
}

static void test_a_rule_over_its_limit_fails_and_its_series_go_stale(
    void **state)
{
    struct world w;

    (void)state;
    start(&w,
          "groups: [{name: g, limit: 1, rules: "
          "[{record: used, expr: own_figure}]}]",
          "max(used)");
    world_set(&w, "own_figure", "api", 0, 9);
    world_evaluate(&w);
    assert_int_equal(recorded(&w, "used").rows, 1);
    world_pass(&w, 15 * WHEN_SECOND);
    world_set_all(&w, "own_figure", "api", 9);
    world_evaluate(&w);
    assert_told(&w, "exceeded limit of 1 with 2 series");
    assert_int_equal(recorded(&w, "used").rows, 0);
    world_assert_reason(&w, "Mine", "used as recorded: the rule fails: exceed");
    assert_false(world_result(&w, "Mine")->complete);
    world_fini(&w);
}

static void test_a_failing_rule_is_told_once_and_once_when_it_works(
    void **state)
{
    struct world w;

    (void)state;
    start(&w, USED "own_figure, labels: {instance: ''}}]}]", "used");
    world_set_all(&w, "own_figure", "api", 9);
    world_evaluate(&w);
    assert_told(&w, "vector contains metrics with the same labelset after "
                    "applying rule labels");
    assert_int_equal(state_of(&w), RULE_MISSING);
    world_pass(&w, 15 * WHEN_SECOND);
    world_evaluate(&w);
    assert_int_equal(w.recorded.count, 0);
    world_pass(&w, 6 * WHEN_MINUTE);
    world_set(&w, "own_figure", "api", 0, 9);
    world_evaluate(&w);
    assert_int_equal(w.recorded.count, 1);
    assert_true(w.recorded.events[0].good);
    assert_true(world_value(&w, "Mine") == 9);
    world_fini(&w);
}

static void test_an_evaluation_that_fails_is_told_in_its_words(void **state)
{
    struct world w;

    (void)state;
    start(&w, USED "'" TOTAL " * on (job) " REMAIN "'}]}]", "used");
    world_evaluate(&w);
    assert_told(&w, "found duplicate series");
    world_fini(&w);
}

/* ---- completeness ---- */

static void test_a_target_that_is_down_makes_what_is_recorded_of_it_incomplete(
    void **state)
{
    struct world w;

    (void)state;
    start(&w, USED "'sum(" TOTAL ") - sum(" REMAIN ")'}]}]", "used");
    world_evaluate(&w);
    assert_int_equal(state_of(&w), RULE_FRESH);
    world_pass(&w, 15 * WHEN_SECOND);
    world_down(&w, RUNNER, 1, "connection refused");
    world_evaluate(&w);
    assert_true(recorded(&w, "used").last == 6); /* as Prometheus records */
    assert_int_equal(state_of(&w), RULE_HELD);
    assert_true(world_value(&w, "Mine") == 9);
    world_assert_reason(&w, "Mine",
                        "1 of 2 targets of custom-code-runner did not answer");
    world_fini(&w);
}

static void test_completeness_follows_through_several_rules(void **state)
{
    struct world w;

    (void)state;
    start(&w,
          "groups:\n"
          "- name: late\n"
          "  rules: [{record: third, expr: second + 0}]\n"
          "- name: early\n"
          "  rules:\n"
          "  - {record: first, expr: sum(" TOTAL ")}\n"
          "  - {record: second, expr: first * 2}\n",
          "{__name__=~'th.*'} + 0");
    world_evaluate(&w);
    pass(&w, 15 * WHEN_SECOND);
    assert_true(world_value(&w, "Mine") == 40);
    world_pass(&w, 15 * WHEN_SECOND);
    world_down(&w, RUNNER, 0, "gone");
    world_evaluate(&w);
    assert_int_equal(state_of(&w), RULE_HELD);
    assert_false(world_result(&w, "Mine")->complete);
    world_fini(&w);
}

static void test_what_other_jobs_feed_does_not_matter(void **state)
{
    struct world w;

    (void)state;
    start(&w, USED "max(instant_tasks_jobs_active)}]}]", "used");
    world_down(&w, RUNNER, 0, "gone");
    world_down(&w, "api", 1, "gone"); /* a shared figure: one is enough */
    world_evaluate(&w);
    assert_true(world_value(&w, "Mine") == 17);
    world_down(&w, "api", 0, "gone");
    world_evaluate(&w);
    assert_int_equal(state_of(&w), RULE_HELD);
    world_fini(&w);
}

static void test_a_value_recorded_while_a_target_was_down_stays_doubtful(
    void **state)
{
    struct world w;

    (void)state;
    start(&w,
          "groups: [{name: g, interval: 1m, rules: [{record: used, expr: "
          "sum(" TOTAL ")}]}]",
          "used");
    w.now_ms += WHEN_MINUTE - w.now_ms % WHEN_MINUTE;
    world_down(&w, RUNNER, 1, "gone");
    world_evaluate(&w); /* records 10 of 20 */
    world_up(&w, RUNNER, 1);
    pass(&w, 15 * WHEN_SECOND);
    world_assert_reason(&w, "Mine", "used as recorded: 1 of 2 targets");
    assert_int_equal(state_of(&w), RULE_MISSING);
    pass(&w, 45 * WHEN_SECOND);
    assert_true(world_value(&w, "Mine") == 20);
    world_fini(&w);
}

static void test_a_range_over_it_remembers_the_bad_evaluation(void **state)
{
    struct world w;

    (void)state;
    start(&w, USED "sum(" TOTAL ")}]}]", "avg_over_time(used[2m])");
    world_evaluate(&w);
    pass(&w, 15 * WHEN_SECOND);
    assert_true(world_value(&w, "Mine") == 20);
    world_pass(&w, 15 * WHEN_SECOND);
    world_down(&w, RUNNER, 1, "gone");
    world_evaluate(&w); /* a sum of one runner is in the window */
    world_up(&w, RUNNER, 1);
    pass(&w, 15 * WHEN_SECOND);
    assert_int_equal(state_of(&w), RULE_HELD);
    assert_false(world_result(&w, "Mine")->complete);
    pass(&w, 2 * WHEN_MINUTE);
    assert_int_equal(state_of(&w), RULE_FRESH);
    assert_true(world_value(&w, "Mine") == 20);
    world_fini(&w);
}

static void test_rules_that_read_each_other_are_evaluated_and_end(void **state)
{
    struct world w;

    (void)state;
    start(&w,
          "groups: [{name: g, rules: ["
          "{record: ticks, expr: ticks + 1 or vector(1)}, "
          "{record: a, expr: b or ticks}, {record: b, expr: a}]}]",
          "ticks");
    for (int i = 0; i < 4; i++)
        pass(&w, 15 * WHEN_SECOND);
    assert_true(world_value(&w, "Mine") == 4);
    world_fini(&w);
}

static void test_an_unconfigured_job_leaves_a_metric_without_a_value(
    void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    world_rule_file(&w, USED "sum(" TOTAL ")}]}]");
    world_metric(&w, "Mine", "used");
    assert_true(world_start(&w));
    world_job(&w, "api", 1);
    world_evaluate(&w);
    world_assert_reason(&w, "Mine", "no job custom-code-runner is configured");
    world_fini(&w);
}

/* ---- the rest of the agent ---- */

static void count_text(void *arg, const struct promql_selector *s)
{
    size_t *n = arg;

    *n += str_eqz(s->text, REMAIN "[7m]");
}

static void test_the_store_keeps_what_recording_rules_read(void **state)
{
    size_t seen = 0;
    struct world w;

    (void)state;
    start(&w,
          "groups: [{name: g, query_offset: 1m, rules: [{record: used, expr: "
          "'max_over_time(" REMAIN "[7m])'}]}]",
          "used");
    rules_selectors(w.rules, count_text, &seen);
    assert_int_equal(seen, 1);
    assert_true(rules_reach(w.rules) >= 8 * WHEN_MINUTE);
    assert_true(rules_want_range(w.rules));
    world_fini(&w);
}

static void test_a_reload_keeps_what_was_shown_and_what_was_bad(void **state)
{
    static const char rules[] =
        "groups: [{name: g, rules: [{record: used, expr: '" REMAIN
        " > 5'}, {record: all, expr: sum(" TOTAL ")}]}]";
    struct world w;
    struct rules *old;
    struct groups *old_groups;

    (void)state;
    start(&w, rules, "max_over_time(all[1m])");
    world_down(&w, RUNNER, 0, "gone");
    world_evaluate(&w);
    assert_int_equal(recorded(&w, "used").rows, 1);
    old = w.rules;
    old_groups = w.groups;
    w.groups = NULL;
    world_rule_file(&w, rules);
    assert_true(world_start(&w));
    rules_inherit(w.rules, old);
    rules_free(old);
    groups_free(old_groups);
    world_up(&w, RUNNER, 0);
    pass(&w, 15 * WHEN_SECOND);
    assert_int_equal(recorded(&w, "used").rows, 0);
    world_assert_reason(&w, "Mine", "all as recorded: 1 of 2 targets");
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_later_rule_reads_what_an_earlier_one_wrote),
        cmocka_unit_test(test_a_metric_reads_a_recorded_series),
        cmocka_unit_test(
            test_labels_of_the_rule_win_over_the_group_and_the_row),
        cmocka_unit_test(test_a_row_that_vanishes_goes_stale_at_once),
        cmocka_unit_test(test_a_scalar_is_recorded_as_one_row),
        cmocka_unit_test(test_a_query_offset_looks_and_writes_in_the_past),
        cmocka_unit_test(test_a_group_keeps_its_interval),
        cmocka_unit_test(
            test_a_rule_over_its_limit_fails_and_its_series_go_stale),
        cmocka_unit_test(
            test_a_failing_rule_is_told_once_and_once_when_it_works),
        cmocka_unit_test(test_an_evaluation_that_fails_is_told_in_its_words),
        cmocka_unit_test(
            test_a_target_that_is_down_makes_what_is_recorded_of_it_incomplete),
        cmocka_unit_test(test_completeness_follows_through_several_rules),
        cmocka_unit_test(test_what_other_jobs_feed_does_not_matter),
        cmocka_unit_test(
            test_a_value_recorded_while_a_target_was_down_stays_doubtful),
        cmocka_unit_test(test_a_range_over_it_remembers_the_bad_evaluation),
        cmocka_unit_test(test_rules_that_read_each_other_are_evaluated_and_end),
        cmocka_unit_test(
            test_an_unconfigured_job_leaves_a_metric_without_a_value),
        cmocka_unit_test(test_the_store_keeps_what_recording_rules_read),
        cmocka_unit_test(test_a_reload_keeps_what_was_shown_and_what_was_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
