/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/buf.h"
#include "test/lib/unit.h"

#include <stdlib.h>

static void test_what_is_added_stands_in_order(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, BUF_NO_LIMIT);
    assert_string_equal(buf_z(&b), "");
    buf_addz(&b, "one");
    buf_addc(&b, ' ');
    buf_adds(&b, STR("two"));
    buf_addf(&b, " %d", 3);
    assert_string_equal(buf_z(&b), "one two 3");
    assert_true(str_eqz(buf_str(&b), "one two 3"));
    assert_true(buf_ok(&b));
    buf_fini(&b);
}

static void test_a_buffer_takes_its_maximum_exactly(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++)
        buf_addc(&b, 'x');
    assert_true(buf_ok(&b));
    assert_int_equal(b.len, 1000);
    buf_addc(&b, 'x');
    assert_false(buf_ok(&b));
    assert_int_equal(b.len, 1000);
    buf_fini(&b);
}

static void test_going_over_is_sticky_and_leaves_whole_pieces(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 5);
    buf_addz(&b, "abc");
    buf_addf(&b, "%s", "defg");
    buf_addz(&b, "x");
    assert_string_equal(buf_z(&b), "abc");
    assert_false(buf_ok(&b));
    buf_reset(&b);
    buf_addz(&b, "x");
    assert_string_equal(buf_z(&b), "x");
    assert_true(buf_ok(&b));
    buf_fini(&b);
}

static void test_taking_hands_over_and_leaves_an_empty_buffer(void **state)
{
    struct buf b;
    char *p;

    (void)state;
    buf_init(&b, 100);
    p = buf_take(&b);
    assert_string_equal(p, "");
    free(p);
    buf_addz(&b, "kept");
    p = buf_take(&b);
    assert_string_equal(p, "kept");
    free(p);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.max, 100);
    buf_fini(&b);
}

static void test_bytes_may_be_nul(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_add(&b, "a\0b", 3);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "a\0b", 4);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_added_stands_in_order),
        cmocka_unit_test(test_a_buffer_takes_its_maximum_exactly),
        cmocka_unit_test(test_going_over_is_sticky_and_leaves_whole_pieces),
        cmocka_unit_test(test_taking_hands_over_and_leaves_an_empty_buffer),
        cmocka_unit_test(test_bytes_may_be_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
