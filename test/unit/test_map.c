/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/map.h"
#include "test/lib/unit.h"

#include <stdio.h>

static void test_an_empty_map_has_nothing(void **state)
{
    struct map m = {0};
    struct map_slot slot;
    size_t i = 0;

    (void)state;
    assert_null(map_get(&m, STR("a")));
    assert_null(map_remove(&m, STR("a")));
    assert_false(map_next(&m, &i, &slot));
    map_fini(&m);
}

static void test_putting_again_replaces_and_gives_back(void **state)
{
    struct map m = {0};
    int one = 1;
    int two = 2;

    (void)state;
    assert_null(map_put(&m, STR("a"), &one));
    assert_ptr_equal(map_put(&m, STR("a"), &two), &one);
    assert_int_equal(m.count, 1);
    assert_ptr_equal(map_get(&m, STR("a")), &two);
    map_fini(&m);
}

struct entry {
    char name[16];
    bool in;
};

#define ENTRIES 3000

/* Against a plain array of what should be in it. */
static void test_a_long_mixed_life_leaves_what_should_be_there(void **state)
{
    static struct entry entries[ENTRIES];
    struct map m = {0};
    struct map_slot slot;
    uint32_t random = 7;
    size_t in = 0;
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < ENTRIES; i++)
        (void)snprintf(entries[i].name, sizeof(entries[i].name), "k%zu", i);
    for (size_t step = 0; step < 40000; step++) {
        struct entry *e;

        random = random * 1664525U + 1013904223U;
        e = &entries[(random >> 8) % ENTRIES];
        if (random >> 31) {
            assert_int_equal(map_put(&m, str_of(e->name), e) != NULL, e->in);
            e->in = true;
        } else {
            assert_int_equal(map_remove(&m, str_of(e->name)) != NULL, e->in);
            e->in = false;
        }
    }
    for (size_t i = 0; i < ENTRIES; i++) {
        assert_ptr_equal(map_get(&m, str_of(entries[i].name)),
                         entries[i].in ? &entries[i] : NULL);
        in += entries[i].in;
    }
    for (size_t i = 0; map_next(&m, &i, &slot);) {
        assert_true(str_eqz(slot.key, ((struct entry *)slot.value)->name));
        seen++;
    }
    assert_int_equal(m.count, in);
    assert_int_equal(seen, in);
    map_fini(&m);
}

static void test_the_empty_key_is_a_key(void **state)
{
    struct map m = {0};
    int v = 1;

    (void)state;
    assert_null(map_put(&m, STR_NONE, &v));
    assert_ptr_equal(map_get(&m, STR("")), &v);
    assert_ptr_equal(map_remove(&m, STR_NONE), &v);
    assert_int_equal(m.count, 0);
    map_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_map_has_nothing),
        cmocka_unit_test(test_putting_again_replaces_and_gives_back),
        cmocka_unit_test(test_a_long_mixed_life_leaves_what_should_be_there),
        cmocka_unit_test(test_the_empty_key_is_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
