/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/scrape/scraper.h"

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/scrape/fetch.h"
#include "agent/scrape/meta.h"
#include "agent/scrape/pool.h"
#include "agent/scrape/spread.h"

#include <assert.h>
#include <stdlib.h>

static const struct {
    const char *name;
    unsigned next; /* states that may follow */
} states[] = {
    [SCRAPER_WAITING] = {"waiting", 1U << SCRAPER_FETCHING},
    [SCRAPER_FETCHING] = {"fetching", 1U << SCRAPER_WAITING},
};

void scraper_enter(struct scraper *s, enum scraper_state next)
{
    assert(states[s->state].next & 1U << next);
    log_debug("scraper", log_s("url", s->url),
              log_z("from", states[s->state].name),
              log_z("to", states[next].name));
    s->state = next;
}

static struct now now_of(const struct scraper *s)
{
    return loop_now(s->pool->options.loop);
}

struct scraper *scraper_new(struct scrape_pool *pool,
                            const struct target *target)
{
    struct scraper *s = xcalloc(1, sizeof(*s));

    s->pool = pool;
    s->url_text = xstrndup(target->url.ptr, target->url.len);
    s->url = str_of(s->url_text);
    s->labels = labels_copy(target->labels, NULL);
    s->status = (struct scrape_status){.url = s->url, .labels = s->labels};
    return s;
}

void scraper_halt(struct scraper *s)
{
    timer_disarm(&s->timer);
    if (s->state != SCRAPER_FETCHING)
        return;
    fetch_drop(s);
    scraper_enter(s, SCRAPER_WAITING);
    scraper_once_ended(s);
}

void scraper_once_ended(struct scraper *s)
{
    if (s->once)
        pool_once_ended(s->pool);
    s->once = false;
}

void scraper_free(struct scraper *s)
{
    scraper_halt(s);
    ingest_forget(&s->known);
    meta_fini(s);
    free(s->labels);
    free(s->url_text);
    free(s);
}

void scraper_retire(struct scraper *s)
{
    int64_t t_ms = now_of(s).wall_ms;

    scraper_halt(s);
    if (t_ms <= s->stamp_ms)
        t_ms = s->stamp_ms + 1;
    ingest_bury(&s->known, t_ms);
    meta_bury(s, t_ms);
    scraper_free(s);
}

void scraper_forget(struct scraper *s)
{
    int64_t t_ms = now_of(s).wall_ms;

    ingest_bury(&s->known, t_ms > s->stamp_ms ? t_ms : s->stamp_ms + 1);
    ingest_forget(&s->known);
}

static void on_due(void *arg)
{
    struct scraper *s = arg;
    int64_t late_ms = now_of(s).mono_ms - s->slot_mono_ms;

    /* A loop that was held up does not make up for it all at once. */
    s->skipped =
        !s->skipped && late_ms > s->pool->options.conf->interval_ms / 2;
    if (!s->skipped) {
        fetch_start(s);
        return;
    }
    s->pool->counters.skipped++;
    s->used_ms = s->slot_ms;
    scraper_plan(s);
}

void scraper_plan(struct scraper *s)
{
    const struct scrape_pool_options *o = &s->pool->options;
    int64_t interval_ms = o->conf->interval_ms;
    int64_t phase_ms = spread_phase(s->labels, s->url, o->seed, interval_ms);
    struct now now = now_of(s);
    int64_t slot_ms = spread_slot(phase_ms, interval_ms, now.wall_ms);

    if (slot_ms == s->used_ms)
        slot_ms += interval_ms;
    s->slot_ms = slot_ms;
    s->slot_mono_ms = now.mono_ms + slot_ms - now.wall_ms;
    timer_arm(o->loop, &s->timer, s->slot_mono_ms, on_due, s);
}

struct scrape_status scraper_status(const struct scraper *s)
{
    struct scrape_status status = s->status;

    status.fetching = s->state == SCRAPER_FETCHING;
    status.series = s->known.held.count;
    return status;
}
