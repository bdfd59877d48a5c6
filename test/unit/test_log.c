/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/buf.h"
#include "agent/base/log.h"
#include "test/lib/unit.h"

static struct buf lines;

static void keep(void *arg, struct str line)
{
    struct buf *b = arg;

    buf_adds(b, line);
    buf_addc(b, '\n');
}

static int64_t noon(void *arg)
{
    (void)arg;
    return INT64_C(1795540020123);
}

static int start(void **state)
{
    (void)state;
    buf_init(&lines, BUF_NO_LIMIT);
    log_divert(keep, &lines);
    log_clock(noon, NULL);
    log_setup(LOG_INFO, LOG_LOGFMT);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    log_divert(NULL, NULL);
    log_clock(NULL, NULL);
    buf_fini(&lines);
    return 0;
}

#define STAMP "time=2026-11-24T17:07:00.123Z "

static void test_an_event_is_a_line_of_fields(void **state)
{
    (void)state;
    log_warn("scrape_failed", log_z("job", "api"), log_i("status", 500),
             log_n("seconds", 0.25), log_b("up", false));
    assert_string_equal(buf_z(&lines),
                        STAMP "level=warn event=scrape_failed job=api "
                              "status=500 seconds=0.25 up=false\n");
}

static void test_odd_text_is_quoted_and_stays_on_its_line(void **state)
{
    (void)state;
    log_info("e", log_z("a", ""), log_z("b", "x y"), log_z("c", "k=v"),
             log_z("d", "say \"hi\""), log_z("e", "1\n2"), log_z("f", "\\"),
             log_s("g", STR_NONE), log_z("h", "\xFF"), log_z("i", "\xC3\xA4"));
    assert_string_equal(buf_z(&lines),
                        STAMP "level=info event=e a=\"\" b=\"x y\" c=\"k=v\" "
                              "d=\"say \\\"hi\\\"\" e=\"1\\n2\" f=\"\\\\\" "
                              "g=\"\" h=\"\xEF\xBF\xBD\" i=\xC3\xA4\n");
}

static void test_json_lines_hold_the_same(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_JSON);
    log_error("e", log_z("job", "a\"b"), log_i("n", -1), log_b("ok", true));
    assert_string_equal(buf_z(&lines),
                        "{\"time\":\"2026-11-24T17:07:00.123Z\",\"level\":"
                        "\"error\",\"event\":\"e\",\"job\":\"a\\\"b\",\"n\":-1,"
                        "\"ok\":true}\n");
}

static void test_lower_levels_are_silent(void **state)
{
    (void)state;
    log_debug("quiet");
    assert_int_equal(lines.len, 0);
    log_setup(LOG_OFF, LOG_LOGFMT);
    log_error("quiet");
    assert_int_equal(lines.len, 0);
    log_setup(LOG_DEBUG, LOG_LOGFMT);
    log_debug("loud");
    assert_string_equal(buf_z(&lines), STAMP "level=debug event=loud\n");
}

static void test_an_endless_field_does_not_hide_the_event(void **state)
{
    static char text[64 * 1024];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    log_info("big", log_z("text", text));
    assert_string_equal(buf_z(&lines), STAMP "level=info event=big\n");
}

static void test_names_of_levels_and_formats_are_read(void **state)
{
    enum log_level level;
    enum log_format format;

    (void)state;
    assert_true(log_level_parse(STR("warn"), &level));
    assert_int_equal(level, LOG_WARN);
    assert_false(log_level_parse(STR("loud"), &level));
    assert_true(log_format_parse(STR("json"), &format));
    assert_int_equal(format, LOG_JSON);
    assert_false(log_format_parse(STR("xml"), &format));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_event_is_a_line_of_fields,
                                        start, stop),
        cmocka_unit_test_setup_teardown(
            test_odd_text_is_quoted_and_stays_on_its_line, start, stop),
        cmocka_unit_test_setup_teardown(test_json_lines_hold_the_same, start,
                                        stop),
        cmocka_unit_test_setup_teardown(test_lower_levels_are_silent, start,
                                        stop),
        cmocka_unit_test_setup_teardown(
            test_an_endless_field_does_not_hide_the_event, start, stop),
        cmocka_unit_test(test_names_of_levels_and_formats_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
