/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h - the points that one sink is to take together.
 *
 * Order matters: newest scaling values first where a backlog drains, and per
 * series always in order of time.  A batch lends its points.
 */
#ifndef AGENT_METRIC_BATCH_H
#define AGENT_METRIC_BATCH_H

#include "agent/metric/point.h"

struct batch {
    const struct point *const *points;
    size_t count;
};

#endif
