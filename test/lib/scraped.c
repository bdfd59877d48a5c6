/* SPDX-License-Identifier: Apache-2.0 */
#include "test/lib/scraped.h"

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/num.h"

#include <stdio.h>
#include <stdlib.h>

static void answer(void *arg, const struct http_request *req,
                   struct sim_reply *reply)
{
    struct scraped *w = arg;

    (void)req;
    w->asked++;
    *reply = w->page;
}

static void on_ended(void *arg, const struct scrape_status *status)
{
    struct scraped *w = arg;

    (void)status;
    w->ended++;
}

static void make_pool(struct scraped *w)
{
    struct scrape_pool_options options = {
        .loop = w->loop,
        .http = w->http,
        .store = w->store,
        .job = STR("j"),
        .conf = &w->conf,
        .ended = on_ended,
        .arg = w,
    };

    w->pool = scrape_pool_new(&options);
}

struct scraped *scraped_new(void)
{
    return scraped_new_with(0);
}

struct scraped *scraped_new_with(size_t max_series)
{
    static char nothing[] = "";
    struct scraped *w = xcalloc(1, sizeof(*w));

    log_setup(LOG_ERROR, LOG_LOGFMT);
    w->loop = loop_new();
    w->http = http_new(w->loop, &(struct http_options){0});
    w->store = store_new(&(struct store_options){
        .retention_ms = 300000,
        .max_series = max_series,
    });
    w->conf = (struct scrape_conf){
        .interval_ms = 15000,
        .timeout_ms = 10000,
        .body_limit = INT64_C(65536),
        .wire_limit = INT64_C(65536),
        .honor_timestamps = true,
        .enable_compression = true,
        .ca_file = nothing,
    };
    make_pool(w);
    scraped_page(w, TEXT_PLAIN, STR_NONE);
    sim_on_url(w->loop, STR("http://"), answer, w);
    buf_init(&w->dump, BUF_NO_LIMIT);
    return w;
}

void scraped_free(struct scraped *w)
{
    scrape_pool_free(w->pool);
    http_free(w->http);
    loop_free(w->loop);
    store_free(w->store);
    buf_fini(&w->dump);
    free(w);
}

static const struct labels *labels_for(struct str url, struct arena *a)
{
    struct labels_builder b = {0};
    const struct labels *l;
    struct str at = str_from(url, 7);

    at.len = str_find(at, '/');
    labels_set(&b, LABEL_JOB, STR("j"));
    labels_set(&b, LABEL_INSTANCE, at);
    l = labels_build(&b, a);
    labels_builder_fini(&b);
    return l;
}

void scraped_targets(struct scraped *w, const char *urls)
{
    struct target targets[16];
    struct target_list list = {.targets = targets, .complete = true};
    struct str rest = str_of(urls), url;
    struct arena a;

    arena_init(&a, 1024);
    while (str_next(&rest, ' ', &url))
        if (url.len > 0)
            targets[list.count++] = (struct target){url, labels_for(url, &a)};
    scrape_pool_set_targets(w->pool, &list);
    arena_fini(&a);
}

void scraped_page(struct scraped *w, const char *type, struct str body)
{
    w->page = (struct sim_reply){.status = 200, .latency_ms = 1, .body = body};
    if (type)
        sim_reply_header(&w->page, STR("Content-Type"), str_of(type));
}

static void on_once(void *arg)
{
    struct scraped *w = arg;

    w->done++;
}

bool scraped_once(struct scraped *w)
{
    size_t done = w->done;
    bool good = true;

    scrape_pool_once(w->pool, on_once, w);
    while (w->done == done && sim_step(w->loop))
        ;
    for (size_t i = 0; i < scrape_pool_count(w->pool); i++)
        good &= scrape_pool_status(w->pool, i).health == SCRAPE_UP;
    sim_run_for(w->loop, 1000);
    return good && w->done == done + 1;
}

struct scrape_status scraped_status(struct scraped *w)
{
    return scrape_pool_status(w->pool, 0);
}

struct collected {
    char *lines[64];
    size_t count;
    bool meta;
};

static bool is_meta(struct str name)
{
    return str_eqz(name, "up") || str_starts(name, STR("scrape_"));
}

static const struct sample *newest(const struct series *se)
{
    return series_newest(se, INT64_MIN, INT64_MAX);
}

static void collect(void *arg, struct series *se)
{
    struct collected *c = arg;
    const struct labels *l = series_labels(se);
    const struct sample *s = newest(se);
    char value[NUM_MAX] = "stale";
    struct buf line;

    if (!s || (is_meta(labels_name(l)) && !c->meta) ||
        str_eqz(labels_name(l), "scrape_duration_seconds") ||
        c->count == sizeof(c->lines) / sizeof(c->lines[0]))
        return;
    if (!sample_is_stale(s->v))
        num_json(s->v, value);
    buf_init(&line, BUF_NO_LIMIT);
    labels_print(l, &line);
    buf_addf(&line, " %s\n", value);
    c->lines[c->count++] = buf_take(&line);
}

static int by_text(const void *a, const void *b)
{
    char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

const char *scraped_dump(struct scraped *w, bool meta)
{
    struct collected c = {.meta = meta};

    store_select(w->store, NULL, 0, collect, &c);
    qsort(c.lines, c.count, sizeof(c.lines[0]), by_text);
    buf_reset(&w->dump);
    for (size_t i = 0; i < c.count; i++) {
        buf_addz(&w->dump, c.lines[i]);
        free(c.lines[i]);
    }
    return buf_z(&w->dump);
}

const struct sample *scraped_up(struct scraped *w, const char *instance)
{
    struct labels_builder b = {0};
    struct labels *l;
    struct series *se;

    labels_set(&b, LABEL_NAME, STR("up"));
    labels_set(&b, LABEL_JOB, STR("j"));
    labels_set(&b, LABEL_INSTANCE, str_of(instance));
    l = labels_build(&b, NULL);
    labels_builder_fini(&b);
    se = store_find(w->store, l);
    free(l);
    return se ? newest(se) : NULL;
}

static bool is_wanted(void *arg, struct str name)
{
    const char *only = arg;

    return str_eqz(name, only);
}

void scraped_want(struct scraped *w, const char *name)
{
    static char only[64];

    snprintf(only, sizeof(only), "%s", name ? name : "");
    w->wanted = (struct parse_filter){is_wanted, only};
    scrape_pool_configure(w->pool, &w->conf, name ? &w->wanted : NULL);
}
