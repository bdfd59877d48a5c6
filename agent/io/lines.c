/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/lines.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static bool too_slow(const struct lines *l, struct err *err)
{
    return err_set(err, ERR_TIMEOUT,
                   "%s: has no room: whoever reads it does not keep up",
                   l->name);
}

/* A pipe with room has room for PIPE_BUF bytes. */
static bool has_room(const struct lines *l, struct err *err)
{
    struct pollfd p = {.fd = l->fd, .events = POLLOUT};

    return poll(&p, 1, 0) != 0 || too_slow(l, err);
}

static bool write_all(struct lines *l, struct str s, struct err *err)
{
    while (s.len > 0) {
        ssize_t n = write(l->fd, s.ptr, s.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return too_slow(l, err);
        if (n < 0)
            return err_set(err, ERR_INPUT, "%s: %s", l->name, strerror(errno));
        l->torn = (size_t)n < s.len;
        s = str_from(s, (size_t)n);
    }
    return true;
}

bool lines_write(struct lines *l, struct str text, struct err *err)
{
    while (text.len > 0) {
        size_t end = str_find(text, '\n') + 1;
        struct str line = str_n(text.ptr, end < text.len ? end : text.len);

        if (!has_room(l, err) || (l->torn && !write_all(l, STR("\n"), err)) ||
            !write_all(l, line, err))
            return false;
        text = str_from(text, line.len);
    }
    return true;
}
