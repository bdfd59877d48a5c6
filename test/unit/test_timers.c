/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/timers.h"
#include "test/lib/unit.h"

#include <stdlib.h>

#define MANY 1000

static void test_the_earliest_comes_first(void **state)
{
    struct timers ts = {0};
    struct timer t[3] = {{.at_ms = 30}, {.at_ms = 10}, {.at_ms = 20}};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        timers_add(&ts, &t[i]);
    assert_ptr_equal(timers_first(&ts), &t[1]);
    assert_ptr_equal(timers_pop(&ts, 30, ts.added), &t[1]);
    assert_ptr_equal(timers_pop(&ts, 30, ts.added), &t[2]);
    assert_ptr_equal(timers_pop(&ts, 30, ts.added), &t[0]);
    assert_null(timers_pop(&ts, 30, ts.added));
    assert_null(timers_first(&ts));
    timers_fini(&ts);
}

static void test_equal_times_fire_in_the_order_of_arming(void **state)
{
    struct timers ts = {0};
    struct timer t[MANY] = {0};

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        timers_add(&ts, &t[i]);
    for (size_t i = 0; i < MANY; i++)
        assert_ptr_equal(timers_pop(&ts, 0, ts.added), &t[i]);
    timers_fini(&ts);
}

static void test_what_is_not_due_stays(void **state)
{
    struct timers ts = {0};
    struct timer t = {.at_ms = 11};

    (void)state;
    timers_add(&ts, &t);
    assert_null(timers_pop(&ts, 10, ts.added));
    assert_int_equal(ts.count, 1);
    assert_ptr_equal(timers_pop(&ts, 11, ts.added), &t);
    timers_fini(&ts);
}

static void test_rearming_waits_for_the_next_turn(void **state)
{
    struct timers ts = {0};
    struct timer t = {.at_ms = 5};
    uint64_t turn;

    (void)state;
    timers_add(&ts, &t);
    turn = ts.added;
    assert_ptr_equal(timers_pop(&ts, 5, turn), &t);
    timers_add(&ts, &t);
    assert_null(timers_pop(&ts, 5, turn));
    assert_ptr_equal(timers_pop(&ts, 5, ts.added), &t);
    timers_fini(&ts);
}

/* Anything may be removed at any time, and the rest stays in order. */
static void test_order_survives_removals(void **state)
{
    struct timers ts = {0};
    struct timer t[MANY] = {0};
    struct timer *last = NULL;
    size_t left = 0;
    uint32_t random = 1;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        random = random * 1664525 + 1013904223;
        t[i].at_ms = random >> 22;
        timers_add(&ts, &t[i]);
    }
    for (size_t i = 0; i < MANY; i += 3)
        timers_remove(&ts, &t[i]);
    for (struct timer *next; (next = timers_pop(&ts, 1 << 20, ts.added));) {
        assert_true((next - t) % 3 != 0);
        assert_true(!last || last->at_ms < next->at_ms ||
                    (last->at_ms == next->at_ms && last < next));
        last = next;
        left++;
    }
    assert_int_equal(left, MANY - (MANY + 2) / 3);
    timers_fini(&ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_earliest_comes_first),
        cmocka_unit_test(test_equal_times_fire_in_the_order_of_arming),
        cmocka_unit_test(test_what_is_not_due_stays),
        cmocka_unit_test(test_rearming_waits_for_the_next_turn),
        cmocka_unit_test(test_order_survives_removals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
