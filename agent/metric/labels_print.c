/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/metric/labels.h"

static bool is_legacy(struct str name, bool colon)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '_' || (colon && c == ':');

        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.len > 0;
}

/* Runes that cannot be seen, of those that do turn up in labels. */
static bool is_hidden(uint32_t rune)
{
    static const struct {
        uint32_t from, to;
    } hidden[] = {
        {0x80, 0xa0},     {0xad, 0xad},     {0x200b, 0x200f}, {0x2028, 0x202f},
        {0x205f, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
    };

    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (rune >= hidden[i].from && rune <= hidden[i].to)
            return true;
    return false;
}

static bool add_short_escape(struct buf *out, char c)
{
    static const char plain[] = "\a\b\f\n\r\t\v\\\"";
    static const char letter[] = "abfnrtv\\\"";
    const char *at = c ? strchr(plain, c) : NULL;

    if (!at)
        return false;
    buf_addc(out, '\\');
    buf_addc(out, letter[at - plain]);
    return true;
}

/* As Go's strconv.Quote, which is what PromQL's printer uses. */
static void add_quoted(struct buf *out, struct str s)
{
    buf_addc(out, '"');
    while (s.len > 0) {
        uint32_t rune = 0;
        size_t n = str_rune(s, &rune);
        unsigned char c = (unsigned char)s.ptr[0];

        if (n == 0 || ((c < 0x20 || c == 0x7f) &&
                       (c == 0 || !strchr("\a\b\f\n\r\t\v", c))))
            buf_addf(out, "\\x%02x", c);
        else if (n > 1 && is_hidden(rune))
            buf_addf(out, "\\u%04x", (unsigned)rune);
        else if (n > 1 || !add_short_escape(out, s.ptr[0]))
            buf_add(out, s.ptr, n);
        s = str_from(s, n > 0 ? n : 1);
    }
    buf_addc(out, '"');
}

static void add_pair(struct buf *out, struct label pair)
{
    if (is_legacy(pair.name, false))
        buf_adds(out, pair.name);
    else
        add_quoted(out, pair.name);
    buf_addc(out, '=');
    add_quoted(out, pair.value);
}

void labels_print(const struct labels *l, struct buf *out)
{
    struct str name = labels_name(l);
    bool plain = is_legacy(name, true);
    struct labels_iter it = labels_iter(l);
    struct label pair;
    const char *between = "";

    if (plain)
        buf_adds(out, name);
    if (plain && l->count == 1)
        return;
    buf_addc(out, '{');
    if (!plain && name.len > 0) {
        add_quoted(out, name);
        between = ", ";
    }
    while (labels_next(&it, &pair)) {
        if (str_eq(pair.name, LABEL_NAME))
            continue;
        buf_addz(out, between);
        add_pair(out, pair);
        between = ", ";
    }
    buf_addc(out, '}');
}
