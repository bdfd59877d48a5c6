/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/when.h"

#include <stdio.h>

static const struct unit {
    struct str name;
    int64_t ms;
} units[] = {
    {{"d", 1}, WHEN_DAY},    {{"h", 1}, WHEN_HOUR}, {{"m", 1}, WHEN_MINUTE},
    {{"s", 1}, WHEN_SECOND}, {{"ms", 2}, 1},
};

#define UNITS        (sizeof(units) / sizeof(units[0]))
#define LONGEST_MS   (INT64_C(36525) * WHEN_DAY)
#define MOST_DIGITS  14
#define EPOCH_YEAR_0 INT64_C(719468) /* days from 0000-03-01 to 1970-01-01 */
#define ERA_DAYS     INT64_C(146097) /* of 400 years */

static size_t digits_of(struct str s)
{
    size_t n = 0;

    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    return n;
}

/* Which unit stands at the start of `s`; UNITS if none. */
static size_t unit_of(struct str s)
{
    size_t n = 0;
    size_t u = 0;

    while (n < s.len && s.ptr[n] >= 'a' && s.ptr[n] <= 'z')
        n++;
    while (u < UNITS && !str_eq(units[u].name, str_n(s.ptr, n)))
        u++;
    return u;
}

bool when_duration_parse(struct str s, int64_t *ms)
{
    size_t next = 0; /* the first unit that may still come */
    int64_t total = 0;

    if (str_eqz(s, "0")) {
        *ms = 0;
        return true;
    }
    if (s.len == 0)
        return false;
    while (s.len) {
        size_t n = digits_of(s);
        size_t u = unit_of(str_from(s, n));
        int64_t v;

        if (n > MOST_DIGITS || u == UNITS || u < next ||
            !str_int(str_n(s.ptr, n), &v) || v > LONGEST_MS / units[u].ms)
            return false;
        total += v * units[u].ms;
        if (total > LONGEST_MS)
            return false;
        next = u + 1;
        s = str_from(s, n + units[u].name.len);
    }
    *ms = total;
    return true;
}

void when_duration_format(int64_t ms, char out[WHEN_TEXT])
{
    uint64_t left = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    size_t at = 0;

    if (ms == 0) {
        memcpy(out, "0s", 3);
        return;
    }
    if (ms < 0)
        out[at++] = '-';
    for (size_t u = 0; u < UNITS; u++) {
        uint64_t unit = (uint64_t)units[u].ms;

        if (left / unit)
            at += (size_t)snprintf(out + at, WHEN_TEXT - at, "%llu%s",
                                   (unsigned long long)(left / unit),
                                   units[u].name.ptr);
        left %= unit;
    }
}

struct civil {
    int64_t year;
    int month, day, hour, minute, second, ms;
    int offset; /* minutes east of UTC */
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/*
 * The proleptic Gregorian calendar counted from 1 March, so that the leap day
 * is the last of its year; the day of the year then fixes the month linearly.
 */
static int64_t days_from(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t m = (month + 9) % 12;
    int64_t day_of_year = (153 * m + 2) / 5 + day - 1;

    return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 -
           year_of_era / 100 + day_of_year - EPOCH_YEAR_0;
}

static struct civil civil_from(int64_t wall_ms)
{
    int64_t days = floor_div(wall_ms, WHEN_DAY);
    int64_t ms = (wall_ms % WHEN_DAY + WHEN_DAY) % WHEN_DAY;
    int64_t z = days + EPOCH_YEAR_0;
    int64_t era = floor_div(z, ERA_DAYS);
    int64_t doe = z - era * ERA_DAYS;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t m = (5 * doy + 2) / 153;

    return (struct civil){
        .year = yoe + era * 400 + (m >= 10),
        .month = (int)(m < 10 ? m + 3 : m - 9),
        .day = (int)(doy - (153 * m + 2) / 5 + 1),
        .hour = (int)(ms / WHEN_HOUR),
        .minute = (int)(ms / WHEN_MINUTE % 60),
        .second = (int)(ms / WHEN_SECOND % 60),
        .ms = (int)(ms % WHEN_SECOND),
    };
}

static int days_in(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

static bool between(int v, int low, int high)
{
    return v >= low && v <= high;
}

/* Second 60 is a leap second; it is the first of the next minute here. */
static bool stamp_from(const struct civil *c, int64_t *wall_ms)
{
    if (!between(c->month, 1, 12) ||
        !between(c->day, 1, days_in(c->year, c->month)) ||
        !between(c->hour, 0, 23) || !between(c->minute, 0, 59) ||
        !between(c->second, 0, 60))
        return false;
    *wall_ms = days_from(c->year, c->month, c->day) * WHEN_DAY +
               c->hour * WHEN_HOUR + (c->minute - c->offset) * WHEN_MINUTE +
               c->second * WHEN_SECOND + c->ms;
    return true;
}

void when_rfc3339(int64_t wall_ms, char out[WHEN_TEXT])
{
    struct civil c = civil_from(wall_ms);
    char part[8] = "";

    if (c.ms)
        (void)snprintf(part, sizeof(part), ".%03d", c.ms % 1000);
    (void)snprintf(out, WHEN_TEXT, "%04lld-%02d-%02dT%02d:%02d:%02d%sZ",
                   (long long)c.year, c.month, c.day, c.hour, c.minute,
                   c.second, part);
}

void when_iso_basic(int64_t wall_ms, char out[WHEN_TEXT])
{
    struct civil c = civil_from(wall_ms);

    (void)snprintf(out, WHEN_TEXT, "%04lld%02d%02dT%02d%02d%02dZ",
                   (long long)c.year, c.month, c.day, c.hour, c.minute,
                   c.second);
}

static const char *const weekdays[] = {"Sunday",    "Monday",   "Tuesday",
                                       "Wednesday", "Thursday", "Friday",
                                       "Saturday"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void when_http_date(int64_t wall_ms, char out[WHEN_TEXT])
{
    struct civil c = civil_from(wall_ms);
    int64_t day = floor_div(wall_ms, WHEN_DAY) + 4; /* it began on a Thursday */

    (void)snprintf(out, WHEN_TEXT, "%.3s, %02d %s %04lld %02d:%02d:%02d GMT",
                   weekdays[day - floor_div(day, 7) * 7], c.day,
                   months[c.month - 1], (long long)c.year, c.hour, c.minute,
                   c.second);
}

/* `width` digits off the front of `*s`. */
static bool take_digits(struct str *s, size_t width, int *out)
{
    int v = 0;

    if (s->len < width || digits_of(str_n(s->ptr, width)) != width)
        return false;
    for (size_t i = 0; i < width; i++)
        v = v * 10 + (s->ptr[i] - '0');
    *s = str_from(*s, width);
    *out = v;
    return true;
}

static bool take_month(struct str *s, int *month)
{
    for (*month = 1; *month <= 12; ++*month)
        if (str_starts(*s, str_of(months[*month - 1]))) {
            *s = str_from(*s, 3);
            return true;
        }
    return false;
}

static bool take_weekday(struct str *s, bool whole)
{
    for (size_t i = 0; i < 7; i++) {
        struct str name = str_of(weekdays[i]);

        if (!whole)
            name.len = 3;
        if (str_starts(*s, name)) {
            *s = str_from(*s, name.len);
            return true;
        }
    }
    return false;
}

static bool take_year(struct str *s, size_t width, int64_t *year)
{
    int v;

    if (!take_digits(s, width, &v))
        return false;
    if (width == 2) /* RFC 850 is older than this century's dates */
        v += v < 70 ? 2000 : 1900;
    *year = v;
    return true;
}

/*
 * One field of a form: D day, e day with a blank for a zero, N month as a
 * number, b as a name, Y and y year, h m s the time, w and W the day of the
 * week; anything else stands for itself, in either case.
 */
static bool take_field(char field, struct str *s, struct civil *c)
{
    switch (field) {
    case 'e':
        if (s->len && s->ptr[0] == ' ') {
            *s = str_from(*s, 1);
            return take_digits(s, 1, &c->day);
        }
        return take_digits(s, 2, &c->day);
    case 'D':
        return take_digits(s, 2, &c->day);
    case 'N':
        return take_digits(s, 2, &c->month);
    case 'b':
        return take_month(s, &c->month);
    case 'Y':
        return take_year(s, 4, &c->year);
    case 'y':
        return take_year(s, 2, &c->year);
    case 'h':
        return take_digits(s, 2, &c->hour);
    case 'm':
        return take_digits(s, 2, &c->minute);
    case 's':
        return take_digits(s, 2, &c->second);
    case 'w':
    case 'W':
        return take_weekday(s, field == 'W');
    default:
        if (!s->len || !str_eqi(str_n(s->ptr, 1), str_n(&field, 1)))
            return false;
        *s = str_from(*s, 1);
        return true;
    }
}

static bool take_form(const char *form, struct str *s, struct civil *c)
{
    for (; *form; form++)
        if (!take_field(*form, s, c))
            return false;
    return true;
}

/* Any number of digits behind the point; more than three are cut off. */
static bool take_fraction(struct str *s, int *ms)
{
    size_t n;

    if (!s->len || s->ptr[0] != '.')
        return true;
    *s = str_from(*s, 1);
    n = digits_of(*s);
    for (size_t i = 0; i < 3; i++)
        *ms = *ms * 10 + (i < n ? s->ptr[i] - '0' : 0);
    *s = str_from(*s, n);
    return n > 0;
}

static bool take_zone(struct str *s, int *offset)
{
    struct civil c = {0};
    bool west = s->len && s->ptr[0] == '-';

    if (take_field('Z', s, &c))
        return true;
    if (!take_form(west ? "-h:m" : "+h:m", s, &c) || c.hour > 23 ||
        c.minute > 59)
        return false;
    *offset = (west ? -1 : 1) * (c.hour * 60 + c.minute);
    return true;
}

bool when_rfc3339_parse(struct str s, int64_t *wall_ms)
{
    struct civil c = {0};

    return take_form("Y-N-DTh:m:s", &s, &c) && take_fraction(&s, &c.ms) &&
           take_zone(&s, &c.offset) && s.len == 0 && stamp_from(&c, wall_ms);
}

bool when_http_date_parse(struct str s, int64_t *wall_ms)
{
    static const char *const forms[] = {
        "w, D b Y h:m:s GMT", /* IMF-fixdate */
        "W, D-b-y h:m:s GMT", /* RFC 850 */
        "w b e h:m:s Y",      /* asctime() */
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct civil c = {0};
        struct str rest = s;

        if (take_form(forms[i], &rest, &c) && rest.len == 0)
            return stamp_from(&c, wall_ms);
    }
    return false;
}
