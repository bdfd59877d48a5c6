/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/num.h"

#include "agent/base/mem.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A decimal in pieces: digits * 10^exp10, digits exact unless `lossy`. */
struct decimal {
    uint64_t digits;
    int exp10;
    bool lossy; /* more digits than `digits` holds */
};

#define MOST_DIGITS 19 /* any 19 digits fit in 64 bits */
#define MOST_EXP10  99999

/* Digits, with one point among them; false when there is none. */
static bool scan_digits(struct str s, size_t *at, struct decimal *d)
{
    bool any = false;
    bool point = false;
    int count = 0;

    for (; *at < s.len; ++*at) {
        unsigned digit = (unsigned)s.ptr[*at] - '0';

        if (s.ptr[*at] == '.' && !point) {
            point = true;
            continue;
        }
        if (digit > 9)
            break;
        any = true;
        if (count < MOST_DIGITS) {
            d->digits = d->digits * 10 + digit;
            count += d->digits != 0;
            d->exp10 -= point;
        } else {
            d->lossy = true;
        }
    }
    return any;
}

static bool scan_exponent(struct str s, size_t *at, struct decimal *d)
{
    bool negative;
    int e = 0;
    size_t start;

    if (*at == s.len || (s.ptr[*at] != 'e' && s.ptr[*at] != 'E'))
        return true;
    ++*at;
    negative = *at < s.len && s.ptr[*at] == '-';
    if (*at < s.len && (negative || s.ptr[*at] == '+'))
        ++*at;
    start = *at;
    for (; *at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9'; ++*at)
        if (e < MOST_EXP10)
            e = e * 10 + (s.ptr[*at] - '0');
    d->exp10 += negative ? -e : e;
    return *at > start;
}

static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/*
 * Both factors are exact, so the one operation rounds once, correctly
 * (W. Clinger, How to read floating point numbers accurately, 1990).
 */
static bool exact_double(const struct decimal *d, double *out)
{
    if (d->digits > UINT64_C(1) << 53 || d->exp10 < -22 || d->exp10 > 22)
        return false;
    if (d->exp10 < 0)
        *out = (double)d->digits / tens[-d->exp10];
    else
        *out = (double)d->digits * tens[d->exp10];
    return true;
}

#if LDBL_MANT_DIG == 64 && defined(__x86_64__)
/*
 * The same with 64 bits of mantissa.  Rounding again to 53 bits is right
 * unless the 11 bits that go are within one unit of half.
 */
static bool exact_extended(const struct decimal *d, double *out)
{
    static const long double more[] = {1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
    int e = d->exp10 < 0 ? -d->exp10 : d->exp10;
    long double v = (long double)d->digits;
    long double scale;
    uint64_t mantissa;

    if (e > 27)
        return false;
    scale = e > 22 ? more[e - 23] : (long double)tens[e];
    v = d->exp10 < 0 ? v / scale : v * scale;
    memcpy(&mantissa, &v, sizeof(mantissa));
    mantissa &= 0x7FF;
    *out = (double)v;
    return mantissa < 0x3FF || mantissa > 0x401;
}
#else
static bool exact_extended(const struct decimal *d, double *out)
{
    (void)d;
    (void)out;
    return false;
}
#endif

/* Whatever is left: the C library's correct rounding, in its own locale. */
static double slow(struct str s)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    char *z = xstrndup(s.ptr, s.len);
    double v = c ? strtod_l(z, NULL, c) : strtod(z, NULL);

    free(z);
    if (c)
        freelocale(c);
    return v;
}

/* `s` has no sign any more. */
static bool parse_word(struct str s, bool sign, double *out)
{
    if (!sign && str_eqi(s, STR("nan")))
        *out = (double)NAN;
    else if (str_eqi(s, STR("inf")) || str_eqi(s, STR("infinity")))
        *out = (double)INFINITY;
    else
        return false;
    return true;
}

static bool parse_decimal(struct str s, double *out)
{
    struct decimal d = {0};
    size_t at = 0;
    double v;

    if (!scan_digits(s, &at, &d) || !scan_exponent(s, &at, &d) || at < s.len)
        return false;
    if (d.lossy || (!exact_double(&d, &v) && !exact_extended(&d, &v)))
        v = slow(s);
    if (isinf(v))
        return false;
    *out = v;
    return true;
}

bool num_parse(struct str s, double *out)
{
    bool negative = s.len && s.ptr[0] == '-';
    bool sign = negative || (s.len && s.ptr[0] == '+');
    double v;

    if (sign)
        s = str_from(s, 1);
    if (!parse_decimal(s, &v) && !parse_word(s, sign, &v))
        return false;
    *out = negative ? -v : v;
    return true;
}

/* The shortest digits d1 d2 d3 ..., and 10^exp the weight of d1. */
struct shortest {
    char digits[20];
    int count;
    int exp;
};

static bool reads_back(const struct shortest *s, double v)
{
    char text[40];
    double back;

    (void)snprintf(text, sizeof(text), "%se%d", s->digits,
                   s->exp - s->count + 1);
    return num_parse(str_of(text), &back) && back == v;
}

/* `v` rounded to `n` digits; the printed point may be any locale's. */
static void round_to(double v, int n, struct shortest *s)
{
    char text[48];
    const char *p = text;

    (void)snprintf(text, sizeof(text), "%.*e", n - 1, v);
    s->count = 0;
    for (; *p && *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            s->digits[s->count++] = *p;
    s->digits[s->count] = '\0';
    s->exp = (int)strtol(p + 1, NULL, 10);
}

/*
 * The next decimal up.  Below a power of two the gap is half as wide, so
 * there the nearest decimal may miss where the one above it hits.
 */
static void step_up(struct shortest *s)
{
    int i = s->count - 1;

    while (i >= 0 && s->digits[i] == '9')
        s->digits[i--] = '0';
    if (i >= 0) {
        s->digits[i]++;
        return;
    }
    s->digits[0] = '1';
    s->exp++;
}

static bool short_enough(double v, int n, struct shortest *s)
{
    struct shortest up;

    round_to(v, n, s);
    if (reads_back(s, v))
        return true;
    up = *s;
    step_up(&up);
    if (!reads_back(&up, v))
        return false;
    *s = up;
    return true;
}

/*
 * Of a normal number, 15 digits that read back are the shortest once their
 * zeros go: any shorter decimal survives the way through a double.  A
 * denormal has fewer digits than that to give, hence all lengths are tried.
 */
static struct shortest shortest_of(double v)
{
    struct shortest s = {0};

    for (int n = v < DBL_MIN ? 1 : 15; n <= 17; n++)
        if (short_enough(v, n, &s))
            break;
    while (s.count > 1 && s.digits[s.count - 1] == '0')
        s.count--;
    s.digits[s.count] = '\0';
    return s;
}

/* A text in the making; NUM_MAX is enough for any of them. */
struct text {
    char *out;
    size_t len;
};

static void put(struct text *t, char c)
{
    t->out[t->len++] = c;
    t->out[t->len] = '\0';
}

static void put_zeros(struct text *t, int n)
{
    for (; n > 0; n--)
        put(t, '0');
}

static void put_digits(struct text *t, const struct shortest *s, int from,
                       int to)
{
    for (int i = from; i < to && i < s->count; i++)
        put(t, s->digits[i]);
}

static void put_plain(struct text *t, const struct shortest *s)
{
    int whole = s->exp + 1; /* digits before the point */

    if (whole <= 0)
        put(t, '0');
    put_digits(t, s, 0, whole);
    put_zeros(t, whole - s->count);
    if (whole >= s->count)
        return;
    put(t, '.');
    put_zeros(t, -whole);
    put_digits(t, s, whole > 0 ? whole : 0, s->count);
}

static void put_exponent(struct text *t, const struct shortest *s)
{
    put_digits(t, s, 0, 1);
    if (s->count > 1)
        put(t, '.');
    put_digits(t, s, 1, s->count);
    t->len += (size_t)snprintf(t->out + t->len, 8, "e%+03d", s->exp);
}

/* Starts a text.  What has no digits (zero, infinities, NaN) is put whole, of
 * the rest the sign. */
static bool put_special(struct text *t, char *out, double v)
{
    const char *word = isnan(v)   ? "NaN"
                       : isinf(v) ? (v > 0 ? "+Inf" : "-Inf")
                       : v == 0   ? (signbit(v) ? "-0" : "0")
                                  : NULL;

    t->out = out;
    t->len = 0;
    for (const char *p = word; p && *p; p++)
        put(t, *p);
    if (!word && v < 0)
        put(t, '-');
    return word != NULL;
}

/* Whole numbers below 10^15 are their own shortest digits. */
static bool put_whole(struct text *t, double v)
{
    if (!(v < 1e15) || v != trunc(v))
        return false;
    t->len += (size_t)snprintf(t->out + t->len, 24, "%lld", (long long)v);
    return true;
}

size_t num_json(double v, char out[NUM_MAX])
{
    struct text t;
    struct shortest s;

    if (put_special(&t, out, v) || put_whole(&t, fabs(v)))
        return t.len;
    v = fabs(v);
    s = shortest_of(v);
    if (v < 1e-6 || v >= 1e21)
        put_exponent(&t, &s);
    else
        put_plain(&t, &s);
    return t.len;
}

size_t num_plain(double v, char out[NUM_MAX])
{
    struct text t;
    struct shortest s;

    if (put_special(&t, out, v) || put_whole(&t, fabs(v)))
        return t.len;
    s = shortest_of(fabs(v));
    put_plain(&t, &s);
    return t.len;
}

size_t num_general(double v, char out[NUM_MAX])
{
    struct text t;
    struct shortest s;

    if (put_special(&t, out, v))
        return t.len;
    s = shortest_of(fabs(v));
    if (s.exp < -4 || s.exp >= 6)
        put_exponent(&t, &s);
    else
        put_plain(&t, &s);
    return t.len;
}
