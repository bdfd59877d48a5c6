/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/buf.h"
#include "auth/ini.h"
#include "test/lib/unit.h"

/* "[section] name=value; " of every entry, "\n" as "|"; or the error. */
static void assert_reads(const char *text, const char *want)
{
    struct arena arena;
    struct ini ini;
    struct err err;
    struct buf got;

    arena_init(&arena, 1024);
    buf_init(&got, BUF_NO_LIMIT);
    if (!ini_parse(str_of(text), "f", &arena, &ini, &err)) {
        buf_addz(&got, err.text);
        ini.first = NULL;
    }
    for (const struct ini_entry *e = ini.first; e; e = e->next) {
        if (e->name.len == 0)
            buf_addf(&got, "[%.*s]", STR_ARG(e->section));
        else
            buf_addf(&got, " %.*s=%.*s;", STR_ARG(e->name), STR_ARG(e->value));
    }
    for (size_t i = 0; i < got.len; i++)
        if (got.data[i] == '\n')
            got.data[i] = '|';
    assert_string_equal(buf_z(&got), want);
    buf_fini(&got);
    arena_fini(&arena);
}

static void test_sections_hold_properties(void **state)
{
    (void)state;
    assert_reads("", "");
    assert_reads("[a]\nb = c\n[ profile\td ]\nE=f=g\n",
                 "[a] b=c;[profile\td] E=f=g;");
    assert_reads("[a]\r\nb = c \r\n\r\n[d]", "[a] b=c;[d]");
    assert_reads("\xef\xbb\xbf[a]\nb=", "[a] b=;");
    assert_reads("[a]\nb=c\n[a]\nb=d", "[a] b=c;[a] b=d;");
    assert_reads("[]", "[]");
}

static void test_comments_are_left_out(void **state)
{
    (void)state;
    assert_reads("# x\n; y\n[a] # b\nc = d ; e\nf = g;h#i\nj = # k\n",
                 "[a] c=d; f=g;h#i; j=;");
    assert_reads("[a];b\n#c = d\ne = f\t#g", "[a] e=f;");
}

static void test_a_line_that_begins_with_a_blank_goes_on(void **state)
{
    (void)state;
    assert_reads("[a]\nb = c\n -d ; e\n\n\tf\n", "[a] b=c|-d ; e|f;");
    assert_reads("[services x]\ncloudwatch =\n  endpoint_url = u\n",
                 "[services x] cloudwatch=|endpoint_url = u;");
    assert_reads("[a]\n  \nb=c", "[a] b=c;");
}

static void test_what_no_sdk_reads_is_told_with_its_line(void **state)
{
    (void)state;
    assert_reads("b = c", "f:1: a property before any [section]");
    assert_reads("[a", "f:1: a section wants a ] at its end");
    assert_reads("[a # ]", "f:1: a section wants a ] at its end");
    assert_reads("[a]\n\nhush", "f:3: neither a [section] nor NAME = VALUE");
    assert_reads("[a]\n = c", "f:2: begins with a blank, so it goes on with a "
                              "property, but there is none before it");
    assert_reads("[a]\n= c", "f:2: a value without a name");
    assert_reads("[a]\nb = c\n[d]\n e",
                 "f:4: begins with a blank, so it goes on with a property, but "
                 "there is none before it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections_hold_properties),
        cmocka_unit_test(test_comments_are_left_out),
        cmocka_unit_test(test_a_line_that_begins_with_a_blank_goes_on),
        cmocka_unit_test(test_what_no_sdk_reads_is_told_with_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
