/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exposition, of either format: fed whole, in pieces, by each set of
 * vector code, with and without a memory, it must give the same samples and
 * the same end.  Then strict, and for faults of style; and the input is taken
 * for a Content-Type.  Its first byte picks format and pieces.
 */
#include "agent/base/mem.h"
#include "agent/parse/fast.h"
#include "agent/parse/print.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
    struct parse_printer printer;
    struct buf out;
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

/* Odd names are not wanted, so that lines are skipped, too. */
static bool wanted(void *arg, struct str name)
{
    (void)arg;
    return name.len % 2 == 0;
}

static bool feed(struct parser *p, const uint8_t *data, size_t size,
                 struct err *err)
{
    char *copy = xmalloc(size + (size == 0));
    bool ok;

    if (size)
        memcpy(copy, data, size);
    ok = parser_feed(p, str_n(copy, size), err);
    free(copy);
    return ok;
}

static char *read_all(const struct parse_options *options, const uint8_t *data,
                      size_t size, size_t step)
{
    struct reading r;
    struct parse_options o = *options;
    struct err err = {0};
    struct parser *p;
    bool ok = true;

    parse_printer_init(&r.printer);
    buf_init(&r.out, BUF_NO_LIMIT);
    o.sample = on_sample;
    o.arg = &r;
    p = parser_new(&o);
    for (size_t at = 0; ok && at < size; at += step)
        ok = feed(p, data + at, size - at < step ? size - at : step, &err);
    ok = ok && parser_end(p, &err);
    if (!ok)
        buf_addf(&r.out, "error: %s\n", err.text);
    parser_free(p);
    parse_printer_fini(&r.printer);
    return buf_take(&r.out);
}

static void expect(const struct parse_options *o, const uint8_t *data,
                   size_t size, size_t step, const char *want)
{
    char *got = read_all(o, data, size, step);

    if (strcmp(got, want) != 0) {
        fprintf(stderr, "in pieces of %zu:\n%s\nfirst:\n%s\n", step, got, want);
        abort();
    }
    free(got);
}

static void compare(struct parse_options *o, const uint8_t *data, size_t size,
                    size_t step)
{
    static const char *const codes[] = {"sse2", "portable", "avx2"};
    char *want = read_all(o, data, size, size + 1);

    expect(o, data, size, step, want);
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
        if (fast_use(codes[i]))
            expect(o, data, size, size + 1, want);
    fast_use(NULL);
    o->memory = parse_memory_new();
    expect(o, data, size, size + 1, want);
    expect(o, data, size, step, want);
    free(read_all(o, data, size / 2, step));
    expect(o, data, size, size + 1, want);
    parse_memory_free(o->memory);
    o->memory = NULL;
    free(want);
}

static void on_lint(void *arg, uint64_t line, uint64_t col, struct str text)
{
    struct reading *r = arg;

    buf_addf(&r->out, "%zu:%zu %.*s", (size_t)line, (size_t)col, STR_ARG(text));
}

static void content_type(const uint8_t *data, size_t size)
{
    char *copy = xmalloc(size + (size == 0));
    enum parse_format format;
    struct err err;

    if (size)
        memcpy(copy, data, size);
    if (!parse_format_of(str_n(copy, size), STR_NONE, &format, &err) &&
        err.text[0] == '\0')
        abort();
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct parse_filter filter = {wanted, NULL};
    struct parse_options o = {0};

    if (size == 0)
        return 0;
    o.format = data[0] & 1 ? PARSE_OPENMETRICS : PARSE_PROMETHEUS;
    o.wanted = data[0] & 2 ? &filter : NULL;
    o.limits.line_bytes = data[0] & 4 ? 64 : 0;
    o.limits.label_value_bytes = data[0] & 8 ? 4 : 0;
    compare(&o, data + 1, size - 1, (size_t)(data[0] >> 4) * 5 + 1);
    o.strict = true;
    o.lint = on_lint;
    free(read_all(&o, data + 1, size - 1, size));
    content_type(data + 1, size - 1);
    return 0;
}
