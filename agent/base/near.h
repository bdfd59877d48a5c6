/* SPDX-License-Identifier: Apache-2.0 */
/* near.h - "did you mean": the name nearest to a mistyped one. */
#ifndef AGENT_BASE_NEAR_H
#define AGENT_BASE_NEAR_H

#include "agent/base/str.h"

/*
 * The best of what was offered: at most a third of the letters wrong
 * (insertions, deletions, changes and swapped neighbours count one each).
 */
struct near {
    struct str typed;
    struct str best; /* ptr NULL when nothing is near */
    size_t distance;
};

void near_start(struct near *n, struct str typed);
void near_offer(struct near *n, struct str name); /* `name` is kept, lent */

#endif
