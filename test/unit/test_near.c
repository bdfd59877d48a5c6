/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/near.h"
#include "test/lib/unit.h"

static struct str nearest(const char *typed)
{
    static const char *const names[] = {"interval", "timeout", "targets",
                                        "path",     "name",    "dns"};
    struct near n;

    near_start(&n, str_of(typed));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        near_offer(&n, str_of(names[i]));
    return n.best;
}

static void test_slips_of_the_keyboard_are_understood(void **state)
{
    (void)state;
    assert_true(str_eqz(nearest("intervall"), "interval")); /* one too many */
    assert_true(str_eqz(nearest("intrval"), "interval"));   /* one missing */
    assert_true(str_eqz(nearest("tineout"), "timeout"));    /* one wrong */
    assert_true(str_eqz(nearest("anme"), "name"));          /* two swapped */
    assert_true(str_eqz(nearest("target"), "targets"));
}

static void test_what_is_far_from_all_gets_no_answer(void **state)
{
    (void)state;
    assert_null(nearest("frequency").ptr);
    assert_null(nearest("x").ptr);
    assert_null(nearest("").ptr);
}

static void test_endless_names_are_passed_over(void **state)
{
    char text[200];
    struct near n;

    (void)state;
    memset(text, 'a', sizeof(text));
    near_start(&n, str_n(text, sizeof(text)));
    near_offer(&n, str_n(text, sizeof(text)));
    near_offer(&n, STR("a"));
    assert_null(n.best.ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slips_of_the_keyboard_are_understood),
        cmocka_unit_test(test_what_is_far_from_all_gets_no_answer),
        cmocka_unit_test(test_endless_names_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
