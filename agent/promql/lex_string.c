/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/lex_scan.h"
#include "agent/promql/quote.h"

#include <stdio.h>

static int digit_value(uint32_t r)
{
    if ((r >= '0' && r <= '9'))
        return (int)(r - '0');
    if (r >= 'a' && r <= 'f')
        return (int)(r - 'a') + 10;
    if (r >= 'A' && r <= 'F')
        return (int)(r - 'A') + 10;
    return 16;
}

static bool bad_escape(struct lexer *l, const char *what, uint32_t r,
                       const char *where)
{
    struct buf b;

    buf_init(&b, sizeof(l->error) - 1);
    buf_addz(&b, what);
    quote_rune_hash(&b, r);
    buf_addz(&b, where);
    lex_error(l, buf_z(&b));
    buf_fini(&b);
    return false;
}

/* `count` digits of which `r` is the first. */
static bool escape_digits(struct lexer *l, uint32_t r, int count, int base,
                          uint32_t max)
{
    uint32_t v = 0;

    for (; count > 0; count--) {
        int d = digit_value(r);

        if (r == RUNE_EOF) {
            lex_error(l, "escape sequence not terminated");
            return false;
        }
        if (d >= base)
            return bad_escape(l, "illegal character ", r,
                              " in escape sequence");
        v = v * (uint32_t)base + (uint32_t)d;
        if (count > 1)
            r = lex_rune(l);
    }
    if (v <= max && (v < 0xd800 || v >= 0xe000))
        return true;
    lex_error(l, "escape sequence is an invalid Unicode code point");
    return false;
}

static bool escape(struct lexer *l, uint32_t quote)
{
    uint32_t r = lex_rune(l);

    if (r == quote || (r < 0x80 && r && strchr("abfnrtv\\", (int)r)))
        return true;
    if (r >= '0' && r <= '7')
        return escape_digits(l, r, 3, 8, 255);
    if (r == 'x')
        return escape_digits(l, lex_rune(l), 2, 16, 255);
    if (r == 'u')
        return escape_digits(l, lex_rune(l), 4, 16, 0x10ffff);
    if (r == 'U')
        return escape_digits(l, lex_rune(l), 8, 16, 0x10ffff);
    if (r != RUNE_EOF)
        return bad_escape(l, "unknown escape sequence ", r, "");
    lex_error(l, "escape sequence not terminated");
    return false;
}

static bool fail(struct lexer *l, const char *message)
{
    lex_error(l, message);
    return false;
}

bool lex_string(struct lexer *l, uint32_t quote)
{
    for (;;) {
        uint32_t r = lex_rune(l);

        if (r == quote)
            return true;
        if (r == RUNE_EOF && quote == '`')
            return fail(l, "unterminated raw string");
        if (r == RUNE_ERROR)
            return fail(l, "invalid UTF-8 rune");
        if (quote == '`')
            continue;
        if (r == RUNE_EOF || r == '\n')
            return fail(l, "unterminated quoted string");
        if (r == '\\' && !escape(l, quote))
            return false;
    }
}
