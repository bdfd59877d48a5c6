/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_promql FILE RULES TIME [ROUNDS] - evaluates the expressions of RULES,
 * one a line, over the samples of FILE, all in one arena, and prints one JSON
 * object: seconds of a round (the best of ROUNDS), rows that came out, bytes
 * of arena.  bench_promql.py makes the files and asks Prometheus the same.
 */
#include "agent/base/mem.h"
#include "agent/base/num.h"
#include "agent/promql/load.h"
#include "agent/promql/promql.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct rules {
    struct promql **items;
    size_t count, cap;
};

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void read_file(const char *path, struct buf *out)
{
    char piece[65536];
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!f) {
        perror(path);
        exit(1);
    }
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(out, piece, n);
    (void)fclose(f);
}

static struct store *read_samples(const char *path, int64_t t_ms)
{
    struct load *l = load_new();
    struct store *store;
    struct buf text;
    struct err err;

    buf_init(&text, BUF_NO_LIMIT);
    read_file(path, &text);
    if (!load_text(l, buf_str(&text), parse_format_guess(buf_str(&text)),
                   &err)) {
        (void)fprintf(stderr, "%s:%s\n", path, err.text);
        exit(1);
    }
    store = load_take(l, t_ms);
    load_free(l);
    buf_fini(&text);
    return store;
}

static void read_rules(const char *path, struct rules *rules)
{
    struct promql_error error;
    struct str rest, line;
    struct buf text;

    buf_init(&text, BUF_NO_LIMIT);
    read_file(path, &text);
    rest = str_trim(buf_str(&text));
    while (str_next(&rest, '\n', &line)) {
        xgrow(&rules->items, &rules->cap, rules->count, sizeof(void *));
        rules->items[rules->count] = promql_parse(line, NULL, &error);
        if (!rules->items[rules->count++]) {
            (void)fprintf(stderr, "%.*s: %s\n", STR_ARG(line), error.err.text);
            exit(1);
        }
    }
    buf_fini(&text);
}

static size_t evaluate(const struct rules *rules,
                       const struct promql_eval *with)
{
    size_t rows = 0;

    for (size_t i = 0; i < rules->count; i++) {
        struct promql_result r;
        struct err err;

        if (!promql_eval(rules->items[i], with, &r, &err)) {
            (void)fprintf(stderr, "%s\n", err.text);
            exit(1);
        }
        rows += r.type == PROMQL_VECTOR ? r.row_count : 1;
    }
    return rows;
}

int main(int argc, char **argv)
{
    struct rules rules = {0};
    struct promql_eval with = {0};
    double seconds = 0, best = HUGE_VAL, start;
    struct arena arena;
    struct store *store;
    size_t rows = 0, used = 0;
    int64_t rounds = 5;

    if (argc < 4 || !num_parse(str_of(argv[3]), &seconds)) {
        (void)fputs("usage: bench_promql FILE RULES TIME [ROUNDS]\n", stderr);
        return 2;
    }
    if (argc > 4)
        (void)str_int(str_of(argv[4]), &rounds);
    with.t_ms = (int64_t)round(seconds * 1000);
    store = read_samples(argv[1], with.t_ms);
    start = now();
    read_rules(argv[2], &rules);
    seconds = now() - start;
    arena_init(&arena, 65536);
    with.store = store;
    with.arena = &arena;
    for (int64_t i = 0; i < rounds; i++) {
        start = now();
        rows = evaluate(&rules, &with);
        best = fmin(best, now() - start);
        used = arena.used;
        arena_reset(&arena);
    }
    (void)printf("{\"rules\":%zu,\"series\":%zu,\"parse_seconds\":%.6f,"
                 "\"eval_seconds\":%.6f,\"rows\":%zu,\"arena_bytes\":%zu}\n",
                 rules.count, store_count(store), seconds, best, rows, used);
    for (size_t i = 0; i < rules.count; i++)
        promql_free(rules.items[i]);
    free(rules.items);
    arena_fini(&arena);
    store_free(store);
    return 0;
}
