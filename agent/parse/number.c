/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/parse/number.h"

#include "agent/base/num.h"
#include "agent/metric/sample.h"
#include "agent/parse/chars.h"

#include <math.h>

static const double powers[] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/* A number as it is written: mantissa * 10^exponent. */
struct decimal {
    uint64_t mantissa;
    int exponent;
    unsigned digits;
    bool negative;
};

/* Eight digits at once, little-endian; false where one is none. */
static bool eight(const char *p, uint64_t *out)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t v;

    memcpy(&v, p, 8);
    v -= UINT64_C(0x3030303030303030);
    if (((v + UINT64_C(0x7676767676767676)) | v) & UINT64_C(0x8080808080808080))
        return false;
    v = v * 10 + (v >> 8);
    v = ((v & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064) +
         ((v >> 16) & UINT64_C(0x000000ff000000ff)) *
             UINT64_C(0x0000271000000001)) >>
        32;
    *out = v & UINT64_C(0xffffffff);
    return true;
#else
    (void)p;
    (void)out;
    return false;
#endif
}

/* At most 18 digits in all, so that the mantissa cannot overflow. */
static const char *digits(const char *p, const char *end, struct decimal *d)
{
    const char *from = p;
    uint64_t v;

    while (end - p >= 8 && d->digits + (size_t)(p - from) <= 10 &&
           eight(p, &v)) {
        d->mantissa = d->mantissa * 100000000 + v;
        p += 8;
    }
    while (p < end && is_digit(*p) && d->digits + (size_t)(p - from) < 18)
        d->mantissa = d->mantissa * 10 + (uint64_t)(*p++ - '0');
    d->digits += (unsigned)(p - from);
    return p;
}

static const char *exponent(const char *p, const char *end, struct decimal *d)
{
    const char *from;
    bool negative = false;
    int e = 0;

    p++;
    if (p < end && (*p == '+' || *p == '-'))
        negative = *p++ == '-';
    from = p;
    while (p < end && is_digit(*p) && p - from < 4)
        e = e * 10 + (*p++ - '0');
    d->exponent += negative ? -e : e;
    return p == from ? NULL : p;
}

/* False where the text is not plain or too long: the slow way knows. */
static bool decimal_read(const char *p, const char *end, struct decimal *d)
{
    const char *from;

    if (p < end && (*p == '-' || *p == '+'))
        d->negative = *p++ == '-';
    p = digits(p, end, d);
    if (p < end && *p == '.') {
        from = ++p;
        p = digits(p, end, d);
        d->exponent = -(int)(p - from);
    }
    if (d->digits == 0)
        return false;
    if (p < end && (*p == 'e' || *p == 'E'))
        p = exponent(p, end, d);
    return p == end;
}

static bool exact(const struct decimal *d, double *out)
{
    double v = (double)d->mantissa;

    if (d->mantissa >> 53 || d->exponent < -22 || d->exponent > 22)
        return false;
    if (d->exponent < 0)
        v /= powers[-d->exponent];
    else
        v *= powers[d->exponent];
    *out = d->negative ? -v : v;
    return true;
}

bool number_quick(const char *text, size_t len, double *out)
{
    struct decimal d = {0};

    return decimal_read(text, text + len, &d) && exact(&d, out);
}

bool number_read(const char *text, size_t len, double *out)
{
    if (number_quick(text, len, out))
        return true;
    if (!num_parse(str_n(text, len), out))
        return false;
    if (isnan(*out))
        *out = sample_nan();
    return true;
}

int64_t number_to_int64(double v)
{
    if (v >= -9223372036854775808.0 && v < 9223372036854775808.0)
        return (int64_t)v;
    return INT64_MIN;
}
