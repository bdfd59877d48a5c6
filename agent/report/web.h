/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web.h - the answers of the agent's own HTTP side, from memory alone.
 *
 * Pure: the composition root lends what is known and the time.  A value that
 * is stale, held, incomplete or unknown is an error with its reason, never a
 * number: KEDA keeps its count then (metrics-api: any status but 200;
 * prometheus: any but 2xx, whatever ignoreNullValues says).
 */
#ifndef AGENT_REPORT_WEB_H
#define AGENT_REPORT_WEB_H

#include "agent/report/report.h"
#include "agent/store/store.h"

struct web_count {
    struct str name;
    uint64_t count;
};

struct web_sink {
    struct str name;
    bool healthy;
    const struct web_count *ended; /* points by verdict */
    size_t ended_count;
    uint64_t requests, failures, throttled;
    uint64_t queued, queued_bytes;
    int64_t oldest_ms, last_accept_ms; /* wall clock; 0: none */
};

struct web_job {
    struct str name;
    struct str lacks; /* why not all its targets are known, or empty */
    uint64_t scrapes, failures, samples;
};

/* A client that sent wrong tokens lately. */
struct web_peer {
    char name[48];
    int wrong;
    int64_t since_ms; /* monotonic */
};

#define WEB_PEERS 32
struct web_guard {
    struct web_peer peers[WEB_PEERS];
};

struct web {
    struct str token; /* empty: everybody may read */
    struct web_guard *guard;
    const struct report *report;
    const struct web_sink *sinks;
    size_t sink_count;
    const struct web_job *jobs;
    size_t job_count;
    const struct store *store;
    /* Whether the store keeps this name. */
    bool (*held)(void *arg, struct str name);
    void *held_arg;
    struct str version;
    uint64_t evaluations;
    int64_t wall_ms, mono_ms, started_ms; /* started: wall clock */
    int64_t stale_ms;                     /* an older evaluation is no answer */
};

struct web_request {
    struct str method, path, query, body, authorization, accept, peer;
};

struct web_reply {
    int status;
    struct str content_type;
    struct buf *body;
    const char *challenge;
    int retry_after;
};

void web_answer(const struct web *w, const struct web_request *req,
                struct web_reply *reply);

/* For the files of this folder. */
/* Why there is no trustworthy value at all, or empty. */
bool web_stale(const struct web *w, struct buf *why);
void web_query(const struct web *w, struct str params, struct web_reply *reply);
void web_metrics(const struct web *w, bool openmetrics, struct buf *out);
/* The decoded parameter `name` of a query or form; false: absent or bad. */
bool web_param(struct str params, const char *name, struct buf *out);
/* scalebridge_jobs_per_worker of JobsPerWorker; {a="b"} of labels. */
void report_exposed_name(struct str name, struct buf *out);
void report_exposed_labels(const struct labels *labels, struct buf *out);

#endif
