/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/backoff.h"

int64_t backoff_next(struct backoff *b, uint64_t random)
{
    int64_t most = b->base_ms;

    for (unsigned n = 0; n < b->tries && most < b->cap_ms; n++)
        if (__builtin_mul_overflow(most, 2, &most))
            most = b->cap_ms;
    if (most > b->cap_ms)
        most = b->cap_ms;
    if (b->tries < UINT32_MAX)
        b->tries++;
    return most > 0 ? (int64_t)(random % ((uint64_t)most + 1)) : 0;
}
