/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/err.h"
#include "test/lib/unit.h"

#include <string.h>

static void test_setting_fills_kind_and_text_and_returns_false(void **state)
{
    struct err e;

    (void)state;
    assert_false(err_set(&e, ERR_LIMIT, "body: %d bytes", 7));
    assert_int_equal(e.kind, ERR_LIMIT);
    assert_string_equal(e.text, "body: 7 bytes");
}

static void test_wrapping_puts_the_context_in_front(void **state)
{
    struct err e;

    (void)state;
    (void)err_set(&e, ERR_NETWORK, "no address");
    assert_false(err_wrap(&e, "job %s", "api"));
    assert_false(err_wrap(&e, "scrape"));
    assert_string_equal(e.text, "scrape: job api: no address");
    assert_int_equal(e.kind, ERR_NETWORK);
}

static void test_the_old_text_may_be_an_argument(void **state)
{
    struct err e;

    (void)state;
    (void)err_set(&e, ERR_NETWORK, "refused");
    (void)err_set(&e, ERR_DENIED, "again: %s", e.text);
    assert_string_equal(e.text, "again: refused");
}

static void test_no_error_wanted_is_fine(void **state)
{
    (void)state;
    assert_false(err_set(NULL, ERR_INPUT, "x"));
    assert_false(err_wrap(NULL, "x"));
}

static void test_long_texts_are_cut_between_characters(void **state)
{
    struct err e;
    char text[1200];

    (void)state;
    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xC3\xA4", 3);
    (void)err_set(&e, ERR_INPUT, "%s", text);
    assert_true(strlen(e.text) < sizeof(e.text));
    assert_string_equal(e.text + strlen(e.text) - 5, "\xC3\xA4...");
    (void)err_wrap(&e, "x");
    assert_int_equal(strncmp(e.text, "x: \xC3\xA4", 5), 0);
    assert_string_equal(e.text + strlen(e.text) - 5, "\xC3\xA4...");
}

static void test_an_error_is_one_line(void **state)
{
    struct err e;

    (void)state;
    (void)err_set(&e, ERR_INPUT, "bad\r\nlevel=info \x1B[31m");
    assert_string_equal(e.text, "bad  level=info  [31m");
}

static void test_kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(err_kind_name(ERR_CONFIG), "config");
    assert_string_equal(err_kind_name(ERR_INTERNAL), "internal");
    assert_string_equal(err_kind_name((enum err_kind)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setting_fills_kind_and_text_and_returns_false),
        cmocka_unit_test(test_wrapping_puts_the_context_in_front),
        cmocka_unit_test(test_the_old_text_may_be_an_argument),
        cmocka_unit_test(test_no_error_wanted_is_fine),
        cmocka_unit_test(test_long_texts_are_cut_between_characters),
        cmocka_unit_test(test_an_error_is_one_line),
        cmocka_unit_test(test_kinds_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
