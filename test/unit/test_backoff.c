/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/backoff.h"
#include "test/lib/unit.h"

/* The longest wait there can be: the random part equals the bound. */
static int64_t bound(struct backoff *b, int64_t expected)
{
    struct backoff copy = *b;
    int64_t most = backoff_next(&copy, (uint64_t)expected);

    (void)backoff_next(b, 0);
    return most;
}

static void test_waits_double_up_to_the_cap(void **state)
{
    struct backoff b = {.base_ms = 100, .cap_ms = 1000};
    static const int64_t expected[] = {100, 200, 400, 800, 1000, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_int_equal(bound(&b, expected[i]), expected[i]);
    backoff_reset(&b);
    assert_int_equal(bound(&b, 100), 100);
}

static void test_no_wait_is_beyond_its_bound(void **state)
{
    uint64_t x = 1;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct backoff b = {.base_ms = 100, .cap_ms = 1000, .tries = 2};
        int64_t wait;

        x = x * UINT64_C(6364136223846793005) + 1;
        wait = backoff_next(&b, x);
        assert_true(wait >= 0 && wait <= 400);
    }
}

static void test_endless_failure_and_huge_numbers_stay_sane(void **state)
{
    struct backoff b = {
        .base_ms = INT64_MAX / 3, .cap_ms = INT64_MAX, .tries = UINT32_MAX};
    struct backoff none = {0};

    (void)state;
    assert_true(backoff_next(&b, UINT64_MAX) >= 0);
    assert_true(b.tries == UINT32_MAX);
    assert_int_equal(backoff_next(&none, 7), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_double_up_to_the_cap),
        cmocka_unit_test(test_no_wait_is_beyond_its_bound),
        cmocka_unit_test(test_endless_failure_and_huge_numbers_stay_sane),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
