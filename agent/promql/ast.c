/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/ast.h"

#include "agent/base/regex.h"

#include <stdarg.h>
#include <stdio.h>

struct node *node_unwrap(struct node *n)
{
    while (n->kind == NODE_PAREN)
        n = n->child;
    return n;
}

struct str node_string(const struct node *n)
{
    while (n->kind == NODE_PAREN)
        n = n->child;
    return n->kind == NODE_STRING ? n->string : STR_NONE;
}

bool matcher_accepts(const struct matcher *m, struct str value)
{
    switch (m->op) {
    case MATCH_EQ:
        return str_eq(m->value, value);
    case MATCH_NE:
        return !str_eq(m->value, value);
    case MATCH_RE:
        return regex_match(m->regex, value);
    case MATCH_NRE:
        return !regex_match(m->regex, value);
    }
    return false;
}

enum promql_type promql_type(const struct promql *q)
{
    return q->root->type;
}

const char *promql_type_name(enum promql_type t)
{
    static const char *const names[] = {
        [PROMQL_SCALAR] = "scalar",
        [PROMQL_STRING] = "string",
        [PROMQL_VECTOR] = "instant vector",
        [PROMQL_MATRIX] = "range vector",
    };

    return names[t];
}

struct str promql_text(const struct promql *q)
{
    return q->text;
}

bool promql_fail(struct promql_error *error, struct str text, size_t at,
                 size_t end, const char *fmt, ...)
{
    char message[512];
    size_t line = 1, from = 0;
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    if (at > text.len)
        at = text.len;
    for (size_t i = 0; i < at; i++)
        if (text.ptr[i] == '\n') {
            line++;
            from = i + 1;
        }
    error->offset = at;
    error->length = end > at ? end - at : 0;
    return err_set(&error->err, ERR_CONFIG, "%zu:%zu: parse error: %s", line,
                   at - from + 1, message);
}

void promql_caret(struct str text, const struct promql_error *error,
                  struct buf *out)
{
    size_t at = error->offset < text.len ? error->offset : text.len;
    size_t from = at, to = at, marks;

    while (from > 0 && text.ptr[from - 1] != '\n')
        from--;
    while (to < text.len && text.ptr[to] != '\n')
        to++;
    buf_adds(out, str_n(text.ptr + from, to - from));
    buf_addc(out, '\n');
    /* Tabs stay tabs, and a rune of several bytes takes one place. */
    for (size_t i = from; i < at; i++)
        if (((unsigned char)text.ptr[i] & 0xc0) != 0x80)
            buf_addc(out, text.ptr[i] == '\t' ? '\t' : ' ');
    marks = error->length < to - at ? error->length : to - at;
    buf_addc(out, '^');
    for (size_t i = 1; i < marks; i++)
        if (((unsigned char)text.ptr[at + i] & 0xc0) != 0x80)
            buf_addc(out, '^');
    buf_addc(out, '\n');
}
