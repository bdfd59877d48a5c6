/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scrape.h - the targets of one job, scraped as Prometheus does.
 *
 * Each target has its own slot in the interval, by hash, fixed in absolute
 * time.  A scrape is all or nothing: its samples reach the store together
 * when the whole body was good; a failed one leaves only staleness markers
 * and `up` 0.  Samples carry the time at which the scrape began.  Beside them
 * stand, per target, up, scrape_duration_seconds, scrape_samples_scraped,
 * scrape_samples_post_metric_relabeling and scrape_series_added.
 * (prometheus/prometheus scrape/scrape.go.)
 */
#ifndef AGENT_SCRAPE_SCRAPE_H
#define AGENT_SCRAPE_SCRAPE_H

#include "agent/base/err.h"
#include "agent/config/conf.h"
#include "agent/io/http.h"
#include "agent/io/loop.h"
#include "agent/metric/target.h"
#include "agent/parse/parse.h"
#include "agent/relabel/relabel.h"
#include "agent/store/store.h"

/* What the figures of a job's replicas are: each its own, or one shared figure
 * that all repeat; unstated, agent/rules knows it of Membrane's figures, and
 * takes others for own.  Only carried here. */
enum scrape_replicas { SCRAPE_UNSTATED, SCRAPE_OWN, SCRAPE_SHARED };

struct scrape_basic_auth {
    char *username, *password;
};

struct scrape_authorization {
    char *type, *credentials;
};

struct scrape_tls {
    char *ca_file, *cert_file, *key_file; /* PEM; empty: none */
    bool insecure_skip_verify;
};

/* The part of a job that says how it is scraped. */
struct scrape_conf {
    int64_t interval_ms;
    int64_t timeout_ms;
    int64_t replicas;     /* enum scrape_replicas */
    int64_t body_limit;   /* bytes, unpacked */
    int64_t wire_limit;   /* bytes, as received */
    int64_t sample_limit; /* these four: 0 is no limit */
    int64_t label_limit;
    int64_t label_name_length_limit;
    int64_t label_value_length_limit;
    bool honor_labels;
    bool honor_timestamps;
    bool enable_compression;
    char *ca_file; /* PEM, in place of the system's; empty: the system's */
    int64_t fallback_scrape_protocol;           /* see scrape_fallback() */
    struct scrape_basic_auth *basic_auth;       /* these three: NULL: none */
    struct scrape_authorization *authorization; /* not with basic_auth */
    struct scrape_tls *tls_config;
    struct relabel_conf *metric_relabel_configs; /* sample_limit counts what
        they leave */
    size_t metric_relabel_configs_count;
};

extern const struct conf_key scrape_keys[];

/* The name of the fallback protocol; empty for none. */
struct str scrape_fallback(const struct scrape_conf *conf);

/* The shorter of timeout and interval: as in Prometheus, a short interval
 * shortens the default timeout. */
int64_t scrape_timeout(const struct scrape_conf *conf);

/* What the table cannot check: a timeout that somebody chose is not above the
 * interval. */
must_check bool scrape_check(const struct scrape_conf *conf, struct err *err);

enum scrape_health { SCRAPE_UNKNOWN, SCRAPE_UP, SCRAPE_DOWN };

const char *scrape_health_name(enum scrape_health h);

/* One target, for reports. */
struct scrape_status {
    struct str url;
    const struct labels *labels;
    enum scrape_health health; /* of the last scrape that ended */
    bool fetching;
    struct err error; /* of that scrape; ERR_NONE when it was good */
    int64_t start_ms; /* wall clock, 0: never scraped */
    int64_t good_ms;  /* wall clock of the last good one, 0: never */
    int64_t duration_ms;
    uint64_t samples;    /* in the body */
    uint64_t kept;       /* of them, wanted and stored */
    uint64_t series;     /* held for this target */
    uint64_t body_bytes; /* unpacked */
    uint64_t wire_bytes;
};

struct scrape_counters {
    uint64_t scrapes;
    uint64_t failures;
    uint64_t samples;       /* stored */
    uint64_t duplicates;    /* a series twice in one body: the first won */
    uint64_t out_of_order;  /* an explicit timestamp that is not newer */
    uint64_t too_far_ahead; /* an explicit timestamp over 10 min ahead */
    uint64_t limits;        /* scrapes that failed for a limit */
    uint64_t skipped;       /* slots left out because they came too late */
};

struct scrape_pool;

/* A scrape has ended and the store is up to date. */
typedef void scrape_ended_fn(void *arg, const struct scrape_status *status);

struct scrape_pool_options {
    struct loop *loop;
    struct http *http;
    struct store *store;
    struct str job;
    const struct scrape_conf *conf;    /* checked; lent */
    const struct parse_filter *wanted; /* what to store; NULL: all; lent */
    uint64_t seed; /* moves the slots, so that two agents differ; may be 0 */
    scrape_ended_fn *ended; /* may be NULL */
    void *arg;
};

/* Without targets, and at rest. */
struct scrape_pool *scrape_pool_new(const struct scrape_pool_options *options);
/* Running scrapes are dropped; the store is left as it is (no markers). */
void scrape_pool_free(struct scrape_pool *p);

/* Those that stay keep their state and slot, those that are gone are stopped
 * and their series go stale at once, new ones wait for their slot. */
void scrape_pool_set_targets(struct scrape_pool *p,
                             const struct target_list *list);
/* From now on every target is scraped in its slot. */
void scrape_pool_start(struct scrape_pool *p);
/* No new scrapes; running ones are dropped. */
void scrape_pool_stop(struct scrape_pool *p);
/* New settings and filter from the next scrape on; both lent. */
void scrape_pool_configure(struct scrape_pool *p,
                           const struct scrape_conf *conf,
                           const struct parse_filter *wanted);
/* Every target once, now.  `done` comes later, from the loop, exactly once,
 * when all have answered or failed.  For a pool that is not started. */
typedef void scrape_once_fn(void *arg);
void scrape_pool_once(struct scrape_pool *p, scrape_once_fn *done, void *arg);

size_t scrape_pool_count(const struct scrape_pool *p);
/* Target i, sorted by URL; lent until the next turn of the loop. */
struct scrape_status scrape_pool_status(const struct scrape_pool *p, size_t i);
struct scrape_counters scrape_pool_counters(const struct scrape_pool *p);

#endif
