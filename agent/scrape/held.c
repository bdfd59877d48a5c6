/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/scrape/held.h"

#include "agent/base/mem.h"

#include <assert.h>
#include <stdlib.h>

#define CHUNK 32

struct held_chunk {
    struct held_chunk *next;
    struct held items[CHUNK];
};

void held_begin(struct held_set *s)
{
    s->scrape++;
}

static void forget(struct held_set *s, struct held *h)
{
    if (h->fresh)
        s->fresh--;
    else
        series_unref(h->to.series);
    *h = (struct held){.to.next = s->unused};
    s->unused = h;
    s->count--;
}

static void forget_where(struct held_set *s,
                         bool (*match)(const struct held_set *,
                                       const struct held *))
{
    for (struct held_chunk *c = s->chunks; c; c = c->next)
        for (size_t i = 0; i < CHUNK; i++)
            if (c->items[i].used && match(s, &c->items[i]))
                forget(s, &c->items[i]);
}

static void free_chunks(struct held_set *s)
{
    struct held_chunk *c;

    while ((c = s->chunks)) {
        s->chunks = c->next;
        free(c);
    }
    s->unused = NULL;
}

static bool any(const struct held_set *s, const struct held *h)
{
    (void)s;
    (void)h;
    return true;
}

void held_fini(struct held_set *s)
{
    forget_where(s, any);
    free_chunks(s);
}

static void add_chunk(struct held_set *s)
{
    struct held_chunk *c = xcalloc(1, sizeof(*c));

    c->next = s->chunks;
    s->chunks = c;
    for (size_t i = CHUNK; i-- > 0;) {
        c->items[i].to.next = s->unused;
        s->unused = &c->items[i];
    }
}

struct held *held_add(struct held_set *s, struct labels *labels)
{
    struct held *h;

    if (!s->unused)
        add_chunk(s);
    h = s->unused;
    s->unused = h->to.next;
    *h = (struct held){
        .to.labels = labels,
        .scrape = s->scrape,
        .used = true,
        .fresh = true,
    };
    s->count++;
    s->fresh++;
    return h;
}

void held_settle(struct held_set *s, struct held *h, struct series *series)
{
    assert(h->fresh);
    series_ref(series);
    h->to.series = series;
    h->fresh = false;
    s->fresh--;
}

bool held_each(struct held_set *s, held_fn *fn, void *arg)
{
    for (struct held_chunk *c = s->chunks; c; c = c->next)
        for (size_t i = 0; i < CHUNK; i++)
            if (c->items[i].used && !fn(arg, &c->items[i]))
                return false;
    return true;
}

static bool unseen(const struct held_set *s, const struct held *h)
{
    return !held_seen(s, h);
}

void held_keep(struct held_set *s)
{
    assert(s->fresh == 0);
    forget_where(s, unseen);
    if (s->count == 0)
        free_chunks(s);
}

static bool is_fresh(const struct held_set *s, const struct held *h)
{
    (void)s;
    return h->fresh;
}

void held_undo(struct held_set *s)
{
    if (s->fresh > 0)
        forget_where(s, is_fresh);
}
