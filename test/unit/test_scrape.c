/* SPDX-License-Identifier: Apache-2.0 */
/* What a good scrape leaves in the store, and what the next one does to it. */
#include "agent/base/mem.h"
#include "test/lib/scraped.h"
#include "test/lib/unit.h"

#include <stdio.h>

#define A "http://a:1/m"
#define B "http://b:1/m"

static int set_up(void **state)
{
    *state = scraped_new();
    return 0;
}

static int tear_down(void **state)
{
    scraped_free(*state);
    return 0;
}

static void test_samples_get_job_and_instance(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, A);
    scraped_page(w, TEXT_PLAIN, STR("jobs{q=\"x\"} 5\nbusy 1\n"));
    assert_true(scraped_once(w));
    assert_string_equal(scraped_dump(w, false),
                        "busy{instance=\"a:1\", job=\"j\"} 1\n"
                        "jobs{instance=\"a:1\", job=\"j\", q=\"x\"} 5\n");
}

static void test_a_scrape_tells_of_itself(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, A);
    scraped_page(w, TEXT_PLAIN, STR("a 1\nb 2\n"));
    scraped_once(w);
    scraped_want(w, "none");
    scraped_once(w);
    assert_string_equal(
        scraped_dump(w, true),
        "a{instance=\"a:1\", job=\"j\"} stale\n"
        "b{instance=\"a:1\", job=\"j\"} stale\n"
        "scrape_samples_post_metric_relabeling{instance=\"a:1\", job=\"j\"} 2\n"
        "scrape_samples_scraped{instance=\"a:1\", job=\"j\"} 2\n"
        "scrape_series_added{instance=\"a:1\", job=\"j\"} 0\n"
        "up{instance=\"a:1\", job=\"j\"} 1\n");
}

static void test_the_request_is_that_of_prometheus(void **state)
{
    struct scraped *w = *state;
    const struct sim_seen *seen;

    w->conf.timeout_ms = 1250;
    scraped_targets(w, A);
    scraped_once(w);
    seen = sim_request_last(w->loop);
    assert_true(
        str_eqz(sim_request_header(seen, STR("accept-encoding")), "gzip"));
    assert_true(str_eqz(
        sim_request_header(seen, STR("x-prometheus-scrape-timeout-seconds")),
        "1.25"));
    assert_true(
        str_starts(sim_request_header(seen, STR("accept")),
                   STR("application/"
                       "openmetrics-text;version=1.0.0;escaping=allow-utf-8")));
    assert_int_equal(seen->req->timeout_ms, 1250);
    assert_int_equal(seen->req->max_response, w->conf.wire_limit);
}

static void test_labels_that_clash_are_renamed_as_often_as_need_be(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, A);
    scraped_page(w, TEXT_PLAIN,
                 STR("m{job=\"x\",instance=\"y\",exported_job=\"z\"} 1\n"));
    assert_true(scraped_once(w));
    assert_string_equal(
        scraped_dump(w, false),
        "m{exported_exported_job=\"x\", exported_instance=\"y\", "
        "exported_job=\"z\", instance=\"a:1\", job=\"j\"} 1\n");
}

static void test_honor_labels_lets_the_answer_win(void **state)
{
    struct scraped *w = *state;

    w->conf.honor_labels = true;
    scraped_targets(w, A);
    scraped_page(w, TEXT_PLAIN, STR("m{job=\"x\"} 1\nn{instance=\"\"} 2\n"));
    assert_true(scraped_once(w));
    assert_string_equal(scraped_dump(w, false),
                        "m{instance=\"a:1\", job=\"x\"} 1\n"
                        "n{job=\"j\"} 2\n");
}

static void test_a_series_that_is_gone_goes_stale_and_may_return(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, A);
    scraped_page(w, TEXT_PLAIN, STR("a 1\nb 2\n"));
    scraped_once(w);
    scraped_page(w, TEXT_PLAIN, STR("b 3\n"));
    scraped_once(w);
    assert_string_equal(scraped_dump(w, false),
                        "a{instance=\"a:1\", job=\"j\"} stale\n"
                        "b{instance=\"a:1\", job=\"j\"} 3\n");
    scraped_page(w, TEXT_PLAIN, STR("a 4\nb 3\n"));
    scraped_once(w);
    assert_string_equal(scraped_dump(w, false),
                        "a{instance=\"a:1\", job=\"j\"} 4\n"
                        "b{instance=\"a:1\", job=\"j\"} 3\n");
}

static void test_a_vanished_target_goes_stale_at_once(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, A " " B);
    scraped_page(w, TEXT_PLAIN, STR("a 1\n"));
    scraped_once(w);
    scraped_targets(w, B);
    assert_string_equal(scraped_dump(w, false),
                        "a{instance=\"a:1\", job=\"j\"} stale\n"
                        "a{instance=\"b:1\", job=\"j\"} 1\n");
    assert_true(sample_is_stale(scraped_up(w, "a:1")->v));
    assert_true(scraped_up(w, "b:1")->v == 1);
}

static void test_a_target_that_stays_keeps_its_state(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, B);
    scraped_page(w, TEXT_PLAIN, STR("a 1\n"));
    scraped_once(w);
    scraped_targets(w, A " " B);
    assert_int_equal(scrape_pool_count(w->pool), 2);
    assert_int_equal(scrape_pool_status(w->pool, 0).health, SCRAPE_UNKNOWN);
    assert_int_equal(scrape_pool_status(w->pool, 1).health, SCRAPE_UP);
    assert_int_equal(scrape_pool_status(w->pool, 1).series, 1);
}

static void test_a_target_may_vanish_while_it_is_scraped(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, A " " B);
    scraped_page(w, TEXT_PLAIN, STR("a 1\n"));
    scraped_once(w);
    scrape_pool_start(w->pool);
    while (sim_running(w->loop) == 0)
        sim_step(w->loop);
    scraped_targets(w, "");
    assert_int_equal(sim_running(w->loop), 0);
    assert_int_equal(sim_timers(w->loop), 0);
    assert_string_equal(scraped_dump(w, false),
                        "a{instance=\"a:1\", job=\"j\"} stale\n"
                        "a{instance=\"b:1\", job=\"j\"} stale\n");
}

static void test_only_what_is_wanted_is_stored_but_all_is_counted(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, A);
    scraped_want(w, "b");
    scraped_page(w, TEXT_PLAIN, STR("a 1\nb 2\nc 3\n"));
    assert_true(scraped_once(w));
    assert_string_equal(scraped_dump(w, false),
                        "b{instance=\"a:1\", job=\"j\"} 2\n");
    assert_int_equal(scraped_status(w).samples, 3);
    assert_int_equal(scraped_status(w).kept, 1);
}

static void test_the_first_of_two_equal_series_wins(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, A);
    scraped_page(w, TEXT_PLAIN,
                 STR("a{x=\"1\",y=\"2\"} 1\na{x=\"1\",y=\"2\"} 2\n"
                     "a{y=\"2\",x=\"1\"} 3\n"));
    for (int i = 1; i <= 3; i++) {
        assert_true(scraped_once(w));
        assert_string_equal(
            scraped_dump(w, false),
            "a{instance=\"a:1\", job=\"j\", x=\"1\", y=\"2\"} 1\n");
        assert_int_equal(scrape_pool_counters(w->pool).duplicates, 2 * i);
    }
}

static void test_the_targets_own_timestamps_count(void **state)
{
    struct scraped *w = *state;
    char body[128];
    int n = snprintf(body, sizeof(body), "a 1 %lld\na 2 %lld\na 3 %lld\n",
                     (long long)SIM_WALL_START - 2000,
                     (long long)SIM_WALL_START - 1000,
                     (long long)SIM_WALL_START + 601000);

    scraped_targets(w, A);
    scraped_page(w, TEXT_PLAIN, str_n(body, (size_t)n));
    assert_true(scraped_once(w));
    assert_string_equal(scraped_dump(w, false),
                        "a{instance=\"a:1\", job=\"j\"} 2\n");
    assert_int_equal(scrape_pool_counters(w->pool).samples, 2);
    assert_int_equal(scrape_pool_counters(w->pool).too_far_ahead, 1);
    /* They are not followed by a marker, they fade. */
    scraped_page(w, TEXT_PLAIN, STR("b 1\n"));
    scraped_once(w);
    assert_string_equal(scraped_dump(w, false),
                        "a{instance=\"a:1\", job=\"j\"} 2\n"
                        "b{instance=\"a:1\", job=\"j\"} 1\n");
}

static void test_timestamps_can_be_ignored(void **state)
{
    struct scraped *w = *state;

    w->conf.honor_timestamps = false;
    scraped_targets(w, A);
    scraped_page(w, TEXT_PLAIN, STR("a 1 1000\n"));
    assert_true(scraped_once(w));
    scraped_page(w, TEXT_PLAIN, STR("b 1\n"));
    scraped_once(w);
    assert_string_equal(scraped_dump(w, false),
                        "a{instance=\"a:1\", job=\"j\"} stale\n"
                        "b{instance=\"a:1\", job=\"j\"} 1\n");
}

static void test_an_empty_answer_is_a_good_one(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, A);
    scraped_page(w, TEXT_PLAIN, STR("a 1\n"));
    scraped_once(w);
    scraped_page(w, TEXT_PLAIN, STR_NONE);
    assert_true(scraped_once(w));
    assert_string_equal(scraped_dump(w, false),
                        "a{instance=\"a:1\", job=\"j\"} stale\n");
    assert_true(scraped_up(w, "a:1")->v == 1);
}

static void test_once_ends_without_targets_too(void **state)
{
    struct scraped *w = *state;

    assert_true(scraped_once(w));
    assert_int_equal(w->asked, 0);
}

static void test_once_can_be_asked_twice(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, A " " B);
    assert_true(scraped_once(w));
    assert_true(scraped_once(w));
    assert_int_equal(w->asked, 4);
    assert_int_equal(w->ended, 4);
}

static void test_freeing_a_pool_leaves_the_store_alone(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, A);
    scraped_page(w, TEXT_PLAIN, STR("a 1\n"));
    scraped_once(w);
    scrape_pool_start(w->pool);
    while (sim_running(w->loop) == 0)
        sim_step(w->loop);
    scrape_pool_free(w->pool);
    w->pool = NULL;
    assert_int_equal(sim_running(w->loop), 0);
    assert_string_equal(scraped_dump(w, false),
                        "a{instance=\"a:1\", job=\"j\"} 1\n");
}

static struct str sent(struct scraped *w)
{
    scraped_once(w);
    return sim_request_header(sim_request_last(w->loop), STR("authorization"));
}

static void test_targets_are_told_who_asks(void **state)
{
    static char user[] = "me", password[] = "a:b", bearer[] = "Bearer",
                token[] = "t0k";
    struct scrape_basic_auth basic = {user, password};
    struct scrape_authorization authorization = {bearer, token};
    struct scraped *w = *state;

    scraped_targets(w, A);
    assert_int_equal(sent(w).len, 0);
    w->conf.basic_auth = &basic;
    assert_true(str_eqz(sent(w), "Basic bWU6YTpi"));
    w->conf.basic_auth = NULL;
    w->conf.authorization = &authorization;
    assert_true(str_eqz(sent(w), "Bearer t0k"));
}

static struct relabel_conf rule(char *sources, char *regex, char *target,
                                char *replacement, int64_t action)
{
    static char *name;
    static char separator[] = ";";

    name = sources;
    return (struct relabel_conf){
        .source_labels = {.items = &name, .count = 1},
        .separator = separator,
        .regex = regex,
        .target_label = target,
        .replacement = replacement,
        .action = action,
    };
}

static void test_metric_rules_rename_and_drop_before_limits_count(void **state)
{
    static char name[] = "__name__", old[] = "old_(.*)", fresh[] = "$1",
                gone[] = "gone", none[] = "";
    struct scraped *w = *state;
    struct relabel_conf rules[] = {
        rule(name, gone, none, none, RELABEL_DROP),
        rule(name, old, name, fresh, RELABEL_REPLACE),
    };

    w->conf.metric_relabel_configs = rules;
    w->conf.metric_relabel_configs_count = 2;
    w->conf.sample_limit = 2;
    scraped_want(w, "jobs");
    scraped_targets(w, A);
    scraped_page(w, TEXT_PLAIN, STR("old_jobs 5\ngone 1\nother 1\n"));
    assert_true(scraped_once(w));
    assert_true(scraped_once(w)); /* what was dropped is known */
    assert_string_equal(
        scraped_dump(w, true),
        "jobs{instance=\"a:1\", job=\"j\"} 5\n"
        "scrape_samples_post_metric_relabeling{instance=\"a:1\", job=\"j\"} 2\n"
        "scrape_samples_scraped{instance=\"a:1\", job=\"j\"} 3\n"
        "scrape_series_added{instance=\"a:1\", job=\"j\"} 0\n"
        "up{instance=\"a:1\", job=\"j\"} 1\n");
    scraped_page(w, TEXT_PLAIN, STR("old_jobs 5\nother 1\nmore 1\n"));
    assert_false(scraped_once(w));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_samples_get_job_and_instance),
        CASE(test_a_scrape_tells_of_itself),
        CASE(test_the_request_is_that_of_prometheus),
        CASE(test_labels_that_clash_are_renamed_as_often_as_need_be),
        CASE(test_honor_labels_lets_the_answer_win),
        CASE(test_a_series_that_is_gone_goes_stale_and_may_return),
        CASE(test_a_vanished_target_goes_stale_at_once),
        CASE(test_a_target_that_stays_keeps_its_state),
        CASE(test_a_target_may_vanish_while_it_is_scraped),
        CASE(test_only_what_is_wanted_is_stored_but_all_is_counted),
        CASE(test_the_first_of_two_equal_series_wins),
        CASE(test_the_targets_own_timestamps_count),
        CASE(test_timestamps_can_be_ignored),
        CASE(test_an_empty_answer_is_a_good_one),
        CASE(test_once_ends_without_targets_too),
        CASE(test_once_can_be_asked_twice),
        CASE(test_freeing_a_pool_leaves_the_store_alone),
        CASE(test_targets_are_told_who_asks),
        CASE(test_metric_rules_rename_and_drop_before_limits_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
