/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/func_impl.h"
#include "agent/promql/subset.h"

#include <math.h>

#define PI 3.14159265358979323846264338327950288

double map_sgn(double v)
{
    if (v < 0)
        return -1;
    return v > 0 ? 1 : v;
}

double map_rad(double v)
{
    return v * PI / 180;
}

double map_deg(double v)
{
    return v * 180 / PI;
}

/* As Go's math.Max and math.Min: an infinity of their side wins, then NaN. */
static double max(double a, double b)
{
    if (a == HUGE_VAL || b == HUGE_VAL)
        return HUGE_VAL;
    return isnan(a) || isnan(b) ? sample_nan() : fmax(a, b);
}

static double min(double a, double b)
{
    if (a == -HUGE_VAL || b == -HUGE_VAL)
        return -HUGE_VAL;
    return isnan(a) || isnan(b) ? sample_nan() : fmin(a, b);
}

static bool clamp(struct eval *ev, const struct value *in, double low,
                  double high, struct value *out)
{
    value_vector(ev, out, in->count);
    if (high < low)
        return true;
    for (size_t i = 0; i < in->count; i++) {
        const struct promql_row *row = &in->rows[i];

        value_add(out, subset_labels(&subset_nameless, row->labels, ev->arena),
                  ev->t_ms, max(low, min(high, row->v)));
    }
    return value_unique(ev, out);
}

bool call_clamp(struct eval *ev, const struct node *n, struct value *args,
                struct value *out)
{
    (void)n;
    return clamp(ev, &args[0], args[1].scalar, args[2].scalar, out);
}

bool call_clamp_max(struct eval *ev, const struct node *n, struct value *args,
                    struct value *out)
{
    (void)n;
    return clamp(ev, &args[0], -HUGE_VAL, args[1].scalar, out);
}

bool call_clamp_min(struct eval *ev, const struct node *n, struct value *args,
                    struct value *out)
{
    (void)n;
    return clamp(ev, &args[0], args[1].scalar, HUGE_VAL, out);
}

/* To the nearest multiple, a tie upwards. */
bool call_round(struct eval *ev, const struct node *n, struct value *args,
                struct value *out)
{
    double inverse = 1 / (n->call.count > 1 ? args[1].scalar : 1);

    value_vector(ev, out, args[0].count);
    for (size_t i = 0; i < args[0].count; i++) {
        const struct promql_row *row = &args[0].rows[i];

        value_add(out, subset_labels(&subset_nameless, row->labels, ev->arena),
                  ev->t_ms, floor(row->v * inverse + 0.5) / inverse);
    }
    return value_unique(ev, out);
}

bool call_pi(struct eval *ev, const struct node *n, struct value *args,
             struct value *out)
{
    (void)ev;
    (void)n;
    (void)args;
    value_scalar(out, PI);
    return true;
}

bool call_scalar(struct eval *ev, const struct node *n, struct value *args,
                 struct value *out)
{
    (void)ev;
    (void)n;
    value_scalar(out, args[0].count == 1 ? args[0].rows[0].v : sample_nan());
    return true;
}

bool call_vector(struct eval *ev, const struct node *n, struct value *args,
                 struct value *out)
{
    (void)n;
    value_vector(ev, out, 1);
    value_add(out, &labels_empty, ev->t_ms, args[0].scalar);
    return true;
}

bool call_max_of(struct eval *ev, const struct node *n, struct value *args,
                 struct value *out)
{
    (void)ev;
    (void)n;
    value_scalar(out, max(args[0].scalar, args[1].scalar));
    return true;
}

bool call_min_of(struct eval *ev, const struct node *n, struct value *args,
                 struct value *out)
{
    (void)ev;
    (void)n;
    value_scalar(out, min(args[0].scalar, args[1].scalar));
    return true;
}
