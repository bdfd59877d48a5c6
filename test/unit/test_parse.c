/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each file of test/data/parse is a body; NAME.out holds what must come of
 * it: samples as JSON, faults of style, the error that ends it.  The ending
 * says how it is read: .prom or .om, .strict.* or .lint.* before that.  Each
 * is fed whole, cut in two at every byte, and byte by byte, by each set of
 * vector code, and must give the same.
 */
#include "agent/base/mem.h"
#include "agent/parse/fast.h"
#include "agent/parse/print.h"
#include "test/lib/unit.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const codes[] = {"avx2", "sse2", "portable"};

struct reading {
    struct parse_options options;
    struct parse_printer printer;
    struct buf out;
    struct parse_counters counters;
};

static bool on_sample(void *arg, const struct parse_sample *s, struct err *err)
{
    struct reading *r = arg;

    (void)err;
    parse_print(&r->printer, s, &r->out);
    if (s->known)
        *s->known = r;
    return true;
}

static void on_lint(void *arg, uint64_t line, uint64_t col, struct str text)
{
    struct reading *r = arg;

    buf_addf(&r->out, "lint: %" PRIu64 ":%" PRIu64 ": %.*s\n", line, col,
             STR_ARG(text));
}

static void reading_init(struct reading *r)
{
    *r = (struct reading){0};
    parse_printer_init(&r->printer);
    buf_init(&r->out, BUF_NO_LIMIT);
    r->options.sample = on_sample;
    r->options.arg = r;
}

static void reading_fini(struct reading *r)
{
    parse_printer_fini(&r->printer);
    buf_fini(&r->out);
}

/* Pieces are copies of their own, so that reading past one is seen. */
static bool feed(struct parser *p, struct str piece, struct err *err)
{
    char *copy = xmalloc(piece.len + (piece.len == 0));
    bool ok;

    if (piece.len)
        memcpy(copy, piece.ptr, piece.len);
    ok = parser_feed(p, str_n(copy, piece.len), err);
    free(copy);
    return ok;
}

static void read_pieces(struct reading *r, struct str body, size_t cut,
                        size_t step)
{
    struct parser *p = parser_new(&r->options);
    struct err err = {0};
    bool ok;

    buf_reset(&r->out);
    ok = feed(p, str_n(body.ptr, cut), &err);
    for (size_t at = cut; ok && at < body.len; at += step) {
        const size_t left = body.len - at;

        ok = feed(p, str_n(body.ptr + at, left < step ? left : step), &err);
    }
    if (!(ok && parser_end(p, &err)))
        buf_addf(&r->out, "error: %s\n", err.text);
    r->counters = parser_counters(p);
    parser_free(p);
}

static const char *read_whole(struct reading *r, const char *body)
{
    const struct str s = str_of(body);

    read_pieces(r, s, s.len, 1);
    return buf_z(&r->out);
}

static char *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    struct buf b;
    char chunk[4096];
    size_t n;

    assert_non_null(f);
    buf_init(&b, BUF_NO_LIMIT);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        buf_add(&b, chunk, n);
    fclose(f);
    *len = b.len;
    return buf_take(&b);
}

static bool ends(const char *name, const char *end)
{
    return str_ends(str_of(name), str_of(end));
}

static void options_of(struct reading *r, const char *name)
{
    r->options.format =
        ends(name, ".om") ? PARSE_OPENMETRICS : PARSE_PROMETHEUS;
    r->options.strict = strstr(name, ".strict.") != NULL;
    if (strstr(name, ".lint."))
        r->options.lint = on_lint;
}

static void check_cuts(struct reading *r, const char *name, struct str body,
                       const char *want)
{
    for (size_t cut = 0; cut <= body.len; cut++) {
        read_pieces(r, body, cut, body.len + 1);
        if (strcmp(buf_z(&r->out), want) != 0)
            print_error("%s, cut at %zu\n", name, cut);
        assert_string_equal(buf_z(&r->out), want);
    }
    read_pieces(r, body, 0, 1);
    assert_string_equal(buf_z(&r->out), want);
}

static void check_case(const char *dir, const char *name)
{
    char path[1024];
    struct reading r;
    size_t len, want_len;
    char *body, *want;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    body = slurp(path, &len);
    snprintf(path, sizeof(path), "%s/%s.out", dir, name);
    want = slurp(path, &want_len);
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
        if (!fast_use(codes[i]))
            continue;
        reading_init(&r);
        options_of(&r, name);
        read_pieces(&r, str_n(body, len), len, 1);
        if (strcmp(buf_z(&r.out), want) != 0)
            print_error("%s, %s\n", name, codes[i]);
        assert_string_equal(buf_z(&r.out), want);
        check_cuts(&r, name, str_n(body, len), want);
        reading_fini(&r);
    }
    fast_use(NULL);
    free(body);
    free(want);
}

static void test_every_case_gives_what_its_file_says(void **state)
{
    const char *srcdir = getenv("srcdir");
    char dir[512];
    struct dirent *e;
    size_t count = 0;
    DIR *d;

    (void)state;
    snprintf(dir, sizeof(dir), "%s/test/data/parse", srcdir ? srcdir : ".");
    d = opendir(dir);
    assert_non_null(d);
    while ((e = readdir(d))) {
        if (!ends(e->d_name, ".prom") && !ends(e->d_name, ".om"))
            continue;
        check_case(dir, e->d_name);
        count++;
    }
    closedir(d);
    assert_true(count > 20);
}

static bool starts_with_a(void *arg, struct str name)
{
    ++*(int *)arg;
    return str_starts(name, STR("a"));
}

static void test_only_wanted_samples_are_handed_on(void **state)
{
    int asked = 0;
    const struct parse_filter filter = {starts_with_a, &asked};
    struct reading r;

    (void)state;
    reading_init(&r);
    r.options.wanted = &filter;
    assert_string_equal(
        read_whole(&r, "a{x=\"1\"} 1\na{x=\"2\"} 2\nb 3\nb 4\nab 5\n"),
        "{\"name\":\"a\",\"labels\":{\"x\":\"1\"},\"value\":\"1\","
        "\"timestamp\":null}\n"
        "{\"name\":\"a\",\"labels\":{\"x\":\"2\"},\"value\":\"2\","
        "\"timestamp\":null}\n"
        "{\"name\":\"ab\",\"labels\":{},\"value\":\"5\","
        "\"timestamp\":null}\n");
    assert_int_equal(asked, 3);
    assert_int_equal(r.counters.samples, 5);
    assert_int_equal(r.counters.wanted, 3);
    reading_fini(&r);
}

static void test_a_fault_in_a_line_nobody_wants_fails_the_body(void **state)
{
    static const char *const bodies[] = {
        "b{x=\"1\"} 1\nb{x=\"1\"} 1x\n",
        "b{x=\"1\"} 1\nb{x=\"\xff\"} 1\n",
        "b{x=\"1\"} 1\nb{x=\"1} 1\n",
        "b{x=\"1\"} 1\nb{x=\"1\",x=\"2\"} 1\n",
        "b{x=\"1\"} 1\nb{x=\"1\"} 1 1x\n",
        "b{x=\"1\"} 1\nb{x=\"1\"} 1e400\n",
        "b{x=\"1\"} 1\nb{x=\"1\"} \n",
        "b{x=\"1\"} 1\nb{x=\"1\" 1\n",
        "b 1\nb 1_0\n",
        "b 1\nb 0x10\n",
    };
    int asked = 0;
    const struct parse_filter filter = {starts_with_a, &asked};

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        struct reading r;

        reading_init(&r);
        r.options.wanted = &filter;
        if (!strstr(read_whole(&r, bodies[i]), "error: 2:"))
            fail_msg("%s: %s", bodies[i], buf_z(&r.out));
        reading_fini(&r);
    }
}

/* Calls that find a text again are counted by parser_counters(). */
static void expect_known(struct reading *r, const char *body, uint64_t known)
{
    const char *out = read_whole(r, body);

    assert_null(strstr(out, "error"));
    assert_int_equal(r->counters.known, known);
}

static void test_series_are_known_from_the_body_before(void **state)
{
    struct reading r;

    (void)state;
    reading_init(&r);
    r.options.memory = parse_memory_new();
    expect_known(&r, "a{x=\"1\"} 1\na{x=\"2\"} 2\nb 3\nc{y=\"z\"} 4\n", 0);
    assert_int_equal(parse_memory_count(r.options.memory), 4);
    expect_known(&r, "a{x=\"1\"} 7\na{x=\"2\"} 7\nb 7\nc{y=\"z\"} 7\n", 4);
    /* One comes between. */
    expect_known(&r,
                 "a{x=\"1\"} 7\na{x=\"11\"} 7\na{x=\"2\"} 7\nb 7\n"
                 "c{y=\"z\"} 7\n",
                 4);
    expect_known(&r,
                 "a{x=\"1\"} 7\na{x=\"11\"} 7\na{x=\"2\"} 7\nb 7\n"
                 "c{y=\"z\"} 7\n",
                 5);
    /* Two are gone. */
    expect_known(&r, "a{x=\"1\"} 7\nb 7\nc{y=\"z\"} 7\n", 3);
    assert_int_equal(parse_memory_count(r.options.memory), 3);
    expect_known(&r, "a{x=\"1\"} 7\n", 1);
    expect_known(&r, "", 0);
    assert_int_equal(parse_memory_count(r.options.memory), 0);
    parse_memory_free(r.options.memory);
    reading_fini(&r);
}

static void test_labels_of_a_known_series_behind_an_exemplar_are_its_own(
    void **state)
{
    static const char *const body = "# TYPE a counter\n"
                                    "a_total{x=\"1\"} 1 # {id=\"7\"} 1\n"
                                    "a_total{y=\"22\"} 2\n# EOF\n";
    struct reading r;
    char *first;

    (void)state;
    reading_init(&r);
    r.options.format = PARSE_OPENMETRICS;
    r.options.memory = parse_memory_new();
    first = xstrdup(read_whole(&r, body));
    assert_non_null(strstr(first, "{\"y\":\"22\"}"));
    for (size_t step = 1; step < strlen(body); step++) {
        read_pieces(&r, str_of(body), 0, step);
        assert_string_equal(buf_z(&r.out), first);
        assert_true(r.counters.known > 0);
    }
    free(first);
    parse_memory_free(r.options.memory);
    reading_fini(&r);
}

static void test_a_bad_body_leaves_the_memory_as_it_was(void **state)
{
    struct reading r;

    (void)state;
    reading_init(&r);
    r.options.memory = parse_memory_new();
    expect_known(&r, "a 1\nb 1\nc 1\n", 0);
    assert_non_null(strstr(read_whole(&r, "a 1\nd 1\nb 1x\n"), "error"));
    expect_known(&r, "a 1\nb 1\nc 1\n", 3);
    parse_memory_free(r.options.memory);
    reading_fini(&r);
}

static void test_a_changed_type_makes_a_series_new(void **state)
{
    struct reading r;

    (void)state;
    reading_init(&r);
    r.options.memory = parse_memory_new();
    expect_known(&r, "x_bucket{le=\"1\"} 1\n", 0);
    expect_known(&r, "# TYPE x histogram\nx_bucket{le=\"1\"} 1\n", 0);
    expect_known(&r, "# TYPE x histogram\nx_bucket{le=\"1\"} 1\n", 1);
    parse_memory_free(r.options.memory);
    reading_fini(&r);
}

static void test_limits_are_told_where_they_are_hit(void **state)
{
    struct reading r;

    (void)state;
    reading_init(&r);
    r.options.limits.line_bytes = 20;
    assert_string_equal(read_whole(&r, "# short\n# much longer than 20\n"),
                        "error: 2:1: the line is longer than the limit of "
                        "bytes, 20\n");
    r.options.limits.samples = 1;
    assert_non_null(strstr(read_whole(&r, "a 1\na 1\n"),
                           "error: 2:1: the body has more samples than the "
                           "limit, 1\n"));
    reading_fini(&r);
}

static void test_the_memory_of_labels_over_a_limit_is_an_error(void **state)
{
    static const char body[] = "a{b=\"c\",d=\"e\"} 1\na{b=\"ccc\",d=\"e\"} 1\n";
    struct reading r;

    (void)state;
    reading_init(&r);
    r.options.limits.label_value_bytes = 2;
    assert_non_null(strstr(read_whole(&r, body), "error: 2:6: "));
    r.options.limits.label_value_bytes = 3;
    assert_null(strstr(read_whole(&r, body), "error"));
    r.options.limits.labels = 2;
    assert_non_null(strstr(read_whole(&r, body), "error: 1:1: "));
    r.options.limits.labels = 3;
    assert_null(strstr(read_whole(&r, body), "error"));
    reading_fini(&r);
}

static void test_the_line_limit_holds_for_lines_like_those_before(void **state)
{
    struct reading r;

    (void)state;
    reading_init(&r);
    r.options.limits.line_bytes = 32;
    assert_non_null(strstr(
        read_whole(&r, "jobs{a=\"b\"} 1\njobs{a=\"c\"} 1\n"
                       "jobs{a=\"0123456789 0123456789 0123456789\"} 1\n"
                       "jobs{a=\"0123456789 0123456789 0123456789\"} 1\n"
                       "jobs{a=\"0123456789 0123456789 0123456789\"} 1\n"),
        "error: 3:1: the line is longer than the limit of bytes, 32\n"));
    reading_fini(&r);
}

static void expect_format(const char *type, const char *fallback, int want)
{
    enum parse_format format = PARSE_PROMETHEUS;
    struct err err;
    const bool ok =
        parse_format_of(str_of(type), str_of(fallback), &format, &err);

    assert_int_equal(ok ? (int)format : -1, want);
}

static void test_the_content_type_says_the_format(void **state)
{
    (void)state;
    expect_format("text/plain", "", PARSE_PROMETHEUS);
    expect_format("text/plain; version=0.0.4; charset=utf-8", "",
                  PARSE_PROMETHEUS);
    expect_format("Application/OpenMetrics-Text; version=1.0.0", "",
                  PARSE_OPENMETRICS);
    expect_format("", "", -1);
    expect_format("", "PrometheusText0.0.4", PARSE_PROMETHEUS);
    expect_format("text/html", "", -1);
    expect_format("text/html", "OpenMetricsText1.0.0", PARSE_OPENMETRICS);
    expect_format("application/vnd.google.protobuf", "PrometheusText1.0.0", -1);
    assert_int_equal(parse_format_guess(STR("a 1\n# EOF\n")),
                     PARSE_OPENMETRICS);
    assert_int_equal(parse_format_guess(STR("# EOF")), PARSE_OPENMETRICS);
    assert_int_equal(parse_format_guess(STR("a 1\n# # EOF\n")),
                     PARSE_PROMETHEUS);
}

/* As Go's mime.ParseMediaType, by which Prometheus reads it. */
static void test_a_content_type_with_broken_parameters_is_none(void **state)
{
    static const char *const good[] = {
        "text/plain;",
        "text/plain ; ",
        "text/plain;a=b;",
        "text/plain; charset=\"utf-8\"",
        "text/plain; charset=\"\"",
        "text/plain; a=\"b\\\"c;d\"; e=f",
        "text/plain ; a = b ; c = d",
        "text/plain; a=b; a=b",
        "text/plain; a*0=b; a*1=c",
        "TEXT/Plain; Version=0.0.4",
    };
    static const char *const broken[] = {
        "text/plain; charset",
        "text/plain; charset=",
        "text/plain; =utf-8",
        "text/plain; charset=\"utf-8",
        "text/plain; charset=utf-8, q=1",
        "text/plain;; charset=utf-8",
        "text/plain; a=b c",
        "text/plain; a=b; A=c",
        "text/plain, text/plain",
        "text/plain/x",
        "; charset=utf-8",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        expect_format(good[i], "", PARSE_PROMETHEUS);
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        expect_format(broken[i], "", -1);
        expect_format(broken[i], "OpenMetricsText1.0.0", PARSE_OPENMETRICS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_case_gives_what_its_file_says),
        cmocka_unit_test(test_only_wanted_samples_are_handed_on),
        cmocka_unit_test(test_a_fault_in_a_line_nobody_wants_fails_the_body),
        cmocka_unit_test(test_series_are_known_from_the_body_before),
        cmocka_unit_test(
            test_labels_of_a_known_series_behind_an_exemplar_are_its_own),
        cmocka_unit_test(test_a_bad_body_leaves_the_memory_as_it_was),
        cmocka_unit_test(test_a_changed_type_makes_a_series_new),
        cmocka_unit_test(test_limits_are_told_where_they_are_hit),
        cmocka_unit_test(test_the_memory_of_labels_over_a_limit_is_an_error),
        cmocka_unit_test(test_the_line_limit_holds_for_lines_like_those_before),
        cmocka_unit_test(test_the_content_type_says_the_format),
        cmocka_unit_test(test_a_content_type_with_broken_parameters_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
