/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/str.h"
#include "test/lib/unit.h"

static void test_order_is_by_bytes_then_by_length(void **state)
{
    (void)state;
    assert_true(str_cmp(STR("a"), STR("b")) < 0);
    assert_true(str_cmp(STR("b"), STR("ab")) > 0);
    assert_true(str_cmp(STR("ab"), STR("a")) > 0);
    assert_true(str_cmp(STR("\xFF"), STR("a")) > 0);
    assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
}

static void test_case_is_ignored_for_ascii_only(void **state)
{
    (void)state;
    assert_true(str_eqi(STR("Content-Type"), STR("content-type")));
    assert_false(str_eqi(STR("ab"), STR("abc")));
    assert_false(str_eqi(STR("\xC3\x84"), STR("\xC3\xA4")));
    assert_false(str_eqi(STR("@"), STR("`")));
}

static void test_starts_and_ends(void **state)
{
    (void)state;
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_true(str_starts(STR("abc"), STR_NONE));
    assert_false(str_starts(STR("a"), STR("ab")));
    assert_true(str_ends(STR("abc"), STR("bc")));
    assert_true(str_ends(STR_NONE, STR_NONE));
    assert_false(str_ends(STR("c"), STR("bc")));
}

static void test_trimming_takes_blanks_off_both_ends(void **state)
{
    (void)state;
    assert_true(str_eqz(str_trim(STR(" \t a b\r\n")), "a b"));
    assert_int_equal(str_trim(STR(" \n ")).len, 0);
    assert_int_equal(str_trim(STR_NONE).len, 0);
}

static void test_splitting_gives_every_part_and_ends(void **state)
{
    struct str rest = STR("a,,b,");
    struct str part;

    (void)state;
    assert_true(str_next(&rest, ',', &part));
    assert_true(str_eqz(part, "a"));
    assert_true(str_next(&rest, ',', &part));
    assert_true(str_eqz(part, ""));
    assert_true(str_next(&rest, ',', &part));
    assert_true(str_eqz(part, "b"));
    assert_true(str_next(&rest, ',', &part));
    assert_true(str_eqz(part, ""));
    assert_false(str_next(&rest, ',', &part));
}

static void test_integers_are_read_to_their_bounds(void **state)
{
    int64_t v = 0;

    (void)state;
    assert_true(str_int(STR("9223372036854775807"), &v));
    assert_true(v == INT64_MAX);
    assert_true(str_int(STR("-9223372036854775808"), &v));
    assert_true(v == INT64_MIN);
    assert_true(str_int(STR("+7"), &v));
    assert_true(v == 7);
}

static void test_what_is_no_integer_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      "1 ",
                                      " 1",
                                      "1.0",
                                      "0x1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999999",
                                      "1e3",
                                      "--1"};
    int64_t v = 5;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(str_int(str_of(bad[i]), &v));
    assert_int_equal(v, 5);
}

static void test_utf8_is_what_the_standard_says(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"", true},
        {"plain ascii text", true},
        {"12345678\xC3\xA4", true},
        {"\xE2\x82\xAC", true},
        {"\xF4\x8F\xBF\xBF", true},
        {"\xF4\x90\x80\x80", false}, /* beyond U+10FFFF */
        {"\xED\xA0\x80", false},     /* a surrogate */
        {"\xC0\x80", false},         /* overlong */
        {"\xE0\x9F\xBF", false},
        {"\xF0\x8F\xBF\xBF", false},
        {"\x80", false},
        {"12345678\xC3", false},
        {"\xC3(", false},
        {"\xFF", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(str_utf8(str_of(cases[i].text)), cases[i].good);
}

static void test_a_rune_is_decoded(void **state)
{
    uint32_t r = 0;

    (void)state;
    assert_int_equal(str_rune(STR("\xF0\x9F\x98\x80!"), &r), 4);
    assert_int_equal(r, 0x1F600);
    assert_int_equal(str_rune(STR("\xE2\x82\xAC"), &r), 3);
    assert_int_equal(r, 0x20AC);
    assert_int_equal(str_rune(STR("a"), &r), 1);
    assert_int_equal(r, 'a');
    assert_int_equal(str_rune(STR_NONE, &r), 0);
}

/* The published values of FNV-1a for these texts. */
static void test_the_hash_is_the_same_everywhere(void **state)
{
    (void)state;
    assert_true(str_hash(STR_NONE) == UINT64_C(0xcbf29ce484222325));
    assert_true(str_hash(STR("a")) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(str_hash(STR("foobar")) == UINT64_C(0x85944171f73967e8));
    assert_true(str_hash_more(str_hash(STR("foo")), STR("bar")) ==
                str_hash(STR("foobar")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_is_by_bytes_then_by_length),
        cmocka_unit_test(test_case_is_ignored_for_ascii_only),
        cmocka_unit_test(test_starts_and_ends),
        cmocka_unit_test(test_trimming_takes_blanks_off_both_ends),
        cmocka_unit_test(test_splitting_gives_every_part_and_ends),
        cmocka_unit_test(test_integers_are_read_to_their_bounds),
        cmocka_unit_test(test_what_is_no_integer_is_refused),
        cmocka_unit_test(test_utf8_is_what_the_standard_says),
        cmocka_unit_test(test_a_rune_is_decoded),
        cmocka_unit_test(test_the_hash_is_the_same_everywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
