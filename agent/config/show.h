/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show.h - the tables and a configuration, printed.
 */
#ifndef AGENT_CONFIG_SHOW_H
#define AGENT_CONFIG_SHOW_H

#include "agent/config/conf.h"

/* One option, as documents tell it; lent for the call. */
struct conf_option {
    const char *path;   /* "scrape.jobs[].name", "capacity.NAME.fixed" */
    const char *env;    /* its variable, or "" */
    const char *kind;   /* "duration", "one of own, shared" */
    const char *def;    /* "" where there is none */
    const char *bounds; /* "1s to 1h", or "" */
    bool section;       /* its members follow */
    const struct conf_key *row;
};
typedef void conf_option_fn(void *arg, const struct conf_option *o);

/* Every option below `keys`, a section before its members. */
void conf_options(const struct conf_key *keys, conf_option_fn *fn, void *arg);
/* All of them for a terminal. */
void conf_options_print(const struct conf_key *keys, struct buf *out);
/* What is in force, as YAML; what was written says where.  Secrets are
 * masked. */
void conf_show(const struct conf *c, const struct conf_key *keys,
               const void *values, struct buf *out);

#endif
