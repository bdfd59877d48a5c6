/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/scrape/spread.h"

#define SNAP_MS 2

int64_t spread_phase(const struct labels *labels, struct str url, uint64_t seed,
                     int64_t interval_ms)
{
    struct str set = str_n((const char *)labels->packed, labels->size);
    uint64_t h = str_hash_more(str_hash(set), url);

    return (int64_t)((h ^ seed) % (uint64_t)interval_ms);
}

int64_t spread_slot(int64_t phase_ms, int64_t interval_ms, int64_t from_ms)
{
    int64_t over = (from_ms - phase_ms) % interval_ms;

    if (over < 0)
        over += interval_ms;
    return over == 0 ? from_ms : from_ms + interval_ms - over;
}

int64_t spread_stamp(int64_t slot_ms, int64_t interval_ms, int64_t wall_ms)
{
    int64_t off = wall_ms > slot_ms ? wall_ms - slot_ms : slot_ms - wall_ms;

    return off <= SNAP_MS && off <= interval_ms / 100 ? slot_ms : wall_ms;
}
