/* SPDX-License-Identifier: Apache-2.0 */
/*
 * held.h - the series of one target that are known from scrape to scrape.
 *
 * The parser's memory recognises a series by its text and hands back the
 * struct held that stands for it, so that a known series costs neither label
 * parsing nor a lookup in the store.  A struct held never moves.
 *
 * Between held_begin() and held_keep() or held_undo() stands one scrape.  What
 * it adds is fresh: it has labels but no series yet.
 */
#ifndef AGENT_SCRAPE_HELD_H
#define AGENT_SCRAPE_HELD_H

#include "agent/store/store.h"

struct held {
    union {
        struct series *series; /* held in the store */
        struct labels *labels; /* while fresh; lent */
        struct held *next;     /* while unused */
    } to;
    uint32_t scrape; /* the last one that had it */
    bool used, fresh;
    bool live;     /* to be marked stale when it is gone */
    bool left_out; /* stands for all that are not stored */
};

struct held_chunk;

struct held_set {
    struct held_chunk *chunks;
    struct held *unused;
    size_t count, fresh;
    uint32_t scrape;
};

void held_begin(struct held_set *s); /* an all-zero set is empty and valid */
void held_fini(struct held_set *s);  /* drops its hold on every series */
struct held *held_add(struct held_set *s, struct labels *labels);
void held_settle(struct held_set *s, struct held *h, struct series *series);

typedef bool held_fn(void *arg, struct held *h);
/* Every one, until `fn` returns false; false then. */
bool held_each(struct held_set *s, held_fn *fn, void *arg);
/* The scrape was good, nothing is fresh: what it did not have is forgotten. */
void held_keep(struct held_set *s);
/* The scrape failed: what is fresh is forgotten. */
void held_undo(struct held_set *s);
/* This scrape has it. */
static inline void held_see(const struct held_set *s, struct held *h)
{
    h->scrape = s->scrape;
}
static inline bool held_seen(const struct held_set *s, const struct held *h)
{
    return h->scrape == s->scrape;
}

#endif
