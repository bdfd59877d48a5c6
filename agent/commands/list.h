/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - every command; their order in `help` is that of commands.c. */
#ifndef AGENT_COMMANDS_LIST_H
#define AGENT_COMMANDS_LIST_H

#include "agent/commands/command.h"

struct settings;

extern const struct command command_check_auth;
extern const struct command command_check_config;
extern const struct command command_check_policy;
extern const struct command command_demo;
extern const struct command command_eval;
extern const struct command command_health;
extern const struct command command_help;
extern const struct command command_parse_text;
extern const struct command command_policy;
extern const struct command command_run;
extern const struct command command_test_rules;
extern const struct command command_version;

/* The settings of `file` (NULL: as the variables say) with the options
 * --log-level and --log-format of this line; warnings and faults are told,
 * and with a fault it is NULL. */
struct settings *run_settings(const struct command_line *line,
                              const char *file);

#endif
