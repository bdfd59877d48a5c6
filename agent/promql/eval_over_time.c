/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that fold the samples of a range into one number. */
#include "agent/promql/func_impl.h"

#include <math.h>

static double newest(const struct range_call *c)
{
    return c->samples[c->count - 1].v;
}

bool range_last(const struct range_call *c, double *out)
{
    *out = newest(c);
    return true;
}

bool range_first(const struct range_call *c, double *out)
{
    *out = c->samples[0].v;
    return true;
}

bool range_count(const struct range_call *c, double *out)
{
    *out = (double)c->count;
    return true;
}

bool range_present(const struct range_call *c, double *out)
{
    (void)c;
    *out = 1;
    return true;
}

bool range_sum(const struct range_call *c, double *out)
{
    struct kahan k = {0};

    for (size_t i = 0; i < c->count; i++)
        kahan_add(&k, c->samples[i].v);
    *out = isinf(k.sum) ? k.sum : k.sum + k.c;
    return true;
}

/* A mean: the sum by the count, or a running mean from where the sum would
 * overflow. */
void mean_add(struct mean *m, double v)
{
    double q;

    m->count++;
    if (!m->running) {
        struct kahan next = m->k;

        kahan_add(&next, v);
        if (!isinf(next.sum)) {
            m->k = next;
            return;
        }
        m->running = true;
        m->k.sum /= m->count - 1;
        m->k.c /= m->count - 1;
    }
    q = (m->count - 1) / m->count;
    m->k.sum *= q;
    m->k.c *= q;
    kahan_add(&m->k, v / m->count);
}

double mean_get(const struct mean *m)
{
    return m->running ? m->k.sum + m->k.c
                      : m->k.sum / m->count + m->k.c / m->count;
}

bool range_avg(const struct range_call *c, double *out)
{
    struct mean m = {.k.sum = c->samples[0].v, .count = 1};

    for (size_t i = 1; i < c->count; i++)
        mean_add(&m, c->samples[i].v);
    *out = mean_get(&m);
    return true;
}

/* The sample that stays when each next one replaces it if `better`; NaN is
 * replaced by anything.  `ties`: an equal one replaces it, too. */
static const struct sample *extreme(const struct range_call *c, bool high,
                                    bool ties)
{
    const struct sample *best = &c->samples[0];

    for (size_t i = 0; i < c->count; i++) {
        const struct sample *s = &c->samples[i];

        if ((high ? s->v > best->v : s->v < best->v) || isnan(best->v) ||
            (ties && s->v == best->v))
            best = s;
    }
    return best;
}

bool range_max(const struct range_call *c, double *out)
{
    *out = extreme(c, true, false)->v;
    return true;
}

bool range_min(const struct range_call *c, double *out)
{
    *out = extreme(c, false, false)->v;
    return true;
}

static bool seconds(int64_t t_ms, double *out)
{
    *out = (double)t_ms / 1000;
    return true;
}

bool range_ts_max(const struct range_call *c, double *out)
{
    return seconds(extreme(c, true, true)->t_ms, out);
}

bool range_ts_min(const struct range_call *c, double *out)
{
    return seconds(extreme(c, false, true)->t_ms, out);
}

bool range_ts_first(const struct range_call *c, double *out)
{
    return seconds(c->samples[0].t_ms, out);
}

bool range_ts_last(const struct range_call *c, double *out)
{
    return seconds(c->samples[c->count - 1].t_ms, out);
}

/* Welford's recurrence with Kahan's sums. */
bool range_stdvar(const struct range_call *c, double *out)
{
    struct kahan mean = {0}, squares = {0};
    double count = 0;

    for (size_t i = 0; i < c->count; i++) {
        double v = c->samples[i].v;
        double delta = v - (mean.sum + mean.c);

        count++;
        kahan_add(&mean, delta / count);
        kahan_add(&squares, delta * (v - (mean.sum + mean.c)));
    }
    *out = (squares.sum + squares.c) / count;
    return true;
}

bool range_stddev(const struct range_call *c, double *out)
{
    (void)range_stdvar(c, out);
    *out = sqrt(*out);
    return true;
}

static double *copy_values(const struct range_call *c)
{
    double *values = arena_array(c->ev->arena, c->count, sizeof(*values));

    for (size_t i = 0; i < c->count; i++)
        values[i] = c->samples[i].v;
    return values;
}

bool range_quantile(const struct range_call *c, double *out)
{
    *out = number_quantile(c->args[0], copy_values(c), c->count);
    return true;
}

/* The median of the distances from the median; NaN spreads. */
bool range_mad(const struct range_call *c, double *out)
{
    double *values = copy_values(c);
    double median = number_quantile(0.5, values, c->count);

    *out = sample_nan();
    if (isnan(values[0])) /* sorted by now */
        return true;
    for (size_t i = 0; i < c->count; i++)
        values[i] = fabs(values[i] - median);
    *out = number_quantile(0.5, values, c->count);
    return true;
}
