/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scraper.h - one target of a pool.
 *
 *      WAITING --due--> FETCHING --answer, or none--> WAITING
 *                                (samples or markers, `up`, duration)
 *
 * WAITING is either for the slot, with the timer armed, or for somebody who
 * asks.  The scraper is embedded in nothing and never moves.
 */
#ifndef AGENT_SCRAPE_SCRAPER_H
#define AGENT_SCRAPE_SCRAPER_H

#include "agent/scrape/body.h"
#include "agent/scrape/scrape.h"

enum scraper_state { SCRAPER_WAITING, SCRAPER_FETCHING };

/* The series that tell of the scrape itself; see meta.c. */
#define META_COUNT 5

struct scrape_pool;

struct scraper {
    struct scrape_pool *pool;
    char *url_text;
    struct str url;
    struct labels *labels;
    enum scraper_state state;

    struct timer timer;
    int64_t slot_ms;      /* the slot waited for; wall clock */
    int64_t slot_mono_ms; /* the same, as seen when it was planned */
    int64_t used_ms;      /* the slot of the newest scrape */
    bool skipped;         /* the slot before came too late */

    struct http_call call;
    struct ingest ingest; /* these two while FETCHING */
    struct body body;
    struct now start;
    bool once; /* a scrape_pool_once() waits for this one */

    struct ingest_memory known;
    struct series *meta[META_COUNT]; /* held; NULL: not made yet */
    int64_t stamp_ms;                /* of the newest scrape */
    struct scrape_status status;
};

struct scraper *scraper_new(struct scrape_pool *pool,
                            const struct target *target);
/* Leaves the store alone. */
void scraper_free(struct scraper *s);
/* Its target is gone: drops the running scrape, marks all series stale. */
void scraper_retire(struct scraper *s);
/* Marks its series stale and knows them no more; the next scrape makes them
 * anew.  For a target that is WAITING. */
void scraper_forget(struct scraper *s);
/* Waits for the next slot; for a target that is WAITING. */
void scraper_plan(struct scraper *s);
/* Back to WAITING, with no slot; a running scrape leaves nothing behind. */
void scraper_halt(struct scraper *s);
struct scrape_status scraper_status(const struct scraper *s);

/* For fetch.c.  The only way from state to state. */
void scraper_enter(struct scraper *s, enum scraper_state next);
/* Tells the pool, if it waits for this one. */
void scraper_once_ended(struct scraper *s);

#endif
