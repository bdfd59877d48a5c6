/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ready.h - tell when a socket can be read or written.
 *
 * Glue for the files of this folder: libcurl, c-ares and libmicrohttpd each
 * hand out sockets to be watched.  The socket stays theirs; a watch must be
 * freed before its socket is closed, and may be freed inside its function.
 */
#ifndef AGENT_IO_READY_H
#define AGENT_IO_READY_H

#include "agent/io/loop.h"

struct ready;
struct uv_loop_s;

struct ready_now {
    int fd;
    bool readable, writable;
    bool broken; /* an error stands at the socket: read or write to meet it */
};

typedef void ready_fn(void *arg, const struct ready_now *now);

/* NULL where the system refuses to watch it; nothing is watched at first. */
struct ready *ready_new(struct loop *loop, int fd, ready_fn *fn, void *arg);
/* False where the system refuses. */
bool ready_want(struct ready *r, bool readable, bool writable);
void ready_free(struct ready *r);

/* The loop beneath; no other folder asks for it. */
struct uv_loop_s *loop_uv(struct loop *loop);

#endif
