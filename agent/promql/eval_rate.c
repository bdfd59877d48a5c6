/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of how the samples of a range change. */
#include "agent/promql/func_impl.h"

#include <math.h>

/* What the samples cover, in seconds. */
struct span {
    double sampled;  /* first to last sample */
    double to_start; /* window's start to first sample */
    double to_end;
};

static struct span span_of(const struct range_call *c)
{
    int64_t first = c->samples[0].t_ms, last = c->samples[c->count - 1].t_ms;

    return (struct span){(double)(last - first) / 1000,
                         (double)(first - c->start_ms) / 1000,
                         (double)(c->end_ms - last) / 1000};
}

static double rise(const struct range_call *c, bool counter)
{
    double v = c->samples[c->count - 1].v - c->samples[0].v;

    for (size_t i = 1; counter && i < c->count; i++)
        if (c->samples[i].v < c->samples[i - 1].v)
            v += c->samples[i - 1].v;
    return v;
}

/*
 * The rise over the whole window, extrapolated from the samples in it: to an
 * edge of the window when the next sample beyond it may be expected there
 * (up to 1.1 mean spacings away), else by half a spacing; and never to where
 * a counter would be below zero.
 */
static bool extrapolated(const struct range_call *c, bool counter, bool rate,
                         double *out)
{
    double spacing, threshold, change, factor;
    struct span s;

    if (c->count < 2)
        return false;
    s = span_of(c);
    spacing = s.sampled / (double)(c->count - 1);
    threshold = spacing * 1.1;
    change = rise(c, counter);
    if (s.to_start >= threshold)
        s.to_start = spacing / 2;
    if (counter && change > 0 && c->samples[0].v >= 0) {
        double to_zero = s.sampled * (c->samples[0].v / change);

        if (to_zero < s.to_start)
            s.to_start = to_zero;
    }
    if (s.to_end >= threshold)
        s.to_end = spacing / 2;
    factor = (s.sampled + s.to_start + s.to_end) / s.sampled;
    if (rate)
        factor /= (double)(c->end_ms - c->start_ms) / 1000;
    *out = change * factor;
    return true;
}

bool range_rate(const struct range_call *c, double *out)
{
    return extrapolated(c, true, true, out);
}

bool range_increase(const struct range_call *c, double *out)
{
    return extrapolated(c, true, false, out);
}

bool range_delta(const struct range_call *c, double *out)
{
    return extrapolated(c, false, false, out);
}

static bool last_two(const struct range_call *c, bool rate, double *out)
{
    const struct sample *a, *b;

    if (c->count < 2)
        return false;
    b = &c->samples[c->count - 1];
    a = b - 1;
    if (a->t_ms == b->t_ms)
        return false;
    *out = rate && b->v < a->v ? b->v : b->v - a->v;
    if (rate)
        *out /= (double)(b->t_ms - a->t_ms) / 1000;
    return true;
}

bool range_irate(const struct range_call *c, double *out)
{
    return last_two(c, true, out);
}

bool range_idelta(const struct range_call *c, double *out)
{
    return last_two(c, false, out);
}

bool range_changes(const struct range_call *c, double *out)
{
    *out = 0;
    for (size_t i = 1; i < c->count; i++) {
        double a = c->samples[i - 1].v, b = c->samples[i].v;

        if (a != b && !(isnan(a) && isnan(b)))
            *out += 1;
    }
    return true;
}

bool range_resets(const struct range_call *c, double *out)
{
    *out = 0;
    for (size_t i = 1; i < c->count; i++)
        if (c->samples[i].v < c->samples[i - 1].v)
            *out += 1;
    return true;
}

struct line {
    double slope, intercept; /* per second; at the time asked for */
};

static bool constant(const struct range_call *c)
{
    for (size_t i = 1; i < c->count; i++)
        if (c->samples[i].v != c->samples[0].v)
            return false;
    return true;
}

/* Least squares. */
static struct line regress(const struct range_call *c, int64_t at_ms)
{
    struct kahan x = {0}, y = {0}, xy = {0}, xx = {0};
    double n = (double)c->count, first = c->samples[0].v;
    double sum_x, sum_y, slope;

    if (constant(c))
        return isinf(first) ? (struct line){sample_nan(), sample_nan()}
                            : (struct line){0, first};
    for (size_t i = 0; i < c->count; i++) {
        double t = (double)(c->samples[i].t_ms - at_ms) / 1e3;
        double v = c->samples[i].v;

        kahan_add(&x, t);
        kahan_add(&y, v);
        kahan_add(&xy, t * v);
        kahan_add(&xx, t * t);
    }
    sum_x = x.sum + x.c;
    sum_y = y.sum + y.c;
    slope = (xy.sum + xy.c - sum_x * sum_y / n) /
            (xx.sum + xx.c - sum_x * sum_x / n);
    return (struct line){slope, sum_y / n - slope * sum_x / n};
}

bool range_deriv(const struct range_call *c, double *out)
{
    if (c->count < 2)
        return false;
    *out = regress(c, c->samples[0].t_ms).slope;
    return true;
}

bool range_predict(const struct range_call *c, double *out)
{
    struct line l;

    if (c->count < 2)
        return false;
    l = regress(c, c->t_ms);
    *out = l.slope * c->args[0] + l.intercept;
    return true;
}

static bool factor_ok(const struct range_call *c, const char *name, double v)
{
    return (v > 0 && v < 1) ||
           eval_fail(c->ev, "invalid %s factor. Expected: 0 < %cf < 1, got: %f",
                     name, name[0], v);
}

/* Holt's linear method. */
bool range_smooth(const struct range_call *c, double *out)
{
    double sf = c->args[0], tf = c->args[1];
    double before = 0, smooth = c->samples[0].v, trend;

    if (!factor_ok(c, "smoothing", sf) || !factor_ok(c, "trend", tf))
        return false;
    if (c->count < 2)
        return false;
    trend = c->samples[1].v - c->samples[0].v;
    for (size_t i = 1; i < c->count; i++) {
        double next;

        if (i > 1)
            trend = tf * (smooth - before) + (1 - tf) * trend;
        next = sf * c->samples[i].v + (1 - sf) * (smooth + trend);
        before = smooth;
        smooth = next;
    }
    *out = smooth;
    return true;
}
