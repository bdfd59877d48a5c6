/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_parse [SERIES] - what reading an exposition costs.
 *
 * The body has histograms, counters and gauges as services expose them
 * (100,000 series unless told otherwise), fed in pieces of 16 KiB as libcurl
 * does.  Each row is the best of several runs, in CPU time; memchr over the
 * same body is the floor.
 */
#include "agent/base/gzip.h"
#include "agent/base/mem.h"
#include "agent/parse/fast.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PIECE 16384
#define RUNS  15

enum wish { ALL, NONE, ONE_FAMILY };

struct run {
    enum parse_format format;
    enum wish wish;
    struct parse_memory *memory;
    double sum; /* so that nothing is optimised away */
};

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add_histogram(struct buf *b, unsigned id, unsigned *value)
{
    static const char *const bounds[] = {"0.005", "0.01", "0.025", "0.05",
                                         "0.1",   "0.25", "0.5",   "1",
                                         "2.5",   "5",    "10",    "+Inf"};
    char labels[128];

    snprintf(labels, sizeof(labels),
             "method=\"%s\",route=\"/api/v1/resource-%u\",status=\"%u\"",
             id % 3 ? "GET" : "POST", id / 3, 200 + id % 5);
    for (size_t i = 0; i < sizeof(bounds) / sizeof(*bounds); i++)
        buf_addf(b, "http_request_duration_seconds_bucket{%s,le=\"%s\"} %u\n",
                 labels, bounds[i], *value += id % 7);
    buf_addf(b, "http_request_duration_seconds_sum{%s} %.9f\n", labels,
             *value * 0.0173);
    buf_addf(b, "http_request_duration_seconds_count{%s} %u\n", labels, *value);
}

static char *make_body(size_t series, size_t *len)
{
    struct buf b;
    unsigned value = 1;
    size_t n = 0;

    buf_init(&b, BUF_NO_LIMIT);
    buf_addz(&b, "# HELP http_request_duration_seconds Duration.\n"
                 "# TYPE http_request_duration_seconds histogram\n");
    for (unsigned id = 0; n < series / 2; id++, n += 14)
        add_histogram(&b, id, &value);
    buf_addz(&b, "# TYPE queue_jobs gauge\n");
    for (unsigned id = 0; n < series * 3 / 4; id++, n++)
        buf_addf(&b,
                 "queue_jobs{queue=\"q-%u\",state=\"%s\","
                 "instance_id=\"i-%08x\"} %u\n",
                 id / 4, id % 2 ? "active" : "waiting", id * 2654435761U,
                 id % 1000);
    buf_addz(&b, "# TYPE process_cpu_seconds_total counter\n");
    for (unsigned id = 0; n < series; id++, n++)
        buf_addf(&b,
                 "process_cpu_seconds_total{pod=\"worker-%u\","
                 "node=\"node-%u.example.internal\",mode=\"user\"} "
                 "%.3f\n",
                 id, id % 100, id * 1.731);
    *len = b.len;
    return buf_take(&b);
}

static bool wanted(void *arg, struct str name)
{
    return *(enum wish *)arg == ONE_FAMILY && str_eq(name, STR("queue_jobs"));
}

static bool on_sample(void *arg, const struct parse_sample *s, struct err *err)
{
    struct run *r = arg;

    (void)err;
    r->sum += s->value;
    if (s->known)
        *s->known = r;
    return true;
}

static struct parser *start(struct run *r, struct parse_filter *filter)
{
    struct parse_options o = {
        .format = r->format,
        .memory = r->memory,
        .sample = on_sample,
        .arg = r,
    };

    *filter = (struct parse_filter){wanted, &r->wish};
    if (r->wish != ALL)
        o.wanted = filter;
    return parser_new(&o);
}

static void stop(struct parser *p, bool ok, struct err *err)
{
    if (!ok || !parser_end(p, err)) {
        fprintf(stderr, "bench_parse: %s\n", err->text);
        exit(1);
    }
    parser_free(p);
}

static void parse_once(struct run *r, struct str body)
{
    struct parse_filter filter;
    struct parser *p = start(r, &filter);
    struct err err;
    bool ok = true;

    for (size_t at = 0; ok && at < body.len; at += PIECE) {
        const size_t left = body.len - at;

        ok = parser_feed(p, str_n(body.ptr + at, left < PIECE ? left : PIECE),
                         &err);
    }
    stop(p, ok, &err);
}

static double floor_once(struct str body)
{
    const double from = cpu();
    const char *at = body.ptr, *end = body.ptr + body.len;
    volatile size_t lines = 0;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
        lines = lines + 1;
        at++;
    }
    return cpu() - from;
}

static void print_row(const char *code, const char *what, double best,
                      struct str body, size_t series)
{
    printf("%-9s %-34s %8.0f MB/s %8.2f Msamples/s %7.1f ns/sample\n", code,
           what, (double)body.len / best / 1e6, (double)series / best / 1e6,
           best / (double)series * 1e9);
}

static bool unpacked(void *arg, const char *text, size_t n, struct err *err)
{
    return parser_feed(arg, str_n(text, n), err);
}

/* Packed as a server would, unpacked and parsed as it arrives. */
static void gzip_once(struct run *r, struct str packed)
{
    struct parse_filter filter;
    struct parser *p = start(r, &filter);
    struct gunzip *g = gunzip_new(unpacked, p);
    struct err err;
    bool ok = true;

    for (size_t at = 0; ok && at < packed.len; at += PIECE) {
        const size_t left = packed.len - at;

        ok = gunzip_feed(g, packed.ptr + at, left < PIECE ? left : PIECE, &err);
    }
    ok = ok && gunzip_end(g, &err);
    gunzip_free(g);
    stop(p, ok, &err);
}

static void measure_gzip(struct str body, size_t series)
{
    struct run r = {.wish = NONE};
    struct buf packed;
    struct err err;
    double best = 1e9;

    buf_init(&packed, BUF_NO_LIMIT);
    if (!gzip_pack(&packed, body, &err)) {
        fprintf(stderr, "bench_parse: %s\n", err.text);
        exit(1);
    }
    for (int i = 0; i < RUNS; i++) {
        const double from = cpu();
        double took;

        gzip_once(&r, buf_str(&packed));
        took = cpu() - from;
        best = took < best ? took : best;
    }
    print_row("best", "gzip, not wanted (bytes unpacked)", best, body, series);
    buf_fini(&packed);
}

struct row {
    const char *what;
    enum wish wish;
    bool memory, fresh;
};

static void measure(const char *code, const struct row *row, struct str body,
                    size_t series)
{
    struct run r = {.wish = row->wish};
    double best = 1e9;

    if (row->memory)
        r.memory = parse_memory_new();
    parse_once(&r, body);
    for (int i = 0; i < RUNS; i++) {
        double from;

        if (row->fresh)
            parse_memory_clear(r.memory);
        from = cpu();
        parse_once(&r, body);
        from = cpu() - from;
        best = from < best ? from : best;
    }
    print_row(code, row->what, best, body, series);
    if (r.memory && !row->fresh && row->wish == ALL)
        printf("%-9s memory: %.1f bytes a series\n", "",
               (double)parse_memory_bytes(r.memory) /
                   (double)parse_memory_count(r.memory));
    parse_memory_free(r.memory);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"wanted, known", ALL, true, false},
        {"wanted, new", ALL, true, true},
        {"not wanted", NONE, false, false},
        {"one family of five wanted, known", ONE_FAMILY, true, false},
    };
    static const char *const codes[] = {"avx2", "sse2", "portable"};
    const size_t series = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    size_t len;
    char *text = make_body(series, &len);
    const struct str body = str_n(text, len);
    double best = 1e9;

    printf("%zu series, %.1f MB, %.1f bytes a line\n", series,
           (double)len / 1e6, (double)len / (double)series);
    for (int i = 0; i < RUNS; i++) {
        const double t = floor_once(body);

        best = t < best ? t : best;
    }
    print_row("memchr", "newline scan, the floor", best, body, series);
    for (size_t c = 0; c < sizeof(codes) / sizeof(*codes); c++) {
        if (!fast_use(codes[c]))
            continue;
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
            measure(codes[c], &rows[i], body, series);
    }
    fast_use(NULL);
    measure_gzip(body, series);
    free(text);
    return 0;
}
