/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h - memory that goes together.
 *
 * One per unit of work (a scrape, an evaluation, a batch), reset and used
 * again; nothing inside is freed piece by piece.  Pointers stay good until
 * the next arena_reset() or arena_fini().
 */
#ifndef AGENT_BASE_ARENA_H
#define AGENT_BASE_ARENA_H

#include "agent/base/str.h"

struct arena_block;

struct arena {
    struct arena_block *head;
    size_t block; /* bytes of an ordinary block */
    size_t used;  /* bytes handed out since the last reset */
};

void arena_init(struct arena *a, size_t block);
void arena_fini(struct arena *a);
void arena_reset(struct arena *a);            /* keeps one block */
void arena_wipe(struct arena *a);             /* the same, after zeroing all */
void *arena_alloc(struct arena *a, size_t n); /* aligned for any type */
void *arena_zalloc(struct arena *a, size_t n);
/* Room for `count` items, zeroed; the product is checked. */
void *arena_array(struct arena *a, size_t count, size_t size);
char *arena_strdup(struct arena *a, struct str s); /* NUL-terminated */
struct str arena_str(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
