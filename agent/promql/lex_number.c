/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/lex_scan.h"
#include "agent/promql/quote.h"

static bool is(const struct lexer *l, const char *set)
{
    uint32_t r = lex_peek(l);

    return r > 0 && r < 0x80 && strchr(set, (int)r);
}

static bool accept(struct lexer *l, const char *set)
{
    if (!is(l, set))
        return false;
    (void)lex_rune(l);
    return true;
}

struct number {
    const char *digits;
    bool hex, dot, exponent;
};

static bool dot(struct lexer *l, struct number *n)
{
    if (n->dot || accept(l, "_.") || n->hex)
        return false;
    n->dot = true;
    return true;
}

static bool exponent(struct lexer *l, struct number *n)
{
    if (n->exponent)
        return false;
    n->exponent = true;
    (void)accept(l, "+-");
    return !accept(l, "._eE") && lex_peek(l) != RUNE_EOF;
}

static bool underscore(struct lexer *l)
{
    return !accept(l, "._eE") && lex_peek(l) != RUNE_EOF;
}

/* One step behind the first digit; false when it cannot be a number. */
static bool step(struct lexer *l, struct number *n)
{
    if (accept(l, "."))
        return dot(l, n);
    if (accept(l, "eE"))
        return exponent(l, n);
    if (accept(l, "_"))
        return underscore(l);
    while (accept(l, n->digits))
        ;
    return true;
}

bool lex_number(struct lexer *l)
{
    struct number n = {.digits = "0123456789"};
    size_t from = l->pos;

    if (accept(l, "0") && accept(l, "xX")) {
        (void)accept(l, "_");
        n.digits = "0123456789abcdefABCDEF";
        n.hex = true;
    }
    (void)accept(l, ".");
    (void)accept(l, n.digits);
    while (is(l, n.digits) || is(l, "._eE"))
        if (!step(l, &n))
            return false;
    return l->pos > from && !lex_alphanumeric(lex_peek(l));
}

bool lex_duration(struct lexer *l)
{
    if (!accept(l, "smhdwy"))
        return false;
    (void)accept(l, "s"); /* ms; the parser knows the bad ones */
    while (accept(l, "0123456789")) {
        while (accept(l, "0123456789"))
            ;
        if (!accept(l, "smhdw"))
            return false;
        (void)accept(l, "s");
    }
    if (!lex_alphanumeric(lex_peek(l)))
        return true;
    (void)lex_rune(l); /* the message quotes it */
    return false;
}
