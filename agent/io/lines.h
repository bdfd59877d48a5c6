/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.h - whole lines onto a descriptor that may be slow, full or gone.
 *
 * Each line is one write(2), so that one of up to PIPE_BUF (4096) bytes goes
 * into a pipe whole or not at all (POSIX, write()).  The loop never waits for
 * whoever reads: what has no room now is an error, to be tried again.  Where a
 * longer line broke off, the next one starts on a line of its own.
 *
 * A program whose output may close ignores SIGPIPE.
 */
#ifndef AGENT_IO_LINES_H
#define AGENT_IO_LINES_H

#include "agent/base/err.h"
#include "agent/base/str.h"

struct lines {
    int fd;
    const char *name; /* as errors call it; lent */
    bool torn;        /* the last line lacks its end */
};

/* `text` ends in a line feed.  On failure a part of the lines may be out. */
must_check bool lines_write(struct lines *l, struct str text, struct err *err);

#endif
