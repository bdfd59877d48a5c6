/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/gzip.h"
#include "test/lib/unit.h"

static bool collect(void *arg, const char *p, size_t n, struct err *err)
{
    struct buf *b = arg;

    buf_add(b, p, n);
    return buf_ok(b) || err_set(err, ERR_LIMIT, "body: too large");
}

static struct str sample(void)
{
    static char text[200000];
    uint32_t x = 1;

    for (size_t i = 0; i < sizeof(text); i++) {
        x = x * 1664525U + 1013904223U;
        text[i] = "abcdefgh \n"[(x >> 24) % 10];
    }
    return str_n(text, sizeof(text));
}

static void test_what_was_packed_comes_out_again(void **state)
{
    struct str in = sample();
    struct buf packed;
    struct buf out;
    struct err err;

    (void)state;
    buf_init(&packed, BUF_NO_LIMIT);
    buf_init(&out, BUF_NO_LIMIT);
    assert_true(gzip_pack(&packed, in, &err));
    assert_true(packed.len < in.len);
    for (size_t step = 1; step < packed.len; step = step * 7 + 1) {
        struct gunzip *g = gunzip_new(collect, &out);

        buf_reset(&out);
        for (size_t at = 0; at < packed.len; at += step)
            assert_true(gunzip_feed(
                g, packed.data + at,
                packed.len - at < step ? packed.len - at : step, &err));
        assert_true(gunzip_end(g, &err));
        assert_true(str_eq(buf_str(&out), in));
        gunzip_free(g);
    }
    buf_fini(&packed);
    buf_fini(&out);
}

static void test_members_follow_each_other(void **state)
{
    struct gunzip *g;
    struct buf packed;
    struct buf out;
    struct err err;

    (void)state;
    buf_init(&packed, BUF_NO_LIMIT);
    buf_init(&out, BUF_NO_LIMIT);
    assert_true(gzip_pack(&packed, STR("one "), &err));
    assert_true(gzip_pack(&packed, STR_NONE, &err));
    assert_true(gzip_pack(&packed, STR("two"), &err));
    g = gunzip_new(collect, &out);
    assert_true(gunzip_feed(g, packed.data, packed.len, &err));
    assert_true(gunzip_end(g, &err));
    assert_string_equal(buf_z(&out), "one two");
    gunzip_free(g);
    buf_fini(&packed);
    buf_fini(&out);
}

static void test_packing_is_repeatable(void **state)
{
    struct buf a;
    struct buf b;
    struct err err;

    (void)state;
    buf_init(&a, 1000);
    buf_init(&b, 1000);
    assert_true(gzip_pack(&a, STR("same"), &err));
    assert_true(gzip_pack(&b, STR("same"), &err));
    assert_true(str_eq(buf_str(&a), buf_str(&b)));
    assert_memory_equal(a.data + 4, "\0\0\0\0", 4); /* the time stamp */
    buf_fini(&a);
    buf_fini(&b);
}

static void test_a_stream_cut_short_is_told(void **state)
{
    struct buf packed;
    struct buf out;
    struct err err;

    (void)state;
    buf_init(&packed, 1000);
    buf_init(&out, 1000);
    assert_true(gzip_pack(&packed, STR("some text"), &err));
    for (size_t n = 0; n < packed.len; n++) {
        struct gunzip *g = gunzip_new(collect, &out);

        assert_true(gunzip_feed(g, packed.data, n, &err));
        assert_false(gunzip_end(g, &err));
        assert_string_equal(err.text, "gzip: the stream is cut short");
        gunzip_free(g);
    }
    buf_fini(&packed);
    buf_fini(&out);
}

static void test_damage_is_told_and_stays(void **state)
{
    struct gunzip *g;
    struct buf packed;
    struct buf out;
    struct err err;

    (void)state;
    buf_init(&packed, 1000);
    buf_init(&out, 1000);
    assert_true(gzip_pack(&packed, STR("some text"), &err));
    packed.data[packed.len - 5] ^= 1; /* the checksum */
    g = gunzip_new(collect, &out);
    assert_false(gunzip_feed(g, packed.data, packed.len, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_string_equal(err.text, "gzip: incorrect data check");
    err.text[0] = '\0';
    assert_false(gunzip_end(g, &err));
    assert_string_equal(err.text, "gzip: incorrect data check");
    gunzip_free(g);
    g = gunzip_new(collect, &out);
    assert_false(gunzip_feed(g, "# TYPE up", 9, &err));
    gunzip_free(g);
    buf_fini(&packed);
    buf_fini(&out);
}

static void test_the_taker_may_stop_a_bomb(void **state)
{
    struct gunzip *g;
    struct buf packed;
    struct buf out;
    struct err err;

    (void)state;
    buf_init(&packed, BUF_NO_LIMIT);
    buf_init(&out, 100000);
    assert_true(gzip_pack(&packed, sample(), &err));
    g = gunzip_new(collect, &out);
    assert_false(gunzip_feed(g, packed.data, packed.len, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_string_equal(err.text, "body: too large");
    gunzip_free(g);
    buf_fini(&packed);
    buf_fini(&out);
}

static void test_packing_keeps_to_the_buffer_s_limit(void **state)
{
    struct buf out;
    struct err err;

    (void)state;
    buf_init(&out, 1000);
    assert_false(gzip_pack(&out, sample(), &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_packed_comes_out_again),
        cmocka_unit_test(test_members_follow_each_other),
        cmocka_unit_test(test_packing_is_repeatable),
        cmocka_unit_test(test_a_stream_cut_short_is_told),
        cmocka_unit_test(test_damage_is_told_and_stays),
        cmocka_unit_test(test_the_taker_may_stop_a_bomb),
        cmocka_unit_test(test_packing_keeps_to_the_buffer_s_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
