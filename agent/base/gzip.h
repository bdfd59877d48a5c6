/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip.h - gzip (RFC 1952), a piece at a time, by zlib.
 */
#ifndef AGENT_BASE_GZIP_H
#define AGENT_BASE_GZIP_H

#include "agent/base/buf.h"
#include "agent/base/err.h"

struct gunzip; /* members may follow each other, as in `cat a.gz b.gz` */

/* Takes what was unpacked; false stops the feed with the same answer. */
typedef bool gunzip_fn(void *arg, const char *p, size_t n, struct err *err);

struct gunzip *gunzip_new(gunzip_fn *fn, void *arg);
void gunzip_free(struct gunzip *g);
must_check bool gunzip_feed(struct gunzip *g, const char *p, size_t n,
                            struct err *err);
/* All input has been fed: false if the stream is cut short. */
must_check bool gunzip_end(struct gunzip *g, struct err *err);

/* The whole of `in` as one member onto `out`; time stamp 0, so repeatable. */
must_check bool gzip_pack(struct buf *out, struct str in, struct err *err);

#endif
