/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show.h - a report onto standard output, in the form that was asked for.
 */
#ifndef AGENT_COMMANDS_SHOW_H
#define AGENT_COMMANDS_SHOW_H

#include "agent/commands/command.h"
#include "agent/report/report.h"

enum show_form { SHOW_TABLE, SHOW_JSON, SHOW_PROMETHEUS };

struct show {
    enum show_form form;
    struct report_style style;
    enum exit_status status; /* out: what the report means */
};

/* `word` NULL: the table. */
must_check bool show_form_parse(const char *word, enum show_form *form,
                                struct err *err);
/* An agent_report_fn; `arg` is a struct show.  Colour only on a terminal and
 * without NO_COLOR (no-color.org). */
void show_report(void *arg, const struct report *r);

#endif
