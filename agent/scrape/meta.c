/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/scrape/meta.h"

#include "agent/scrape/pool.h"

#include <stdlib.h>

static const struct str names[META_COUNT] = {
    [META_UP] = {"up", 2},
    [META_DURATION] = {"scrape_duration_seconds", 23},
    [META_SCRAPED] = {"scrape_samples_scraped", 22},
    [META_KEPT] = {"scrape_samples_post_metric_relabeling", 37},
    [META_ADDED] = {"scrape_series_added", 19},
};

/* NULL while the store is full. */
static struct series *series_of(struct scraper *s, size_t which)
{
    struct labels_builder b = {0};
    struct labels *l;

    if (s->meta[which])
        return s->meta[which];
    labels_start_from(&b, s->labels);
    labels_set(&b, LABEL_NAME, names[which]);
    l = labels_build(&b, NULL);
    labels_builder_fini(&b);
    s->meta[which] = store_series(s->pool->options.store, l);
    if (s->meta[which])
        series_ref(s->meta[which]);
    free(l);
    return s->meta[which];
}

void meta_write(struct scraper *s, int64_t t_ms,
                const double values[META_COUNT])
{
    for (size_t i = 0; i < META_COUNT; i++) {
        struct series *se = series_of(s, i);

        if (se)
            series_append(se, t_ms, values[i]);
    }
}

void meta_bury(struct scraper *s, int64_t t_ms)
{
    for (size_t i = 0; i < META_COUNT; i++)
        if (s->meta[i])
            series_append(s->meta[i], t_ms, sample_stale());
}

void meta_fini(struct scraper *s)
{
    for (size_t i = 0; i < META_COUNT; i++)
        if (s->meta[i])
            series_unref(s->meta[i]);
}
