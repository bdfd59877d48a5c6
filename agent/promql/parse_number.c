/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/num.h"
#include "agent/promql/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* y w d h m s ms, from the longest on, each at most once. */
static const struct unit {
    const char *name;
    uint64_t ms;
} units[] = {
    {"y", UINT64_C(31536000000)}, {"w", UINT64_C(604800000)},
    {"d", UINT64_C(86400000)},    {"h", UINT64_C(3600000)},
    {"m", UINT64_C(60000)},       {"s", UINT64_C(1000)},
    {"ms", UINT64_C(1)},
};
#define UNITS        (sizeof(units) / sizeof(*units))
#define DURATION_MAX (UINT64_C(9223372036854)) /* ms: 2^63 ns */

static size_t find_unit(struct str name)
{
    size_t i = 0;

    while (i < UNITS && !str_eqz(name, units[i].name))
        i++;
    return i;
}

static size_t run(struct str s, bool digits)
{
    size_t n = 0;

    while (n < s.len && (s.ptr[n] >= '0' && s.ptr[n] <= '9') == digits)
        n++;
    return n;
}

static bool bad_duration(struct parser *p, const struct token *t)
{
    return parse_fail(p, t->at, t->at + t->text.len,
                      "not a valid duration string: \"%.*s\"",
                      STR_ARG(t->text));
}

static bool too_long(struct parser *p, const struct token *t)
{
    return parse_fail(p, t->at, t->at + t->text.len, "duration out of range");
}

/* One number with its unit off the front of `*s`. */
static bool duration_part(struct parser *p, const struct token *t,
                          struct str *s, size_t *next_unit, uint64_t *ms)
{
    struct str name;
    int64_t value;
    size_t u, n = run(*s, true);

    if (n == 0 || !str_int(str_n(s->ptr, n), &value))
        return bad_duration(p, t);
    *s = str_from(*s, n);
    name = str_n(s->ptr, run(*s, false));
    *s = str_from(*s, name.len);
    if (name.len == 0)
        return bad_duration(p, t);
    u = find_unit(name);
    if (u == UNITS)
        return parse_fail(p, t->at, t->at + t->text.len,
                          "unknown unit \"%.*s\" in duration \"%.*s\"",
                          STR_ARG(name), STR_ARG(t->text));
    if (u < *next_unit)
        return bad_duration(p, t);
    *next_unit = u + 1;
    if ((uint64_t)value > DURATION_MAX / units[u].ms)
        return too_long(p, t);
    *ms += (uint64_t)value * units[u].ms;
    return *ms <= DURATION_MAX || too_long(p, t);
}

static bool duration(struct parser *p, const struct token *t, double *out)
{
    struct str s = t->text;
    size_t next_unit = 0;
    uint64_t ms = 0, whole;

    while (s.len > 0)
        if (!duration_part(p, t, &s, &next_unit, &ms))
            return false;
    whole = ms / 1000;
    *out = (double)whole + (double)(ms % 1000) / 1000;
    return true;
}

/* An integer as Go reads it with base 0: 0x1F, 017, 1_000. */
static bool integer(const char *text, size_t len, double *out)
{
    char *end;
    long long v;

    if (len == 0 || strspn(text, "0123456789abcdefABCDEFxX") != len)
        return false;
    errno = 0;
    v = strtoll(text, &end, 0);
    if (errno || *end)
        return false;
    *out = (double)v;
    return true;
}

bool parse_number(struct parser *p, const struct token *t, double *out)
{
    char text[512];
    size_t n = 0;

    if (t->kind == T_DURATION)
        return duration(p, t, out);
    for (size_t i = 0; i < t->text.len && n < sizeof(text) - 1; i++)
        if (t->text.ptr[i] != '_')
            text[n++] = t->text.ptr[i];
    text[n] = '\0';
    if (integer(text, n, out) || num_parse(str_n(text, n), out))
        return true;
    return parse_fail(p, t->at, t->at + t->text.len,
                      "error parsing number: strconv.ParseFloat: parsing "
                      "\"%.*s\": %s",
                      STR_ARG(t->text),
                      strpbrk(text, "xX") ? "invalid syntax"
                                          : "value out of range");
}
