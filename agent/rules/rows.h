/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows.h - inside the rules: the rows of a result, fresh and held.
 */
#ifndef AGENT_RULES_ROWS_H
#define AGENT_RULES_ROWS_H

#include "agent/rules/rule.h"

struct rows {
    struct rule_row *items;
    size_t count;
    size_t fresh;        /* of them */
    struct str reason;   /* why there are none, or none fresh */
    struct texts doubts; /* about single rows */
};

/* From what the expression gave: finite values are fresh; a series without
 * one gets its last good value while that may be held, and a doubt.  False
 * with the reason (but for no series at all) when nothing is fresh. */
bool rows_read(const struct rule *rule, const struct promql_result *result,
               int64_t t_ms, struct arena *a, struct rows *out);
/* The last good values that may still be held. */
void rows_hold(const struct rule *rule, int64_t t_ms, struct arena *a,
               struct rows *out);
/* One row without labels. */
void rows_single(double value, struct arena *a, struct rows *out);
/* Keeps them to be held later. */
void rows_keep(struct rule *rule, const struct rows *rows, int64_t t_ms);
/* What a standard policy would ask for; `running`: NULL when not known. */
void rows_imply(const struct rule_info *info, const double *running,
                struct rows *rows);

#endif
