/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - samples over a window, found by matchers.
 *
 * Pure memory: time is passed in.  A series is created at its first sample
 * and kept while it has a sample younger than the retention.  Samples of one
 * series come in order of time; one that is not newer than the newest is
 * refused (counted, false).  Limits are the caller's: over `max_series` an
 * append to a new series fails.
 */
#ifndef AGENT_STORE_STORE_H
#define AGENT_STORE_STORE_H

#include "agent/base/err.h"
#include "agent/metric/labels.h"
#include "agent/metric/sample.h"

struct store;
struct series;

struct store_options {
    int64_t retention_ms; /* how long samples are kept */
    size_t max_series;    /* 0: no limit */
};

struct store *store_new(const struct store_options *options);
void store_free(struct store *s);
void store_set_retention(struct store *s, int64_t retention_ms);

/* The series with these labels, made if need be; NULL over max_series.  Lent,
 * good until a store_expire() finds it empty; hold it with series_ref(). */
struct series *store_series(struct store *s, const struct labels *labels);
struct series *store_find(const struct store *s, const struct labels *labels);
/* A held series is not removed by store_expire(), whatever its age. */
void series_ref(struct series *se);
void series_unref(struct series *se);

bool series_append(struct series *se, int64_t t_ms, double v);
const struct labels *series_labels(const struct series *se);

/* Samples with from < t <= to, oldest first, as at most two runs of memory
 * (a ring may wrap); lent until the next append or expire. */
struct series_window {
    const struct sample *run[2];
    size_t count[2];
};
struct series_window series_between(const struct series *se, int64_t from_ms,
                                    int64_t to_ms);
static inline size_t window_count(const struct series_window *w)
{
    return w->count[0] + w->count[1];
}
static inline const struct sample *window_at(const struct series_window *w,
                                             size_t i)
{
    return i < w->count[0] ? &w->run[0][i] : &w->run[1][i - w->count[0]];
}
/* The newest sample with from < t <= to, or NULL. */
const struct sample *series_newest(const struct series *se, int64_t from_ms,
                                   int64_t to_ms);

enum match_op { MATCH_EQ, MATCH_NE, MATCH_RE, MATCH_NRE };

struct matcher {
    enum match_op op;
    struct str name, value;
    const struct regex *regex; /* for MATCH_RE and MATCH_NRE; lent */
};

bool matcher_matches(const struct matcher *m, const struct labels *labels);

/* Calls `fn` for each series that all matchers accept, in no stated order;
 * a matcher on __name__ by equality makes it quick. */
typedef void store_select_fn(void *arg, struct series *se);
void store_select(const struct store *s, const struct matcher *matchers,
                  size_t count, store_select_fn *fn, void *arg);

/* Forgets what is older than the retention, seen from `now_ms`. */
void store_expire(struct store *s, int64_t now_ms);
/* The wall clock went back: forgets what is newer than `t_ms`, so that samples
 * of the new time are not refused until it has caught up. */
void store_rewind(struct store *s, int64_t t_ms);
/* Calls `fn` for each metric name there is, once, in no stated order; series
 * without a name come as an empty one. */
typedef void store_name_fn(void *arg, struct str name, size_t series);
void store_names(const struct store *s, store_name_fn *fn, void *arg);

size_t store_count(const struct store *s);     /* series */
uint64_t store_refused(const struct store *s); /* samples out of order */
size_t store_bytes(const struct store *s);     /* memory held, about */

#endif
