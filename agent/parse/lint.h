/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lint.h - faults of style, as promtool's `check metrics` tells them
 * (prometheus/docs, practices/naming).
 */
#ifndef AGENT_PARSE_LINT_H
#define AGENT_PARSE_LINT_H

#include "agent/parse/internal.h"

struct lint *lint_new(void);
void lint_free(struct lint *l);
void lint_sample(struct parser *p, struct str name);
void lint_meta(struct parser *p, const struct parse_meta *m, size_t name_at);
/* What can be told only of a whole family. */
void lint_end(struct parser *p);

#endif
