/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h - a value at a time, and the NaNs with a meaning. */
#ifndef AGENT_METRIC_SAMPLE_H
#define AGENT_METRIC_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct sample {
    int64_t t_ms; /* wall clock */
    double v;
};

/* prometheus/prometheus model/value/value.go: the bits of the two NaNs. */
#define SAMPLE_STALE_BITS  UINT64_C(0x7ff0000000000002)
#define SAMPLE_NORMAL_BITS UINT64_C(0x7ff8000000000001)

static inline double sample_from_bits(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

static inline bool sample_is_stale(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    return bits == SAMPLE_STALE_BITS;
}

static inline double sample_stale(void)
{
    return sample_from_bits(SAMPLE_STALE_BITS);
}

static inline double sample_nan(void)
{
    return sample_from_bits(SAMPLE_NORMAL_BITS);
}

#endif
