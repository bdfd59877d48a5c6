/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_world.h - a small world for tests of agent/rules: jobs with targets
 * whose figures are set one by one, a clock, and rules evaluated over it.
 *
 * A cycle: set figures, world_cycle(); results are good until the next one.
 */
#ifndef TEST_LIB_RULES_WORLD_H
#define TEST_LIB_RULES_WORLD_H

#include "agent/rules/rules.h"

enum { WORLD_JOBS = 4, WORLD_TARGETS = 6, WORLD_METRICS = 8 };

struct world {
    struct store *store;
    struct rules *rules;
    struct groups *groups; /* NULL: no recording rules */
    struct records_told recorded;
    struct arena arena;
    int64_t now_ms;
    struct rule_job jobs[WORLD_JOBS];
    struct rule_target targets[WORLD_JOBS][WORLD_TARGETS];
    struct rule_service services[2];
    size_t job_count, service_count;
    bool once;
    struct preset_conf membrane;
    struct rule_conf metrics[WORLD_METRICS];
    size_t metric_count;
    char fault[1024]; /* the first one told, with its quote */
    const void *fault_field;
    struct rules_results results;
};

/* Without jobs, workers and metrics; the default preset. */
void world_init(struct world *w);
void world_fini(struct world *w);

/* A user's metric, before world_start(). */
struct rule_conf *world_metric(struct world *w, const char *name,
                               const char *expr);
/* Recording rules, as a rule file has them, before world_start(). */
void world_rule_file(struct world *w, const char *text);
/* Makes the rules; false where the settings have a fault. */
bool world_start(struct world *w);

/* A job with `n` healthy targets, whose instances are a, b, c ... */
struct rule_job *world_job(struct world *w, const char *name, size_t n);
/* The whole Membrane of the default preset: two API replicas, two runners,
 * two queued tasks workers, and a count of instant workers. */
void world_membrane(struct world *w);
struct rule_target *world_target(struct world *w, const char *job, size_t i);
void world_down(struct world *w, const char *job, size_t i, const char *error);
void world_up(struct world *w, const char *job, size_t i);
void world_workers(struct world *w, double count);

/* A sample of now. */
void world_set(struct world *w, const char *name, const char *job, size_t i,
               double v);
/* The same for all targets of the job. */
void world_set_all(struct world *w, const char *name, const char *job,
                   double v);
/* The shared figures of an API that is up, in one go. */
void world_api(struct world *w, double active, double waiting);

void world_pass(struct world *w, int64_t ms);
/* Recording groups that are due, every 15s by default, then the rules. */
void world_evaluate(struct world *w);

const struct rule_result *world_result(const struct world *w, const char *name);
/* The only row's value. */
double world_value(const struct world *w, const char *name);
bool world_has_doubt(const struct world *w, const char *name, const char *part);
/* Events about a rule whose text holds `part`. */
size_t world_events(const struct world *w, const char *name, const char *part);
/* The reason holds `part`. */
void world_assert_reason(const struct world *w, const char *name,
                         const char *part);

#endif
