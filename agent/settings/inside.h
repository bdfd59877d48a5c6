/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h - what the files of this folder share, and nobody else sees.
 */
#ifndef AGENT_SETTINGS_INSIDE_H
#define AGENT_SETTINGS_INSIDE_H

#include "agent/settings/settings.h"

/* The jobs of a Membrane that need not be described. */
struct settings_builtin {
    const char *job;
    const char *variable; /* of its URLs */
    const char *path;     /* of its metrics */
};
extern const struct settings_builtin settings_builtins[]; /* job NULL ends */

/* keys.c: of one row. */
extern const struct conf_key settings_job_keys[];
extern const struct conf_key settings_capacity_keys[];

/* layers.c: all sources as one tree; NULL when there is nothing. */
struct conf_node *settings_gather(struct settings *s,
                                  const struct conf_world *w,
                                  const struct settings_source *from,
                                  const struct conf_key *keys);
/* rulefiles.c: the recording rules. */
void settings_read_rule_files(struct settings *s, const struct conf_world *w);
/* check_actuate.c: what is scaled here. */
void settings_check_actuate(struct settings *s);
/* check.c: what the tables cannot see. */
void settings_check(struct settings *s);

#endif
