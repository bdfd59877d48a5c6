/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what one cycle saw, made of it and would send or sent.
 *
 * Nothing but structs that the composition root fills and the printers read;
 * neither knows the other.  Everything is lent and lives until the report
 * has been printed (usually in one arena).
 */
#ifndef AGENT_REPORT_REPORT_H
#define AGENT_REPORT_REPORT_H

#include "agent/base/buf.h"
#include "agent/io/message.h"
#include "agent/metric/labels.h"

/* A sample that a value was computed from. */
struct report_input {
    struct str name;
    const struct labels *labels;
    double value;
    struct str instance; /* empty for a worker count */
    int64_t age_ms;
};

struct report_metric {
    struct str name;
    const struct labels *labels; /* of this row; NULL: none */
    bool has_value;
    double value;
    struct str reason; /* why there is no value, or why it is held */
    struct str unit, description, expression, formula;
    bool has_target;
    double target;
    bool complete; /* every target that feeds it has answered */
    bool held;     /* an earlier value, within its hold time */
    bool off;      /* its job or count is not configured: not a failure */
    const struct report_input *inputs;
    size_t input_count;
    bool has_replicas;
    int64_t implied_replicas; /* what a standard policy would ask for */
    int64_t min_replicas, max_replicas; /* 0: not stated */
    const struct str *doubts; /* what a reader should know of this value */
    size_t doubt_count;
};

struct report_target {
    struct str job, url;
    bool up;
    struct str error; /* empty when up */
    int64_t duration_ms;
    uint64_t samples;
};

struct report_workers {
    struct str service, source;
    bool known;
    double count;
    bool has_desired; /* the platform says what it is heading for */
    double desired;
    int64_t age_ms;    /* since the count was read */
    struct str reason; /* not known: why; known: why it was not read again */
};

struct report_refusal {
    struct str metric, reason;
};

struct report_sink {
    struct str name;
    const struct http_request *requests; /* as they would be sent, unsigned */
    size_t request_count;
    const struct report_refusal *refused;
    size_t refused_count;
    bool sent;               /* run --once: they were sent */
    uint64_t accepted, lost; /* points, when sent */
    struct str error;        /* the last failure, when sent */
};

struct report {
    int64_t wall_ms;
    bool dry;          /* nothing was sent */
    struct str origin; /* where the settings came from, one sentence */
    const struct report_target *targets;
    size_t target_count;
    const struct report_workers *workers;
    size_t worker_count;
    const struct report_metric *metrics;
    size_t metric_count;
    const struct report_sink *sinks;
    size_t sink_count;
    const struct str *notes; /* e.g. that targets were scraped twice */
    size_t note_count;
};

struct report_style {
    bool color;
    bool requests; /* print whole requests, secrets masked */
};

/* For people. */
void report_table(const struct report *r, const struct report_style *style,
                  struct buf *out);
/* One JSON object; its keys are a contract (see docs/commands.md). */
void report_json(const struct report *r, struct buf *out);
/* The values as a Prometheus text exposition. */
void report_prometheus(const struct report *r, struct buf *out);

#endif
