/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge.h - the labels of a series as the target wrote them, made those of
 * the store; pure.
 *
 * The target's own labels win and a clashing one is renamed exported_<name>,
 * again while that is taken; with `honor` the written ones win.
 * (mutateSampleLabels and verifyLabelLimits in prometheus/prometheus
 * scrape/scrape.go.)
 */
#ifndef AGENT_SCRAPE_MERGE_H
#define AGENT_SCRAPE_MERGE_H

#include "agent/scrape/scrape.h"

/* `b` holds the written labels, and the merged ones after.  New names live in
 * `a`. */
void merge_labels(struct labels_builder *b, const struct labels *target,
                  bool honor, struct arena *a);
/* The label limits of `conf`, on a merged set. */
must_check bool merge_within(const struct labels *l,
                             const struct scrape_conf *conf, struct err *err);

#endif
