/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's syntax of floating-point literals beyond plain decimals: hexadecimal
 * mantissas and underscores between digits (The Go Programming Language
 * Specification, "Floating-point literals").
 */
#include "agent/base/num.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

#define LITERAL_MAX 256 /* longer ones are nobody's bound */

static bool is_dec(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_dec(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool has_hex_prefix(struct str s)
{
    return s.len >= 2 && s.ptr[0] == '0' &&
           (s.ptr[1] == 'x' || s.ptr[1] == 'X');
}

/* Copies `s` without its underscores; false where one does not stand between
 * two digits, or between the prefix and a digit. */
static bool without_underscores(struct str s, char out[LITERAL_MAX],
                                struct str *got)
{
    const bool hex = has_hex_prefix(s);
    char before = '.';
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        const char c = s.ptr[i];
        const bool digit = hex ? is_hex(c) || i == 1 : is_dec(c);

        if (c == '_' ? before != '0' : before == '_' && !digit)
            return false;
        before = c;
        if (digit)
            before = '0';
        if (c != '_')
            out[n++] = c;
    }
    out[n] = '\0';
    *got = str_n(out, n);
    return before != '_';
}

/* From behind the prefix: digits with at most one point among them, and the
 * exponent, which must be there. */
static bool is_hex_literal(struct str s)
{
    size_t at = 0, digits = 0, points = 0;

    for (; at < s.len && (is_hex(s.ptr[at]) || s.ptr[at] == '.'); at++) {
        digits += s.ptr[at] != '.';
        points += s.ptr[at] == '.';
    }
    if (digits == 0 || points > 1 || at == s.len ||
        (s.ptr[at] != 'p' && s.ptr[at] != 'P'))
        return false;
    at++;
    at += at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+');
    if (at == s.len)
        return false;
    while (at < s.len && is_dec(s.ptr[at]))
        at++;
    return at == s.len;
}

/* `z` ends in NUL; the C library knows hexadecimal floats. */
static double read_hex(const char *z)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double v = c ? strtod_l(z, NULL, c) : strtod(z, NULL);

    if (c)
        freelocale(c);
    return v;
}

bool num_parse_go(struct str s, double *out)
{
    const bool negative = s.len > 0 && s.ptr[0] == '-';
    char text[LITERAL_MAX];
    struct str rest;
    double v;

    if (num_parse(s, out))
        return true;
    if (negative || (s.len > 0 && s.ptr[0] == '+'))
        s = str_from(s, 1);
    if (s.len == 0 || s.len >= LITERAL_MAX ||
        (s.ptr[0] != '.' && !is_dec(s.ptr[0])) ||
        !without_underscores(s, text, &rest))
        return false;
    if (!has_hex_prefix(rest)) {
        if (!num_parse(rest, &v))
            return false;
    } else if (is_hex_literal(str_from(rest, 2))) {
        v = read_hex(text);
    } else {
        return false;
    }
    *out = negative ? -v : v;
    return !isinf(v);
}
