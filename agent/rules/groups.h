/* SPDX-License-Identifier: Apache-2.0 */
/*
 * groups.h - recording rules: Prometheus' rule files, read and evaluated.
 *
 * A file is that of prometheus/prometheus docs/configuration/
 * recording_rules.md: groups of rules that run in order with one evaluation
 * time, so that a later rule reads what an earlier one has written.  Alerting
 * rules are counted and passed over.
 *
 * Evaluation is pure but for the store it writes to and for what a rule
 * remembers: the series it showed last time, which get a staleness marker
 * when they vanish.  A rule that fails marks all of them: its old values must
 * not pass for new ones (Prometheus lets them fade for five minutes).
 */
#ifndef AGENT_RULES_GROUPS_H
#define AGENT_RULES_GROUPS_H

#include "agent/base/err.h"
#include "agent/config/source.h"
#include "agent/promql/promql.h"
#include "agent/store/store.h"

/* Samples that one expression may read and compute: a tenth of Prometheus'
 * default, which is a server's.  It bounds what a query that somebody pasted
 * can take of a sidecar's memory (320 MiB at the very worst). */
#define RULES_SAMPLES_MAX ((size_t)5000000)

struct record { /* one recording rule */
    struct str name;
    struct promql *query;
    const struct label *labels; /* the group's, then its own */
    size_t label_count;
    /* memory */
    struct labels **shown; /* series of the last evaluation */
    size_t shown_count;
};

struct group {
    struct str file, name;
    int64_t interval_ms; /* 0: not stated */
    int64_t offset_ms;   /* evaluates and writes this much earlier */
    int64_t limit;       /* rows of a rule; 0: none */
    struct record *records;
    size_t count;
    size_t alerts; /* passed over */
    /* memory */
    bool begun;
    int64_t begun_ms; /* the newest evaluation */
};

struct groups {
    struct arena arena;
    struct conf **confs; /* one a file; the texts live in them */
    size_t conf_count, conf_cap;
    struct group *items; /* in the order of the files */
    size_t count, cap;
};

struct groups *groups_new(void);
void groups_free(struct groups *g);

/* Adds a file's groups; its faults are told to `faults` as well and point
 * into `g`.  False after one, then nothing is added. */
bool groups_read(struct groups *g, const char *file, struct str text,
                 struct conf *faults);
size_t groups_records(const struct groups *g);
size_t groups_alerts(const struct groups *g);

/* Its interval (or this one, where it states none) has begun anew. */
bool group_is_due(const struct group *g, int64_t t_ms, int64_t interval_ms);
/* Before its rules are evaluated. */
void group_begin(struct group *g, int64_t t_ms);

/* What rules are evaluated over. */
struct record_world {
    struct store *store;
    struct arena *arena;
    int64_t step_ms; /* of a subquery that states none; 0: 1m */
};

/* Evaluates one rule at the group's newest time and writes its rows. */
must_check bool record_evaluate(struct record *r, const struct group *g,
                                const struct record_world *w, struct err *err);

/* Forgets all that was evaluated, as if it were new. */
void groups_forget(struct groups *g);
/* After a reload: what `from` remembers of rules that are still there. */
void groups_inherit(struct groups *g, const struct groups *from);

#endif
