/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever goes wrong, a scrape is in the store whole or not at all. */
#include "agent/base/gzip.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "test/lib/scraped.h"
#include "test/lib/unit.h"

#include <stdlib.h>

#define A "http://a:1/m"

static int set_up(void **state)
{
    struct scraped *w = scraped_new();

    scraped_targets(w, A);
    scraped_page(w, TEXT_PLAIN, STR("old 1\n"));
    scraped_once(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    scraped_free(*state);
    return 0;
}

/* The scrape fails with that text, and leaves markers and `up` 0. */
static void fails(struct scraped *w, enum err_kind kind, const char *text)
{
    assert_false(scraped_once(w));
    assert_string_equal(scraped_status(w).error.text, text);
    assert_int_equal(scraped_status(w).error.kind, kind);
    assert_int_equal(scraped_status(w).health, SCRAPE_DOWN);
    assert_string_equal(scraped_dump(w, false),
                        "old{instance=\"a:1\", job=\"j\"} stale\n");
    assert_true(scraped_up(w, "a:1")->v == 0);
}

static void test_any_status_but_200_fails(void **state)
{
    struct scraped *w = *state;

    scraped_page(w, TEXT_PLAIN, STR("new 1\n"));
    w->page.status = 503;
    fails(w, ERR_INPUT, "server returned HTTP status 503 Service Unavailable");
    w->page.status = 204;
    fails(w, ERR_INPUT, "server returned HTTP status 204 No Content");
    w->page.status = 299;
    fails(w, ERR_INPUT, "server returned HTTP status 299");
    w->page.status = 302;
    fails(w, ERR_INPUT,
          "server returned HTTP status 302 Found; redirects are not followed: "
          "name the final URL");
}

static void test_a_failed_target_recovers(void **state)
{
    struct scraped *w = *state;

    w->page.status = 500;
    scraped_once(w);
    w->page.status = 200;
    assert_true(scraped_once(w));
    assert_int_equal(scraped_status(w).error.kind, ERR_NONE);
    assert_string_equal(scraped_dump(w, false),
                        "old{instance=\"a:1\", job=\"j\"} 1\n");
    assert_int_equal(scrape_pool_counters(w->pool).failures, 1);
    assert_int_equal(scrape_pool_counters(w->pool).scrapes, 3);
}

static void keep_event(void *arg, struct str line)
{
    struct buf *events = arg;

    if (strstr(line.ptr, "event=scrape_failed"))
        buf_addz(events, "failed ");
    if (strstr(line.ptr, "event=scrape_recovered"))
        buf_addz(events, "recovered ");
}

static void test_only_changes_of_state_are_logged(void **state)
{
    static const int statuses[] = {200, 500, 503, 404, 200, 200, 500};
    struct scraped *w = *state;
    struct buf events;

    buf_init(&events, BUF_NO_LIMIT);
    log_setup(LOG_INFO, LOG_LOGFMT);
    log_divert(keep_event, &events);
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        w->page.status = statuses[i];
        scraped_once(w);
    }
    log_divert(NULL, NULL);
    assert_string_equal(buf_z(&events), "failed recovered failed ");
    buf_fini(&events);
}

static void test_a_fault_in_the_last_line_spoils_the_whole(void **state)
{
    struct scraped *w = *state;

    scraped_page(w, TEXT_PLAIN, STR("new 1\nold 2\nbad x\n"));
    assert_false(scraped_once(w));
    assert_string_equal(scraped_dump(w, false),
                        "old{instance=\"a:1\", job=\"j\"} stale\n");
}

static void test_a_body_of_an_unknown_type_fails(void **state)
{
    struct scraped *w = *state;

    scraped_page(w, "text/html; charset=utf-8", STR("<html>"));
    fails(w, ERR_INPUT,
          "received unsupported Content-Type \"text/html; charset=utf-8\" and "
          "no fallback_scrape_protocol specified for target");
}

static void test_a_fallback_protocol_reads_it_anyway(void **state)
{
    struct scraped *w = *state;

    w->conf.fallback_scrape_protocol = 1;
    scraped_page(w, NULL, STR("old 7\n"));
    assert_true(scraped_once(w));
    assert_string_equal(scraped_dump(w, false),
                        "old{instance=\"a:1\", job=\"j\"} 7\n");
}

static void test_an_encoding_nobody_asked_for_fails(void **state)
{
    struct scraped *w = *state;

    scraped_page(w, TEXT_PLAIN, STR("?"));
    sim_reply_header(&w->page, STR("Content-Encoding"), STR("br"));
    fails(w, ERR_INPUT,
          "the body comes in Content-Encoding \"br\", which was "
          "not asked for");
}

static void test_a_target_that_never_answers_times_out(void **state)
{
    struct scraped *w = *state;

    w->page.never = true;
    assert_false(scraped_once(w));
    assert_int_equal(scraped_status(w).error.kind, ERR_TIMEOUT);
    assert_int_equal(scraped_status(w).duration_ms, w->conf.timeout_ms);
    assert_string_equal(scraped_dump(w, false),
                        "old{instance=\"a:1\", job=\"j\"} stale\n");
}

static void test_an_error_does_not_repeat_the_url(void **state)
{
    struct scraped *w = *state;

    w->page.error = ERR_NETWORK;
    w->page.error_text = STR("connection refused");
    fails(w, ERR_NETWORK, "connection refused");
}

static void test_more_samples_than_the_limit_fail(void **state)
{
    struct scraped *w = *state;

    w->conf.sample_limit = 2;
    scraped_want(w, "old");
    scraped_page(w, TEXT_PLAIN, STR("old 1\nb 2\n"));
    assert_true(scraped_once(w));
    scraped_page(w, TEXT_PLAIN, STR("old 1\nb 2\nc 3\n"));
    assert_false(scraped_once(w));
    assert_int_equal(scraped_status(w).error.kind, ERR_LIMIT);
    assert_int_equal(scrape_pool_counters(w->pool).limits, 1);
}

static void test_more_labels_than_the_limit_fail(void **state)
{
    struct scraped *w = *state;

    w->conf.label_limit = 4; /* name, job, instance and one more */
    scraped_page(w, TEXT_PLAIN, STR("old{a=\"1\"} 1\n"));
    assert_true(scraped_once(w));
    scraped_page(w, TEXT_PLAIN, STR("old{a=\"1\",b=\"2\"} 1\n"));
    assert_false(scraped_once(w));
    assert_int_equal(scraped_status(w).error.kind, ERR_LIMIT);
    scraped_want(w, "other");
    assert_false(scraped_once(w));
    w->conf.label_limit = 2;
    assert_false(scraped_once(w));
    assert_int_equal(scraped_status(w).error.kind, ERR_LIMIT);
}

static void test_longer_labels_than_the_limit_fail(void **state)
{
    struct scraped *w = *state;

    w->conf.label_value_length_limit = 5;
    scraped_page(w, TEXT_PLAIN, STR("old{a=\"12345\"} 1\n"));
    assert_true(scraped_once(w));
    scraped_page(w, TEXT_PLAIN, STR("old{a=\"123456\"} 1\n"));
    assert_false(scraped_once(w));
    assert_int_equal(scraped_status(w).error.kind, ERR_LIMIT);
    w->conf.label_value_length_limit = 0;
    w->conf.label_name_length_limit = 8; /* __name__, instance */
    assert_true(scraped_once(w));
    scraped_page(w, TEXT_PLAIN, STR("old{abcdefghi=\"1\"} 1\n"));
    assert_false(scraped_once(w));
    assert_int_equal(scraped_status(w).error.kind, ERR_LIMIT);
}

static void test_a_body_over_its_limit_fails(void **state)
{
    struct scraped *w = *state;
    struct buf body;

    buf_init(&body, BUF_NO_LIMIT);
    while (body.len < (size_t)w->conf.body_limit)
        buf_addz(&body, "# nothing but comments\n");
    w->conf.wire_limit = 1 << 20;
    scraped_page(w, TEXT_PLAIN, buf_str(&body));
    fails(w, ERR_LIMIT, "body size limit exceeded: more than 65536 bytes");
    buf_fini(&body);
}

static void pack(struct scraped *w, struct str text, struct buf *out)
{
    struct err err;

    buf_init(out, BUF_NO_LIMIT);
    assert_true(gzip_pack(out, text, &err));
    scraped_page(w, TEXT_PLAIN, buf_str(out));
    sim_reply_header(&w->page, STR("Content-Encoding"), STR("gzip"));
}

static void test_gzip_is_unpacked(void **state)
{
    struct scraped *w = *state;
    struct buf packed;

    pack(w, STR("old 5\n"), &packed);
    w->page.piece = 1;
    assert_true(scraped_once(w));
    assert_string_equal(scraped_dump(w, false),
                        "old{instance=\"a:1\", job=\"j\"} 5\n");
    assert_int_equal(scraped_status(w).body_bytes, 6);
    assert_int_equal(scraped_status(w).wire_bytes, packed.len);
    buf_fini(&packed);
}

static void test_gzip_cut_short_anywhere_fails(void **state)
{
    struct scraped *w = *state;
    struct buf packed;
    size_t whole;

    pack(w, STR("new 5\nold 6\n"), &packed);
    whole = packed.len;
    for (size_t n = 0; n < whole; n++) {
        w->page.body.len = n;
        assert_false(scraped_once(w));
        assert_string_equal(scraped_dump(w, false),
                            "old{instance=\"a:1\", job=\"j\"} stale\n");
    }
    buf_fini(&packed);
}

static void test_a_gzip_bomb_stops_at_the_body_limit(void **state)
{
    struct scraped *w = *state;
    size_t size = (size_t)8 << 20;
    char *zeros = xcalloc(1, size);
    struct buf packed;

    memset(zeros, '#', size);
    pack(w, str_n(zeros, size), &packed);
    assert_true(packed.len < (size_t)w->conf.wire_limit);
    assert_false(scraped_once(w));
    assert_int_equal(scraped_status(w).error.kind, ERR_LIMIT);
    assert_true(scraped_status(w).body_bytes < 1 << 20);
    buf_fini(&packed);
    free(zeros);
}

static void test_a_full_store_fails_the_scrape(void **state)
{
    struct scraped *w = scraped_new_with(7); /* up and so on are five */

    (void)state;
    scraped_targets(w, A);
    scraped_page(w, TEXT_PLAIN, STR("a 1\n"));
    assert_true(scraped_once(w));
    scraped_page(w, TEXT_PLAIN, STR("a 2\nb 1\nc 1\n"));
    assert_false(scraped_once(w));
    assert_int_equal(scraped_status(w).error.kind, ERR_LIMIT);
    assert_string_equal(scraped_dump(w, false),
                        "a{instance=\"a:1\", job=\"j\"} stale\n");
    scraped_page(w, TEXT_PLAIN, STR("a 3\n"));
    assert_true(scraped_once(w));
    assert_string_equal(scraped_dump(w, false),
                        "a{instance=\"a:1\", job=\"j\"} 3\n");
    scraped_free(w);
}

#define GOOD                               \
    "new{instance=\"a:1\", job=\"j\"} 1\n" \
    "old{instance=\"a:1\", job=\"j\"} 2\n"

/* The connection breaks behind every single byte of the body, and the next
 * one does not. */
static void breaks_everywhere(struct scraped *w)
{
    for (size_t n = 1; n <= w->page.body.len; n++) {
        w->page.piece = n % 3;
        w->page.cut_at = n;
        w->page.error = ERR_NETWORK;
        assert_false(scraped_once(w));
        assert_null(strstr(scraped_dump(w, false), "} 1"));
        assert_null(strstr(scraped_dump(w, false), "} 2"));
        w->page.cut_at = 0;
        w->page.error = ERR_NONE;
        assert_true(scraped_once(w));
        assert_string_equal(scraped_dump(w, false), GOOD);
    }
}

static void test_no_broken_answer_shows_in_part(void **state)
{
    struct scraped *w = *state;
    struct buf packed;

    scraped_page(w, TEXT_PLAIN, STR("# TYPE new gauge\nnew 1\nold 2\n"));
    breaks_everywhere(w);
    scraped_page(w, "application/openmetrics-text; version=1.0.0",
                 STR("new 1\nold 2\n# EOF\n"));
    breaks_everywhere(w);
    pack(w, STR("new 1\nold 2\n"), &packed);
    breaks_everywhere(w);
    buf_fini(&packed);
}

/* Of three targets the n-th call fails: it alone is down, and all of it. */
static void test_the_fault_of_one_target_is_not_that_of_others(void **state)
{
    struct scraped *w = *state;

    scraped_targets(w, "http://a:1/m http://b:1/m http://c:1/m");
    scraped_page(w, TEXT_PLAIN, STR("x 1\ny 1\n"));
    for (size_t n = 1; n <= 3; n++) {
        assert_true(scraped_once(w));
        sim_fail_nth(w->loop, n);
        assert_false(scraped_once(w));
        assert_true(sim_failed(w->loop));
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(scrape_pool_status(w->pool, i).health,
                             i + 1 == n ? SCRAPE_DOWN : SCRAPE_UP);
    }
    assert_string_equal(scraped_dump(w, false),
                        "old{instance=\"a:1\", job=\"j\"} stale\n"
                        "x{instance=\"a:1\", job=\"j\"} 1\n"
                        "x{instance=\"b:1\", job=\"j\"} 1\n"
                        "x{instance=\"c:1\", job=\"j\"} stale\n"
                        "y{instance=\"a:1\", job=\"j\"} 1\n"
                        "y{instance=\"b:1\", job=\"j\"} 1\n"
                        "y{instance=\"c:1\", job=\"j\"} stale\n");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_any_status_but_200_fails),
        CASE(test_a_failed_target_recovers),
        CASE(test_only_changes_of_state_are_logged),
        CASE(test_a_fault_in_the_last_line_spoils_the_whole),
        CASE(test_a_body_of_an_unknown_type_fails),
        CASE(test_a_fallback_protocol_reads_it_anyway),
        CASE(test_an_encoding_nobody_asked_for_fails),
        CASE(test_a_target_that_never_answers_times_out),
        CASE(test_an_error_does_not_repeat_the_url),
        CASE(test_more_samples_than_the_limit_fail),
        CASE(test_more_labels_than_the_limit_fail),
        CASE(test_longer_labels_than_the_limit_fail),
        CASE(test_a_body_over_its_limit_fails),
        CASE(test_gzip_is_unpacked),
        CASE(test_gzip_cut_short_anywhere_fails),
        CASE(test_a_gzip_bomb_stops_at_the_body_limit),
        CASE(test_a_full_store_fails_the_scrape),
        CASE(test_no_broken_answer_shows_in_part),
        CASE(test_the_fault_of_one_target_is_not_that_of_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
