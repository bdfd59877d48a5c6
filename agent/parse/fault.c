/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/parse/internal.h"

#include <stdarg.h>
#include <stdio.h>

/* A line may hold LFs, in a string: count them. */
static void place(struct parser *p, const char *text, size_t at)
{
    const char *from = text;
    const char *to = text + at;
    const char *lf;

    p->fault.line = p->line_no;
    while (from < to && (lf = memchr(from, '\n', (size_t)(to - from)))) {
        p->fault.line++;
        from = lf + 1;
    }
    p->fault.col = (uint64_t)(to - from) + 1;
}

bool fault_at(struct parser *p, const char *text, size_t at, enum err_kind kind,
              const char *fmt, ...)
{
    va_list ap;

    if (p->failed)
        return false;
    place(p, text, at);
    p->failed = true;
    p->fault.err.kind = kind;
    va_start(ap, fmt);
    vsnprintf(p->fault.err.text, sizeof(p->fault.err.text), fmt, ap);
    va_end(ap);
    return false;
}

static size_t shown(char *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";

    if (c >= 0x20 && c < 0x7f) {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    if (c == '\t' || c == '\r' || c == '\n') {
        out[1] = "tnr"[(c > '\t') + (c > '\n')];
        return 2;
    }
    out[1] = 'x';
    out[2] = hex[c >> 4];
    out[3] = hex[c & 15];
    return 4;
}

const char *excerpt(struct excerpt *e, const char *text, size_t len)
{
    const size_t most = len > EXCERPT_BYTES ? EXCERPT_BYTES - 3 : len;
    size_t n = 0;

    for (size_t i = 0; i < most; i++)
        n += shown(e->text + n, (unsigned char)text[i]);
    if (most < len) {
        memcpy(e->text + n, "...", 3);
        n += 3;
    }
    e->text[n] = '\0';
    return e->text;
}
