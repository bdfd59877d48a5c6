/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/jsonw.h"
#include "test/lib/unit.h"

#include <math.h>

static void test_commas_stand_where_they_belong(void **state)
{
    struct jsonw w;
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    jsonw_init(&w, &b, 0);
    jsonw_object(&w);
    jsonw_key(&w, "a");
    jsonw_int(&w, -1);
    jsonw_key(&w, "b");
    jsonw_array(&w);
    jsonw_array_end(&w);
    jsonw_key(&w, "c");
    jsonw_array(&w);
    jsonw_null(&w);
    jsonw_bool(&w, true);
    jsonw_object(&w);
    jsonw_object_end(&w);
    jsonw_raw(&w, STR("[1]"));
    jsonw_array_end(&w);
    jsonw_keys(&w, STR("d"));
    jsonw_num(&w, 0.5);
    jsonw_object_end(&w);
    assert_string_equal(
        buf_z(&b), "{\"a\":-1,\"b\":[],\"c\":[null,true,{},[1]],\"d\":0.5}");
    buf_fini(&b);
}

static void test_indented_output_has_one_member_a_line(void **state)
{
    struct jsonw w;
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    jsonw_init(&w, &b, 2);
    jsonw_object(&w);
    jsonw_key(&w, "a");
    jsonw_array(&w);
    jsonw_int(&w, 1);
    jsonw_int(&w, 2);
    jsonw_array_end(&w);
    jsonw_key(&w, "b");
    jsonw_object(&w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    assert_string_equal(buf_z(&b), "{\n  \"a\": [\n    1,\n    2\n  ],\n"
                                   "  \"b\": {}\n}");
    buf_fini(&b);
}

static void test_text_is_escaped(void **state)
{
    struct jsonw w;
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    jsonw_init(&w, &b, 0);
    jsonw_array(&w);
    jsonw_textz(&w, "q\" b\\ \n\t\r\b\f \x01 \x7F \xC3\xA4 /");
    jsonw_text(&w, str_n("\0", 1));
    jsonw_text(&w, STR_NONE);
    jsonw_array_end(&w);
    assert_string_equal(buf_z(&b),
                        "[\"q\\\" b\\\\ \\n\\t\\r\\b\\f \\u0001 \\u007f "
                        "\xC3\xA4 /\",\"\\u0000\",\"\"]");
    buf_fini(&b);
}

static void test_bytes_that_are_no_utf8_are_replaced(void **state)
{
    struct jsonw w;
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    jsonw_init(&w, &b, 0);
    jsonw_textz(&w, "a\xFF\xC3z");
    assert_string_equal(buf_z(&b), "\"a\xEF\xBF\xBD\xEF\xBF\xBDz\"");
    buf_fini(&b);
}

static void test_what_json_has_no_number_for_becomes_null(void **state)
{
    struct jsonw w;
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    jsonw_init(&w, &b, 0);
    jsonw_array(&w);
    jsonw_num(&w, (double)NAN);
    jsonw_num(&w, (double)INFINITY);
    jsonw_num(&w, 1e21);
    jsonw_int(&w, INT64_MIN);
    jsonw_array_end(&w);
    assert_string_equal(buf_z(&b), "[null,null,1e+21,-9223372036854775808]");
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commas_stand_where_they_belong),
        cmocka_unit_test(test_indented_output_has_one_member_a_line),
        cmocka_unit_test(test_text_is_escaped),
        cmocka_unit_test(test_bytes_that_are_no_utf8_are_replaced),
        cmocka_unit_test(test_what_json_has_no_number_for_becomes_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
