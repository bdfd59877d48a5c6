/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backoff.h - exponential waits with full jitter; pure.
 *
 * The wait before try n (1, 2, ...) is a random part of
 * min(cap, base * 2^(n-1)).
 */
#ifndef AGENT_BASE_BACKOFF_H
#define AGENT_BASE_BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t base_ms, cap_ms;
    unsigned tries; /* failures in a row */
};

/* `random` is any 64 random bits; the caller owns the source of randomness. */
int64_t backoff_next(struct backoff *b, uint64_t random);
static inline void backoff_reset(struct backoff *b)
{
    b->tries = 0;
}

#endif
