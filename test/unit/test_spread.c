/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/scrape/spread.h"
#include "test/lib/unit.h"

#include <inttypes.h>
#include <stdio.h>

#define INTERVAL 15000

static int64_t phase_of(const char *url, uint64_t seed)
{
    return spread_phase(&labels_empty, str_of(url), seed, INTERVAL);
}

static void test_targets_spread_evenly_over_the_interval(void **state)
{
    unsigned seconds[INTERVAL / 1000] = {0};
    char url[64];

    (void)state;
    for (int i = 0; i < 1500; i++) {
        int64_t phase;

        snprintf(url, sizeof(url), "http://10.0.%d.%d:5000/m", i / 250,
                 i % 250);
        phase = phase_of(url, 0);
        assert_in_range(phase, 0, INTERVAL - 1);
        seconds[phase / 1000]++;
    }
    for (size_t i = 0; i < INTERVAL / 1000; i++)
        assert_in_range(seconds[i], 60, 140);
}

static void test_a_slot_belongs_to_a_target_for_ever(void **state)
{
    (void)state;
    assert_int_equal(phase_of("http://a:1/m", 0), phase_of("http://a:1/m", 0));
    assert_int_not_equal(phase_of("http://a:1/m", 0),
                         phase_of("http://b:1/m", 0));
}

static void test_two_agents_with_seeds_of_their_own_differ(void **state)
{
    (void)state;
    assert_int_not_equal(phase_of("http://a:1/m", 1),
                         phase_of("http://a:1/m", 12345));
}

static void test_the_next_slot_is_at_or_after_the_time_asked(void **state)
{
    (void)state;
    assert_int_equal(spread_slot(4000, INTERVAL, 0), 4000);
    assert_int_equal(spread_slot(4000, INTERVAL, 4000), 4000);
    assert_int_equal(spread_slot(4000, INTERVAL, 4001), 19000);
    assert_int_equal(spread_slot(4000, INTERVAL, 18999), 19000);
}

static void test_stamps_snap_to_a_slot_missed_by_a_hair(void **state)
{
    (void)state;
    assert_int_equal(spread_stamp(19000, INTERVAL, 19002), 19000);
    assert_int_equal(spread_stamp(19000, INTERVAL, 18999), 19000);
    assert_int_equal(spread_stamp(19000, INTERVAL, 19003), 19003);
    /* 1 % of 100 ms is less than 2 ms. */
    assert_int_equal(spread_stamp(19000, 100, 19002), 19002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets_spread_evenly_over_the_interval),
        cmocka_unit_test(test_a_slot_belongs_to_a_target_for_ever),
        cmocka_unit_test(test_two_agents_with_seeds_of_their_own_differ),
        cmocka_unit_test(test_the_next_slot_is_at_or_after_the_time_asked),
        cmocka_unit_test(test_stamps_snap_to_a_slot_missed_by_a_hair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
