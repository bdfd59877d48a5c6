/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/command.h"

#include <signal.h>

int main(int argc, char **argv)
{
    /* A reader that went away is an error of write(), not the end. */
    (void)signal(SIGPIPE, SIG_IGN);
    return (int)command_main(argc, argv);
}
