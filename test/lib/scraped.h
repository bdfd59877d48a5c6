/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scraped.h - a pool of targets in a simulated world, for the tests of
 * agent/scrape.
 *
 * Job "j"; interval 15 s, timeout 10 s, no limits but body_limit 64 KiB.
 */
#ifndef TEST_LIB_SCRAPED_H
#define TEST_LIB_SCRAPED_H

#include "agent/scrape/scrape.h"
#include "test/lib/sim.h"

#define TEXT_PLAIN "text/plain; version=0.0.4; charset=utf-8"

struct scraped {
    struct loop *loop;
    struct http *http;
    struct store *store;
    struct scrape_conf conf;
    struct parse_filter wanted;
    struct scrape_pool *pool;
    struct sim_reply page; /* what every target answers */
    size_t asked, ended, done;
    struct buf dump;
};

struct scraped *scraped_new(void);
struct scraped *scraped_new_with(size_t max_series);
void scraped_free(struct scraped *w);
/* New targets for the pool: "http://a:1/m http://b:1/m" */
void scraped_targets(struct scraped *w, const char *urls);
/* The answer from now on; the body is lent. */
void scraped_page(struct scraped *w, const char *type, struct str body);
/* One scrape of every target, to the end; false if any failed. */
bool scraped_once(struct scraped *w);
struct scrape_status scraped_status(struct scraped *w);
/*
 * The newest sample of every series, a line each, sorted:
 *     jobs{instance="a:1",job="j"} 5
 * "stale" in place of the value after a marker.  The series that tell of the
 * scrape itself only with `meta`; what a target took in time is left out.
 */
const char *scraped_dump(struct scraped *w, bool meta);
/* The newest sample of `up` of a target; NULL: none. */
const struct sample *scraped_up(struct scraped *w, const char *instance);
/* Only metrics of this name are wanted from now on; NULL: all. */
void scraped_want(struct scraped *w, const char *name);

#endif
