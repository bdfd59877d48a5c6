/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/str.h"

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

    if (order)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool str_eqi(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_n(s.ptr, prefix.len), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           str_eq(str_from(s, s.len - suffix.len), suffix);
}

struct str str_trim(struct str s)
{
    while (s.len && is_blank(s.ptr[0]))
        s = str_from(s, 1);
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct str str_from(struct str s, size_t from)
{
    if (!s.ptr)
        return s;
    if (from > s.len)
        from = s.len;
    return (struct str){s.ptr + from, s.len - from};
}

size_t str_find(struct str s, char c)
{
    const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;

    return at ? (size_t)(at - s.ptr) : s.len;
}

bool str_next(struct str *rest, char sep, struct str *part)
{
    size_t at;

    if (!rest->ptr)
        return false;
    at = str_find(*rest, sep);
    *part = str_n(rest->ptr, at);
    *rest = at < rest->len ? str_from(*rest, at + 1) : STR_NONE;
    return true;
}

bool str_int(struct str s, int64_t *out)
{
    bool negative = s.len && s.ptr[0] == '-';
    size_t i = s.len && (negative || s.ptr[0] == '+') ? 1 : 0;
    int64_t v = 0; /* kept negative: that side reaches one further */

    if (i == s.len)
        return false;
    for (; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_sub_overflow(v, s.ptr[i] - '0', &v))
            return false;
    }
    if (!negative && v == INT64_MIN)
        return false;
    *out = negative ? v : -v;
    return true;
}

/*
 * What a lead byte demands (Unicode, table 3-7): how many bytes, and the
 * bounds of the second, which keep out overlong forms and surrogates.
 */
static size_t lead(unsigned char c, unsigned char *low, unsigned char *high)
{
    *low = 0x80;
    *high = 0xBF;
    if (c >= 0xC2 && c <= 0xDF)
        return 2;
    if (c == 0xE0)
        *low = 0xA0;
    if (c == 0xED)
        *high = 0x9F;
    if (c >= 0xE0 && c <= 0xEF)
        return 3;
    if (c == 0xF0)
        *low = 0x90;
    if (c == 0xF4)
        *high = 0x8F;
    if (c >= 0xF0 && c <= 0xF4)
        return 4;
    return 0;
}

size_t str_rune(struct str s, uint32_t *rune)
{
    unsigned char c = s.len ? (unsigned char)s.ptr[0] : 0;
    unsigned char low;
    unsigned char high;
    size_t n = 1;
    uint32_t r = c;

    if (s.len == 0)
        return 0;
    if (c >= 0x80) {
        n = lead(c, &low, &high);
        if (n == 0 || n > s.len)
            return 0;
        r = c & (0xFFU >> (n + 1));
        for (size_t i = 1; i < n; i++, low = 0x80, high = 0xBF) {
            c = (unsigned char)s.ptr[i];
            if (c < low || c > high)
                return 0;
            r = r << 6 | (c & 0x3FU);
        }
    }
    if (rune)
        *rune = r;
    return n;
}

/* How many ASCII bytes come first, counted eight at a time. */
static size_t ascii_run(struct str s)
{
    uint64_t word;
    size_t i = 0;

    for (; s.len - i >= sizeof(word); i += sizeof(word)) {
        memcpy(&word, s.ptr + i, sizeof(word));
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    return i;
}

bool str_utf8(struct str s)
{
    size_t n;

    for (; s.len; s = str_from(s, n)) {
        n = ascii_run(s);
        if (n == 0)
            n = str_rune(s, NULL);
        if (n == 0)
            return false;
    }
    return true;
}

/* Unsigned overflow is the algorithm (FNV-1a). */
uint64_t str_hash_more(uint64_t h, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        h ^= (unsigned char)s.ptr[i];
        h *= UINT64_C(1099511628211);
    }
    return h;
}

uint64_t str_hash(struct str s)
{
    return str_hash_more(STR_HASH_START, s);
}
