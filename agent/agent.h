/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent.h - the composition root: where the parts of the program meet, and
 * nowhere else.
 *
 * agent_new() builds every part in one visible order, agent_free() takes them
 * down in the reverse one.  once.c runs one cycle, serve.c the daemon; both
 * only connect what the parts tell each other.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "agent/actuate/actuator.h"
#include "agent/base/map.h"
#include "agent/capacity/capacity.h"
#include "agent/commands/run.h"
#include "agent/deliver/outbox.h"
#include "agent/discover/discover.h"
#include "agent/ecs/ecs.h"
#include "agent/io/lines.h"
#include "agent/report/report.h"
#include "agent/rules/rules.h"
#include "agent/rules/window.h"
#include "agent/scrape/scrape.h"
#include "agent/settings/settings.h"
#include "agent/store/store.h"

struct agent;

struct agent_job {
    struct agent *agent;
    const struct settings_job *conf;
    struct discovery *discovery;
    struct scrape_pool *pool;
    bool discovered; /* the first list has come */
    bool scraped;    /* one-shot: every target has answered or failed */
    struct settings *discovery_lends, *pool_lends; /* held for them */
};

struct agent_sink {
    struct agent *agent;
    const struct settings_sink *conf;
    struct outbox *outbox;
    uint64_t accepted, lost; /* points that ended */
    struct settings *lends;  /* held for the outbox */
    struct agent_sink *next; /* among those that leave */
};

struct agent_actuator {
    struct agent *agent;
    const struct actuate_conf *conf;
    struct actuator *actuator;
    char *told; /* the newest decision, or why there is none; or NULL */
};

struct agent {
    struct settings *settings; /* held */
    struct loop *loop;
    bool own_loop;
    bool once;
    struct http *http;
    struct resolver *resolver; /* NULL where no DNS name is configured */
    struct ecs *ecs;
    struct arena google_arena;
    struct lease *google; /* tokens for the Cloud Run Admin API */
    struct cloudrun *cloudrun;
    struct container_apps *container_apps;
    struct agent_actuator *actuators;
    size_t actuator_count;
    struct settings *actuators_lend; /* held for them */
    struct rules *rules;             /* the settings' own */
    struct map wanted;               /* metric names that expressions ask for */
    bool wants_all;                  /* some expression asks for no name */
    struct parse_filter filter;
    struct store *store;
    struct capacity *capacity;
    struct settings *capacity_lends; /* held for it */
    struct agent_job **jobs;
    size_t job_count;
    struct lines out; /* standard output, for the sinks that write there */
    struct agent_sink **sinks;
    size_t sink_count;
    struct agent_sink *leaving;    /* taken out by a reload; they still drain */
    void (*left)(struct agent *a); /* one of them is gone; may be NULL */
    struct label *dimensions;      /* of every point, sorted */
    size_t dimension_count;
    struct window *window; /* since the last publish */
    struct window *each;   /* for sinks that want each evaluation, or NULL */
    struct arena arena;    /* of the newest evaluation */
    struct records_told recorded; /* of the recording rules */
    struct rules_results results;
    uint64_t evaluations;
    int64_t evaluated_ms;                /* wall clock; 0: not yet */
    void (*discovered)(struct agent *a); /* some job's list has changed */
    void *owner;
    void (*decided)(void *arg); /* all of a preview are */
    void *decided_arg;
    size_t deciding;
};

struct agent_options {
    struct settings *settings; /* good */
    struct loop *loop;         /* NULL: one of its own */
    bool once;
    bool deliver; /* with an outbox for each sink */
    void (*discovered)(struct agent *a);
    void *owner;
};

struct agent *agent_new(const struct agent_options *options, struct err *err);
void agent_free(struct agent *a);

/* Evaluates every rule now, on what the store holds; the results stand in
 * `a->results`, their values in the window. */
void agent_evaluate(struct agent *a);
/* What the window holds, to every sink; the window is empty afterwards.  The
 * points live in the arena until the next evaluation. */
const struct point *const *agent_points(struct agent *a, size_t *count);
void agent_publish(struct agent *a);
/* The newest evaluation alone, to the sinks that want each. */
void agent_publish_each(struct agent *a);

/*
 * Takes `fresh`, which is good, in place of the settings in force.  Jobs,
 * targets, worker counts, rules and sinks that did not change keep their
 * state, windows and queues; a sink that did sends what it has queued.  False:
 * everything is as it was.
 */
must_check bool agent_reload(struct agent *a, struct settings *fresh,
                             struct err *err);

/* The newest evaluation as a report; all of it lives in `arena`. */
void agent_view(struct agent *a, struct arena *arena, struct report *out);

#endif
