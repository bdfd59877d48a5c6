/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h - growing bytes, born with their maximum.
 *
 * Append freely and ask buf_ok() once at the end: going over the maximum is
 * sticky, and what did not fit is left out whole.  `data` is NUL-terminated
 * after any append; it is NULL before the first.
 */
#ifndef AGENT_BASE_BUF_H
#define AGENT_BASE_BUF_H

#include "agent/base/str.h"

#include <stdarg.h>

struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max;
    bool over;
};

#define BUF_NO_LIMIT (SIZE_MAX / 4)

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);  /* frees; the buffer is empty and usable again */
void buf_reset(struct buf *b); /* empty, not over, memory kept */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, struct str s);
void buf_addz(struct buf *b, const char *z);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_addv(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static inline bool buf_ok(const struct buf *b)
{
    return !b->over;
}

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->data, b->len};
}

/* As a C string: "" when nothing was added. */
static inline const char *buf_z(const struct buf *b)
{
    return b->data ? b->data : "";
}

/* Hands the bytes over (to be freed; never NULL) and leaves `b` empty. */
char *buf_take(struct buf *b);

#endif
