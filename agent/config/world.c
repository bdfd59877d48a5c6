/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config/source.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whole, or not at all; what is no regular file (a pipe) is fine too. */
static bool read_all(int fd, const char *path, struct buf *out, struct err *err)
{
    char piece[4096];
    ssize_t n;

    while ((n = read(fd, piece, sizeof(piece))) > 0) {
        buf_add(out, piece, (size_t)n);
        if (!buf_ok(out))
            return err_set(err, ERR_LIMIT, "%s: is longer than %zu bytes", path,
                           out->max);
    }
    if (n < 0)
        return err_set(err, ERR_CONFIG, "%s: cannot be read: %s", path,
                       strerror(errno));
    return true;
}

static bool read_file(void *arg, const char *path, struct buf *out,
                      struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    bool ok;

    (void)arg;
    if (fd < 0)
        return err_set(err, ERR_CONFIG, "%s: cannot be opened: %s", path,
                       strerror(errno));
    ok = read_all(fd, path, out, err);
    (void)close(fd);
    return ok;
}

static void match(void *arg, const char *pattern,
                  void (*found)(void *to, const char *path), void *to)
{
    glob_t g;

    (void)arg;
    if (glob(pattern, 0, NULL, &g) != 0)
        return;
    for (size_t i = 0; i < g.gl_pathc; i++)
        found(to, g.gl_pathv[i]);
    globfree(&g);
}

struct conf_world conf_world_process(void)
{
    return (struct conf_world){
        .variables = (const char *const *)environ,
        .read_file = read_file,
        .match = match,
    };
}

const char *conf_world_variable(const struct conf_world *w, const char *name)
{
    size_t n = strlen(name);

    for (const char *const *v = w->variables; v && *v; v++)
        if (strncmp(*v, name, n) == 0 && (*v)[n] == '=')
            return *v + n + 1;
    return NULL;
}
