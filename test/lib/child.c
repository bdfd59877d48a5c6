/* SPDX-License-Identifier: Apache-2.0 */
#include "test/lib/child.h"

#include "test/lib/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(const char *script, const int in[2], const int out[2])
{
    const char *python = getenv("PYTHON");
    const char *src = getenv("srcdir");
    char path[1024];

    (void)snprintf(path, sizeof(path), "%s/test/fakes/%s", src ? src : ".",
                   script);
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    close(in[0]);
    close(in[1]);
    close(out[0]);
    close(out[1]);
    execlp(python && *python ? python : "python3", "python", path,
           (char *)NULL);
    _exit(127);
}

static bool read_line(int fd, char *line, size_t size)
{
    size_t n = 0;

    while (n + 1 < size && read(fd, line + n, 1) == 1) {
        if (line[n] == '\n') {
            line[n] = '\0';
            return true;
        }
        n++;
    }
    return false;
}

bool child_start(struct child *c, const char *script)
{
    int in[2], out[2];
    bool ok;

    if (pipe(in) != 0 || pipe(out) != 0)
        return false;
    c->pid = fork();
    if (c->pid == 0)
        become(script, in, out);
    close(in[0]);
    close(out[1]);
    c->input = in[1];
    ok = c->pid > 0 && read_line(out[0], c->line, sizeof(c->line));
    close(out[0]);
    if (!ok)
        child_stop(c);
    return ok;
}

void child_stop(struct child *c)
{
    close(c->input);
    if (c->pid > 0) {
        kill(c->pid, SIGKILL);
        waitpid(c->pid, NULL, 0);
    }
    c->pid = 0;
}

const char *child_value(const struct child *c, const char *key, char *out,
                        size_t size)
{
    size_t n = strlen(key);
    const char *at = c->line;

    while (at && (strncmp(at, key, n) != 0 || at[n] != '=')) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    assert_non_null(at);
    if (!at)
        return "";
    at += n + 1;
    (void)snprintf(out, size, "%.*s", (int)strcspn(at, " "), at);
    return out;
}

int child_number(const struct child *c, const char *key)
{
    char text[16];

    return (int)strtol(child_value(c, key, text, sizeof(text)), NULL, 10);
}
