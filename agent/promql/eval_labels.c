/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/regex.h"
#include "agent/promql/func_impl.h"
#include "agent/promql/subset.h"

#include <math.h>
#include <stdlib.h>

/* Matchers that only take series away are looked at last. */
static bool subtracts(const struct selector_node *s, const struct matcher *m)
{
    bool negative = m->op == MATCH_NE || m->op == MATCH_NRE;
    struct str none = STR_NONE;
    bool must_be_set = false, empty;

    for (size_t i = 0; i < s->count && !must_be_set; i++)
        must_be_set = str_eq(s->matchers[i].name, m->name) &&
                      !matcher_accepts(&s->matchers[i], none);
    empty = matcher_accepts(m, none);
    return !must_be_set || (negative && empty);
}

/* The labels that an absent series would have: those of equality matchers,
 * given once. */
static const struct labels *absent_labels(struct eval *ev,
                                          const struct node *arg)
{
    const struct selector_node *s = &arg->select.selector;
    struct labels_builder b = {0}, given = {0};
    const struct labels *result;

    if (arg->kind != NODE_SELECTOR && arg->kind != NODE_MATRIX)
        return &labels_empty;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < s->count; i++) {
            const struct matcher *m = &s->matchers[i];

            if (str_eq(m->name, LABEL_NAME) || subtracts(s, m) != pass)
                continue;
            if (m->op == MATCH_EQ && labels_peek(&given, m->name).len == 0) {
                labels_set(&b, m->name, m->value);
                labels_set(&given, m->name, STR("1"));
            } else {
                labels_drop(&b, m->name);
            }
        }
    result = labels_build(&b, ev->arena);
    labels_builder_fini(&b);
    labels_builder_fini(&given);
    return result;
}

bool call_absent(struct eval *ev, const struct node *n, struct value *args,
                 struct value *out)
{
    value_vector(ev, out, 1);
    if (args[0].count == 0)
        value_add(out, absent_labels(ev, node_unwrap(n->call.args[0])),
                  ev->t_ms, 1);
    return true;
}

bool call_absent_over_time(struct eval *ev, const struct node *n,
                           struct value *args, struct value *out)
{
    return call_absent(ev, n, args, out);
}

/* Puts `value` into label `dst` of one row. */
static const struct labels *relabel(struct eval *ev, struct labels_builder *b,
                                    const struct labels *labels, struct str dst,
                                    struct str value)
{
    labels_start_from(b, labels);
    labels_set(b, dst, value);
    return labels_build(b, ev->arena);
}

bool call_label_replace(struct eval *ev, const struct node *n,
                        struct value *args, struct value *out)
{
    struct str dst = args[1].string, replacement = args[2].string;
    struct str src = args[3].string;
    struct labels_builder b = {0};
    struct buf text;

    buf_init(&text, BUF_NO_LIMIT);
    *out = args[0];
    for (size_t i = 0; i < out->count; i++) {
        struct promql_row *row = &out->rows[i];

        buf_reset(&text);
        if (regex_expand(n->call.regex, labels_get(row->labels, src),
                         replacement, &text))
            row->labels = relabel(ev, &b, row->labels, dst, buf_str(&text));
    }
    buf_fini(&text);
    labels_builder_fini(&b);
    return value_unique(ev, out);
}

bool call_label_join(struct eval *ev, const struct node *n, struct value *args,
                     struct value *out)
{
    struct labels_builder b = {0};
    struct buf text;

    buf_init(&text, BUF_NO_LIMIT);
    *out = args[0];
    for (size_t i = 0; i < out->count; i++) {
        struct promql_row *row = &out->rows[i];

        buf_reset(&text);
        for (size_t s = 3; s < n->call.count; s++) {
            if (s > 3)
                buf_adds(&text, args[2].string);
            buf_adds(&text, labels_get(row->labels, args[s].string));
        }
        row->labels =
            relabel(ev, &b, row->labels, args[1].string, buf_str(&text));
    }
    buf_fini(&text);
    labels_builder_fini(&b);
    return value_unique(ev, out);
}

static int compare_values(double a, double b)
{
    return (a > b) - (a < b);
}

/* NaN at the end either way. */
static int up(const void *a, const void *b)
{
    const struct promql_row *x = a, *y = b;

    if (isnan(x->v) || isnan(y->v))
        return (int)isnan(x->v) - (int)isnan(y->v);
    return compare_values(x->v, y->v);
}

static int down(const void *a, const void *b)
{
    const struct promql_row *x = a, *y = b;

    if (isnan(x->v) || isnan(y->v))
        return (int)isnan(x->v) - (int)isnan(y->v);
    return compare_values(y->v, x->v);
}

static bool sorted(const struct value *in,
                   int (*order)(const void *, const void *), struct value *out)
{
    *out = *in;
    if (out->count > 1)
        qsort(out->rows, out->count, sizeof(*out->rows), order);
    return true;
}

bool call_sort(struct eval *ev, const struct node *n, struct value *args,
               struct value *out)
{
    (void)ev;
    (void)n;
    return sorted(&args[0], up, out);
}

bool call_sort_desc(struct eval *ev, const struct node *n, struct value *args,
                    struct value *out)
{
    (void)ev;
    (void)n;
    return sorted(&args[0], down, out);
}

static size_t digits(struct str s)
{
    size_t n = 0;

    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    return n;
}

/* Runs of digits by their number, the rest by its bytes. */
static int natural(struct str a, struct str b)
{
    while (a.len > 0 && b.len > 0) {
        size_t na = digits(a), nb = digits(b);
        int64_t va, vb;

        if (na > 0 && nb > 0 && str_int(str_n(a.ptr, na), &va) &&
            str_int(str_n(b.ptr, nb), &vb)) {
            if (va != vb)
                return va < vb ? -1 : 1;
            a = str_from(a, na);
            b = str_from(b, nb);
            continue;
        }
        if (*a.ptr != *b.ptr)
            return (unsigned char)*a.ptr < (unsigned char)*b.ptr ? -1 : 1;
        a = str_from(a, 1);
        b = str_from(b, 1);
    }
    return (a.len > 0) - (b.len > 0);
}

/* A merge sort, since the order depends on the labels asked for. */
struct by_label {
    const struct value *args;
    size_t count;
    int sign;
};

static int compare_rows(const struct by_label *by, const struct promql_row *x,
                        const struct promql_row *y)
{
    for (size_t i = 1; i < by->count; i++) {
        struct str name = by->args[i].string;
        int order =
            natural(labels_get(x->labels, name), labels_get(y->labels, name));

        if (order)
            return by->sign * order;
    }
    return by->sign * labels_cmp(x->labels, y->labels);
}

static void merge(const struct by_label *by, struct promql_row *rows,
                  struct promql_row *scratch, size_t n)
{
    size_t half = n / 2, i = 0, j = half;

    if (n < 2)
        return;
    merge(by, rows, scratch, half);
    merge(by, rows + half, scratch, n - half);
    for (size_t k = 0; k < n; k++) {
        bool left =
            j >= n || (i < half && compare_rows(by, &rows[i], &rows[j]) <= 0);

        scratch[k] = left ? rows[i++] : rows[j++];
    }
    memcpy(rows, scratch, n * sizeof(*rows));
}

static bool sort_by_label(struct eval *ev, const struct node *n,
                          struct value *args, int sign, struct value *out)
{
    struct by_label by = {args, n->call.count, sign};

    *out = args[0];
    merge(&by, out->rows,
          arena_array(ev->arena, out->count + 1, sizeof(*out->rows)),
          out->count);
    return true;
}

bool call_sort_by_label(struct eval *ev, const struct node *n,
                        struct value *args, struct value *out)
{
    return sort_by_label(ev, n, args, 1, out);
}

bool call_sort_by_label_desc(struct eval *ev, const struct node *n,
                             struct value *args, struct value *out)
{
    return sort_by_label(ev, n, args, -1, out);
}
