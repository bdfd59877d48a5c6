/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/regex.h"
#include "test/lib/unit.h"

static const struct {
    const char *pattern, *subject;
    bool match;
} matches[] = {
    {"", "", true},
    {"", "a", false},
    {"abc", "abc", true},
    {"abc", "xabc", false},
    {"b", "abc", false},
    {"a|bc", "bc", true},
    {"a|b", "ab", false},
    {"a|", "", true},
    {"5..", "503", true},
    {".*", "two\nlines", true},
    {"(?-s).*", "two\nlines", false},
    {"(?-s:.*)\\n.*", "two\nlines", true},
    {"(?i)ABC", "aBc", true},
    {"a(?i)b|c", "C", true},
    {"(?i:a)b", "Ab", true},
    {"(?i:a)b", "AB", false},
    {"a$", "a\n", false},
    {"(?m)a$\nb", "a\nb", true},
    {"(?m)^a\n^b\n^", "a\nb\n", true},
    {"^a$", "a", true},
    {"\\Aa\\z", "a", true},
    {"^*a", "a", true},
    {"\\b*a", "a", true},
    {"\\bfoo\\b.*", "foo bar", true},
    {"\\bfoo\\b.*", "food", false},
    {"\\d+", "123", true},
    {"\\d+", "\xD9\xA3", false}, /* an Arabic digit */
    {"\\D", "\xD9\xA3", true},
    {"\\w+", "a_9", true},
    {"\\w", "\xC3\xA4", false},
    {"\\W", "\xC3\xA4", true},
    {"\\s", "\v", false},
    {"[\\s]", "\v", false},
    {"[\\S]", "\v", true},
    {"[^\\S]", "\t", true},
    {"[\\d-]", "-", true},
    {"[\\W\\d]+", "1-\xC3\xA4", true},
    {"[[:space:]]", "\v", true},
    {"[[:alpha:]_]+", "ab_", true},
    {"[[:^alpha:]]", "1", true},
    {"[[:word:]]", "_", true},
    {"[]a]+", "]a", true},
    {"[^]a]", "b", true},
    {"[a-]+", "-a", true},
    {"[[a]+", "[a", true},
    {"[a-c-e]+", "b-e", true},
    {"[^a]", "\n", true},
    {"[\\]\\\\]+", "]\\", true},
    {"[\\x{41}-\\x{43}]+", "ABC", true},
    {"\\x41\\x{1F600}", "A\xF0\x9F\x98\x80", true},
    {"\\141\\0", "a", false},
    {"\\141", "a", true},
    {"\\pL+", "a\xC3\xA4", true},
    {"\\p{Greek}", "\xCE\xB1", true},
    {"\\p{Greek}", "a", false},
    {"\\p{^Greek}\\P{Lu}", "aa", true},
    {"[\\p{Lu}\\pN]+", "A1", true},
    {"\\p{Any}", "\xE2\x82\xAC", true},
    {"\\Qa.b\\E+", "a.bbb", true},
    {"\\Qa.b", "axb", false},
    {"a\\Q\\E*", "aaa", true},
    {"a{2}", "aa", true},
    {"a{2,}", "a", false},
    {"a{1,3}?", "aaa", true},
    {"a{,2}", "a{,2}", true},
    {"a{", "a{", true},
    {"a{01}", "a{01}", true},
    {"{", "{", true},
    {"a}", "a}", true},
    {"(?U)a+", "aaa", true},
    {"(?P<x>a)(?<y>b)", "ab", true},
    {"a#b c", "a#b c", true},
    {"\\_\\-\\/", "_-/", true},
    {"(|a)*", "aa", true},
    {"(?:a*)*", "aaa", true},
    {"\xC3\xA4+", "\xC3\xA4\xC3\xA4", true},
    {".", "\xF0\x9F\x98\x80", true},
    {"a.b",
     "a\xFF"
     "b",
     true}, /* a stray byte is one character */
    {"a\\x{FFFD}b",
     "a\xFF"
     "b",
     true},
};

static void test_matching_is_anchored_and_as_in_re2(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
        struct err err;
        struct regex *re = regex_new(str_of(matches[i].pattern), &err);

        if (!re)
            fail_msg("%s: %s", matches[i].pattern, err.text);
        if (regex_match(re, str_of(matches[i].subject)) != matches[i].match)
            fail_msg("%s on %s", matches[i].pattern, matches[i].subject);
        regex_free(re);
    }
}

/* The texts are those of Go's regexp/syntax. */
static const struct {
    const char *pattern, *what;
} refused[] = {
    {"*", "missing argument to repetition operator: `*`"},
    {"a|*", "missing argument to repetition operator: `*`"},
    {"(+)", "missing argument to repetition operator: `+`"},
    {"(?i)*", "missing argument to repetition operator: `*`"},
    {"{2}", "missing argument to repetition operator: `{2}`"},
    {"(*FAIL)", "missing argument to repetition operator: `*`"},
    {"a**", "invalid nested repetition operator: `**`"},
    {"a*+", "invalid nested repetition operator: `*+`"},
    {"a++", "invalid nested repetition operator: `++`"},
    {"a??+", "invalid nested repetition operator: `??+`"},
    {"a{2}{3}", "invalid nested repetition operator: `{2}{3}`"},
    {"a{1001}", "invalid repeat count: `{1001}`"},
    {"a{2,1}", "invalid repeat count: `{2,1}`"},
    {"a{1,99999999999999999999}",
     "invalid repeat count: `{1,99999999999999999999}`"},
    {"((a{100}){100}){100}", "invalid repeat count: `{100}`"},
    {"(a", "missing closing ): `(a`"},
    {"(?i", "invalid or unsupported Perl syntax: `(?i`"},
    {"(?", "missing closing ): `(?`"},
    {"a)", "unexpected ): `a)`"},
    {"[a", "missing closing ]: `[a`"},
    {"x[]", "missing closing ]: `[]`"},
    {"[z-a]", "invalid character class range: `z-a`"},
    {"[[:foo:]]", "invalid character class range: `[:foo:]`"},
    {"[a-\\d]", "invalid escape sequence: `\\d`"},
    {"\\p{Foo}", NULL},
    {"\\p{greek", "invalid character class range: `\\p{greek`"},
    {"\\p{foo}", "invalid character class range: `\\p{foo}`"},
    {"a\\", "trailing backslash at end of expression: ``"},
    {"\\C", "invalid escape sequence: `\\C`"},
    {"\\Z", "invalid escape sequence: `\\Z`"},
    {"\\h", "invalid escape sequence: `\\h`"},
    {"\\R", "invalid escape sequence: `\\R`"},
    {"\\K", "invalid escape sequence: `\\K`"},
    {"\\G", "invalid escape sequence: `\\G`"},
    {"\\X", "invalid escape sequence: `\\X`"},
    {"\\e", "invalid escape sequence: `\\e`"},
    {"\\cA", "invalid escape sequence: `\\c`"},
    {"(a)\\1", "invalid escape sequence: `\\1`"},
    {"\\8", "invalid escape sequence: `\\8`"},
    {"\\g1", "invalid escape sequence: `\\g`"},
    {"\\k<x>", "invalid escape sequence: `\\k`"},
    {"\\x{110000}", "invalid escape sequence: `\\x{110000`"},
    {"\\x{}", "invalid escape sequence: `\\x{`"},
    {"\\xz", "invalid escape sequence: `\\x`"},
    {"(?=a)", "invalid or unsupported Perl syntax: `(?=`"},
    {"(?!a)", "invalid or unsupported Perl syntax: `(?!`"},
    {"(?<=a)", "invalid or unsupported Perl syntax: `(?<=`"},
    {"(?>a)", "invalid or unsupported Perl syntax: `(?>`"},
    {"(?|a)", "invalid or unsupported Perl syntax: `(?|`"},
    {"(?R)", "invalid or unsupported Perl syntax: `(?R`"},
    {"(?1)", "invalid or unsupported Perl syntax: `(?1`"},
    {"(?C1)", "invalid or unsupported Perl syntax: `(?C`"},
    {"(?#a)", "invalid or unsupported Perl syntax: `(?#`"},
    {"(?x)a", "invalid or unsupported Perl syntax: `(?x`"},
    {"(?(1)a)", "invalid or unsupported Perl syntax: `(?(`"},
    {"(?P=n)", "invalid or unsupported Perl syntax: `(?P`"},
    {"(?P>n)", "invalid or unsupported Perl syntax: `(?P`"},
    {"(?'n'a)", "invalid or unsupported Perl syntax: `(?'`"},
    {"(?i-)", "invalid or unsupported Perl syntax: `(?i-)`"},
    {"(?P<a-b>x)", "invalid named capture: `(?P<a-b>`"},
    {"(?P<n", "invalid named capture: `(?P<n`"},
    {"(?P<n>a)(?<n>b)", "duplicate capture group name: `n`"},
    {"\xFF", "invalid UTF-8: ``"},
};

static void test_what_re2_has_not_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct err err = {0};
        struct regex *re = regex_new(str_of(refused[i].pattern), &err);

        if (re)
            fail_msg("%s was taken", refused[i].pattern);
        assert_int_equal(err.kind, ERR_INPUT);
        assert_int_equal(strncmp(err.text, "error parsing regexp: ", 22), 0);
        if (refused[i].what)
            assert_string_equal(err.text + 22, refused[i].what);
    }
    assert_null(regex_new(STR("("), NULL));
}

static void test_templates_expand_as_in_go(void **state)
{
    static const struct {
        const char *template, *want;
    } cases[] = {
        {"$1", "api"},
        {"${1}", "api"},
        {"$1-$2", "api-5000"},
        {"$1x", ""},
        {"${1}x", "apix"},
        {"$host:$port", "api:5000"},
        {"${host}s", "apis"},
        {"$0", "api:5000"},
        {"$9", ""},
        {"$01", ""},
        {"$$1", "$1"},
        {"$", "$"},
        {"a$", "a$"},
        {"${", "${"},
        {"${1", "${1"},
        {"${}", "${}"},
        {"$-", "$-"},
        {"$none", ""},
        {"", ""},
        {"plain", "plain"},
        {"$3", ""},
    };
    struct err err;
    struct regex *re =
        regex_new(STR("(?P<host>[a-z]+):(?P<port>\\d+)(/.*)?"), &err);
    struct buf b;

    (void)state;
    assert_non_null(re);
    buf_init(&b, 1000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_reset(&b);
        assert_true(
            regex_expand(re, STR("api:5000"), str_of(cases[i].template), &b));
        if (strcmp(buf_z(&b), cases[i].want) != 0)
            fail_msg("%s gave %s", cases[i].template, buf_z(&b));
    }
    buf_reset(&b);
    assert_false(regex_expand(re, STR("none"), STR("$1"), &b));
    assert_int_equal(b.len, 0);
    buf_fini(&b);
    regex_free(re);
}

/* Backtracking alone would take longer than anybody waits. */
static void test_hostile_patterns_end_with_the_right_answer(void **state)
{
    static const char *const patterns[] = {
        "(a+)+b", "(a|a)*b", "(a*)*b", "(.*)*(.*)*(.*)*b", "(a?){60}a{60}b"};
    char text[5000];
    struct err err;

    (void)state;
    memset(text, 'a', sizeof(text));
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct regex *re = regex_new(str_of(patterns[i]), &err);

        assert_non_null(re);
        assert_false(regex_match(re, str_n(text, 200)));
        text[119] = 'b';
        assert_true(regex_match(re, str_n(text, 120)));
        text[119] = 'a';
        regex_free(re);
    }
}

static void test_long_subjects_match(void **state)
{
    static char text[300000];
    struct err err;
    struct regex *re = regex_new(STR("(?:(a)|b)*c"), &err);

    (void)state;
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = 'c';
    assert_non_null(re);
    assert_true(regex_match(re, str_n(text, sizeof(text))));
    assert_false(regex_match(re, str_n(text, sizeof(text) - 1)));
    regex_free(re);
}

static void test_nesting_has_the_limit_of_go(void **state)
{
    char text[5000];
    struct err err;
    struct regex *re;

    (void)state;
    memset(text, '(', 900);
    memset(text + 900, ')', 900);
    re = regex_new(str_n(text, 1800), &err);
    assert_non_null(re);
    assert_true(regex_match(re, STR_NONE));
    regex_free(re);
    memset(text, '(', sizeof(text));
    assert_null(regex_new(str_n(text, sizeof(text)), &err));
    assert_non_null(strstr(err.text, "expression nests too deeply"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matching_is_anchored_and_as_in_re2),
        cmocka_unit_test(test_what_re2_has_not_is_refused),
        cmocka_unit_test(test_templates_expand_as_in_go),
        cmocka_unit_test(test_hostile_patterns_end_with_the_right_answer),
        cmocka_unit_test(test_long_subjects_match),
        cmocka_unit_test(test_nesting_has_the_limit_of_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
