/* SPDX-License-Identifier: Apache-2.0 */
/* simworld.h - what the files of the simulation share; tests use sim.h. */
#ifndef TEST_LIB_SIMWORLD_H
#define TEST_LIB_SIMWORLD_H

#include "agent/base/arena.h"
#include "agent/io/timers.h"
#include "test/lib/sim.h"

struct sim_signal;
struct sim_route;
struct sim_zone;

struct loop {
    struct now now;
    struct timers timers;
    bool stopped;
    uint64_t random;
    struct arena arena;
    struct sim_signal *signals;
    struct sim_route *routes;
    struct sim_seen **seen;
    size_t seen_count, seen_cap;
    struct list calls, lookups; /* in flight; programs are calls */
    sim_run_fn *run;
    void *run_arg;
    struct sim_zone *zones;
    size_t lookup_count;
    int64_t dns_latency_ms;
    size_t fail_in;
    bool failed;
};

/* Counts one call; true when this is the one that must fail. */
bool sim_fault(struct loop *loop);

#endif
