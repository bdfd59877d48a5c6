/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/list.h"
#include "test/lib/unit.h"

struct item {
    int value;
    struct list_node node;
};

static int value_of(struct list_node *n)
{
    return list_entry(n, struct item, node)->value;
}

static void test_a_list_keeps_order_and_count(void **state)
{
    struct item item[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
    struct list l = {0};
    int want = 1;

    (void)state;
    list_append(&l, &item[1].node);
    list_append(&l, &item[2].node);
    list_prepend(&l, &item[0].node);
    list_for_each (&l, n)
        assert_int_equal(value_of(n), want++);
    assert_int_equal(l.count, 3);
    assert_int_equal(value_of(list_pop(&l)), 1);
    assert_int_equal(l.count, 2);
}

static void test_the_body_of_a_loop_may_remove_its_node(void **state)
{
    struct item item[4] = {{.value = 1}, {.value = 2}, {.value = 3}, {0}};
    struct list l = {0};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        list_append(&l, &item[i].node);
    list_for_each (&l, n)
        if (value_of(n) % 2)
            list_remove(n);
    assert_int_equal(l.count, 2);
    assert_int_equal(value_of(l.first), 2);
    assert_int_equal(value_of(l.last), 0);
    assert_null(item[0].node.list);
}

static void test_removing_what_is_in_no_list_is_fine(void **state)
{
    struct item item = {0};

    (void)state;
    list_remove(&item.node);
    assert_null(item.node.list);
}

static void test_taking_moves_everyone_to_the_end(void **state)
{
    struct item item[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
    struct list to = {0};
    struct list from = {0};

    (void)state;
    list_append(&to, &item[0].node);
    list_append(&from, &item[1].node);
    list_append(&from, &item[2].node);
    list_take(&to, &from);
    assert_int_equal(from.count, 0);
    assert_null(list_pop(&from));
    assert_int_equal(to.count, 3);
    assert_int_equal(value_of(to.last), 3);
    assert_ptr_equal(item[2].node.list, &to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_list_keeps_order_and_count),
        cmocka_unit_test(test_the_body_of_a_loop_may_remove_its_node),
        cmocka_unit_test(test_removing_what_is_in_no_list_is_fine),
        cmocka_unit_test(test_taking_moves_everyone_to_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
