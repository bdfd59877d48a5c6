/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/words.h"
#include "test/lib/unit.h"

#include <string.h>

static void test_words_are_cut_as_a_shell_does(void **state)
{
    /* Expectations are those of Python's shlex.split(). */
    static const char *const cases[][8] = {
        {"a", "a"},
        {"  a\tb\r\nc ", "a", "b", "c"},
        {"'a b' \"c d\"", "a b", "c d"},
        {"a'b'\"c\"d", "abcd"},
        {"a '' \"\" b", "a", "", "", "b"},
        {"a\\ b \\'c \\\\d", "a b", "'c", "\\d"},
        {"a 'b\\ c' \"d\\ e\"", "a", "b\\ c", "d\\ e"},
        {"a \"q\\\"r\" \"s\\\\t\" \"$x\"", "a", "q\"r", "s\\t", "$x"},
        {"a # b; c | d > e * ~", "a", "#", "b;", "c", "|", "d", ">"},
        {"a \"it's\" 'say \"x\"'", "a", "it's", "say \"x\""},
    };
    struct arena arena;

    (void)state;
    arena_init(&arena, 256);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char **words;
        struct err err;

        assert_true(words_split(str_of(cases[i][0]), &arena, &words, &err));
        for (size_t k = 1; k < 8 && cases[i][k]; k++)
            assert_string_equal(words[k - 1], cases[i][k]);
        if (!cases[i][7])
            for (size_t k = 1; k < 8; k++)
                if (!cases[i][k]) {
                    assert_null(words[k - 1]);
                    break;
                }
    }
    arena_fini(&arena);
}

static void test_what_is_no_command_is_refused(void **state)
{
    static const char *const cases[][2] = {
        {"", "names no program"},          {"  \n", "names no program"},
        {"'' a", "names no program"},      {"a 'hush", "a ' has no other"},
        {"a \"hush", "a \" has no other"}, {"a hush\\", "ends in a backslash"},
    };
    struct arena arena;
    struct err err;
    char **words;

    (void)state;
    arena_init(&arena, 256);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_false(words_split(str_of(cases[i][0]), &arena, &words, &err));
        assert_non_null(strstr(err.text, cases[i][1]));
        assert_null(strstr(err.text, "hush"));
        assert_int_equal(err.kind, ERR_CONFIG);
    }
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_are_cut_as_a_shell_does),
        cmocka_unit_test(test_what_is_no_command_is_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
