/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/func_impl.h"
#include "agent/promql/subset.h"

#include <math.h>

#define DAY INT64_C(86400)

/* A moment in UTC, by the proleptic Gregorian calendar. */
struct date {
    int64_t year;
    int month, day; /* from 1 */
    int day_of_year;
    int weekday; /* 0: Sunday */
    int hour, minute;
};

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Days since 1970 to a date, counting years from March so that the leap day
 * comes last. */
static void civil(int64_t days, struct date *d)
{
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    d->day = (int)(doy - (153 * mp + 2) / 5) + 1;
    d->month = (int)(mp < 10 ? mp + 3 : mp - 9);
    d->year = yoe + era * 400 + (d->month <= 2);
    d->day_of_year = d->day;
    for (int m = 1; m < d->month; m++)
        d->day_of_year += month_days(d->year, m);
}

/* A float beyond the integers becomes the least one, as in Go on amd64. */
static int64_t whole_seconds(double v)
{
    if (!(v > -9223372036854775808.0 && v < 9223372036854775808.0))
        return INT64_MIN;
    return (int64_t)v;
}

/* Days between 1970 and the day from which Go counts, without a sign: a moment
 * before that comes out far in the future. */
#define GO_FIRST_DAY UINT64_C(106751991073400)

static struct date date_of(int64_t seconds)
{
    uint64_t since = (uint64_t)seconds + GO_FIRST_DAY * DAY;
    int64_t days = (int64_t)(since / DAY - GO_FIRST_DAY);
    int64_t rest = (int64_t)(since % DAY);
    struct date d;

    civil(days, &d);
    d.weekday = (int)(((days + 4) % 7 + 7) % 7);
    d.hour = (int)(rest / 3600);
    d.minute = (int)(rest / 60 % 60);
    return d;
}

typedef double part_fn(const struct date *d);

static bool date_part(struct eval *ev, const struct node *n,
                      const struct value *in, part_fn *part, struct value *out)
{
    struct date d;

    if (n->call.count == 0) {
        d = date_of(ev->t_ms / 1000);
        value_vector(ev, out, 1);
        value_add(out, &labels_empty, ev->t_ms, part(&d));
        return true;
    }
    value_vector(ev, out, in->count);
    for (size_t i = 0; i < in->count; i++) {
        const struct promql_row *row = &in->rows[i];

        d = date_of(whole_seconds(row->v));
        value_add(out, subset_labels(&subset_nameless, row->labels, ev->arena),
                  ev->t_ms, part(&d));
    }
    return value_unique(ev, out);
}

#define DATE_PART(name, expression)                         \
    static double part_##name(const struct date *d)         \
    {                                                       \
        return (double)(expression);                        \
    }                                                       \
    bool call_##name(struct eval *ev, const struct node *n, \
                     struct value *args, struct value *out) \
    {                                                       \
        return date_part(ev, n, args, part_##name, out);    \
    }

DATE_PART(minute, d->minute)
DATE_PART(hour, d->hour)
DATE_PART(day_of_week, d->weekday)
DATE_PART(day_of_month, d->day)
DATE_PART(day_of_year, d->day_of_year)
DATE_PART(days_in_month, month_days(d->year, d->month))
DATE_PART(month, d->month)
DATE_PART(year, d->year)

bool call_time(struct eval *ev, const struct node *n, struct value *args,
               struct value *out)
{
    (void)n;
    (void)args;
    value_scalar(out, (double)ev->t_ms / 1000);
    return true;
}

bool call_start(struct eval *ev, const struct node *n, struct value *args,
                struct value *out)
{
    (void)n;
    (void)args;
    value_scalar(out, (double)ev->query_ms / 1000);
    return true;
}

bool call_end(struct eval *ev, const struct node *n, struct value *args,
              struct value *out)
{
    return call_start(ev, n, args, out);
}

/* A query of one instant has no step and no range. */
bool call_step(struct eval *ev, const struct node *n, struct value *args,
               struct value *out)
{
    (void)ev;
    (void)n;
    (void)args;
    value_scalar(out, 0);
    return true;
}

bool call_range(struct eval *ev, const struct node *n, struct value *args,
                struct value *out)
{
    return call_step(ev, n, args, out);
}

bool call_timestamp(struct eval *ev, const struct node *n, struct value *args,
                    struct value *out)
{
    (void)n;
    value_vector(ev, out, args[0].count);
    for (size_t i = 0; i < args[0].count; i++) {
        const struct promql_row *row = &args[0].rows[i];

        value_add(out, subset_labels(&subset_nameless, row->labels, ev->arena),
                  ev->t_ms, (double)row->t_ms / 1000);
    }
    return value_unique(ev, out);
}
