/* SPDX-License-Identifier: Apache-2.0 */
/* When targets are scraped, and with which stamps. */
#include "test/lib/scraped.h"
#include "test/lib/simworld.h"
#include "test/lib/unit.h"

#define A        "http://a:1/m"
#define INTERVAL INT64_C(15000)

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

static int64_t wall_of(const struct scraped *w, size_t i)
{
    return sim_request(w->loop, i)->at.wall_ms;
}

static void test_every_target_is_scraped_once_an_interval(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, "http://a:1/m http://b:1/m http://c:1/m");
    scrape_pool_start(w->pool);
    sim_run_for(w->loop, INTERVAL);
    assert_int_equal(w->asked, 3);
    sim_run_for(w->loop, INTERVAL * 99);
    assert_int_equal(w->asked, 300);
    assert_int_not_equal(wall_of(w, 0), wall_of(w, 1));
    assert_int_not_equal(wall_of(w, 1), wall_of(w, 2));
}

static void test_the_grid_is_even_and_fixed_in_absolute_time(void **state)
{
    struct scraped *w = *state;
    int64_t phase;

    scraped_targets(w, A);
    w->page.latency_ms = 700;
    scrape_pool_start(w->pool);
    sim_run_for(w->loop, 10 * INTERVAL);
    phase = wall_of(w, 0) % INTERVAL;
    for (size_t i = 1; i < sim_request_count(w->loop); i++)
        assert_int_equal(wall_of(w, i) - wall_of(w, i - 1), INTERVAL);
    assert_int_equal(scraped_up(w, "a:1")->t_ms % INTERVAL, phase);
    /* Another pool, started at another time, finds the same slot. */
    scrape_pool_stop(w->pool);
    sim_run_for(w->loop, 4321);
    scrape_pool_start(w->pool);
    sim_run_for(w->loop, INTERVAL);
    assert_int_equal(sim_request_last(w->loop)->at.wall_ms % INTERVAL, phase);
}

static void test_samples_bear_the_time_the_scrape_began(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, A);
    w->page.latency_ms = 3000;
    scrape_pool_start(w->pool);
    sim_run_for(w->loop, 2 * INTERVAL);
    assert_int_equal(scraped_up(w, "a:1")->t_ms, scraped_status(w).start_ms);
    assert_int_equal(scraped_status(w).duration_ms, 3000);
}

static void test_a_timeout_as_long_as_the_interval_loses_no_slot(void **state)
{
    struct scraped *w = *state;

    w->conf.timeout_ms = INTERVAL;
    w->page.never = true;
    scraped_targets(w, A);
    scrape_pool_start(w->pool);
    sim_run_for(w->loop, 20 * INTERVAL);
    assert_int_equal(w->asked, 20);
    assert_int_equal(scrape_pool_counters(w->pool).skipped, 0);
}

static void test_an_answer_within_the_millisecond_uses_the_slot_up(void **state)
{
    struct scraped *w = *state;

    w->page.latency_ms = 0;
    scraped_targets(w, A);
    scrape_pool_start(w->pool);
    for (int i = 0; i < 10; i++)
        sim_step(w->loop);
    assert_true(loop_now(w->loop).mono_ms - SIM_MONO_START > 4 * INTERVAL);
}

static void test_the_grid_follows_a_step_of_the_wall_clock(void **state)
{
    static const int64_t steps[] = {1, -1, 400, -7000, 3600000, -3600000};
    struct scraped *w = *state;
    int64_t phase;

    scraped_targets(w, A);
    scrape_pool_start(w->pool);
    sim_run_for(w->loop, INTERVAL);
    phase = wall_of(w, 0) % INTERVAL;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        size_t before;

        sim_step_wall(w->loop, steps[i]);
        sim_run_for(w->loop, 3 * INTERVAL);
        before = w->asked;
        sim_run_for(w->loop, 4 * INTERVAL);
        assert_int_equal(w->asked, before + 4);
        assert_int_equal(sim_request_last(w->loop)->at.wall_ms % INTERVAL,
                         phase);
    }
}

static void test_samples_of_a_clock_that_went_back_are_taken(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, "http://a:1/m http://b:1/m");
    scrape_pool_start(w->pool);
    sim_run_for(w->loop, 2 * INTERVAL);
    sim_step_wall(w->loop, -3600000);
    sim_run_for(w->loop, 2 * INTERVAL);
    assert_true(scraped_up(w, "a:1")->t_ms <= loop_now(w->loop).wall_ms);
    assert_true(scraped_up(w, "b:1")->t_ms <= loop_now(w->loop).wall_ms);
    assert_true(scraped_up(w, "a:1")->v == 1);
    assert_true(scraped_up(w, "b:1")->v == 1);
    assert_int_equal(scrape_pool_counters(w->pool).out_of_order, 0);
}

static void hold_up(void *arg)
{
    struct scraped *w = arg;

    w->loop->now.mono_ms += 4 * INTERVAL;
    w->loop->now.wall_ms += 4 * INTERVAL;
}

static void test_a_loop_that_was_held_up_does_not_bunch(void **state)
{
    struct scraped *w = *state;
    struct timer block = {0};
    size_t before;

    scraped_targets(w, "http://a:1/m http://b:1/m http://c:1/m http://d:1/m");
    scrape_pool_start(w->pool);
    sim_run_for(w->loop, INTERVAL);
    before = w->asked;
    timer_arm(w->loop, &block, loop_now(w->loop).mono_ms, hold_up, w);
    sim_run_for(w->loop, 5 * INTERVAL);
    assert_in_range(w->asked - before, 4, 8);
    for (size_t i = before + 1; i < w->asked; i++)
        assert_int_not_equal(wall_of(w, i), wall_of(w, i - 1));
    assert_int_equal(scrape_pool_counters(w->pool).skipped, 4);
}

static void test_new_settings_count_from_the_next_scrape_on(void **state)
{
    struct scraped *w = *state;
    struct scrape_conf quick = w->conf;

    quick.interval_ms = quick.timeout_ms = 5000;
    scraped_targets(w, A);
    scraped_page(w, TEXT_PLAIN, STR("a 1\n"));
    scrape_pool_start(w->pool);
    sim_run_for(w->loop, INTERVAL);
    scrape_pool_configure(w->pool, &quick, NULL);
    w->asked = 0;
    sim_run_for(w->loop, 60000);
    assert_int_equal(w->asked, 12);
    assert_string_equal(scraped_dump(w, false),
                        "a{instance=\"a:1\", job=\"j\"} 1\n");
}

static void test_a_running_scrape_is_dropped_by_new_settings(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, A);
    scraped_page(w, TEXT_PLAIN, STR("a 1\n"));
    w->page.latency_ms = 5000;
    scrape_pool_start(w->pool);
    while (sim_running(w->loop) == 0)
        sim_step(w->loop);
    scrape_pool_configure(w->pool, &w->conf, NULL);
    assert_int_equal(sim_running(w->loop), 0);
    assert_string_equal(scraped_dump(w, true), "");
    sim_run_for(w->loop, INTERVAL + 5000);
    assert_int_equal(w->asked, 2);
    assert_string_equal(scraped_dump(w, false),
                        "a{instance=\"a:1\", job=\"j\"} 1\n");
}

static void test_a_short_interval_shortens_the_default_timeout(void **state)
{
    struct scraped *w = *state;
    struct err err;

    w->conf.interval_ms = 5000;
    assert_true(scrape_check(&w->conf, &err));
    assert_int_equal(scrape_timeout(&w->conf), 5000);
    w->conf.timeout_ms = 7000;
    assert_false(scrape_check(&w->conf, &err));
    assert_string_equal(err.text, "timeout: 7s is longer than the interval of "
                                  "5s: a scrape must end before the next "
                                  "begins");
}

static void test_a_stopped_pool_asks_no_more(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, A);
    scrape_pool_start(w->pool);
    sim_run_for(w->loop, INTERVAL);
    scrape_pool_stop(w->pool);
    assert_int_equal(sim_timers(w->loop), 0);
    sim_run_for(w->loop, 10 * INTERVAL);
    assert_int_equal(w->asked, 1);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_every_target_is_scraped_once_an_interval),
        CASE(test_the_grid_is_even_and_fixed_in_absolute_time),
        CASE(test_samples_bear_the_time_the_scrape_began),
        CASE(test_a_timeout_as_long_as_the_interval_loses_no_slot),
        CASE(test_an_answer_within_the_millisecond_uses_the_slot_up),
        CASE(test_the_grid_follows_a_step_of_the_wall_clock),
        CASE(test_samples_of_a_clock_that_went_back_are_taken),
        CASE(test_a_loop_that_was_held_up_does_not_bunch),
        CASE(test_new_settings_count_from_the_next_scrape_on),
        CASE(test_a_running_scrape_is_dropped_by_new_settings),
        CASE(test_a_short_interval_shortens_the_default_timeout),
        CASE(test_a_stopped_pool_asks_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
