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

/* Scrapes, evaluates and publishes until a signal; on `loop`, NULL: on one of
 * its own. */
must_check bool agent_serve(const struct settings *s, struct loop *loop,
                            struct err *err);

struct agent_once_options {
    struct loop *loop; /* NULL: one of its own */
    bool dry;          /* show what would be sent, send nothing */
};

/* `r` is lent for the call. */
typedef void agent_report_fn(void *arg, const struct report *r);
/* One cycle; false only when it could not be started. */
must_check bool agent_once(const struct settings *s,
                           const struct agent_once_options *options,
                           agent_report_fn *report, void *arg, struct err *err);

#endif
