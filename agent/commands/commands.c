/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/list.h"

const struct command *const commands[] = {
    &command_help,
    &command_version,
    NULL,
};
