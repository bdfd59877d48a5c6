/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/store/store.h"

#include "agent/base/mem.h"
#include "agent/base/regex.h"
#include "agent/store/series.h"
#include "agent/store/tables.h"

#include <stdlib.h>

struct store {
    struct store_options options;
    struct series_totals totals;
    struct set_table sets;
    struct name_table names;
};

struct store *store_new(const struct store_options *options)
{
    struct store *s = xcalloc(1, sizeof(*s));

    s->options = *options;
    return s;
}

void store_free(struct store *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->sets.cap; i++)
        if (s->sets.slots[i])
            series_free(s->sets.slots[i]);
    set_table_fini(&s->sets);
    name_table_fini(&s->names);
    free(s);
}

void store_set_retention(struct store *s, int64_t retention_ms)
{
    s->options.retention_ms = retention_ms;
}

struct series *store_find(const struct store *s, const struct labels *labels)
{
    return set_table_find(&s->sets, labels);
}

struct series *store_series(struct store *s, const struct labels *labels)
{
    struct series *se = set_table_find(&s->sets, labels);

    if (se)
        return se;
    if (s->options.max_series > 0 && s->sets.count >= s->options.max_series)
        return NULL;
    se = series_new(&s->totals, labels);
    set_table_add(&s->sets, se);
    name_table_add(&s->names, se);
    return se;
}

size_t store_count(const struct store *s)
{
    return s->sets.count;
}

uint64_t store_refused(const struct store *s)
{
    return s->totals.refused;
}

size_t store_bytes(const struct store *s)
{
    return series_block(sizeof(*s)) + s->totals.bytes +
           set_table_bytes(&s->sets) + name_table_bytes(&s->names);
}

bool matcher_matches(const struct matcher *m, const struct labels *labels)
{
    struct str value = labels_get(labels, m->name);

    switch (m->op) {
    case MATCH_EQ:
        return str_eq(value, m->value);
    case MATCH_NE:
        return !str_eq(value, m->value);
    case MATCH_RE:
        return regex_match(m->regex, value);
    case MATCH_NRE:
        return !regex_match(m->regex, value);
    }
    return false;
}

static bool on_name(const struct matcher *m)
{
    return str_eq(m->name, LABEL_NAME);
}

/* All that ask for the name, or all others. */
static bool accepts(const struct matcher *matchers, size_t count, bool names,
                    const struct labels *labels)
{
    for (size_t i = 0; i < count; i++)
        if (on_name(&matchers[i]) == names &&
            !matcher_matches(&matchers[i], labels))
            return false;
    return true;
}

/* Series of one name: its matchers need be asked only once. */
static void select_named(const struct name_slot *name,
                         const struct matcher *matchers, size_t count,
                         store_select_fn *fn, void *arg)
{
    if (!accepts(matchers, count, true, series_set(name->first)))
        return;
    for (struct series *se = name->first; se; se = se->next)
        if (accepts(matchers, count, false, series_set(se)))
            fn(arg, se);
}

static const struct matcher *exact_name(const struct matcher *matchers,
                                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (matchers[i].op == MATCH_EQ && on_name(&matchers[i]))
            return &matchers[i];
    return NULL;
}

void store_select(const struct store *s, const struct matcher *matchers,
                  size_t count, store_select_fn *fn, void *arg)
{
    const struct matcher *exact = exact_name(matchers, count);

    if (exact) {
        const struct name_slot *name = name_table_find(&s->names, exact->value);

        if (name)
            select_named(name, matchers, count, fn, arg);
        return;
    }
    for (size_t i = 0; i < s->names.cap; i++)
        if (s->names.slots[i].first)
            select_named(&s->names.slots[i], matchers, count, fn, arg);
}

void store_names(const struct store *s, store_name_fn *fn, void *arg)
{
    for (size_t i = 0; i < s->names.cap; i++) {
        const struct name_slot *name = &s->names.slots[i];

        if (name->first)
            fn(arg, labels_name(series_set(name->first)), name->count);
    }
}

/* Takes the empty ones off the list of one name. */
static struct series *sweep(struct name_slot *name, int64_t cut_ms)
{
    struct series **link = &name->first;
    struct series *gone = NULL;

    while (*link) {
        struct series *se = *link;

        series_forget(se, cut_ms);
        if (se->count > 0 || se->refs > 0) {
            link = &se->next;
            continue;
        }
        *link = se->next;
        name->count--;
        se->next = gone;
        gone = se;
    }
    return gone;
}

static void remove_all(struct store *s, struct series *gone)
{
    while (gone) {
        struct series *next = gone->next;

        set_table_remove(&s->sets, gone);
        series_free(gone);
        gone = next;
    }
}

void store_expire(struct store *s, int64_t now_ms)
{
    size_t before = s->sets.count;
    int64_t cut;

    if (__builtin_sub_overflow(now_ms, s->options.retention_ms, &cut))
        cut = INT64_MIN;
    for (size_t i = 0; i < s->names.cap; i++)
        if (s->names.slots[i].first)
            remove_all(s, sweep(&s->names.slots[i], cut));
    if (s->sets.count < before) {
        set_table_settle(&s->sets);
        name_table_settle(&s->names);
    }
}

void store_rewind(struct store *s, int64_t t_ms)
{
    for (size_t i = 0; i < s->names.cap; i++)
        for (struct series *se = s->names.slots[i].first; se; se = se->next)
            series_rewind(se, t_ms);
}
