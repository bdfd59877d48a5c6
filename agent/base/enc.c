/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/enc.h"

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";

void enc_hex(struct buf *out, const void *p, size_t n)
{
    const unsigned char *in = p;

    for (size_t i = 0; i < n; i++) {
        buf_addc(out, hex_lower[in[i] >> 4]);
        buf_addc(out, hex_lower[in[i] & 15U]);
    }
}

/* RFC 4648, sections 4 and 5. */
static void base64(struct buf *out, struct str in, const char *alphabet,
                   bool pad)
{
    for (size_t i = 0; i < in.len; i += 3) {
        size_t n = in.len - i < 3 ? in.len - i : 3;
        uint32_t v = 0;

        for (size_t k = 0; k < n; k++)
            v |= (uint32_t)(unsigned char)in.ptr[i + k] << (16 - 8 * k);
        for (size_t k = 0; k < 4; k++)
            if (k <= n)
                buf_addc(out, alphabet[v >> (18 - 6 * k) & 63U]);
            else if (pad)
                buf_addc(out, '=');
    }
}

void enc_base64(struct buf *out, const void *p, size_t n)
{
    base64(out, str_n(p, n), ALNUM "+/", true);
}

void enc_base64url(struct buf *out, const void *p, size_t n)
{
    base64(out, str_n(p, n), ALNUM "-_", false);
}

/* The value of a digit in either alphabet, or 64. */
static uint32_t base64_value(char c)
{
    static const char digits[] = ALNUM "+/";

    if (c == '-')
        return 62;
    if (c == '_')
        return 63;
    return (uint32_t)str_find(str_n(digits, 64), c);
}

/* `n` digits (1 to 4) give n - 1 bytes; left-over bits must be zero. */
static bool base64_group(struct buf *out, const char *digit, size_t n)
{
    uint32_t v = 0;

    if (n < 2)
        return false;
    for (size_t k = 0; k < 4; k++) {
        uint32_t d = k < n ? base64_value(digit[k]) : 0;

        if (d > 63)
            return false;
        v = v << 6 | d;
    }
    if (v & (0xFFFFFFU >> (8 * (n - 1))))
        return false;
    for (size_t k = 0; k + 1 < n; k++)
        buf_addc(out, (char)(unsigned char)(v >> (16 - 8 * k)));
    return true;
}

bool dec_base64(struct buf *out, struct str s)
{
    size_t full = s.len;

    while (s.len && full - s.len < 2 && s.ptr[s.len - 1] == '=')
        s.len--;
    if (full != s.len && full % 4 != 0)
        return false;
    for (size_t i = 0; i < s.len; i += 4)
        if (!base64_group(out, s.ptr + i, s.len - i < 4 ? s.len - i : 4))
            return false;
    return true;
}

static bool unreserved(char c)
{
    return str_find(STR(ALNUM "-_.~"), c) < sizeof(ALNUM "-_.~") - 1;
}

void enc_percent(struct buf *out, struct str s, const char *keep)
{
    struct str kept = str_of(keep);

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (unreserved(s.ptr[i]) || str_find(kept, s.ptr[i]) < kept.len) {
            buf_addc(out, s.ptr[i]);
            continue;
        }
        buf_addc(out, '%');
        buf_addc(out, hex_upper[c >> 4]);
        buf_addc(out, hex_upper[c & 15U]);
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool dec_percent(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        int high;
        int low;

        if (s.ptr[i] != '%') {
            buf_addc(out, s.ptr[i]);
            continue;
        }
        if (s.len - i < 3)
            return false;
        high = hex_value(s.ptr[++i]);
        low = hex_value(s.ptr[++i]);
        if (high < 0 || low < 0)
            return false;
        buf_addc(out, (char)(unsigned char)(high * 16 + low));
    }
    return true;
}
