/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/load.h"

#include "agent/base/mem.h"

#include <stdlib.h>

struct item {
    struct series *series;
    size_t number; /* in the file: the first of a time counts */
    int64_t t_ms;
    double v;
    bool timed;
};

struct load {
    struct store *store;
    struct labels_builder labels;
    struct item *items;
    size_t count, cap;
    bool timed;
    int64_t newest_ms;
};

struct load *load_new(void)
{
    struct store_options options = {.retention_ms = INT64_MAX / 4};
    struct load *l = xcalloc(1, sizeof(*l));

    l->store = store_new(&options);
    return l;
}

void load_free(struct load *l)
{
    if (!l)
        return;
    if (l->store)
        store_free(l->store);
    labels_builder_fini(&l->labels);
    free(l->items);
    free(l);
}

static bool take_sample(void *arg, const struct parse_sample *s,
                        struct err *err)
{
    struct load *l = arg;
    struct labels *labels;

    (void)err;
    labels_start(&l->labels);
    parse_labels(s, &l->labels);
    labels = labels_build(&l->labels, NULL);
    xgrow(&l->items, &l->cap, l->count, sizeof(*l->items));
    l->items[l->count] = (struct item){store_series(l->store, labels), l->count,
                                       s->t_ms, s->value, s->has_time};
    l->count++;
    free(labels);
    if (s->has_time && (!l->timed || s->t_ms > l->newest_ms)) {
        l->timed = true;
        l->newest_ms = s->t_ms;
    }
    return true;
}

bool load_text(struct load *l, struct str text, enum parse_format format,
               struct err *err)
{
    struct parse_options options = {
        .format = format, .sample = take_sample, .arg = l};
    struct parser *p = parser_new(&options);
    bool ok = parser_feed(p, text, err) && parser_end(p, err);

    parser_free(p);
    return ok;
}

size_t load_samples(const struct load *l)
{
    return l->count;
}

bool load_newest(const struct load *l, int64_t *t_ms)
{
    if (l->timed)
        *t_ms = l->newest_ms;
    return l->timed;
}

static int by_series_and_time(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    if (x->series != y->series)
        return (uintptr_t)x->series < (uintptr_t)y->series ? -1 : 1;
    if (x->t_ms != y->t_ms)
        return x->t_ms < y->t_ms ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

struct store *load_take(struct load *l, int64_t untimed_ms)
{
    struct store *store = l->store;

    for (size_t i = 0; i < l->count; i++)
        if (!l->items[i].timed)
            l->items[i].t_ms = untimed_ms;
    if (l->count > 1)
        qsort(l->items, l->count, sizeof(*l->items), by_series_and_time);
    for (size_t i = 0; i < l->count; i++)
        (void)series_append(l->items[i].series, l->items[i].t_ms,
                            l->items[i].v);
    l->store = NULL;
    return store;
}
