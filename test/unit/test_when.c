/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/when.h"
#include "test/lib/unit.h"

#include <time.h>

static void test_durations_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"0", 0},
        {"0s", 0},
        {"500ms", 500},
        {"15s", 15000},
        {"1m30s", 90000},
        {"2h", 2 * WHEN_HOUR},
        {"1d2h3m4s5ms", WHEN_DAY + 2 * WHEN_HOUR + 3 * WHEN_MINUTE + 4005},
        {"36525d", 36525 * WHEN_DAY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ms = -1;

        assert_true(when_duration_parse(str_of(cases[i].text), &ms));
        assert_true(ms == cases[i].ms);
    }
}

static void test_what_is_no_duration_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "15",
        "s",
        "1.5s",
        "-1s",
        "1s1m",
        "1s1s",
        "1m 30s",
        "1x",
        "1sm",
        "1S",
        "+1s",
        "7077770777771h",
        "99999999999999999999ms",
        "36525d1ms",
        " 1s",
        "1s ",
        "0x1s",
        "1mss",
    };
    int64_t ms = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(when_duration_parse(str_of(bad[i]), &ms));
    assert_int_equal(ms, 7);
}

static void test_durations_are_written_as_they_are_read(void **state)
{
    static const char *const texts[] = {"0s",    "1ms",   "15s", "1m30s",
                                        "1d1ms", "2h30m", "100d"};
    char out[WHEN_TEXT];
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_true(when_duration_parse(str_of(texts[i]), &ms));
        when_duration_format(ms, out);
        assert_string_equal(out, texts[i]);
    }
    when_duration_format(-90000, out);
    assert_string_equal(out, "-1m30s");
    when_duration_format(INT64_MIN, out);
    assert_string_equal(out, "-106751991167d7h12m55s808ms");
}

static void test_stamps_are_written_in_each_form(void **state)
{
    char out[WHEN_TEXT];

    (void)state;
    when_rfc3339(INT64_C(1795540020000), out);
    assert_string_equal(out, "2026-11-24T17:07:00Z");
    when_rfc3339(INT64_C(1795540020007), out);
    assert_string_equal(out, "2026-11-24T17:07:00.007Z");
    when_iso_basic(INT64_C(1795540020000), out);
    assert_string_equal(out, "20261124T170700Z");
    when_http_date(INT64_C(784111777000), out);
    assert_string_equal(out, "Sun, 06 Nov 1994 08:49:37 GMT");
    when_rfc3339(-1, out);
    assert_string_equal(out, "1969-12-31T23:59:59.999Z");
    when_http_date(-1, out);
    assert_string_equal(out, "Wed, 31 Dec 1969 23:59:59 GMT");
}

static void test_no_stamp_is_too_far_off_to_write(void **state)
{
    char out[WHEN_TEXT];

    (void)state;
    when_rfc3339(INT64_MAX, out);
    assert_string_equal(out, "292278994-08-17T07:12:55.807Z");
    when_http_date(INT64_MIN, out);
    when_rfc3339(INT64_MIN, out);
    assert_string_equal(out, "-292275055-05-16T16:47:04.192Z");
}

/* The C library's calendar is the oracle, a day and a bit at a time. */
static void test_the_calendar_is_that_of_the_c_library(void **state)
{
    (void)state;
    for (int64_t s = INT64_C(-62135596800); s < INT64_C(253402300800);
         s += 86400 * 17 + 4321) {
        char ours[WHEN_TEXT];
        char theirs[WHEN_TEXT];
        time_t t = (time_t)s;
        struct tm tm;
        int64_t back;

        assert_non_null(gmtime_r(&t, &tm));
        assert_true(strftime(theirs, sizeof(theirs), "%H:%M:%S", &tm) > 0);
        when_rfc3339(s * 1000, ours);
        assert_int_equal(strncmp(ours + 11, theirs, 8), 0);
        assert_int_equal((ours[5] - '0') * 10 + ours[6] - '0', tm.tm_mon + 1);
        assert_int_equal((ours[8] - '0') * 10 + ours[9] - '0', tm.tm_mday);
        assert_true(when_rfc3339_parse(str_of(ours), &back));
        assert_true(back == s * 1000);
        when_http_date(s * 1000, ours);
        assert_true(when_http_date_parse(str_of(ours), &back));
        assert_true(back == s * 1000);
    }
}

static void test_rfc_3339_allows_fractions_and_zones(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"2026-11-24T17:07:00Z", INT64_C(1795540020000)},
        {"2026-11-24t17:07:00z", INT64_C(1795540020000)},
        {"2026-11-24T19:07:00.5+02:00", INT64_C(1795540020500)},
        {"2026-11-24T12:37:00.123456789-04:30", INT64_C(1795540020123)},
        {"2016-12-31T23:59:60Z", INT64_C(1483228800000)},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800000)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ms = 0;

        assert_true(when_rfc3339_parse(str_of(cases[i].text), &ms));
        assert_true(ms == cases[i].ms);
    }
}

static void test_impossible_dates_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "2026-11-24",
        "2026-11-24T17:07:00",
        "2026-11-24T17:07:00.Z",
        "2026-13-24T17:07:00Z",
        "2026-00-24T17:07:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-11-24T24:07:00Z",
        "2026-11-24T17:07:00+24:00",
        "2026-11-24T17:07:00Zx",
        "26-11-24T17:07:00Z",
        "2026-11-24 17:07:00Z",
    };
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(when_rfc3339_parse(str_of(bad[i]), &ms));
}

/* The three examples of RFC 9110, section 5.6.7, are one moment. */
static void test_http_dates_have_three_forms(void **state)
{
    static const char *const texts[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                        "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994"};
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_true(when_http_date_parse(str_of(texts[i]), &ms));
        assert_true(ms == INT64_C(784111777000));
    }
    assert_true(
        when_http_date_parse(STR("Tuesday, 24-Nov-26 17:07:00 GMT"), &ms));
    assert_true(ms == INT64_C(1795540020000));
    assert_false(
        when_http_date_parse(STR("Sun, 31 Feb 1994 08:49:37 GMT"), &ms));
    assert_false(when_http_date_parse(STR("soon"), &ms));
    assert_false(when_http_date_parse(STR_NONE, &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations_are_read),
        cmocka_unit_test(test_what_is_no_duration_is_refused),
        cmocka_unit_test(test_durations_are_written_as_they_are_read),
        cmocka_unit_test(test_stamps_are_written_in_each_form),
        cmocka_unit_test(test_no_stamp_is_too_far_off_to_write),
        cmocka_unit_test(test_the_calendar_is_that_of_the_c_library),
        cmocka_unit_test(test_rfc_3339_allows_fractions_and_zones),
        cmocka_unit_test(test_impossible_dates_are_refused),
        cmocka_unit_test(test_http_dates_have_three_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
