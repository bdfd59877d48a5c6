/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/quote.h"

size_t quote_rune_at(struct str s, uint32_t *rune)
{
    size_t n;

    if (s.len == 0) {
        *rune = RUNE_EOF;
        return 0;
    }
    n = str_rune(s, rune);
    if (n > 0)
        return n;
    *rune = RUNE_ERROR;
    return 1;
}

/* Near enough to unicode.IsPrint: controls, spaces other than the blank,
 * format characters, surrogates and private use are not printed. */
static bool printable(uint32_t r)
{
    static const struct {
        uint32_t from, to;
    } hidden[] = {
        {0, 0x1f},        {0x7f, 0xa0},          {0xad, 0xad},
        {0x2000, 0x200f}, {0x2028, 0x202f},      {0x205f, 0x206f},
        {0x3000, 0x3000}, {0xd800, 0xf8ff},      {0xfeff, 0xfeff},
        {0xfff0, 0xfffb}, {0xe0000, UINT32_MAX},
    };

    for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
        if (r >= hidden[i].from && r <= hidden[i].to)
            return false;
    return true;
}

static void add_escaped(struct buf *out, uint32_t r)
{
    static const char letters[] = "abtnvfr"; /* from 7 on */

    if (r >= 7 && r <= 13)
        buf_addf(out, "\\%c", letters[r - 7]);
    else if (r < ' ' || r == 0x7f)
        buf_addf(out, "\\x%02x", r);
    else if (r < 0x10000)
        buf_addf(out, "\\u%04x", r);
    else
        buf_addf(out, "\\U%08x", r);
}

static void add_rune(struct buf *out, struct str bytes, uint32_t r, char quote)
{
    if (r == (uint32_t)quote || r == '\\')
        buf_addc(out, '\\');
    if (printable(r))
        buf_adds(out, bytes);
    else
        add_escaped(out, r);
}

void quote_text(struct buf *out, struct str s)
{
    uint32_t r;
    size_t n;

    buf_addc(out, '"');
    for (; s.len > 0; s = str_from(s, n)) {
        n = str_rune(s, &r);
        if (n > 0) {
            add_rune(out, str_n(s.ptr, n), r, '"');
            continue;
        }
        n = 1;
        buf_addf(out, "\\x%02x", (unsigned)(unsigned char)*s.ptr);
    }
    buf_addc(out, '"');
}

/* The UTF-8 bytes of a rune; what is none becomes U+FFFD. */
static size_t encode(uint32_t r, char out[4])
{
    if (r > 0x10ffff || (r >= 0xd800 && r < 0xe000))
        r = RUNE_ERROR;
    if (r < 0x80) {
        out[0] = (char)r;
        return 1;
    }
    if (r < 0x800) {
        out[0] = (char)(0xc0 | r >> 6);
        out[1] = (char)(0x80 | (r & 0x3f));
        return 2;
    }
    if (r < 0x10000) {
        out[0] = (char)(0xe0 | r >> 12);
        out[1] = (char)(0x80 | (r >> 6 & 0x3f));
        out[2] = (char)(0x80 | (r & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | r >> 18);
    out[1] = (char)(0x80 | (r >> 12 & 0x3f));
    out[2] = (char)(0x80 | (r >> 6 & 0x3f));
    out[3] = (char)(0x80 | (r & 0x3f));
    return 4;
}

void quote_rune(struct buf *out, uint32_t rune)
{
    char bytes[4];
    size_t n = encode(rune, bytes);

    buf_addc(out, '\'');
    add_rune(out, str_n(bytes, n), rune > 0x10ffff ? RUNE_ERROR : rune, '\'');
    buf_addc(out, '\'');
}

void quote_rune_hash(struct buf *out, uint32_t rune)
{
    char bytes[4];
    size_t n = encode(rune, bytes);

    if (rune == RUNE_EOF) {
        buf_addz(out, "U+FFFFFFFFFFFFFFFF");
        return;
    }
    buf_addf(out, "U+%04X", rune);
    if (printable(rune))
        buf_addf(out, " '%.*s'", (int)n, bytes);
}

struct str quote_prefix(struct str s, size_t runes)
{
    struct str rest = s;
    uint32_t r;

    for (; runes > 0 && rest.len > 0; runes--)
        rest = str_from(rest, quote_rune_at(rest, &r));
    return str_n(s.ptr, s.len - rest.len);
}

static uint32_t digits(struct str *s, size_t count, uint32_t base)
{
    uint32_t v = 0;

    for (; count > 0 && s->len > 0; count--) {
        char c = *s->ptr;

        v = v * base + (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        *s = str_from(*s, 1);
    }
    return v;
}

/* The escape behind a backslash: `*s` stands on its letter.  \x and octal
 * give a byte, \u and \U a rune. */
static size_t escape(struct str *s, char out[4])
{
    static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
    char c = *s->ptr;
    const char *known = strchr(from, c);

    if (c >= '0' && c <= '7') {
        out[0] = (char)digits(s, 3, 8);
        return 1;
    }
    *s = str_from(*s, 1);
    if (c == 'x') {
        out[0] = (char)digits(s, 2, 16);
        return 1;
    }
    if (c == 'u' || c == 'U')
        return encode(digits(s, c == 'u' ? 4 : 8, 16), out);
    out[0] = c;
    if (known && c)
        out[0] = to[known - from];
    return 1;
}

struct str quote_content(struct str literal, struct arena *a)
{
    struct str s = str_n(literal.ptr + 1, literal.len - 2);
    char *out;
    size_t n = 0;

    if (*literal.ptr == '`' || str_find(s, '\\') == s.len)
        return s;
    out = arena_alloc(a, s.len);
    while (s.len > 0) {
        char c = *s.ptr;

        s = str_from(s, 1);
        if (c == '\\' && s.len > 0)
            n += escape(&s, out + n);
        else
            out[n++] = c;
    }
    return str_n(out, n);
}
