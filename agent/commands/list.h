/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - every command; their order in `help` is that of commands.c. */
#ifndef AGENT_COMMANDS_LIST_H
#define AGENT_COMMANDS_LIST_H

#include "agent/commands/command.h"

extern const struct command command_help;
extern const struct command command_version;

#endif
