/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/jsonr.h"
#include "test/lib/unit.h"

#include <json-c/json.h>

static struct json_object *parsed(const char *text)
{
    struct json_object *o = NULL;
    struct err err;

    if (!jsonr_parse(str_of(text), &o, &err))
        fail_msg("%s: %s", text, err.text);
    return o;
}

static void test_members_are_read_by_type(void **state)
{
    struct json_object *o =
        parsed("{\"s\":\"a\\u0000b\",\"i\":-7,\"d\":3600.0,\"n\":null}");
    struct str s;
    int64_t i = 0;
    struct err err;

    (void)state;
    assert_true(jsonr_text(o, "s", &s, &err));
    assert_true(str_eq(s, str_n("a\0b", 3)));
    assert_true(jsonr_int(o, "i", &i, &err));
    assert_int_equal(i, -7);
    assert_true(jsonr_int(o, "d", &i, &err));
    assert_int_equal(i, 3600);
    assert_null(jsonr_get(o, "n"));
    assert_null(jsonr_get(o, "absent"));
    assert_null(jsonr_get(NULL, "s"));
    assert_true(str_eqz(jsonr_text_or(o, "i", STR("none")), "none"));
    assert_int_equal(jsonr_text_or(o, "s", STR("none")).len, 3);
    json_object_put(o);
}

static void test_errors_name_the_member(void **state)
{
    struct json_object *o = parsed("{\"s\":\"x\",\"f\":1.5,\"a\":[],"
                                   "\"big\":18446744073709551615}");
    struct str s = STR("kept");
    int64_t i = 7;
    struct err err;

    (void)state;
    assert_false(jsonr_text(o, "token", &s, &err));
    assert_string_equal(err.text, "\"token\" is missing");
    assert_false(jsonr_text(o, "a", &s, &err));
    assert_string_equal(err.text, "\"a\" is an array, not text");
    assert_false(jsonr_int(o, "s", &i, &err));
    assert_string_equal(err.text, "\"s\" is text, not a whole number");
    assert_false(jsonr_int(o, "f", &i, &err));
    assert_string_equal(err.text, "\"f\" is no whole number in range");
    assert_false(jsonr_int(o, "big", &i, &err));
    assert_true(str_eqz(s, "kept"));
    assert_int_equal(i, 7);
    assert_int_equal(err.kind, ERR_INPUT);
    json_object_put(o);
}

static void test_one_value_and_blanks_is_a_text(void **state)
{
    static const char *const good[] = {" 1 ", "\"x\"", "true", "[]\r\n\t",
                                       "-0.5e3"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct json_object *o = parsed(good[i]);

        assert_non_null(o);
        json_object_put(o);
    }
    assert_null(parsed("null"));
}

static void test_other_texts_are_refused(void **state)
{
    static const char *const bad[] = {
        "",         " ",        "{",       "{\"a\":1", "[1,]",       "{,}",
        "1 2",      "{}x",      "'a'",     "{a:1}",    "\"a",        "nul",
        "\"\xFF\"", "[1] // c", "/* */ 1", "<html>",   "{\"a\":1,}", "{}\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct json_object *o = NULL;
        struct err err = {0};

        if (jsonr_parse(str_of(bad[i]), &o, &err))
            fail_msg("%s was taken", bad[i]);
        assert_int_equal(err.kind, ERR_INPUT);
        assert_int_equal(strncmp(err.text, "json: ", 6), 0);
    }
}

static void test_a_nul_does_not_hide_what_follows(void **state)
{
    struct json_object *o = NULL;
    struct err err;

    (void)state;
    assert_false(jsonr_parse(str_n("{}\0{}", 5), &o, &err));
    assert_null(o);
}

static void test_depth_is_limited(void **state)
{
    char text[200];
    struct json_object *o = NULL;
    struct err err;

    (void)state;
    memset(text, '[', 100);
    memset(text + 100, ']', 100);
    assert_false(jsonr_parse(str_n(text, 200), &o, &err));
    assert_true(jsonr_parse(str_n(text + 75, 50), &o, &err));
    json_object_put(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_are_read_by_type),
        cmocka_unit_test(test_errors_name_the_member),
        cmocka_unit_test(test_one_value_and_blanks_is_a_text),
        cmocka_unit_test(test_other_texts_are_refused),
        cmocka_unit_test(test_a_nul_does_not_hide_what_follows),
        cmocka_unit_test(test_depth_is_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
