/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/scrape/fetch.h"

#include "agent/base/log.h"
#include "agent/scrape/ask.h"
#include "agent/scrape/meta.h"
#include "agent/scrape/pool.h"
#include "agent/scrape/spread.h"

static void forget(struct scraper *s)
{
    body_fini(&s->body);
    ingest_fini(&s->ingest);
}

void fetch_drop(struct scraper *s)
{
    http_cancel(&s->call);
    forget(s);
}

static bool on_head(void *arg, const struct http_response *res, struct err *err)
{
    struct scraper *s = arg;

    return body_begin(&s->body, res, err);
}

static bool on_data(void *arg, struct str piece, struct err *err)
{
    struct scraper *s = arg;

    return body_feed(&s->body, piece, err);
}

static void count(struct scraper *s, const struct err *err)
{
    struct scrape_counters *c = &s->pool->counters;
    const struct ingest *in = &s->ingest;

    c->scrapes++;
    c->duplicates += in->duplicates;
    c->out_of_order += in->out_of_order;
    c->too_far_ahead += in->too_far_ahead;
    c->samples += in->stored;
    c->failures += err != NULL;
    c->limits += err && err->kind == ERR_LIMIT;
}

static void log_change(const struct scraper *s, const struct err *err)
{
    bool was_down = s->status.health == SCRAPE_DOWN;

    if (err && !was_down)
        log_warn("scrape_failed", log_z("job", s->pool->job),
                 log_s("url", s->url), log_err(err));
    if (!err && was_down)
        log_info("scrape_recovered", log_z("job", s->pool->job),
                 log_s("url", s->url));
}

static void note(struct scraper *s, const struct err *err)
{
    struct scrape_status *st = &s->status;

    st->health = err ? SCRAPE_DOWN : SCRAPE_UP;
    st->error = err ? *err : (struct err){.kind = ERR_NONE};
    st->start_ms = s->start.wall_ms;
    st->duration_ms =
        loop_now(s->pool->options.loop).mono_ms - s->start.mono_ms;
    if (!err)
        st->good_ms = st->start_ms;
    st->samples = err ? 0 : body_samples(&s->body);
    st->kept = s->ingest.stored;
    st->body_bytes = s->body.bytes;
    st->wire_bytes = s->body.wire_bytes;
}

static void write_meta(struct scraper *s, const struct err *err)
{
    const double values[META_COUNT] = {
        [META_UP] = err ? 0 : 1,
        [META_DURATION] = (double)s->status.duration_ms / 1000,
        [META_SCRAPED] = (double)s->status.samples,
        [META_KEPT] = err ? 0 : (double)(s->status.samples - s->ingest.dropped),
        [META_ADDED] = err ? 0 : (double)s->ingest.added,
    };

    meta_write(s, s->stamp_ms, values);
}

/* `ended` comes last: it may free the pool. */
static void settle(struct scraper *s, const struct err *err)
{
    struct scrape_pool *p = s->pool;
    struct scrape_status status;

    count(s, err);
    log_change(s, err);
    note(s, err);
    write_meta(s, err);
    forget(s);
    scraper_enter(s, SCRAPER_WAITING);
    if (p->started)
        scraper_plan(s);
    scraper_once_ended(s);
    status = scraper_status(s);
    if (p->options.ended)
        p->options.ended(p->options.arg, &status);
}

/* The URL stands beside the error wherever that is told. */
static void without_url(const struct err *from, struct str url, struct err *out)
{
    struct str text = str_of(from->text);

    if (str_starts(text, url) && str_starts(str_from(text, url.len), STR(": ")))
        text = str_from(text, url.len + 2);
    err_set(out, from->kind, "%.*s", STR_ARG(text));
}

static void on_done(void *arg, const struct http_response *res,
                    const struct err *net)
{
    struct scraper *s = arg;
    struct err why;

    (void)res;
    if (!net && body_end(&s->body, &why) && ingest_commit(&s->ingest, &why)) {
        settle(s, NULL);
        return;
    }
    if (net)
        without_url(net, s->url, &why);
    ingest_abort(&s->ingest);
    settle(s, &why);
}

void fetch_start(struct scraper *s)
{
    static const struct http_hooks hooks = {on_done, on_head, on_data};
    const struct scrape_pool_options *o = &s->pool->options;
    struct ask ask;

    timer_disarm(&s->timer);
    s->start = loop_now(o->loop);
    s->used_ms = s->slot_ms;
    if (s->start.wall_ms < s->stamp_ms)
        store_rewind(o->store, s->start.wall_ms);
    s->stamp_ms =
        spread_stamp(s->slot_ms, o->conf->interval_ms, s->start.wall_ms);
    s->ingest = (struct ingest){
        .known = &s->known,
        .target = s->labels,
        .conf = o->conf,
        .store = o->store,
        .relabel = s->pool->relabel,
        .wanted = o->wanted,
        .t_ms = s->stamp_ms,
    };
    s->body = (struct body){.ingest = &s->ingest, .wanted = o->wanted};
    ingest_begin(&s->ingest);
    scraper_enter(s, SCRAPER_FETCHING);
    ask_for(&ask, s->url, o->conf);
    http_start(o->http, &s->call, &ask.request, &hooks, s);
    ask_fini(&ask);
}
