/* SPDX-License-Identifier: Apache-2.0 */
/*
 * actuator.h - sets the manual instance count of one Cloud Run service or
 * worker pool from a metric that says how many workers are required.
 *
 * Fed after every evaluation; decides once an `interval`, with the count that
 * stands read just before (decide.h), and writes with that reading's etag.
 * One request is in flight at a time.  Inputs that are not fresh and complete
 * leave the count alone.  When somebody else changes the count it stands back
 * for `yield`; while the API fails it asks less and less often.
 *
 *      RESTING --fed, due--> READING --other count--> WRITING --> RESTING
 *
 * Every decision is told, with its reason, to `told`; the log has one line
 * for each that is new.
 */
#ifndef AGENT_ACTUATE_ACTUATOR_H
#define AGENT_ACTUATE_ACTUATOR_H

#include "agent/actuate/decide.h"
#include "agent/cloudrun/cloudrun.h"
#include "agent/config/conf.h"
#include "agent/io/loop.h"

struct actuate_side_conf {
    int64_t window_ms, workers, percent, period_ms;
};

struct actuate_conf {
    char *name;
    char *metric; /* an absolute count of workers */
    char *busy;   /* a metric of jobs being worked on; empty: no floor */
    struct cloudrun_conf *cloud_run; /* NULL: not written */
    int64_t min, max;                /* max -1: not written */
    struct actuate_side_conf up, down;
    int64_t interval_ms, yield_ms, timeout_ms;
    bool dry_run;
};
extern const struct conf_key actuate_keys[];

/* What the table cannot check; the text begins with the key. */
must_check bool actuate_check(const struct actuate_conf *conf, struct err *err);

/* What the metrics say now. */
struct actuate_reading {
    bool known; /* fresh, complete, one row */
    double required;
    struct str why; /* not known: why */
    bool busy_known;
    double busy;
};

/* What was decided, or why nothing was; lent. */
struct actuate_told {
    const struct actuate_conf *conf;
    bool decided; /* else `text` says why not */
    struct actuate_decision decision;
    struct str text;
};
typedef void actuate_told_fn(void *arg, const struct actuate_told *told);

struct actuator_options {
    struct loop *loop;
    struct cloudrun *cloudrun;
    const struct actuate_conf *conf; /* lent until free */
    bool dry;                        /* nothing is changed; as conf->dry_run */
    actuate_told_fn *told;           /* may be NULL */
    void *arg;
};

struct actuator;

struct actuator *actuator_new(const struct actuator_options *options);
void actuator_free(struct actuator *a);
void actuator_feed(struct actuator *a, const struct actuate_reading *r);

#endif
