/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/mem.h"
#include "agent/metric/labels.h"
#include "test/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>

/* "a=1,b=2": pairs for tests that need no odd bytes. */
static struct labels *make(const char *text)
{
    struct labels_builder b = {0};
    struct str rest = str_of(text), part;
    struct labels *l;

    while (str_next(&rest, ',', &part)) {
        size_t eq = str_find(part, '=');

        if (part.len > 0)
            labels_set(&b, str_n(part.ptr, eq), str_from(part, eq + 1));
    }
    l = labels_build(&b, NULL);
    labels_builder_fini(&b);
    return l;
}

static void assert_str(struct str s, const char *z)
{
    assert_int_equal(s.len, strlen(z));
    if (s.len > 0)
        assert_memory_equal(s.ptr, z, s.len);
}

static void assert_printed(const struct labels *l, const char *want)
{
    struct buf out;

    buf_init(&out, BUF_NO_LIMIT);
    labels_print(l, &out);
    assert_string_equal(buf_z(&out), want);
    buf_fini(&out);
}

static void test_pairs_come_back_sorted_by_name(void **state)
{
    struct labels *l = make("job=api,__name__=up,instance=a:5000,Zone=1");
    struct labels_iter it = labels_iter(l);
    static const char *const want[][2] = {{"Zone", "1"},
                                          {"__name__", "up"},
                                          {"instance", "a:5000"},
                                          {"job", "api"}};
    struct label pair;

    (void)state;
    assert_int_equal(l->count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(labels_next(&it, &pair));
        assert_str(pair.name, want[i][0]);
        assert_str(pair.value, want[i][1]);
    }
    assert_false(labels_next(&it, &pair));
    assert_str(labels_name(l), "up");
    assert_str(labels_get(l, LABEL_JOB), "api");
    assert_str(labels_get(l, STR("jo")), "");
    assert_str(labels_get(l, STR("zzz")), "");
    free(l);
}

static void test_the_last_value_given_to_a_name_wins(void **state)
{
    struct labels *l = make("a=1,b=2,a=3"), *same = make("b=2,a=3");

    (void)state;
    assert_true(labels_eq(l, same));
    assert_int_equal(l->hash, same->hash);
    free(l);
    free(same);
}

static void test_an_empty_value_is_an_absent_label(void **state)
{
    struct labels *l = make("a=1,b=2,a="), *same = make("b=2");
    struct labels *none = make("a=");

    (void)state;
    assert_true(labels_eq(l, same));
    assert_true(labels_eq(none, &labels_empty));
    assert_int_equal(none->hash, labels_empty.hash);
    free(l);
    free(same);
    free(none);
}

static void test_a_builder_can_change_a_set_and_be_used_again(void **state)
{
    struct labels *from = make("__name__=up,job=api,instance=x");
    struct labels *want = make("job=api,instance=y");
    struct labels_builder b = {0};
    struct labels *l;

    (void)state;
    labels_start_from(&b, from);
    labels_drop(&b, LABEL_NAME);
    labels_set(&b, LABEL_INSTANCE, STR("y"));
    assert_str(labels_peek(&b, LABEL_INSTANCE), "y");
    assert_str(labels_peek(&b, LABEL_NAME), "");
    assert_str(labels_peek(&b, LABEL_JOB), "api");
    l = labels_build(&b, NULL);
    assert_true(labels_eq(l, want));
    free(l);
    labels_start(&b);
    l = labels_build(&b, NULL);
    assert_true(labels_eq(l, &labels_empty));
    free(l);
    labels_builder_fini(&b);
    free(from);
    free(want);
}

static void test_sets_live_in_an_arena_as_well(void **state)
{
    struct arena a;
    struct labels *l = make("a=1"), *copy, *built;
    struct labels_builder b = {0};

    (void)state;
    arena_init(&a, 1024);
    copy = labels_copy(l, &a);
    labels_start_from(&b, l);
    built = labels_build(&b, &a);
    free(l);
    assert_true(labels_eq(copy, built));
    assert_str(labels_get(copy, STR("a")), "1");
    labels_builder_fini(&b);
    arena_fini(&a);
}

static void test_long_values_and_any_byte_survive(void **state)
{
    static const size_t sizes[] = {1, 127, 128, 129, 16383, 16384, 300000};
    char *bytes = xmalloc(300000);

    (void)state;
    for (size_t i = 0; i < 300000; i++)
        bytes[i] = (char)(i * 7);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct labels_builder b = {0};
        struct str value = str_n(bytes, sizes[i]);
        struct labels *l;

        labels_set(&b, STR("v"), value);
        labels_set(&b, value, STR("name"));
        l = labels_build(&b, NULL);
        labels_builder_fini(&b);
        assert_true(str_eq(labels_get(l, STR("v")), value));
        assert_str(labels_get(l, value), "name");
        free(l);
    }
    free(bytes);
}

/* More pairs than are sorted in place, with repeated names. */
static void test_many_labels_are_sorted_stably(void **state)
{
    enum { NAMES = 500, SETS = 3 * NAMES };
    static char text[SETS][2][16];
    struct labels_builder b = {0};
    struct labels_iter it;
    struct label pair, before = {STR_NONE, STR_NONE};
    struct labels *l;

    (void)state;
    for (size_t i = 0; i < SETS; i++) {
        snprintf(text[i][0], 16, "n%03zu", i * 7919 % NAMES);
        snprintf(text[i][1], 16, "%zu", i / NAMES);
        labels_set(&b, str_of(text[i][0]), str_of(text[i][1]));
    }
    l = labels_build(&b, NULL);
    assert_int_equal(l->count, NAMES);
    it = labels_iter(l);
    while (labels_next(&it, &pair)) {
        assert_true(str_cmp(before.name, pair.name) < 0);
        assert_str(pair.value, "2");
        before = pair;
    }
    labels_builder_fini(&b);
    free(l);
}

static void test_order_is_that_of_prometheus(void **state)
{
    /* Ascending: pair by pair, a shorter set before its extensions. */
    static const char *const sets[] = {
        "",           "A=1",  "__name__=a", "__name__=a,b=1",
        "__name__=b", "a=1",  "a=1,b=1",    "a=1,b=2",
        "a=1,c=0",    "a=10", "a=2",        "a=2,b=0",
        "aa=0",       "b=0",
    };
    size_t n = sizeof(sets) / sizeof(sets[0]);

    (void)state;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            struct labels *a = make(sets[i]), *b = make(sets[j]);
            int want = (i > j) - (i < j);

            assert_int_equal(labels_cmp(a, b), want);
            assert_int_equal(labels_eq(a, b), want == 0);
            free(a);
            free(b);
        }
}

static void test_printing_is_as_promql_writes_it(void **state)
{
    static const char *const cases[][2] = {
        {"", "{}"},
        {"__name__=up", "up"},
        {"__name__=a:b", "a:b"},
        {"job=api,a=b", "{a=\"b\", job=\"api\"}"},
        {"__name__=up,job=api", "up{job=\"api\"}"},
        {"__name__=my.metric", "{\"my.metric\"}"},
        {"__name__=1a,x=y", "{\"1a\", x=\"y\"}"},
        {"a.b=c,a:b=d", "{\"a.b\"=\"c\", \"a:b\"=\"d\"}"},
        {"Zone=1,__name__=up,b=2", "up{Zone=\"1\", b=\"2\"}"},
        {"a=q\"b\\\n\t\x01", "{a=\"q\\\"b\\\\\\n\\t\\x01\"}"},
        {"a=\xff\xc3\xa9", "{a=\"\\xff\xc3\xa9\"}"},
        {"a=\xe2\x80\x8b\xc2\xa0", "{a=\"\\u200b\\u00a0\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct labels *l = make(cases[i][0]);

        assert_printed(l, cases[i][1]);
        free(l);
    }
}

static void test_a_nul_byte_is_printed_as_an_escape(void **state)
{
    struct labels_builder b = {0};
    struct labels *l;

    (void)state;
    labels_set(&b, STR("a"), str_n("x\0y", 3));
    l = labels_build(&b, NULL);
    labels_builder_fini(&b);
    assert_printed(l, "{a=\"x\\x00y\"}");
    free(l);
}

/* Few sets, many near neighbours: a weak hash would collide here. */
static void test_hashes_of_neighbours_differ(void **state)
{
    enum { N = 4096, PLACES = 4 * N };
    static bool seen[PLACES];
    size_t collisions = 0;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        char text[64];
        struct labels *l;

        snprintf(text, sizeof(text), "__name__=m,instance=10.0.%zu.%zu:5000",
                 i / 64, i % 64);
        l = make(text);
        collisions += seen[l->hash % PLACES];
        seen[l->hash % PLACES] = true;
        free(l);
    }
    /* By chance one in eight falls on a taken place. */
    assert_in_range(collisions, N / 16, N / 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs_come_back_sorted_by_name),
        cmocka_unit_test(test_the_last_value_given_to_a_name_wins),
        cmocka_unit_test(test_an_empty_value_is_an_absent_label),
        cmocka_unit_test(test_a_builder_can_change_a_set_and_be_used_again),
        cmocka_unit_test(test_sets_live_in_an_arena_as_well),
        cmocka_unit_test(test_long_values_and_any_byte_survive),
        cmocka_unit_test(test_many_labels_are_sorted_stably),
        cmocka_unit_test(test_order_is_that_of_prometheus),
        cmocka_unit_test(test_printing_is_as_promql_writes_it),
        cmocka_unit_test(test_a_nul_byte_is_printed_as_an_escape),
        cmocka_unit_test(test_hashes_of_neighbours_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
