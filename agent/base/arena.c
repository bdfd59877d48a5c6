/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/arena.h"

#include "agent/base/mem.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    alignas(max_align_t) char data[];
};

#define LEAST_BLOCK ((size_t)256)

void arena_init(struct arena *a, size_t block)
{
    *a = (struct arena){.block = block > LEAST_BLOCK ? block : LEAST_BLOCK};
}

static void free_blocks(struct arena_block *b)
{
    struct arena_block *next;

    for (; b; b = next) {
        next = b->next;
        free(b);
    }
}

void arena_fini(struct arena *a)
{
    free_blocks(a->head);
    arena_init(a, a->block);
}

/* Is `b` one that arena_reset() would keep? */
static bool ordinary(const struct arena *a, const struct arena_block *b)
{
    return b->size == a->block;
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = a->head;

    a->used = 0;
    if (keep && ordinary(a, keep)) {
        free_blocks(keep->next);
        keep->next = NULL;
        keep->used = 0;
        return;
    }
    free_blocks(keep);
    a->head = NULL;
}

void arena_wipe(struct arena *a)
{
    for (struct arena_block *b = a->head; b; b = b->next)
        wipe(b->data, b->used);
    arena_reset(a);
}

static struct arena_block *new_block(size_t size)
{
    struct arena_block *b = xmalloc(offsetof(struct arena_block, data) + size);

    b->next = NULL;
    b->size = size;
    b->used = 0;
    return b;
}

/* A big piece gets its own block, behind the one that is being filled. */
static struct arena_block *block_for(struct arena *a, size_t n)
{
    struct arena_block *b = a->head;

    if (b && b->size - b->used >= n)
        return b;
    b = new_block(n > a->block ? n : a->block);
    if (a->head && !ordinary(a, b)) {
        b->next = a->head->next;
        a->head->next = b;
    } else {
        b->next = a->head;
        a->head = b;
    }
    return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
    const size_t unit = alignof(max_align_t);
    struct arena_block *b;
    char *p;

    if (n > SIZE_MAX / 2) /* no such memory: ends in mem.h's way */
        n = SIZE_MAX / 2;
    n = n ? (n + unit - 1) / unit * unit : unit;
    b = block_for(a, n);
    p = b->data + b->used;
    b->used += n;
    a->used += n;
    return p;
}

void *arena_zalloc(struct arena *a, size_t n)
{
    return memset(arena_alloc(a, n), 0, n);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t n;

    if (__builtin_mul_overflow(count, size, &n))
        n = SIZE_MAX;
    return arena_zalloc(a, n);
}

char *arena_strdup(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.len + 1);

    if (s.len)
        memcpy(p, s.ptr, s.len);
    p[s.len] = '\0';
    return p;
}

struct str arena_str(struct arena *a, struct str s)
{
    return str_n(arena_strdup(a, s), s.len);
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    char *p;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        return STR_NONE;
    p = arena_alloc(a, (size_t)n + 1);
    va_start(ap, fmt);
    n = vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return str_n(p, n < 0 ? 0 : (size_t)n);
}
