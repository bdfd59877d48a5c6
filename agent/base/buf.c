/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/buf.h"

#include "agent/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max < BUF_NO_LIMIT ? max : BUF_NO_LIMIT};
}

void buf_fini(struct buf *b)
{
    free(b->data);
    buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->over = false;
    if (b->data)
        b->data[0] = '\0';
}

/* Room for `n` more bytes and a NUL; false, and over, beyond the maximum. */
static bool room(struct buf *b, size_t n)
{
    size_t want = b->cap ? b->cap : 64;

    if (b->over || n > b->max - b->len) {
        b->over = true;
        return false;
    }
    if (b->len + n < b->cap)
        return true;
    while (want <= b->len + n)
        want *= 2;
    if (want > b->max + 1)
        want = b->max + 1;
    b->data = xreallocarray(b->data, want, 1);
    b->cap = want;
    return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    if (!room(b, n))
        return;
    if (n)
        memcpy(b->data + b->len, p, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, struct str s)
{
    buf_add(b, s.ptr, s.len);
}

void buf_addz(struct buf *b, const char *z)
{
    buf_add(b, z, strlen(z));
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_addv(b, fmt, ap);
    va_end(ap);
}

void buf_addv(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n < 0)
        b->over = true;
    else if (room(b, (size_t)n)) {
        (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

char *buf_take(struct buf *b)
{
    char *data = b->data ? b->data : xstrdup("");

    buf_init(b, b->max);
    return data;
}
