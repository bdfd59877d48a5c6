/* SPDX-License-Identifier: Apache-2.0 */
/*
 * point.h - what leaves for a cloud: one metric over one publish interval.
 *
 * Every evaluation between two publishes is kept, as distinct values with
 * their counts; a sink picks the form its cloud wants (Values and Counts,
 * min/max/sum/count, or the newest value).  Values are finite: NaN and Inf
 * never become a point.
 */
#ifndef AGENT_METRIC_POINT_H
#define AGENT_METRIC_POINT_H

#include "agent/metric/labels.h"

struct point_value {
    double value;
    uint32_t count;
};

struct point {
    struct str name; /* e.g. JobsPerWorker */
    struct str unit; /* CloudWatch's words: Count, Percent, None ... */
    struct str description;
    const struct label *dimensions; /* sorted by name, each once */
    size_t dimension_count;
    const struct point_value *values; /* in order of first appearance */
    size_t value_count;               /* at least 1 */
    double newest;
    int64_t start_ms;    /* wall clock of the first evaluation in it */
    int64_t t_ms;        /* wall clock of the newest */
    unsigned resolution; /* seconds between points: 1 or 60 */
};

double point_min(const struct point *p);
double point_max(const struct point *p);
double point_sum(const struct point *p);
uint64_t point_count(const struct point *p);
/* Same name and dimensions: one series in a cloud's eyes. */
bool point_same_series(const struct point *a, const struct point *b);
/* A deep copy in one block, to be freed with free(). */
struct point *point_copy(const struct point *p);
size_t point_bytes(const struct point *p); /* what that copy takes */

#endif
