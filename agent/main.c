/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* A standard stream that the caller closed would give its number to the next
 * thing that is opened, and results would be written into a socket.  In its
 * place stands one that can do nothing: writing to standard output, and
 * reading from standard input, fail as on what is closed. */
static void hold_standard_streams(void)
{
    static const int able[] = {O_WRONLY, O_RDONLY, O_WRONLY};

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)open("/dev/null", able[fd]);
}

int main(int argc, char **argv)
{
    hold_standard_streams();
    /* A reader that went away is an error of write(), not the end. */
    (void)signal(SIGPIPE, SIG_IGN);
    return (int)command_main(argc, argv);
}
