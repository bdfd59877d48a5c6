/* SPDX-License-Identifier: Apache-2.0 */
/*
 * points.h - points as the cases in test/data/sinks write them:
 * {"name", "unit", "dimensions": {..}, "values": [[value, count], ..], "t_ms",
 * "resolution"}.  They live in the arena.
 */
#ifndef TEST_LIB_POINTS_H
#define TEST_LIB_POINTS_H

#include "agent/metric/point.h"

/* Thu, 01 Jan 2026 12:00:00 GMT; a point is a minute older if it says not. */
#define POINTS_NOW INT64_C(1767268800000)

struct json_object;

/* Without values; unit Count, a minute's resolution. */
struct point *points_new(struct arena *a, const char *name);
struct point *points_read(struct arena *a, struct json_object *o);

#endif
