/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/num.h"
#include "test/lib/unit.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t bits_of(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

static double from_bits(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void check_parse(const char *text)
{
    double v;

    assert_true(num_parse(str_of(text), &v));
    if (bits_of(v) != bits_of(strtod(text, NULL)))
        fail_msg("%s read as %.17g", text, v);
}

static void test_decimals_are_rounded_correctly(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "+7",
        ".5",
        "5.",
        "1e3",
        "1E+3",
        "1e-3",
        "1e22",
        "1e23",
        "8.5e22",
        "9007199254740993",
        "9007199254740992.99999",
        "9007199254740993.00000000000000000000000000001",
        "0.1",
        "0.30000000000000004",
        "123456789012345678",
        "1234567890123456789012345",
        "0.000001234567890123456789",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "5e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1e-400",
        "1e-99999999999",
        "0e99999999999",
        "1.7976931348623157e308",
        "00000000000000000000000001.5",
        "6929495644600919.5",
        "3.518437208883201171875e13",
        "62.5364939768271845828",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check_parse(texts[i]);
}

static void test_random_decimals_are_rounded_correctly(void **state)
{
    uint64_t x = 88172645463325252U;
    char text[64];

    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint64_t digits = next_random(&x) >> (next_random(&x) % 50);
        int exp = (int)(next_random(&x) % 64) - 32;

        (void)snprintf(text, sizeof(text), "%llue%d",
                       (unsigned long long)digits, exp);
        check_parse(text);
    }
}

static void test_words_are_read_in_any_case(void **state)
{
    double v;

    (void)state;
    assert_true(num_parse(STR("NaN"), &v) && isnan(v));
    assert_true(num_parse(STR("nan"), &v) && isnan(v));
    assert_true(num_parse(STR("+Inf"), &v) && isinf(v) && v > 0);
    assert_true(num_parse(STR("-INFINITY"), &v) && isinf(v) && v < 0);
    assert_true(num_parse(STR("inf"), &v) && isinf(v));
}

static void test_what_is_no_decimal_is_refused(void **state)
{
    static const char *const bad[] = {
        "",       ".",       "e1",    "1e",    "1e+",   "+",     "-",
        "--1",    "+-1",     "1.2.3", "0x10",  "1_000", "1p3",   "1,5",
        " 1",     "1 ",      "nanx",  "+nan",  "-nan",  "infin", "1e400",
        "-1e400", "1.8e308", "1f",    "NaN()", "0X1p-2"};
    double v = 3;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (num_parse(str_of(bad[i]), &v))
            fail_msg("%s was read as %g", bad[i], v);
    assert_false(num_parse(str_n("1\0", 2), &v));
    assert_true(v == 3);
}

/* As strconv.FormatFloat(v, 'f' or 'e', -1, 64) and fmt.Sprint print. */
static void test_literals_of_go_are_read_as_go_does(void **state)
{
    static const struct {
        const char *text;
        double v;
    } good[] = {
        {"1", 1},
        {"1_000.5", 1000.5},
        {"1_23.50_0_0e+1_2", 1.235e14},
        {"0x1p-2", 0.25},
        {"0X1.8P1", 3},
        {"-0x.8p0", -0.5},
        {"+0x_1_0p0", 16},
        {"0x1p-10000", 0},
        {"0x1.fffffffffffffp1023", DBL_MAX},
        {"00_1", 1},
        {".5", 0.5},
    };
    static const char *const bad[] = {
        "0x1",    "0x1.8",     "0xp1",    "0x1p",     "0x1p+", "0x1px",
        "0x.p1",  "0x1.2.3p1", "0x1p1.5", "0x1p1024", "_1",    "1_",
        "1__0",   "1_.5",      "1._5",    "1_e5",     "1e_5",  "0x1_p1",
        "0x1p_1", "-_1",       "i_nf",    "0b1",      "0x",    "",
        "-",      "0x 1p1",    "0xinfp1",
    };
    double v;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_true(num_parse_go(str_of(good[i].text), &v));
        assert_true(v == good[i].v);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (num_parse_go(str_of(bad[i]), &v))
            fail_msg("\"%s\" was read as %g", bad[i], v);
}

static void test_numbers_are_written_as_go_writes_them(void **state)
{
    static const struct {
        double v;
        const char *json, *general;
    } cases[] = {
        {0, "0", "0"},
        {-0.0, "-0", "-0"},
        {1, "1", "1"},
        {-12.5, "-12.5", "-12.5"},
        {100000, "100000", "100000"},
        {1000000, "1000000", "1e+06"},
        {1234567, "1234567", "1.234567e+06"},
        {1e15, "1000000000000000", "1e+15"},
        {123456789012345680.0, "123456789012345680", "1.2345678901234568e+17"},
        {1e20, "100000000000000000000", "1e+20"},
        {1e21, "1e+21", "1e+21"},
        {1e-6, "0.000001", "1e-06"},
        {9.5e-7, "9.5e-07", "9.5e-07"},
        {0.0001, "0.0001", "0.0001"},
        {0.00001, "0.00001", "1e-05"},
        {0.1, "0.1", "0.1"},
        {0.30000000000000004, "0.30000000000000004", "0.30000000000000004"},
        {5e-324, "5e-324", "5e-324"},
        {1e-323, "1e-323", "1e-323"},
        {DBL_MIN, "2.2250738585072014e-308", "2.2250738585072014e-308"},
        {DBL_MAX, "1.7976931348623157e+308", "1.7976931348623157e+308"},
        {9007199254740992.0, "9007199254740992", "9.007199254740992e+15"},
        {4.468743327960138e16, "44687433279601380", "4.468743327960138e+16"},
        {9.5367431640625e-7, "9.5367431640625e-07", "9.5367431640625e-07"},
        {0x1p-44, "5.684341886080802e-14", "5.684341886080802e-14"},
        {0x1p-1022, "2.2250738585072014e-308", "2.2250738585072014e-308"},
        {(double)INFINITY, "+Inf", "+Inf"},
        {-(double)INFINITY, "-Inf", "-Inf"},
        {(double)NAN, "NaN", "NaN"},
    };
    char out[NUM_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(num_json(cases[i].v, out), strlen(cases[i].json));
        assert_string_equal(out, cases[i].json);
        assert_int_equal(num_general(cases[i].v, out),
                         strlen(cases[i].general));
        assert_string_equal(out, cases[i].general);
    }
}

static void test_plain_never_has_an_exponent(void **state)
{
    char out[NUM_MAX];

    (void)state;
    assert_int_equal(num_plain(-5e-324, out), 327);
    assert_string_equal(out + 324, "005");
    assert_int_equal(num_plain(-DBL_MAX, out), 310);
    assert_int_equal(strspn(out + 1, "0123456789"), 309);
    assert_int_equal(num_plain(-2.2250738585072014e-308, out), 327);
    (void)num_plain(1e21, out);
    assert_string_equal(out, "1000000000000000000000");
    (void)num_plain(1.5e-7, out);
    assert_string_equal(out, "0.00000015");
}

/* Without the zeros that only say where the point is. */
static int significant(const char *text)
{
    int digits = 0;
    int zeros = 0;

    for (; *text && *text != 'e'; text++) {
        if (*text == '.' || (*text == '0' && digits == 0))
            continue;
        digits++;
        zeros = *text == '0' ? zeros + 1 : 0;
    }
    return digits - zeros;
}

/* Every text reads back, and no text with a digit less does. */
static void test_texts_are_the_shortest_that_read_back(void **state)
{
    uint64_t x = 4101842887655102017U;
    char out[NUM_MAX];
    char fewer[64];
    double back;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        double v = from_bits(next_random(&x) & INT64_MAX);
        int digits;

        if (!isfinite(v))
            continue;
        (void)num_json(v, out);
        assert_true(num_parse(str_of(out), &back));
        assert_true(bits_of(back) == bits_of(v));
        digits = significant(out);
        if (digits < 2)
            continue;
        (void)snprintf(fewer, sizeof(fewer), "%.*e", digits - 2, v);
        assert_false(num_parse(str_of(fewer), &back) && back == v);
    }
}

static void test_the_locale_does_not_matter(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE",
                                        "fr_FR.UTF-8"};
    char out[NUM_MAX];
    double v;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (setlocale(LC_ALL, names[i]))
            break;
    assert_true(num_parse(STR("1.2345678901234567890123"), &v));
    assert_true(v == 1.2345678901234567890123);
    (void)num_json(0.30000000000000004, out);
    assert_string_equal(out, "0.30000000000000004");
    (void)setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimals_are_rounded_correctly),
        cmocka_unit_test(test_random_decimals_are_rounded_correctly),
        cmocka_unit_test(test_words_are_read_in_any_case),
        cmocka_unit_test(test_what_is_no_decimal_is_refused),
        cmocka_unit_test(test_literals_of_go_are_read_as_go_does),
        cmocka_unit_test(test_numbers_are_written_as_go_writes_them),
        cmocka_unit_test(test_plain_never_has_an_exponent),
        cmocka_unit_test(test_texts_are_the_shortest_that_read_back),
        cmocka_unit_test(test_the_locale_does_not_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
