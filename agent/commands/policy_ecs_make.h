/* SPDX-License-Identifier: Apache-2.0 */
/* policy_ecs_make.h - a plan in the making; for the files that make it. */
#ifndef AGENT_COMMANDS_POLICY_ECS_MAKE_H
#define AGENT_COMMANDS_POLICY_ECS_MAKE_H

#include "agent/commands/policy_ecs.h"

struct policy_maker {
    struct policy_metrics all;
    const struct policy_ask *ask;
    struct arena *arena;
    struct policy_plan *plan;
    bool fast; /* some metric has got an alarm of seconds */
};

/* Said beside the output; the plan has room for three a metric. */
void policy_make_note(struct policy_maker *m, struct str text);

/* The cluster of a service, by option or by the settings. */
must_check bool policy_make_cluster(const struct policy_maker *m,
                                    struct str service, struct str *cluster,
                                    struct err *err);

/* Steps by an alarm of seconds, beside target tracking. */
must_check bool policy_make_fast(struct policy_maker *m,
                                 const struct rule_info *info,
                                 const struct policy_metric *metric,
                                 struct policy_service *v, struct err *err);
/* The first task, by the demand itself. */
must_check bool policy_make_from_zero(struct policy_maker *m,
                                      struct policy_service *v,
                                      struct err *err);
/* The alarm that tells when scaling has gone blind. */
must_check bool policy_make_age(struct policy_maker *m, struct err *err);

#endif
