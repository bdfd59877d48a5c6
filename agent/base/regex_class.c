/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/regex_gate.h"

#define LARGEST_RUNE 0x10FFFFU

static bool alnum(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z');
}

/* PCRE2 in UTF mode has no surrogates, and no valid text does. */
static bool surrogate(uint32_t c)
{
    return c >= 0xD800 && c <= 0xDFFF;
}

void gate_put_char(struct regex_gate *g, uint32_t c)
{
    if (alnum(c))
        buf_addc(&g->out, (char)c);
    else
        buf_addf(&g->out, "\\x{%x}", c);
}

static uint32_t peek(const struct regex_gate *g)
{
    uint32_t c = 0;

    return str_rune(g->rest, &c) ? c : 0;
}

static void skip(struct regex_gate *g, size_t n)
{
    g->rest = str_from(g->rest, n);
}

static uint32_t next(struct regex_gate *g)
{
    uint32_t c = 0;

    skip(g, str_rune(g->rest, &c));
    return c;
}

/* The text from `from` to where reading stands. */
static struct str since(const struct regex_gate *g, struct str from)
{
    return str_n(from.ptr, from.len - g->rest.len);
}

static bool bad_escape(struct regex_gate *g, struct str from)
{
    return gate_fail(g, "invalid escape sequence", since(g, from));
}

static int hex_digit(uint32_t c)
{
    if (c >= '0' && c <= '9')
        return (int)(c - '0');
    if ((c | 32U) >= 'a' && (c | 32U) <= 'f')
        return (int)((c | 32U) - 'a') + 10;
    return -1;
}

static bool add_hex(struct regex_gate *g, uint32_t *c)
{
    int digit = g->rest.len ? hex_digit(peek(g)) : -1;

    if (digit < 0)
        return false;
    *c = *c * 16 + (uint32_t)digit;
    skip(g, 1);
    return *c <= LARGEST_RUNE;
}

/* \x7F or \x{10FFFF}; the x has been read. */
static bool hex_escape(struct regex_gate *g, uint32_t *c)
{
    bool any = false;

    *c = 0;
    if (peek(g) != '{') {
        any = add_hex(g, c); /* two digits, no more */
        return any && add_hex(g, c);
    }
    skip(g, 1);
    while (g->rest.len && peek(g) != '}') {
        if (!add_hex(g, c))
            return false;
        any = true;
    }
    if (!any || g->rest.len == 0)
        return false;
    skip(g, 1);
    return !surrogate(*c);
}

/* \0, \012, \123: a single digit but 0 would be a back-reference. */
static bool octal_escape(struct regex_gate *g, uint32_t first, uint32_t *c)
{
    uint32_t digit = g->rest.len ? peek(g) : 0;

    if (first != '0' && (digit < '0' || digit > '7'))
        return false;
    *c = first - '0';
    for (int i = 0; i < 2 && g->rest.len; i++) {
        digit = peek(g);
        if (digit < '0' || digit > '7')
            break;
        *c = *c * 8 + digit - '0';
        skip(g, 1);
    }
    return true;
}

/* One that stands for a character; the backslash has been read. */
static bool escape(struct regex_gate *g, uint32_t *c)
{
    static const char values[] = "\a\f\n\r\t\v"; /* of these letters: */
    const struct str letters = STR("afnrtv");
    uint32_t first = next(g);
    size_t at;

    if (first < 0x80 && !alnum(first)) { /* punctuation */
        *c = first;
        return true;
    }
    if (first == 'x')
        return hex_escape(g, c);
    if (first >= '0' && first <= '7')
        return octal_escape(g, first, c);
    at = first < 0x80 ? str_find(letters, (char)first) : letters.len;
    if (at == letters.len)
        return false;
    *c = (unsigned char)values[at];
    return true;
}

bool gate_char(struct regex_gate *g, uint32_t *c)
{
    struct str from = g->rest;

    *c = next(g);
    if (*c != '\\')
        return true;
    if (g->rest.len == 0)
        return gate_fail(g, "trailing backslash at end of expression",
                         STR_NONE);
    return escape(g, c) || bad_escape(g, from);
}

/*
 * Of Perl's classes only \s differs: RE2's has no vertical tab.  The second
 * text is for use within brackets.
 */
static const struct {
    char letter;
    const char *alone, *within;
} perl_classes[] = {
    {'d', "[0-9]", "0-9"},
    {'D', "[^0-9]", "\\x{0}-\\x{2f}\\x{3a}-\\x{10ffff}"},
    {'s', "[\\t\\n\\f\\r ]", "\\t\\n\\f\\r\\x{20}"},
    {'S', "[^\\t\\n\\f\\r ]",
     "\\x{0}-\\x{8}\\x{b}\\x{e}-\\x{1f}\\x{21}-\\x{10ffff}"},
    {'w', "[0-9A-Za-z_]", "0-9A-Za-z_"},
    {'W', "[^0-9A-Za-z_]",
     "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}\\x{7b}-\\x{10ffff}"},
};

/* General categories (Unicode, table 4-4), which PCRE2 spells the same. */
static bool category(struct str name)
{
    static const char *const minors[][2] = {
        {"C", "cfos"},    {"L", "lmotu"}, {"M", "cen"}, {"N", "dlo"},
        {"P", "cdefios"}, {"S", "ckmo"},  {"Z", "lps"},
    };

    if (str_eqz(name, "Any"))
        return true;
    for (size_t i = 0; i < sizeof(minors) / sizeof(minors[0]); i++) {
        struct str second = str_of(minors[i][1]);

        if (name.len == 0 || name.ptr[0] != minors[i][0][0])
            continue;
        return name.len == 1 ||
               (name.len == 2 && str_find(second, name.ptr[1]) < second.len);
    }
    return false;
}

/* Names of scripts: Greek, Old_Italic; PCRE2 knows which there are. */
static bool script(struct str name)
{
    if (name.len < 2 || name.ptr[0] < 'A' || name.ptr[0] > 'Z')
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] != '_' && !alnum((unsigned char)name.ptr[i]))
            return false;
    return true;
}

/* \pN, \p{Greek}, \P{^Lu}; the backslash and the letter have been read. */
static bool unicode_class(struct regex_gate *g, struct str from, bool negative)
{
    struct str name = g->rest;

    if (peek(g) == '{') {
        size_t end = str_find(g->rest, '}');

        if (end == g->rest.len)
            return gate_fail(g, "invalid character class range", from);
        name = str_n(g->rest.ptr + 1, end - 1);
        skip(g, end + 1);
    } else {
        name.len = str_rune(g->rest, NULL);
        skip(g, name.len);
    }
    if (name.len && name.ptr[0] == '^') {
        negative = !negative;
        name = str_from(name, 1);
    }
    if (!category(name) && !script(name))
        return gate_fail(g, "invalid character class range", since(g, from));
    buf_addf(&g->out, "\\%c{%s%.*s}", negative ? 'P' : 'p',
             category(name) ? "" : "sc:", STR_ARG(name));
    return true;
}

bool gate_perl_class(struct regex_gate *g, bool in_class, bool *taken)
{
    struct str from = g->rest;
    char letter;

    *taken = false;
    if (g->rest.len < 2 || g->rest.ptr[0] != '\\')
        return true;
    letter = g->rest.ptr[1];
    if (letter == 'p' || letter == 'P') {
        *taken = true;
        skip(g, 2);
        return unicode_class(g, from, letter == 'P');
    }
    for (size_t i = 0; i < sizeof(perl_classes) / sizeof(perl_classes[0]); i++)
        if (letter == perl_classes[i].letter) {
            *taken = true;
            skip(g, 2);
            buf_addz(&g->out,
                     in_class ? perl_classes[i].within : perl_classes[i].alone);
        }
    return true;
}

/* [:alpha:] and [:^alpha:], in brackets only.  PCRE2 spells them the same. */
static bool posix_class(struct regex_gate *g, bool *taken)
{
    static const char *const names[] = {
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph",
        "lower", "print", "punct", "space", "upper", "word",  "xdigit"};
    struct str s = g->rest;
    struct str name;
    size_t end = 2;

    *taken = false;
    if (!str_starts(s, STR("[:")))
        return true;
    while (end < s.len && !str_starts(str_from(s, end), STR(":]")))
        end++;
    if (end >= s.len)
        return true;
    *taken = true;
    name = str_n(s.ptr + 2, end - 2);
    if (name.len && name.ptr[0] == '^')
        name = str_from(name, 1);
    skip(g, end + 2);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_eqz(name, names[i])) {
            buf_adds(&g->out, str_n(s.ptr, end + 2));
            return true;
        }
    return gate_fail(g, "invalid character class range", since(g, s));
}

/* One character of a class, or a range of them. */
static bool class_range(struct regex_gate *g)
{
    struct str from = g->rest;
    uint32_t low;
    uint32_t high;

    if (!gate_char(g, &low))
        return false;
    gate_put_char(g, low);
    if (g->rest.len < 2 || g->rest.ptr[0] != '-' || g->rest.ptr[1] == ']')
        return true;
    skip(g, 1);
    if (!gate_char(g, &high))
        return false;
    if (high < low)
        return gate_fail(g, "invalid character class range", since(g, from));
    buf_addc(&g->out, '-');
    gate_put_char(g, high);
    return true;
}

static bool class_item(struct regex_gate *g)
{
    bool taken;

    if (!posix_class(g, &taken))
        return false;
    if (!taken && !gate_perl_class(g, true, &taken))
        return false;
    return taken || class_range(g);
}

/* A bracket right after the opening one stands for itself. */
bool gate_class(struct regex_gate *g)
{
    struct str from = g->rest;
    bool first = true;

    skip(g, 1);
    buf_addc(&g->out, '[');
    if (peek(g) == '^') {
        skip(g, 1);
        buf_addc(&g->out, '^');
    }
    for (; g->rest.len && (first || g->rest.ptr[0] != ']'); first = false)
        if (!class_item(g))
            return false;
    if (g->rest.len == 0)
        return gate_fail(g, "missing closing ]", from);
    skip(g, 1);
    buf_addc(&g->out, ']');
    return true;
}
