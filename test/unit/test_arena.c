/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/arena.h"
#include "test/lib/unit.h"

#include <stdalign.h>

static void test_every_piece_is_aligned_for_any_type(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 256);
    for (size_t n = 0; n < 600; n += 7)
        assert_int_equal((uintptr_t)arena_alloc(&a, n) % alignof(max_align_t),
                         0);
    arena_fini(&a);
}

static void test_pieces_keep_their_bytes_as_the_arena_grows(void **state)
{
    struct arena a;
    char *piece[500];

    (void)state;
    arena_init(&a, 256);
    for (size_t i = 0; i < 500; i++) {
        piece[i] = arena_alloc(&a, 1 + i);
        memset(piece[i], (int)(i % 251), 1 + i);
    }
    for (size_t i = 0; i < 500; i++)
        for (size_t k = 0; k <= i; k++)
            assert_int_equal((unsigned char)piece[i][k], i % 251);
    arena_fini(&a);
}

static void test_reset_keeps_one_ordinary_block(void **state)
{
    struct arena a;
    void *first;

    (void)state;
    arena_init(&a, 4096);
    first = arena_alloc(&a, 16);
    (void)arena_alloc(&a, 100000);
    assert_true(a.used >= 100016);
    arena_reset(&a);
    assert_int_equal(a.used, 0);
    assert_ptr_equal(arena_alloc(&a, 16), first);
    arena_fini(&a);
}

static void test_arrays_are_zeroed_after_a_reset(void **state)
{
    struct arena a;
    int *v;

    (void)state;
    arena_init(&a, 1024);
    memset(arena_alloc(&a, 512), 0xAA, 512);
    arena_reset(&a);
    v = arena_array(&a, 64, sizeof(*v));
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(v[i], 0);
    arena_fini(&a);
}

static void test_texts_are_copied_and_end_in_nul(void **state)
{
    struct arena a;
    char text[] = "abc";
    char *z;
    struct str s;

    (void)state;
    arena_init(&a, 256);
    z = arena_strdup(&a, str_n(text, 2));
    s = arena_printf(&a, "%s-%d", text, 7);
    text[0] = 'X';
    assert_string_equal(z, "ab");
    assert_true(str_eqz(s, "abc-7"));
    assert_string_equal(s.ptr, "abc-7");
    assert_int_equal(arena_str(&a, STR_NONE).len, 0);
    arena_fini(&a);
}

static void test_wiping_leaves_nothing_of_what_was_there(void **state)
{
    struct arena a;
    const char *kept;

    (void)state;
    arena_init(&a, 256);
    kept = arena_strdup(&a, STR("hush"));
    arena_wipe(&a);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(kept[i], 0);
    assert_int_equal(a.used, 0);
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_piece_is_aligned_for_any_type),
        cmocka_unit_test(test_pieces_keep_their_bytes_as_the_arena_grows),
        cmocka_unit_test(test_reset_keeps_one_ordinary_block),
        cmocka_unit_test(test_arrays_are_zeroed_after_a_reset),
        cmocka_unit_test(test_texts_are_copied_and_end_in_nul),
        cmocka_unit_test(test_wiping_leaves_nothing_of_what_was_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
