/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/groups.h"

#include "agent/base/mem.h"

#include <stdlib.h>

struct groups *groups_new(void)
{
    struct groups *g = xcalloc(1, sizeof(*g));

    arena_init(&g->arena, 4096);
    return g;
}

static void record_forget(struct record *r)
{
    for (size_t i = 0; i < r->shown_count; i++)
        free(r->shown[i]);
    free(r->shown);
    r->shown = NULL;
    r->shown_count = 0;
}

void groups_forget(struct groups *g)
{
    for (size_t i = 0; i < g->count; i++) {
        g->items[i].begun = false;
        for (size_t k = 0; k < g->items[i].count; k++)
            record_forget(&g->items[i].records[k]);
    }
}

void groups_free(struct groups *g)
{
    if (!g)
        return;
    groups_forget(g);
    for (size_t i = 0; i < g->count; i++)
        for (size_t k = 0; k < g->items[i].count; k++)
            promql_free(g->items[i].records[k].query);
    for (size_t i = 0; i < g->conf_count; i++)
        conf_free(g->confs[i]);
    free(g->confs);
    free(g->items);
    arena_fini(&g->arena);
    free(g);
}

size_t groups_records(const struct groups *g)
{
    size_t n = 0;

    for (size_t i = 0; i < g->count; i++)
        n += g->items[i].count;
    return n;
}

size_t groups_alerts(const struct groups *g)
{
    size_t n = 0;

    for (size_t i = 0; i < g->count; i++)
        n += g->items[i].alerts;
    return n;
}

/* ---- evaluation ---- */

/* Which multiple of the interval came last. */
static int64_t turn(int64_t t_ms, int64_t interval_ms)
{
    return t_ms >= 0 ? t_ms / interval_ms : -((-t_ms - 1) / interval_ms) - 1;
}

bool group_is_due(const struct group *g, int64_t t_ms, int64_t interval_ms)
{
    int64_t every = g->interval_ms > 0 ? g->interval_ms : interval_ms;

    if (!g->begun || t_ms < g->begun_ms || every <= 0)
        return true;
    return turn(t_ms, every) > turn(g->begun_ms, every);
}

void group_begin(struct group *g, int64_t t_ms)
{
    g->begun = true;
    g->begun_ms = t_ms;
}

/* Rows as they will be written: series with the rule's name and labels. */
struct written {
    struct labels **sets;
    double *values;
    size_t count;
};

static struct labels *renamed(const struct record *r, const struct labels *l,
                              struct labels_builder *b)
{
    labels_start_from(b, l);
    labels_set(b, LABEL_NAME, r->name);
    for (size_t i = 0; i < r->label_count; i++)
        labels_set(b, r->labels[i].name, r->labels[i].value);
    return labels_build(b, NULL);
}

static void rename_rows(const struct record *r, const struct promql_result *in,
                        struct arena *a, struct written *out)
{
    bool scalar = in->type == PROMQL_SCALAR;
    size_t n = scalar ? 1 : in->row_count;
    struct labels_builder b = {0};

    out->sets = xreallocarray(NULL, n ? n : 1, sizeof(struct labels *));
    out->values = arena_array(a, n, sizeof(*out->values));
    out->count = n;
    for (size_t i = 0; i < n; i++) {
        out->sets[i] =
            renamed(r, scalar ? &labels_empty : in->rows[i].labels, &b);
        out->values[i] = scalar ? in->scalar : in->rows[i].v;
    }
    labels_builder_fini(&b);
}

static void drop(struct written *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->sets[i]);
    free(w->sets);
}

static int by_set(const void *a, const void *b)
{
    const struct labels *const *x = a, *const *y = b;

    return labels_cmp(*x, *y);
}

static bool all_differ(const struct written *w, struct arena *a)
{
    const struct labels **sorted = arena_array(a, w->count, sizeof(*sorted));

    for (size_t i = 0; i < w->count; i++)
        sorted[i] = w->sets[i];
    if (w->count > 1)
        qsort(sorted, w->count, sizeof(*sorted), by_set);
    for (size_t i = 1; i < w->count; i++)
        if (labels_eq(sorted[i - 1], sorted[i]))
            return false;
    return true;
}

/* In Prometheus' words, that people search for. */
static bool acceptable(const struct written *w, const struct group *g,
                       struct arena *a, struct err *err)
{
    if (!all_differ(w, a))
        return err_set(err, ERR_INPUT,
                       "vector contains metrics with the same labelset after "
                       "applying rule labels");
    if (g->limit > 0 && w->count > (size_t)g->limit)
        return err_set(err, ERR_LIMIT, "exceeded limit of %lld with %zu series",
                       (long long)g->limit, w->count);
    return true;
}

/* A second rule that gives a series its value of this time is too late, as in
 * Prometheus; what the store refuses it counts. */
static bool append_all(const struct written *w, struct store *store,
                       int64_t t_ms, struct err *err)
{
    for (size_t i = 0; i < w->count; i++) {
        struct series *se = store_series(store, w->sets[i]);

        if (!se)
            return err_set(err, ERR_LIMIT,
                           "there is no room for more series in the store");
        (void)series_append(se, t_ms, w->values[i]);
    }
    return true;
}

/* What was shown and is not written to at this time is there no more. */
static void mark_vanished(const struct record *r, struct store *store,
                          int64_t t_ms)
{
    for (size_t i = 0; i < r->shown_count; i++) {
        struct series *se = store_find(store, r->shown[i]);

        if (se && !series_newest(se, t_ms - 1, t_ms))
            (void)series_append(se, t_ms, sample_stale());
    }
}

static bool compute(const struct record *r, const struct group *g,
                    const struct record_world *w, struct written *out,
                    struct err *err)
{
    const struct promql_eval with = {.store = w->store,
                                     .t_ms = g->begun_ms - g->offset_ms,
                                     .step_ms = w->step_ms,
                                     .max_samples = RULES_SAMPLES_MAX,
                                     .arena = w->arena};
    struct promql_result result;

    *out = (struct written){.sets = NULL};
    if (!promql_eval(r->query, &with, &result, err))
        return false;
    rename_rows(r, &result, w->arena, out);
    return acceptable(out, g, w->arena, err) &&
           append_all(out, w->store, with.t_ms, err);
}

bool record_evaluate(struct record *r, const struct group *g,
                     const struct record_world *w, struct err *err)
{
    int64_t t_ms = g->begun_ms - g->offset_ms;
    struct written now;
    bool ok = compute(r, g, w, &now, err);

    if (!ok) {
        drop(&now);
        now = (struct written){.sets = NULL};
    }
    mark_vanished(r, w->store, t_ms);
    record_forget(r);
    r->shown = now.sets;
    r->shown_count = now.count;
    return ok;
}

/* ---- reload ---- */

static bool is_same(const struct group *a, const struct group *b)
{
    return str_eq(a->file, b->file) && str_eq(a->name, b->name);
}

static bool is_same_record(const struct record *a, const struct record *b)
{
    if (!str_eq(a->name, b->name) || a->label_count != b->label_count ||
        !str_eq(promql_text(a->query), promql_text(b->query)))
        return false;
    for (size_t i = 0; i < a->label_count; i++)
        if (!str_eq(a->labels[i].name, b->labels[i].name) ||
            !str_eq(a->labels[i].value, b->labels[i].value))
            return false;
    return true;
}

static void inherit_record(struct record *to, const struct group *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct record *old = &from->records[i];

        if (!is_same_record(to, old))
            continue;
        to->shown =
            xreallocarray(NULL, old->shown_count + 1, sizeof(*to->shown));
        for (size_t k = 0; k < old->shown_count; k++)
            to->shown[k] = labels_copy(old->shown[k], NULL);
        to->shown_count = old->shown_count;
        return;
    }
}

void groups_inherit(struct groups *g, const struct groups *from)
{
    for (size_t i = 0; i < g->count; i++)
        for (size_t j = 0; j < from->count; j++) {
            struct group *to = &g->items[i];

            if (!is_same(to, &from->items[j]))
                continue;
            to->begun = from->items[j].begun;
            to->begun_ms = from->items[j].begun_ms;
            for (size_t k = 0; k < to->count; k++)
                inherit_record(&to->records[k], &from->items[j]);
        }
}
