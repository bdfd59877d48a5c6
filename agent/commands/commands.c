/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/list.h"

/* clang-format off */
const struct command *const commands[] = {
    &command_run,
    &command_check_config,
    &command_check_auth,
    &command_parse_text,
    &command_eval,
    &command_policy,
    &command_check_policy,
    &command_test_rules,
    &command_health,
    &command_demo,
    &command_help,
    &command_version,
    NULL,
};
/* clang-format on */
