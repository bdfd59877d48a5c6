/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h - what the commands ask of the composition root, which stands above
 * them: agent/serve.c and agent/once.c provide these two functions.
 */
#ifndef AGENT_COMMANDS_RUN_H
#define AGENT_COMMANDS_RUN_H

#include "agent/commands/command.h"
#include "agent/report/report.h"
#include "agent/settings/settings.h"

struct loop;

struct agent_serve_options {
    struct loop *loop; /* NULL: one of its own */
    /* Reads the settings once more, from where they came, for a reload; never
     * gives NULL, but perhaps faults.  NULL: there is no reload. */
    struct settings *(*again)(void *arg);
    void *arg;
};

/* Scrapes, evaluates and publishes until a signal.  SIGHUP reloads: settings
 * with a fault are refused, and told, and those in force go on. */
must_check bool agent_serve(struct settings *s,
                            const struct agent_serve_options *options,
                            struct err *err);

struct agent_once_options {
    struct loop *loop; /* NULL: one of its own */
    bool dry;          /* show what would be sent, send nothing */
};

/* `r` is lent for the call. */
typedef void agent_report_fn(void *arg, const struct report *r);
/* One cycle; false only when it could not be started. */
must_check bool agent_once(struct settings *s,
                           const struct agent_once_options *options,
                           agent_report_fn *report, void *arg, struct err *err);

#endif
