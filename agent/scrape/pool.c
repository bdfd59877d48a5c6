/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/scrape/pool.h"

#include "agent/base/mem.h"
#include "agent/scrape/fetch.h"

#include <assert.h>
#include <stdlib.h>

const char *scrape_health_name(enum scrape_health h)
{
    static const char *const names[] = {
        [SCRAPE_UNKNOWN] = "unknown",
        [SCRAPE_UP] = "up",
        [SCRAPE_DOWN] = "down",
    };

    return names[h];
}

static void compile_rules(struct scrape_pool *p)
{
    const struct scrape_conf *conf = p->options.conf;

    relabel_free(p->relabel);
    p->relabel = relabel_new(conf->metric_relabel_configs,
                             conf->metric_relabel_configs_count);
}

struct scrape_pool *scrape_pool_new(const struct scrape_pool_options *options)
{
    struct scrape_pool *p = xcalloc(1, sizeof(*p));

    p->options = *options;
    p->job = xstrndup(options->job.ptr, options->job.len);
    compile_rules(p);
    return p;
}

void scrape_pool_free(struct scrape_pool *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        scraper_free(p->slots[i].scraper);
    timer_disarm(&p->once_timer);
    relabel_free(p->relabel);
    free(p->slots);
    free(p->job);
    free(p);
}

/* Takes the scraper of that target out of the old ones, if there is one:
 * `*at` moves along them, as both lists are sorted by URL. */
static struct scraper *take_same(struct scrape_pool *p, size_t *at,
                                 const struct target *t)
{
    while (*at < p->count && str_cmp(p->slots[*at].scraper->url, t->url) < 0)
        scraper_retire(p->slots[(*at)++].scraper);
    if (*at < p->count && str_eq(p->slots[*at].scraper->url, t->url) &&
        labels_eq(p->slots[*at].scraper->labels, t->labels))
        return p->slots[(*at)++].scraper;
    return NULL;
}

void scrape_pool_set_targets(struct scrape_pool *p,
                             const struct target_list *list)
{
    struct pool_slot *slots = xcalloc(list->count + 1, sizeof(*slots));
    size_t at = 0;

    for (size_t i = 0; i < list->count; i++) {
        slots[i].scraper = take_same(p, &at, &list->targets[i]);
        slots[i].fresh = !slots[i].scraper;
        if (slots[i].fresh)
            slots[i].scraper = scraper_new(p, &list->targets[i]);
    }
    while (at < p->count)
        scraper_retire(p->slots[at++].scraper);
    free(p->slots);
    p->slots = slots;
    p->count = list->count;
    for (size_t i = 0; p->started && i < p->count; i++)
        if (slots[i].fresh)
            scraper_plan(slots[i].scraper);
}

void scrape_pool_start(struct scrape_pool *p)
{
    p->started = true;
    for (size_t i = 0; i < p->count; i++)
        if (p->slots[i].scraper->state == SCRAPER_WAITING)
            scraper_plan(p->slots[i].scraper);
}

void scrape_pool_stop(struct scrape_pool *p)
{
    p->started = false;
    for (size_t i = 0; i < p->count; i++)
        scraper_halt(p->slots[i].scraper);
}

void scrape_pool_configure(struct scrape_pool *p,
                           const struct scrape_conf *conf,
                           const struct parse_filter *wanted)
{
    bool started = p->started, ruled;

    scrape_pool_stop(p);
    p->options.conf = conf;
    p->options.wanted = wanted;
    ruled = p->relabel != NULL;
    compile_rules(p);
    for (size_t i = 0; (ruled || p->relabel) && i < p->count; i++)
        scraper_forget(p->slots[i].scraper);
    if (started)
        scrape_pool_start(p);
}

static void tell_once(void *arg)
{
    struct scrape_pool *p = arg;
    scrape_once_fn *done = p->once;

    p->once = NULL;
    done(p->once_arg);
}

static void tell_once_soon(struct scrape_pool *p)
{
    timer_arm(p->options.loop, &p->once_timer,
              loop_now(p->options.loop).mono_ms, tell_once, p);
}

void pool_once_ended(struct scrape_pool *p)
{
    if (--p->open == 0)
        tell_once_soon(p);
}

void scrape_pool_once(struct scrape_pool *p, scrape_once_fn *done, void *arg)
{
    assert(!p->started && !p->once);
    p->once = done;
    p->once_arg = arg;
    p->open = p->count;
    if (p->count == 0)
        tell_once_soon(p);
    for (size_t i = 0; i < p->count; i++) {
        p->slots[i].scraper->once = true;
        fetch_start(p->slots[i].scraper);
    }
}

size_t scrape_pool_count(const struct scrape_pool *p)
{
    return p->count;
}

struct scrape_status scrape_pool_status(const struct scrape_pool *p, size_t i)
{
    return scraper_status(p->slots[i].scraper);
}

struct scrape_counters scrape_pool_counters(const struct scrape_pool *p)
{
    return p->counters;
}
