/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - what the scrapers of a pool share. */
#ifndef AGENT_SCRAPE_POOL_H
#define AGENT_SCRAPE_POOL_H

#include "agent/scrape/scraper.h"

struct pool_slot {
    struct scraper *scraper;
    bool fresh; /* came with the last list */
};

struct scrape_pool {
    struct scrape_pool_options options;
    char *job;
    struct relabel *relabel; /* of the metrics; NULL: none */
    struct pool_slot *slots; /* sorted by URL */
    size_t count;
    bool started;
    struct scrape_counters counters;

    size_t open; /* scrapes that `once` waits for */
    scrape_once_fn *once;
    void *once_arg;
    struct timer once_timer; /* tells from the loop */
};

/* A scraper is done with what scrape_pool_once() asked of it. */
void pool_once_ended(struct scrape_pool *p);

#endif
