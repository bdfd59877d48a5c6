/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.h - every value between two publishes, as points.
 *
 * One point a series (metric and dimensions): distinct values with their
 * counts, in order of first appearance, and the newest.  Pure.
 */
#ifndef AGENT_RULES_WINDOW_H
#define AGENT_RULES_WINDOW_H

#include "agent/metric/point.h"
#include "agent/rules/rules.h"

struct window;

/* `constant` are dimensions of every point (publish.dimensions), sorted by
 * name and lent; a row's own dimension of the same name goes first. */
struct window *window_new(const struct label *constant, size_t count);
void window_free(struct window *w);
/* From the next row on; lent. */
void window_set_constant(struct window *w, const struct label *constant,
                         size_t count);
/* All rows of a result, held ones too, as measured at `t_ms`. */
void window_add(struct window *w, const struct rule_result *result,
                int64_t t_ms);
size_t window_count_points(const struct window *w);
/* The points, in the order in which their series first appeared; each lives
 * in `a`.  The window is empty afterwards. */
const struct point *const *window_take(struct window *w, struct arena *a,
                                       size_t *count);

#endif
