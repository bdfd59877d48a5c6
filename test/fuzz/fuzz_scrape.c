/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a target may answer, time after time: after a good scrape the
 * store shows what was kept of it, after a bad one nothing.  Answers are
 * separated by 0x1e; the first byte of each chooses how it comes.
 */
#include "test/lib/scraped.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define ANSWERS   8
#define SEPARATOR '\x1e'

enum how { GZIP = 1, OPENMETRICS = 2, CUT = 4, WANTED = 8, PIECE = 16 };

static void need(bool truth)
{
    if (!truth)
        abort();
}

/* Without those that a scrape writes itself. */
static void count_live(void *arg, struct series *se)
{
    const struct sample *s = series_newest(se, INT64_MIN, INT64_MAX);
    struct str name = labels_name(series_labels(se));

    if (s && !sample_is_stale(s->v) && !str_eqz(name, "up") &&
        !str_starts(name, STR("scrape_")))
        ++*(uint64_t *)arg;
}

static void scrape(struct scraped *w, unsigned char how, struct str body)
{
    struct scrape_status status;
    uint64_t live = 0;
    bool good;

    scraped_page(
        w, how & OPENMETRICS ? "application/openmetrics-text" : TEXT_PLAIN,
        body);
    if (how & GZIP)
        sim_reply_header(&w->page, STR("Content-Encoding"), STR("gzip"));
    if (how & CUT && body.len > 0) {
        w->page.error = ERR_NETWORK;
        w->page.cut_at = body.len / 2 + 1;
    }
    w->page.piece = how / PIECE;
    scraped_want(w, how & WANTED ? "a" : NULL);
    good = scraped_once(w);
    status = scraped_status(w);
    store_select(w->store, NULL, 0, count_live, &live);
    need(good == (status.error.kind == ERR_NONE));
    need(good || status.error.text[0]);
    need(status.kept <= status.samples);
    need(live <= (good ? status.kept : 0));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct str rest = str_n((const char *)data, size), answer;
    struct scraped *w = scraped_new();

    w->conf.honor_labels = size % 2;
    w->conf.honor_timestamps = false;
    w->conf.label_limit = size % 3 ? 0 : 6;
    scraped_targets(w, "http://a:1/m");
    for (int i = 0; i < ANSWERS && str_next(&rest, SEPARATOR, &answer); i++)
        if (answer.len > 0)
            scrape(w, (unsigned char)answer.ptr[0], str_from(answer, 1));
    scraped_free(w);
    return 0;
}
