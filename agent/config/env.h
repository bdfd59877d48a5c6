/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env.h - options from environment variables.
 *
 * scrape.interval is SCALEBRIDGE_SCRAPE_INTERVAL.  Every option that is
 * reached through sections alone has a variable; members of listed sections
 * have none.  Lists are written a,b and maps a=1,b=2; a section of choices
 * (CONF_CHOICES) takes the names that are wanted.  An empty variable is one
 * that is not set.  A SCALEBRIDGE_ variable that means nothing is a fault.
 */
#ifndef AGENT_CONFIG_ENV_H
#define AGENT_CONFIG_ENV_H

#include "agent/config/source.h"

#define CONF_ENV_PREFIX "SCALEBRIDGE_"

/* A tree to be merged over the file's, or NULL when no variable is set.
 * `others` are names that mean something to the caller, NULL at the end; one
 * that ends in * stands for all that begin so.  May be NULL. */
struct conf_node *conf_env(struct conf *c, const struct conf_world *w,
                           const struct conf_key *keys,
                           const char *const *others);
/* SCALEBRIDGE_SCRAPE_INTERVAL from "scrape.interval". */
void conf_env_name(struct str path, struct buf *out);

#endif
