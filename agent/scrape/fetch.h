/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch.h - one scrape of one target, from the request to the store.
 */
#ifndef AGENT_SCRAPE_FETCH_H
#define AGENT_SCRAPE_FETCH_H

#include "agent/scrape/scraper.h"

/* Scrapes now; for a target that is WAITING. */
void fetch_start(struct scraper *s);
/* Ends it without a trace; for a target that is FETCHING. */
void fetch_drop(struct scraper *s);

#endif
