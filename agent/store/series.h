/* SPDX-License-Identifier: Apache-2.0 */
/*
 * series.h - inside the store: one series and its ring of samples.
 *
 * One block a series, the label set behind the struct:
 *
 *     struct series | struct labels | packed pairs
 *
 * Many series are seen once, so a first sample lives in the struct; a second
 * one moves to a ring of their own, which grows by half and shrinks again.
 */
#ifndef AGENT_STORE_SERIES_H
#define AGENT_STORE_SERIES_H

#include "agent/store/store.h"

/* What all series of a store add up to. */
struct series_totals {
    size_t bytes;     /* of blocks and rings, with the allocator's own */
    uint64_t refused; /* samples out of order */
};

struct series {
    struct series *next; /* of the same name */
    struct series_totals *totals;
    union {
        struct sample one;   /* cap is 1 */
        struct sample *many; /* cap is more */
    } ring;
    uint32_t head, count, cap;
    uint32_t refs;
};

static inline const struct labels *series_set(const struct series *se)
{
    return (const struct labels *)(const void *)(se + 1);
}

struct series *series_new(struct series_totals *totals,
                          const struct labels *labels);
void series_free(struct series *se);
/* Forgets samples up to and including `cut_ms`. */
void series_forget(struct series *se, int64_t cut_ms);
/* Forgets samples after `t_ms`. */
void series_rewind(struct series *se, int64_t t_ms);
/* What an allocation of `n` bytes takes. */
static inline size_t series_block(size_t n)
{
    return (n + 8 + 15) & ~(size_t)15;
}

#endif
