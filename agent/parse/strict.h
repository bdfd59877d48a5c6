/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strict.h - what the specifications ask beyond what Prometheus refuses.
 *
 * Each is told of a line that the grammar has found good, and returns false
 * after fault_at().
 */
#ifndef AGENT_PARSE_STRICT_H
#define AGENT_PARSE_STRICT_H

#include "agent/parse/internal.h"

struct strict *strict_new(void);
void strict_free(struct strict *s);
/* The sample in p->line. */
bool strict_sample(struct parser *p, struct str name);
/* `name_at`: where the name stands in the line `text`. */
bool strict_meta(struct parser *p, const struct parse_meta *m, const char *text,
                 size_t name_at);
/* The body ends; `text` is its last line. */
bool strict_end(struct parser *p, const char *text);

#endif
