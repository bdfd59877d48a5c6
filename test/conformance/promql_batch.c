/* SPDX-License-Identifier: Apache-2.0 */
/*
 * promql_batch FILE TIME [experimental] - expressions from standard input,
 * one a line, to answers on standard output, one a line, each flushed:
 * {"data":{...}} or {"error":"..."}.  Many queries in one process, for the
 * tests that compare with Prometheus.
 */
#include "agent/base/jsonw.h"
#include "agent/base/num.h"
#include "agent/promql/load.h"
#include "agent/promql/promql.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool read_all(FILE *f, struct buf *out)
{
    char piece[65536];
    size_t n;

    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(out, piece, n);
    return !ferror(f);
}

static struct store *load(const char *path, int64_t t_ms)
{
    FILE *f = fopen(path, "rb");
    struct load *l = load_new();
    struct store *store = NULL;
    struct err err;
    struct buf text;

    buf_init(&text, BUF_NO_LIMIT);
    if (!f || !read_all(f, &text))
        (void)fprintf(stderr, "%s: cannot be read\n", path);
    else if (!load_text(l, buf_str(&text), parse_format_guess(buf_str(&text)),
                        &err))
        (void)fprintf(stderr, "%s:%s\n", path, err.text);
    else
        store = load_take(l, t_ms);
    if (f)
        (void)fclose(f);
    buf_fini(&text);
    load_free(l);
    return store;
}

static void print_error(const char *text, struct buf *out)
{
    struct jsonw w;

    jsonw_init(&w, out, 0);
    jsonw_object(&w);
    jsonw_key(&w, "error");
    jsonw_textz(&w, text);
    jsonw_object_end(&w);
}

static void answer(struct str line, const struct promql_options *options,
                   const struct promql_eval *with, struct buf *out)
{
    struct promql_error error;
    struct promql_result r;
    struct promql *q = promql_parse(line, options, &error);

    if (!q) {
        print_error(error.err.text, out);
        return;
    }
    if (promql_eval(q, with, &r, &error.err)) {
        if (!promql_ordered(q))
            promql_sort(&r);
        buf_addz(out, "{\"data\":");
        promql_print_json(&r, with->t_ms, out);
        buf_addc(out, '}');
    } else {
        print_error(error.err.text, out);
    }
    promql_free(q);
}

static void answer_all(const struct promql_options *options,
                       struct promql_eval *with)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    struct buf out;

    buf_init(&out, BUF_NO_LIMIT);
    while ((n = getline(&line, &cap, stdin)) > 0) {
        if (line[n - 1] == '\n')
            n--;
        buf_reset(&out);
        answer(str_n(line, (size_t)n), options, with, &out);
        (void)puts(buf_z(&out));
        (void)fflush(stdout);
        arena_reset(with->arena);
    }
    buf_fini(&out);
    free(line);
}

int main(int argc, char **argv)
{
    struct promql_options options = {.experimental = argc == 4};
    struct promql_eval with = {0};
    struct arena arena;
    struct store *store;
    double seconds;

    if (argc < 3 || !num_parse(str_of(argv[2]), &seconds)) {
        (void)fputs("usage: promql_batch FILE TIME [experimental]\n", stderr);
        return 2;
    }
    with.t_ms = (int64_t)round(seconds * 1000);
    store = load(argv[1], with.t_ms);
    if (!store)
        return 1;
    arena_init(&arena, 65536);
    with.store = store;
    with.arena = &arena;
    answer_all(&options, &with);
    arena_fini(&arena);
    store_free(store);
    return 0;
}
