/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/eval.h"
#include "agent/promql/subset.h"

#include <stdlib.h>

/* Rows that a selection finds, in memory that doubles. */
struct found {
    struct eval *ev;
    int64_t from_ms, to_ms; /* (from, to] */
    bool own_time;
    struct promql_row *rows;
    size_t count, cap;
    bool failed;
};

static struct promql_row *found_add(struct found *f)
{
    if (f->count == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 8;
        struct promql_row *rows =
            arena_alloc(f->ev->arena, cap * sizeof(*rows));

        if (f->count)
            memcpy(rows, f->rows, f->count * sizeof(*rows));
        f->rows = rows;
        f->cap = cap;
    }
    return &f->rows[f->count++];
}

/* The moment a selector or subquery looks at. */
static int64_t moment(const struct eval *ev, const struct when_node *w)
{
    int64_t t = w->at == AT_NONE   ? ev->t_ms
                : w->at == AT_TIME ? w->at_ms
                                   : ev->query_ms;
    int64_t result;

    if (__builtin_sub_overflow(t, w->offset_ms, &result))
        return w->offset_ms > 0 ? INT64_MIN : INT64_MAX;
    return result;
}

/* t - range, without falling off the end of time. */
static int64_t before(int64_t t, int64_t range)
{
    return t < INT64_MIN + range ? INT64_MIN : t - range;
}

static void tell_input(const struct eval *ev, const struct labels *labels,
                       struct sample newest)
{
    if (ev->with->input)
        ev->with->input(ev->with->input_arg, labels, newest);
}

static void take_newest(void *arg, struct series *se)
{
    struct found *f = arg;
    const struct sample *s = series_newest(se, f->from_ms, f->to_ms);

    if (f->failed || !s || sample_is_stale(s->v))
        return;
    f->failed = !eval_charge(f->ev, 1);
    tell_input(f->ev, series_labels(se), *s);
    *found_add(f) = (struct promql_row){
        .labels = series_labels(se),
        .t_ms = f->own_time ? s->t_ms : f->ev->t_ms,
        .v = s->v,
    };
}

bool eval_selector(struct eval *ev, const struct node *n, bool own_time,
                   struct value *out)
{
    const struct selector_node *s = &n->select.selector;
    int64_t t = moment(ev, &n->select.when);
    struct found f = {.ev = ev, .to_ms = t, .own_time = own_time};

    f.from_ms = before(t, ev->lookback_ms);
    store_select(ev->with->store, s->matchers, s->count, take_newest, &f);
    *out =
        (struct value){.type = PROMQL_VECTOR, .rows = f.rows, .count = f.count};
    return !f.failed;
}

static size_t fresh(const struct series_window *w)
{
    size_t n = 0;

    for (int r = 0; r < 2; r++)
        for (size_t i = 0; i < w->count[r]; i++)
            n += !sample_is_stale(w->run[r][i].v);
    return n;
}

static const struct sample *copy_fresh(struct eval *ev,
                                       const struct series_window *w, size_t n)
{
    struct sample *out = arena_alloc(ev->arena, n * sizeof(*out));
    size_t at = 0;

    for (int r = 0; r < 2; r++)
        for (size_t i = 0; i < w->count[r]; i++)
            if (!sample_is_stale(w->run[r][i].v))
                out[at++] = w->run[r][i];
    return out;
}

/* The store's own memory where one run of it holds all, without markers. */
static void take_window(void *arg, struct series *se)
{
    struct found *f = arg;
    struct series_window w = series_between(se, f->from_ms, f->to_ms);
    size_t n = f->failed ? 0 : fresh(&w);
    struct promql_row *row;

    if (n == 0)
        return;
    f->failed = !eval_charge(f->ev, n);
    row = found_add(f);
    *row = (struct promql_row){.labels = series_labels(se), .count = n};
    row->samples = n == w.count[0]   ? w.run[0]
                   : n == w.count[1] ? w.run[1]
                                     : copy_fresh(f->ev, &w, n);
    tell_input(f->ev, row->labels, row->samples[n - 1]);
}

bool eval_matrix(struct eval *ev, const struct node *n, struct value *out)
{
    const struct selector_node *s = &n->select.selector;
    int64_t end = moment(ev, &n->select.when);
    struct found f = {.ev = ev, .to_ms = end};

    f.from_ms = before(end, n->select.range_ms);
    store_select(ev->with->store, s->matchers, s->count, take_window, &f);
    *out = (struct value){
        .type = PROMQL_MATRIX,
        .rows = f.rows,
        .count = f.count,
        .start_ms = f.from_ms,
        .end_ms = end,
    };
    return !f.failed;
}

/* The first multiple of `step` behind `from`; false beyond all time. */
static bool first_step(int64_t from, int64_t step, int64_t *t)
{
    *t = from / step * step;
    return *t > from || !__builtin_add_overflow(*t, step, t);
}

static size_t count_steps(int64_t first, int64_t last, int64_t step)
{
    return first > last
               ? 0
               : (size_t)(((uint64_t)last - (uint64_t)first) / (uint64_t)step) +
                     1;
}

/* The rows of all steps, one behind the other, into `f`. */
static bool run_steps(struct eval *ev, const struct node *n, int64_t step,
                      struct found *f)
{
    int64_t t;
    bool any = first_step(f->from_ms, step, &t);
    size_t steps = any ? count_steps(t, f->to_ms, step) : 0;
    struct eval inner = *ev;
    bool ok = eval_charge(&inner, steps);

    for (; ok && steps > 0; steps--) {
        struct value v;

        inner.t_ms = t;
        ok = eval_node(&inner, n->subquery.expr, &v) &&
             eval_charge(&inner, v.count);
        for (size_t i = 0; ok && i < v.count; i++) {
            struct promql_row *row = found_add(f);

            *row = v.rows[i];
            row->t_ms = t;
        }
        t = steps > 1 ? t + step : t;
    }
    ev->samples = inner.samples;
    return ok;
}

/* From rows of (labels, t, v) to a row of samples for each label set. */
static void gather(struct eval *ev, const struct found *f, struct value *out)
{
    size_t *number = arena_array(ev->arena, f->count + 1, sizeof(*number));
    struct sample *samples =
        arena_alloc(ev->arena, (f->count + 1) * sizeof(*samples));
    struct subset_index ix;
    size_t *at;

    subset_index_init(&ix, NULL, f->count, ev->arena);
    for (size_t i = 0; i < f->count; i++) {
        bool added;

        number[i] = subset_index_add(&ix, f->rows[i].labels, &added);
    }
    out->count = ix.count;
    out->rows = arena_array(ev->arena, ix.count + 1, sizeof(*out->rows));
    at = arena_array(ev->arena, ix.count + 1, sizeof(*at));
    for (size_t i = 0; i < f->count; i++)
        out->rows[number[i]].count++;
    for (size_t i = 0, next = 0; i < ix.count; i++) {
        out->rows[i].labels = ix.keys[i];
        out->rows[i].samples = samples + next;
        at[i] = next;
        next += out->rows[i].count;
    }
    for (size_t i = 0; i < f->count; i++)
        samples[at[number[i]]++] =
            (struct sample){f->rows[i].t_ms, f->rows[i].v};
}

bool eval_subquery(struct eval *ev, const struct node *n, struct value *out)
{
    int64_t end = moment(ev, &n->subquery.when);
    int64_t own = ev->with->step_ms > 0 ? ev->with->step_ms : PROMQL_STEP;
    int64_t step = n->subquery.step_ms ? n->subquery.step_ms : own;
    struct found f = {.ev = ev, .to_ms = end};

    f.from_ms = before(end, n->subquery.range_ms);
    if (!run_steps(ev, n, step, &f))
        return false;
    *out = (struct value){
        .type = PROMQL_MATRIX, .start_ms = f.from_ms, .end_ms = end};
    gather(ev, &f, out);
    return true;
}
