/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta.h - the series that tell of the scrape itself, with the labels of the
 * target.
 */
#ifndef AGENT_SCRAPE_META_H
#define AGENT_SCRAPE_META_H

#include "agent/scrape/scraper.h"

enum meta { META_UP, META_DURATION, META_SCRAPED, META_KEPT, META_ADDED };

void meta_write(struct scraper *s, int64_t t_ms,
                const double values[META_COUNT]);
void meta_bury(struct scraper *s, int64_t t_ms); /* marks them stale */
void meta_fini(struct scraper *s);

#endif
