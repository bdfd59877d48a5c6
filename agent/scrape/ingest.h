/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest.h - the samples of one scrape, kept aside until the body was good.
 *
 * Nothing reaches the store before ingest_commit(), and there everything does
 * or nothing: series are made first, and only when all are there samples
 * follow.  Pure: time is passed in.
 */
#ifndef AGENT_SCRAPE_INGEST_H
#define AGENT_SCRAPE_INGEST_H

#include "agent/scrape/held.h"
#include "agent/scrape/scrape.h"

/* What is known of a target's series between scrapes. */
struct ingest_memory {
    struct parse_memory *texts; /* NULL before the first scrape */
    struct held_set held;
    struct held dropped, unwanted; /* of metric_relabel_configs, and after */
};

#define PENDING_OWN INT64_MIN /* the scrape's own stamp */

struct pending {
    struct held *held;
    int64_t t_ms; /* the target's, or PENDING_OWN */
    double v;
};

struct ingest {
    struct ingest_memory *known;
    const struct labels *target;
    const struct scrape_conf *conf;
    struct store *store;
    const struct relabel *relabel;     /* NULL: none */
    const struct parse_filter *wanted; /* with relabel; NULL: all */
    int64_t t_ms;                      /* the scrape's own stamp */

    struct arena memory; /* labels of fresh series */
    struct labels_builder builder;
    struct pending *samples;
    size_t count, cap;
    uint64_t dropped, passed; /* by relabel */
    uint64_t duplicates, out_of_order, too_far_ahead;
    uint64_t stored, added; /* samples, series */
};

/* The fields of `in` before `memory` are set, the rest is zero. */
void ingest_begin(struct ingest *in);
void ingest_fini(struct ingest *in);

/* A wanted sample; parse_sample_fn. */
bool ingest_sample(void *arg, const struct parse_sample *sample,
                   struct err *err);
/* The body was good: samples to the store, markers for what is gone.  False
 * when the store is full: as if the scrape had failed. */
must_check bool ingest_commit(struct ingest *in, struct err *err);
/* The scrape failed: its samples are dropped, markers for all. */
void ingest_abort(struct ingest *in);

/* Markers for all live series of a target, at `t_ms`. */
void ingest_bury(struct ingest_memory *known, int64_t t_ms);
void ingest_forget(struct ingest_memory *known);

#endif
