/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renamed.h - one target through its relabel_configs; pure.
 *
 * The rules see __address__, __scheme__, __metrics_path__ and __param_NAME
 * beside job and the configured labels; afterwards these four make the URL,
 * instance is __address__ unless it was set, and no label that begins with __
 * is left.  (PopulateLabels in prometheus/prometheus scrape/target.go.)
 */
#ifndef AGENT_DISCOVER_RENAMED_H
#define AGENT_DISCOVER_RENAMED_H

#include "agent/metric/target.h"
#include "agent/relabel/relabel.h"

struct renamed {
    struct str scheme, address, path; /* the path with its query */
    struct str job;
    const struct conf_map *labels;
};

/* False: dropped, and then `err` is left alone, or what is made is no URL. */
must_check bool renamed_apply(const struct renamed *from,
                              const struct relabel *rules, struct arena *a,
                              struct target *out, struct err *err);

#endif
