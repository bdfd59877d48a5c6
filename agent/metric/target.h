/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h - where to scrape, as a value.
 *
 * A list comes from agent/discover and goes to agent/scrape through the
 * composition root; whoever receives one is lent it for the call.  Targets
 * are sorted by URL, each once.
 */
#ifndef AGENT_METRIC_TARGET_H
#define AGENT_METRIC_TARGET_H

#include "agent/metric/labels.h"

struct target {
    struct str url;              /* absolute, http or https */
    const struct labels *labels; /* job, instance and the configured ones */
};

struct target_list {
    const struct target *targets;
    size_t count;
    bool complete;     /* as far as is known these are all there are */
    struct str reason; /* not complete: why */
    struct str doubt;  /* complete, but perhaps not: why; empty without one */
};

#endif
