/* SPDX-License-Identifier: Apache-2.0 */
/* Quantiles and fractions of classic histograms: series that differ in le. */
#include "agent/base/num.h"
#include "agent/promql/func_impl.h"
#include "agent/promql/subset.h"

#include <math.h>
#include <stdlib.h>

#define LE        STR("le")
#define TOLERANCE 1e-12 /* relative: differences below are rounding */

struct bucket {
    size_t group;
    double bound, count; /* cumulative */
};

struct buckets {
    struct bucket *items;
    size_t count;
};

struct histograms {
    struct bucket *all;
    size_t count;
    struct subset_index groups;
};

static const struct str bucket_label[] = {{"le", 2}};
static const struct str excluded[] = {{"__name__", 8}, {"le", 2}};
static const struct subset without_le = {{bucket_label, 1}, false};
static const struct subset without_both = {{excluded, 2}, false};

static int by_group_and_bound(const void *a, const void *b)
{
    const struct bucket *x = a, *y = b;

    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->bound > y->bound) - (x->bound < y->bound);
}

/* Buckets sorted by histogram and bound; series without a bound are left
 * out. */
static struct histograms collect(struct eval *ev, const struct value *in)
{
    struct histograms h = {0};

    h.all = arena_array(ev->arena, in->count + 1, sizeof(*h.all));
    subset_index_init(&h.groups, &without_le, in->count, ev->arena);
    for (size_t i = 0; i < in->count; i++) {
        const struct promql_row *row = &in->rows[i];
        struct bucket b = {.count = row->v};
        bool added;

        if (!num_parse_go(labels_get(row->labels, LE), &b.bound))
            continue;
        b.group = subset_index_add(&h.groups, row->labels, &added);
        h.all[h.count++] = b;
    }
    if (h.count > 1)
        qsort(h.all, h.count, sizeof(*h.all), by_group_and_bound);
    return h;
}

/* The buckets of the next histogram, from `*at` on. */
static struct buckets next_group(const struct histograms *h, size_t *at)
{
    struct buckets b = {h->all + *at, 0};

    while (*at < h->count && h->all[*at].group == b.items->group) {
        (*at)++;
        b.count++;
    }
    return b;
}

static void coalesce(struct buckets *b)
{
    size_t last = 0;

    for (size_t i = 1; i < b->count; i++)
        if (b->items[i].bound == b->items[last].bound)
            b->items[last].count += b->items[i].count;
        else
            b->items[++last] = b->items[i];
    b->count = last + 1;
}

static bool almost_equal(double a, double b)
{
    double sum = fabs(a) + fabs(b), diff = fabs(a - b);

    if (a == b || (isnan(a) && isnan(b)))
        return true;
    if (a == 0 || b == 0 || sum < 2.2250738585072014e-308)
        return diff < TOLERANCE * 2.2250738585072014e-308;
    return diff / fmin(sum, 1.7976931348623157e308) < TOLERANCE;
}

/* Counts may only grow; what is off by rounding or more is levelled. */
static void make_monotonic(struct buckets *b)
{
    double before = b->items[0].count;

    for (size_t i = 1; i < b->count; i++) {
        double *count = &b->items[i].count;

        if (*count < before || almost_equal(before, *count))
            *count = before;
        else
            before = *count;
    }
}

static double bucket_quantile(double q, struct buckets b)
{
    double total, rank, from = 0, count;
    size_t i = 0;

    if (isnan(q))
        return sample_nan();
    if (q < 0 || q > 1)
        return q < 0 ? -HUGE_VAL : HUGE_VAL;
    if (b.items[b.count - 1].bound != HUGE_VAL)
        return sample_nan();
    coalesce(&b);
    make_monotonic(&b);
    total = b.items[b.count - 1].count;
    if (b.count < 2 || total == 0)
        return sample_nan();
    rank = q * total;
    while (i < b.count - 1 && !(b.items[i].count >= rank))
        i++;
    if (i == b.count - 1)
        return b.items[b.count - 2].bound;
    if (i == 0 && b.items[0].bound <= 0)
        return b.items[0].bound;
    count = b.items[i].count;
    if (i > 0) {
        from = b.items[i - 1].bound;
        count -= b.items[i - 1].count;
        rank -= b.items[i - 1].count;
    }
    return from + (b.items[i].bound - from) * (rank / count);
}

/* How many observations lie below `v`: linear within a bucket. */
static double rank_of(double v, const struct buckets *b)
{
    double total = b->items[b->count - 1].count, rank = 0;
    double low = b->items[0].bound <= 0 ? -HUGE_VAL : 0;

    for (size_t i = 0; i < b->count; i++) {
        const struct bucket *at = &b->items[i];

        if (i > 0)
            low = b->items[i - 1].bound;
        if (low >= v)
            break;
        if (at->bound > v) {
            rank = low == -HUGE_VAL ? at->count
                                    : rank + (at->count - rank) * (v - low) /
                                                 (at->bound - low);
            break;
        }
        rank = at->count;
    }
    return rank > total ? total : rank;
}

static double bucket_fraction(double lower, double upper, struct buckets b)
{
    double total;

    if (b.items[b.count - 1].bound != HUGE_VAL)
        return sample_nan();
    coalesce(&b);
    total = b.items[b.count - 1].count;
    if (total == 0 || isnan(lower) || isnan(upper))
        return sample_nan();
    if (lower >= upper)
        return 0;
    return (rank_of(upper, &b) - rank_of(lower, &b)) / total;
}

static const struct labels *group_labels(struct eval *ev,
                                         const struct histograms *h,
                                         size_t group)
{
    const struct labels *l =
        subset_labels(&without_both, h->groups.keys[group], ev->arena);

    return subset_labels(&subset_nameless, l, ev->arena);
}

bool call_histogram_quantile(struct eval *ev, const struct node *n,
                             struct value *args, struct value *out)
{
    struct histograms h = collect(ev, &args[1]);

    (void)n;
    value_vector(ev, out, h.groups.count);
    for (size_t at = 0; at < h.count;) {
        struct buckets b = next_group(&h, &at);
        size_t group = b.items->group;

        value_add(out, group_labels(ev, &h, group), ev->t_ms,
                  bucket_quantile(args[0].scalar, b));
    }
    return value_unique(ev, out);
}

bool call_histogram_fraction(struct eval *ev, const struct node *n,
                             struct value *args, struct value *out)
{
    struct histograms h = collect(ev, &args[2]);

    (void)n;
    value_vector(ev, out, h.groups.count);
    for (size_t at = 0; at < h.count;) {
        struct buckets b = next_group(&h, &at);
        size_t group = b.items->group;

        value_add(out, group_labels(ev, &h, group), ev->t_ms,
                  bucket_fraction(args[0].scalar, args[1].scalar, b));
    }
    return value_unique(ev, out);
}

/* The quantile as OpenMetrics writes a float: 1 is 1.0. */
static struct str quantile_text(double q, char text[NUM_MAX])
{
    size_t n = num_general(q, text);

    if (isfinite(q) && !memchr(text, '.', n) && !memchr(text, 'e', n)) {
        text[n++] = '.';
        text[n++] = '0';
    }
    return str_n(text, n);
}

bool call_histogram_quantiles(struct eval *ev, const struct node *n,
                              struct value *args, struct value *out)
{
    struct labels_builder builder = {0};
    char text[NUM_MAX];

    value_vector(ev, out, args[0].count * (n->call.count - 2));
    for (size_t q = 2; q < n->call.count; q++) {
        struct histograms h = collect(ev, &args[0]);

        for (size_t at = 0; at < h.count;) {
            struct buckets b = next_group(&h, &at);
            const struct labels *l = group_labels(ev, &h, b.items->group);

            labels_start_from(&builder, l);
            labels_set(&builder, args[1].string,
                       quantile_text(args[q].scalar, text));
            value_add(out, labels_build(&builder, ev->arena), ev->t_ms,
                      bucket_quantile(args[q].scalar, b));
        }
    }
    labels_builder_fini(&builder);
    return value_unique(ev, out);
}
