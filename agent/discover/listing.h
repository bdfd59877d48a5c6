/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing.h - a target list in the making; pure.
 *
 * Init, add, finish; then `list` is sorted, each URL once, and stays until
 * listing_fini().
 */
#ifndef AGENT_DISCOVER_LISTING_H
#define AGENT_DISCOVER_LISTING_H

#include "agent/discover/lookup.h"
#include "agent/metric/target.h"

struct listing {
    struct target_list list;
    struct target *targets;
    size_t cap;
    struct arena memory; /* of all texts and labels in `list` */
    struct str job;
    const struct conf_map *labels;
    const struct relabel *relabel; /* NULL: none */
};

/* All three are lent until listing_finish(). */
void listing_init(struct listing *l, struct str job,
                  const struct conf_map *labels, const struct relabel *relabel);
void listing_fini(struct listing *l);
/* The URL of `place` with this host (as a URL writes it) and port. */
void listing_add(struct listing *l, const struct place *place, struct str host,
                 struct str port);
void listing_add_host(struct listing *l, const struct place *place,
                      const struct lookup_host *host);
void listing_incomplete(struct listing *l, struct str reason);
void listing_doubt(struct listing *l, const struct place *place, size_t count);
void listing_finish(struct listing *l);
/* Same targets, reason and doubt. */
bool listing_same(const struct listing *a, const struct listing *b);

#endif
