/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.h - from samples to the numbers that are published, or the reason why
 * there is none.
 *
 * A rule is a metric: one of a preset (preset.h), a user's own, or a user's
 * in place of a built-in one.  rules_evaluate() is pure but for what the
 * rules remember: last good values (to hold), which job shows which figure,
 * and how the replicas' figures compare.
 *
 * The promise: never a wrong number.  A value is fresh only when every target
 * that feeds it has answered; otherwise the last good one is held for a time,
 * and after that there is none.  Unknown is not zero.
 */
#ifndef AGENT_RULES_RULES_H
#define AGENT_RULES_RULES_H

#include "agent/base/err.h"
#include "agent/metric/labels.h"
#include "agent/promql/promql.h"
#include "agent/rules/groups.h"
#include "agent/rules/preset.h"

/* ---- settings ---------------------------------------------------------- */

struct rule_missing_conf {
    int64_t hold_ms; /* how long the last good value stands in */
    char *value;     /* what is sent after that; empty: nothing */
};

/* A row of `metrics`.  What is not written comes from the built-in metric of
 * the same name, if there is one. */
struct rule_conf {
    char *name;
    char *expr;
    char *unit;
    char *description;
    double target;        /* 0: the built-in's, or none */
    char *running;        /* how many replicas run: the metric is a ratio */
    int64_t min_replicas; /* -1: the built-in's, or not stated */
    int64_t max_replicas;
    struct conf_map dimensions; /* dimension: label of the result */
    struct rule_missing_conf missing;
    int64_t resolution; /* which of 60, 1 (seconds) */
    bool allow_partial; /* also when targets did not answer */
    bool enabled;
};

extern const struct conf_key rule_missing_keys[];
extern const struct conf_key rule_keys[];

/* A fault in the settings: `field` lies in them (for conf_blame()); `quote` is
 * further lines that show the place, or empty. */
typedef void rules_fault_fn(void *arg, const void *field, const struct err *err,
                            struct str quote);

struct rules_options {
    const struct preset_conf *membrane; /* all settings are lent until free */
    const struct rule_conf *metrics;
    size_t metric_count;
    struct groups *groups; /* recording rules, or NULL; lent until free */
    rules_fault_fn *fault;
    void *arg;
};

struct rules;

/* NULL after a fault; all of them are told. */
struct rules *rules_new(const struct rules_options *options);
void rules_free(struct rules *r);
/* After a reload: what `from` remembers of rules that have not changed. */
void rules_inherit(struct rules *r, const struct rules *from);

/* ---- what a rule is ---------------------------------------------------- */

struct rule_info {
    struct str name, expression, unit, description;
    struct str formula; /* in words; empty for a user's own */
    bool builtin;       /* as the preset has it */
    bool has_target;
    double target;
    enum preset_scaling scaling;
    struct str running; /* ratio: the expression for running replicas */
    struct str service; /* what it scales, where known */
    int64_t min_replicas, max_replicas; /* -1: not stated */
    unsigned resolution;                /* seconds: 1 or 60 */
    int64_t hold_ms;
    bool has_substitute; /* sent after the hold time */
    double substitute;
    bool allow_partial;
    const struct label *dimensions; /* dimension and label, sorted */
    size_t dimension_count;
};

/* In the order of the preset, then of the settings; those switched off are
 * left out.  Lent until rules_free(). */
size_t rules_count(const struct rules *r);
const struct rule_info *rules_info(const struct rules *r, size_t i);

/* Every selector of every rule, recording ones included: what the store must
 * keep. */
typedef void rules_selector_fn(void *arg, const struct promql_selector *s);
void rules_selectors(const struct rules *r, rules_selector_fn *fn, void *arg);
int64_t rules_reach(const struct rules *r); /* the longest of them */
/* Some rule looks at a range, so one scrape is not enough to see a value. */
bool rules_want_range(const struct rules *r);

/* ---- what they are evaluated over -------------------------------------- */

/* Whose the figures of a job's replicas are. */
enum rule_replicas {
    RULE_UNSTATED, /* as the preset knows each figure, else own */
    RULE_OWN,      /* each replica's own: all must have answered */
    RULE_SHARED,   /* all replicas repeat one: any will do */
};

struct rule_target {
    struct str url;
    struct str instance; /* its label */
    bool up;             /* the last scrape that ended was good */
    int64_t good_ms;     /* wall clock of the last good one; 0: never */
    struct str error;    /* not up: why; empty: not scraped yet */
};

struct rule_job {
    struct str name;
    enum rule_replicas replicas;
    const struct rule_target *targets;
    size_t target_count;
    bool complete;     /* discovery: as far as is known these are all */
    struct str reason; /* not complete: why */
    struct str doubt;  /* complete, but perhaps not: why; or empty */
};

/* A configured source of a worker count; the count itself is a sample of
 * scalebridge_running_workers{service="..."} in the store. */
struct rule_service {
    struct str name;
    bool known;
    struct str reason; /* why not, or what is doubtful */
};

struct rules_world {
    const struct store *store;
    int64_t t_ms; /* evaluation time, wall clock */
    const struct rule_job *jobs;
    size_t job_count;
    const struct rule_service *services;
    size_t service_count;
    bool once; /* the only look there will be: tell contradictions at once */
};

/* ---- recording rules --------------------------------------------------- */

/* A rule began to fail, or works again: for the log, once. */
struct record_event {
    struct str group, record;
    bool good;
    struct str text; /* why it fails */
};

struct records_told {
    const struct record_event *events;
    size_t count;
};

/*
 * Evaluates the recording groups that are due, each with this one time, and
 * writes to the world's store; to be called before rules_evaluate().  Where a
 * rule failed, or some of what feeds it had not answered, the metrics over
 * its series are incomplete for as long as they look at that evaluation.
 */
void rules_record(struct rules *r, const struct rules_world *world,
                  struct store *store, int64_t interval_ms, struct arena *arena,
                  struct records_told *out);

/* ---- what comes out ---------------------------------------------------- */

enum rule_state {
    RULE_FRESH,       /* at least one row is of now */
    RULE_HELD,        /* earlier values, within their hold time */
    RULE_SUBSTITUTED, /* the number that the settings give for this case */
    RULE_MISSING,     /* no value; `reason` says why */
    RULE_OFF,         /* its job or worker count is not configured */
};

const char *rule_state_name(enum rule_state s);

struct rule_input { /* the newest sample that was used of a series */
    struct str name;
    const struct labels *labels;
    struct str instance; /* empty for a worker count */
    double value;
    int64_t age_ms;
};

struct rule_row {
    const struct labels *labels;    /* of the result */
    const struct label *dimensions; /* with their values, sorted */
    size_t dimension_count;
    double value; /* finite */
    bool held;
    int64_t age_ms; /* held: since it was measured */
    bool has_replicas;
    int64_t implied_replicas; /* what a standard policy would ask for */
};

struct rule_result {
    const struct rule_info *info;
    enum rule_state state;
    struct str reason;           /* not fresh: why */
    bool complete;               /* every target that feeds it has answered */
    const struct rule_row *rows; /* what is to be published, if any */
    size_t row_count;
    const struct rule_input *inputs;
    size_t input_count;
    const struct str *doubts; /* what a reader should know of this value */
    size_t doubt_count;
};

/* Something changed since the last evaluation: for the log, once. */
struct rule_event {
    struct str rule;
    bool doubt;            /* a doubt began or ended; else the state changed */
    bool good;             /* it ended; it is fresh again */
    enum rule_state state; /* no doubt: the new one */
    struct str text;
};

struct rules_results {
    const struct rule_result *results; /* one a rule, in their order */
    size_t count;
    const struct rule_event *events;
    size_t event_count;
};

/* The results live in `arena` and may point into the store. */
void rules_evaluate(struct rules *r, const struct rules_world *world,
                    struct arena *arena, struct rules_results *out);

#endif
