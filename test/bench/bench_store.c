/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_store - bytes a held series, and how fast series are made, found,
 * selected by name and expired.
 *
 *     test/bench/bench_store [SERIES]
 *
 * The bytes are the allocator's own account (mallinfo2), beside what the store
 * says of itself.
 */
#include "agent/base/mem.h"
#include "agent/store/store.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t held(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

/* Five labels, a hundred names. */
static struct labels *typical(struct labels_builder *b, size_t i)
{
    char name[64], instance[32], queue[16];

    snprintf(name, sizeof(name), "membrane_instant_tasks_figure_%zu", i % 100);
    snprintf(instance, sizeof(instance), "10.0.%zu.%zu:5000", i / 25000 % 250,
             i / 100 % 250);
    snprintf(queue, sizeof(queue), "q%zu", i / 6250000);
    labels_start(b);
    labels_set(b, LABEL_NAME, str_of(name));
    labels_set(b, LABEL_JOB, STR("api"));
    labels_set(b, LABEL_INSTANCE, str_of(instance));
    labels_set(b, STR("queue"), str_of(queue));
    return labels_build(b, NULL);
}

static void count(void *arg, struct series *se)
{
    (void)se;
    ++*(size_t *)arg;
}

static double add_all(struct store *s, struct labels **sets, size_t n,
                      int64_t t_ms)
{
    double start = now();

    for (size_t i = 0; i < n; i++)
        (void)series_append(store_series(s, sets[i]), t_ms, (double)i);
    return now() - start;
}

static void run(size_t n)
{
    const struct matcher named = {MATCH_EQ, LABEL_NAME,
                                  STR("membrane_instant_tasks_figure_7"), NULL};
    struct store *s =
        store_new(&(struct store_options){.retention_ms = 300000});
    struct labels **sets = xreallocarray(NULL, n, sizeof(*sets));
    struct labels_builder b = {0};
    size_t found = 0, before;
    double t;

    for (size_t i = 0; i < n; i++)
        sets[i] = typical(&b, i);
    before = held();
    t = add_all(s, sets, n, 15000);
    printf("bytes a series with 1 sample: %zu held, %zu told\n",
           (held() - before) / n, store_bytes(s) / n);
    printf("made: %.2f million/s\n", (double)n / t / 1e6);
    t = add_all(s, sets, n, 30000);
    printf("found and appended: %.2f million/s\n", (double)n / t / 1e6);
    for (int64_t i = 3; i <= 20; i++)
        add_all(s, sets, n, i * 15000);
    printf("bytes a series with 20 samples: %zu held, %zu told\n",
           (held() - before) / n, store_bytes(s) / n);
    t = now();
    store_select(s, &named, 1, count, &found);
    printf("selected by name: %zu of %zu in %.3f ms\n", found, n,
           (now() - t) * 1e3);
    t = now();
    store_expire(s, 315000);
    printf("expired nothing but one sample each: %.1f ms\n", (now() - t) * 1e3);
    t = now();
    store_expire(s, 900000);
    printf("expired all: %.1f ms, %zu bytes left\n", (now() - t) * 1e3,
           store_bytes(s));
    for (size_t i = 0; i < n; i++)
        free(sets[i]);
    free(sets);
    labels_builder_fini(&b);
    store_free(s);
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 100000;

    run(n > 0 ? n : 1);
    return 0;
}
