/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spread.h - when a target is scraped; pure.
 *
 * A target's slot is fixed in absolute time: wall time modulo the interval
 * equals its phase, a hash of labels and URL.  So restarts keep it, and
 * targets do not come together (Target.offset in prometheus/prometheus
 * scrape/target.go).
 */
#ifndef AGENT_SCRAPE_SPREAD_H
#define AGENT_SCRAPE_SPREAD_H

#include "agent/metric/labels.h"

/* 0 <= phase < interval. */
int64_t spread_phase(const struct labels *labels, struct str url, uint64_t seed,
                     int64_t interval_ms);
/* The first slot at or after `from_ms`. */
int64_t spread_slot(int64_t phase_ms, int64_t interval_ms, int64_t from_ms);
/* The time a sample is stamped with: its slot when that was missed by at most
 * 2 ms and 1 % of the interval, so that stamps keep an even step; else now. */
int64_t spread_stamp(int64_t slot_ms, int64_t interval_ms, int64_t wall_ms);

#endif
