/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/store/series.h"

#include "agent/base/mem.h"

#include <assert.h>
#include <stdlib.h>

struct series *series_new(struct series_totals *totals,
                          const struct labels *labels)
{
    size_t n = labels_bytes(labels);
    struct series *se = xmalloc(sizeof(*se) + n);

    *se = (struct series){.totals = totals, .cap = 1};
    memcpy(se + 1, labels, n);
    totals->bytes += series_block(sizeof(*se) + n);
    return se;
}

void series_free(struct series *se)
{
    size_t n = sizeof(*se) + labels_bytes(series_set(se));

    if (se->cap > 1) {
        se->totals->bytes -= series_block(se->cap * sizeof(struct sample));
        free(se->ring.many);
    }
    se->totals->bytes -= series_block(n);
    free(se);
}

void series_ref(struct series *se)
{
    se->refs++;
}

void series_unref(struct series *se)
{
    assert(se->refs > 0);
    se->refs--;
}

const struct labels *series_labels(const struct series *se)
{
    return series_set(se);
}

static const struct sample *slots(const struct series *se)
{
    return se->cap > 1 ? se->ring.many : &se->ring.one;
}

/* Where the i-th oldest stands. */
static size_t place(const struct series *se, size_t i)
{
    size_t slot = se->head + i;

    return slot < se->cap ? slot : slot - se->cap;
}

static const struct sample *at(const struct series *se, size_t i)
{
    return &slots(se)[place(se, i)];
}

static void unwrap(const struct series *se, struct sample *out)
{
    size_t first = se->cap - se->head;

    if (first > se->count)
        first = se->count;
    memcpy(out, slots(se) + se->head, first * sizeof(*out));
    memcpy(out + first, slots(se), (se->count - first) * sizeof(*out));
}

static void resize(struct series *se, uint32_t cap)
{
    struct sample one = {0, 0};
    struct sample *many = NULL;

    if (cap > 1) {
        many = xreallocarray(NULL, cap, sizeof(*many));
        se->totals->bytes += series_block(cap * sizeof(*many));
    }
    unwrap(se, many ? many : &one);
    if (se->cap > 1) {
        se->totals->bytes -= series_block(se->cap * sizeof(*many));
        free(se->ring.many);
    }
    if (many)
        se->ring.many = many;
    else
        se->ring.one = one;
    se->head = 0;
    se->cap = cap;
}

bool series_append(struct series *se, int64_t t_ms, double v)
{
    struct sample *slot;

    if (se->count > 0 && t_ms <= at(se, se->count - 1)->t_ms) {
        se->totals->refused++;
        return false;
    }
    if (se->count == se->cap) {
        assert(se->cap < UINT32_MAX / 2);
        resize(se, se->cap + se->cap / 2 + 1);
    }
    slot = se->cap > 1 ? se->ring.many : &se->ring.one;
    slot[place(se, se->count)] = (struct sample){t_ms, v};
    se->count++;
    return true;
}

/* How many samples are at or before `t_ms`. */
static size_t up_to(const struct series *se, int64_t t_ms)
{
    size_t low = 0, high = se->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (at(se, middle)->t_ms <= t_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct series_window series_between(const struct series *se, int64_t from_ms,
                                    int64_t to_ms)
{
    size_t from = up_to(se, from_ms), to = up_to(se, to_ms);
    size_t n = to > from ? to - from : 0;
    size_t start = n > 0 ? place(se, from) : 0;
    size_t first = se->cap - start;
    const struct sample *s = slots(se);

    if (first > n)
        first = n;
    return (struct series_window){.run = {s + start, s},
                                  .count = {first, n - first}};
}

const struct sample *series_newest(const struct series *se, int64_t from_ms,
                                   int64_t to_ms)
{
    size_t n = se->count;
    const struct sample *s;

    if (n > 0 && at(se, n - 1)->t_ms > to_ms)
        n = up_to(se, to_ms);
    if (n == 0)
        return NULL;
    s = at(se, n - 1);
    return s->t_ms > from_ms ? s : NULL;
}

void series_forget(struct series *se, int64_t cut_ms)
{
    size_t gone;

    if (se->count == 0 || at(se, 0)->t_ms > cut_ms)
        return;
    gone = up_to(se, cut_ms);
    se->head = (uint32_t)place(se, gone);
    se->count -= (uint32_t)gone;
    if (se->cap > 2 && se->count <= se->cap / 3)
        resize(se, se->count > 1 ? se->count + se->count / 2 : 1);
}

void series_rewind(struct series *se, int64_t t_ms)
{
    se->count = (uint32_t)up_to(se, t_ms);
}
