/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nothing here may allocate, so no stdio. */
static _Noreturn void out_of_memory(void)
{
    static const char line[] =
        "level=error event=out_of_memory error=\"memory is used up; raise "
        "the limit or lower what is kept\"\n";

    if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
        _exit(EXIT_FAILURE);
    _exit(EXIT_FAILURE);
}

void *xmalloc(size_t n)
{
    void *p = malloc(n ? n : 1);

    if (!p)
        out_of_memory();
    return p;
}

void *xcalloc(size_t count, size_t size)
{
    void *p = count && size ? calloc(count, size) : calloc(1, 1);

    if (!p)
        out_of_memory();
    return p;
}

void *xreallocarray(void *p, size_t count, size_t size)
{
    size_t n;
    void *q;

    if (__builtin_mul_overflow(count, size, &n))
        out_of_memory();
    q = realloc(p, n ? n : 1);
    if (!q)
        out_of_memory();
    return q;
}

char *xstrdup(const char *s)
{
    return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t len)
{
    char *p;

    if (len == SIZE_MAX)
        out_of_memory();
    p = xmalloc(len + 1);
    if (len)
        memcpy(p, s, len);
    p[len] = '\0';
    return p;
}

/* `items` points at a pointer of the caller's type, hence the copies. */
void xgrow(void *items, size_t *cap, size_t count, size_t size)
{
    size_t want = *cap ? *cap : 8;
    void *p;

    if (count < *cap)
        return;
    while (want <= count)
        if (__builtin_mul_overflow(want, 2U, &want))
            out_of_memory();
    memcpy(&p, items, sizeof(p));
    p = xreallocarray(p, want, size);
    memcpy(items, &p, sizeof(p));
    *cap = want;
}

void wipe(void *p, size_t n)
{
    if (p)
        explicit_bzero(p, n);
}

void wipe_free(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}
