/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule.h - inside the rules: one rule with what it remembers, and the figures
 * that rules are made of.
 */
#ifndef AGENT_RULES_RULE_H
#define AGENT_RULES_RULE_H

#include "agent/rules/rules.h"

#define RULE_LOOKBACK (5 * WHEN_MINUTE)

/* As agent/capacity names the series; it stands above this folder. */
#define RULE_CAPACITY STR("scalebridge_running_workers")

/* Cycles in a row in which replicas must agree, or differ, to be believed. */
enum {
    RULE_AGREE = 3,
    RULE_DIFFER_SETTLED = 3, /* and none of them moved */
    RULE_DIFFER = 20,        /* while they move: read at different moments */
};

/* What replicas reported of one figure in a cycle, where >= 2 did. */
enum figure_look { LOOK_NONE, LOOK_ALIKE, LOOK_DIFFERENT };
enum figure_verdict { FIGURE_UNCLEAR, FIGURE_SHARED, FIGURE_OWN };

/* A sample of a figure in this cycle. */
struct figure_sample {
    uint64_t group; /* of the labels but for instance */
    struct str job, instance;
    double value;
    int64_t t_ms;
};

/* All series of one exact metric name. */
struct figure {
    struct str name;
    const struct preset_figure *known; /* NULL: not by the preset */
    char **jobs;                       /* that have shown it, ever */
    size_t job_count, job_cap;
    /* this cycle, in the arena of the evaluation */
    struct figure_sample *samples;
    size_t sample_count;
    /* comparison of replicas */
    int64_t counted_ms; /* newest sample of the cycle counted last */
    uint64_t values;    /* hash of that cycle's */
    unsigned alike, different, settled;
    enum figure_verdict verdict;
    size_t replicas;  /* compared last */
    double low, high; /* last seen among them */
};

void figure_fini(struct figure *f);
/* Reads the figure's samples of this cycle and draws conclusions. */
void figure_observe(struct figure *f, const struct rules_world *w,
                    struct arena *a);
bool figure_seen_in(const struct figure *f, struct str job);
/* What memory of `from` is worth keeping. */
void figure_inherit(struct figure *f, const struct figure *from);

/* How many targets a job had; for a target that is gone without another in
 * its place is first taken for a fault, then for a smaller job. */
#define RULE_GONE WHEN_MINUTE

struct job_memory {
    char *name;
    size_t most, now;
    bool gone; /* now < most, since: */
    int64_t gone_ms;
};

/* A selector of a rule. */
struct use {
    const struct promql_selector *selector;
    size_t figure; /* in rules->figures, or NO_FIGURE */
    bool doubted;  /* its aggregation contradicts the figure: told */
    bool recorded; /* recording rules write what it reads */
};
#define NO_FIGURE SIZE_MAX

struct held {
    struct labels *labels;
    double value;
    int64_t t_ms;
};

struct rule {
    struct rule_info info;
    struct promql *query;   /* NULL: the data's age */
    struct promql *running; /* NULL: not needed */
    struct use *uses;
    size_t use_count;
    /* memory */
    struct held *held; /* rows of the last good evaluation */
    size_t held_count;
    bool begun;
    int64_t begun_ms;      /* first evaluation */
    int64_t good_ms;       /* last fresh one; 0: never */
    int64_t oldest_ms;     /* oldest input of that one */
    enum rule_state state; /* told last */
};

void rule_forget(struct rule *r); /* the held rows */

/* A recording rule: what it reads, and how its evaluations went. */
struct recording {
    struct group *group;
    struct record *record;
    struct use *uses;
    size_t use_count;
    const size_t *sources; /* itself, and those it reads through others */
    size_t source_count;
    /* memory */
    bool bad;       /* the last one failed, or lacked some of its feed */
    bool failed;    /* ... failed: told */
    int64_t bad_ms; /* the newest such; 0: none */
    bool early;     /* that one was only too early */
    char *reason;   /* of that one */
};

struct rules {
    struct arena arena;          /* texts of the infos */
    const struct preset *preset; /* NULL: none */
    struct rule *items;
    size_t count, cap;
    struct figure *figures;
    size_t figure_count, figure_cap;
    struct job_memory *jobs;
    size_t job_count, job_cap;
    struct groups *groups; /* NULL: none */
    struct recording *recordings;
    size_t recording_count;
    int64_t evaluated_ms; /* last time; 0: never */
};

/* The uses of an expression, freed by the caller (build.c). */
struct use *rules_uses(struct rules *r, const struct promql *q, size_t *count);

/* record.c */
void recordings_build(struct rules *r);
void recordings_fini(struct rules *r);
void recordings_inherit(struct rules *r, const struct rules *from);
void recordings_set_back(struct rules *r, int64_t now_ms);
/* Whether the selector reads what this rule writes. */
bool recording_is_read(const struct rules *r, const struct use *u,
                       const struct recording *rec, struct arena *a);

/* Counts the targets of each job, and meets a clock that was set back
 * (memory.c). */
void memory_begin(struct rules *r, const struct rules_world *w);
const struct job_memory *memory_of(const struct rules *r, struct str job);
void memory_inherit(struct rules *r, const struct rules *from);
void memory_fini(struct rules *r);

/* ---- what feeds a rule (feed.c) ---------------------------------------- */

struct feed {
    bool configured; /* its jobs and worker counts are */
    bool complete;
    bool early;        /* not complete only because it has just begun */
    struct str reason; /* not either of them: the first reason */
};

void feed_check(const struct rules *r, const struct use *uses, size_t count,
                const struct rules_world *w, struct arena *a, struct feed *out);
/* All matchers of the selector on this label take the value. */
bool feed_takes(const struct use *u, struct str label, struct str value,
                struct arena *a);
/* Whether targets of `job` feed this selector. */
bool feed_from_job(const struct rules *r, const struct use *u,
                   const struct rule_job *job, struct arena *a);
/* Whether it asks for this service's workers. */
bool feed_from_service(const struct use *u, struct str service,
                       struct arena *a);

/* A selector of a rule, in the world of one evaluation. */
struct feed_scope {
    const struct rules *rules;
    const struct rules_world *world;
    struct arena *arena;
    const struct use *use;
    const struct figure *figure; /* NULL: no exact name */
};

/* What keeps the figures of a job from being whole, in the arena; empty:
 * nothing (lacks.c). */
struct str lacks_shared(const struct feed_scope *s, const struct rule_job *job);
struct str lacks_own(const struct feed_scope *s, const struct rule_job *job);
/* Where nothing says that the figure comes from this job. */
struct str lacks_perhaps(const struct feed_scope *s,
                         const struct rule_job *job);
/* Nothing is wrong with the job: it has only just begun. */
bool lacks_only_time(const struct feed_scope *s, const struct rule_job *job);

/* ---- texts ------------------------------------------------------------- */

struct texts {
    struct str *items;
    size_t count, cap;
};

void texts_add(struct texts *t, struct arena *a, struct str text);

/* Why an evaluation that went well found nothing (why.c). */
struct str why_empty(const struct rules *r, const struct rule *rule,
                     const struct rules_world *w, struct arena *a);
/* The metric name nearest to one that nothing has; ptr NULL without one. */
struct str why_near(const struct rules_world *w, struct str name);
/* What is doubtful about a value (doubt.c); new contradictions and those that
 * ended become events. */
struct happenings {
    struct rule_event *items;
    size_t count, cap;
};
void happenings_add(struct happenings *h, struct arena *a, struct rule_event e);
void doubt_all(const struct rules *r, struct rule *rule,
               const struct rules_world *w, struct arena *a,
               struct texts *doubts, struct happenings *events);

/* "3 of 5 targets of custom-code-runner" reads better with this. */
const char *plural(size_t n);

#endif
