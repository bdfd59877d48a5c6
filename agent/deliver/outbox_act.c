/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/log.h"
#include "agent/deliver/inside.h"

/* How far apart requests are pushed by throttling, at the most. */
#define PACE_MAX (60 * WHEN_SECOND)
#define PACE_MIN (500 * INT64_C(1))
/* A clock that is off by less needs no correction; an answer that took longer
 * tells nothing about clocks. */
#define SKEW_LEAST (4 * WHEN_MINUTE)
#define SKEW_SLOW  (15 * WHEN_SECOND)

void outbox_recovered(struct outbox *o)
{
    backoff_reset(&o->backoff);
    o->reauthed = false;
    o->pace_ms = o->pace_ms > PACE_MIN ? o->pace_ms / 2 : 0;
    o->stats.healthy = true;
    o->stats.last_accept_ms = outbox_now(o).wall_ms;
    if (o->told_down)
        log_info("sink_recovered", log_z("sink", o->with.type->name),
                 log_i("queued", (int64_t)o->queue.entries.count));
    o->told_down = false;
}

void outbox_failed(struct outbox *o, const struct err *why)
{
    o->stats.failures++;
    o->stats.healthy = false;
    o->stats.last_error = *why;
    if (!o->told_down)
        log_warn("sink_failed", log_z("sink", o->with.type->name), log_err(why),
                 log_i("queued", (int64_t)o->queue.entries.count));
    o->told_down = true;
}

static void cut_or_drop(struct outbox *o, const struct err *why)
{
    if (o->taken > 1) {
        o->cut = o->taken / 2;
    } else {
        o->stats.last_error = *why;
        outbox_end_batch(o, OUTBOX_REJECTED, why);
        o->cut = BATCH_MAX;
    }
    outbox_again(o, outbox_next_ms(o));
}

static void end_these(struct outbox *o, const size_t *these, size_t count,
                      enum outbox_end end, const struct err *why)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = these[i];

        if (at >= o->taken || !o->batch[at])
            continue;
        outbox_end_entry(o, o->batch[at], end, why);
        o->batch[at] = NULL;
    }
}

static void keep_these(struct outbox *o, const size_t *these, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (these[i] < o->taken)
            o->batch[these[i]] = NULL;
}

static void judged_partial(struct outbox *o, const struct verdict *v)
{
    size_t before = o->queue.entries.count;

    end_these(o, v->bad, v->bad_count, OUTBOX_REJECTED, &v->err);
    end_these(o, v->superseded, v->superseded_count, OUTBOX_SUPERSEDED,
              &v->err);
    o->stats.last_error = v->err;
    if (v->rest_delivered) {
        keep_these(o, v->again, v->again_count);
        outbox_recovered(o);
        outbox_end_batch(o, OUTBOX_ACCEPTED, NULL);
    } else if (o->queue.entries.count == before) {
        cut_or_drop(o, &v->err); /* names none of ours: find it by cutting */
        return;
    }
    if (v->again_count > 0)
        outbox_rest(o, v->after_ms);
    else
        outbox_again(o, outbox_next_ms(o));
}

static void judged_retry(struct outbox *o, const struct verdict *v)
{
    outbox_failed(o, &v->err);
    if (v->throttled) {
        o->stats.throttled++;
        o->pace_ms = o->pace_ms ? o->pace_ms * 2 : PACE_MIN;
        if (o->pace_ms > PACE_MAX)
            o->pace_ms = PACE_MAX;
    }
    outbox_rest(o, v->after_ms);
}

static void judged_reauth(struct outbox *o, const struct verdict *v)
{
    bool first = !o->reauthed;

    outbox_failed(o, &v->err);
    if (o->lease)
        lease_refused(o->lease);
    o->reauthed = true;
    if (first)
        outbox_again(o, outbox_now(o).mono_ms);
    else
        outbox_rest(o, DENIED_REST);
}

static void judged_clock(struct outbox *o, bool corrected,
                         const struct verdict *v)
{
    outbox_failed(o, &v->err);
    if (corrected)
        outbox_again(o, outbox_now(o).mono_ms);
    else
        outbox_rest(o, 0);
}

static void act(struct outbox *o, bool corrected, const struct verdict *v)
{
    outbox_mark(o, false);
    switch (v->kind) {
    case VERDICT_ACCEPTED:
        outbox_recovered(o);
        outbox_end_batch(o, OUTBOX_ACCEPTED, NULL);
        o->cut = o->cut < BATCH_MAX / 2 ? o->cut * 2 : BATCH_MAX;
        outbox_again(o, outbox_next_ms(o));
        break;
    case VERDICT_RETRY:
        judged_retry(o, v);
        break;
    case VERDICT_REAUTH:
        judged_reauth(o, v);
        break;
    case VERDICT_CLOCK:
        judged_clock(o, corrected, v);
        break;
    case VERDICT_SPLIT:
        cut_or_drop(o, &v->err);
        break;
    case VERDICT_PARTIAL:
        judged_partial(o, v);
        break;
    case VERDICT_REJECTED:
        if (v->denied) {
            outbox_failed(o, &v->err);
            outbox_rest(o,
                        v->after_ms > DENIED_REST ? v->after_ms : DENIED_REST);
        } else {
            cut_or_drop(o, &v->err);
        }
        break;
    }
}

/* Points carry the cloud's time: what is queued moves with it. */
static void set_skew(struct outbox *o, int64_t skew_ms)
{
    int64_t shift = skew_ms - o->stats.skew_ms;

    list_for_each (&o->queue.entries, n)
        point_shift(list_entry(n, struct entry, node)->point, shift);
    list_for_each (&o->recent.entries, n)
        point_shift(list_entry(n, struct entry, node)->point, shift);
    o->stats.skew_ms = skew_ms;
    log_warn("clock_corrected", log_z("sink", o->with.type->name),
             log_i("skew_seconds", skew_ms / WHEN_SECOND));
}

/*
 * Date is the moment the answer was made (RFC 9110 section 6.6.1).  One from
 * a cache or a slow way tells nothing; the bounds are those of AWS' SDKs.
 * True when our idea of the cloud's clock has changed.
 */
static bool measure_skew(struct outbox *o, const struct http_response *res)
{
    int64_t date, skew, off;

    if (http_get(res, STR("Age")).len || res->duration_ms > SKEW_SLOW ||
        !when_http_date_parse(http_get(res, STR("Date")), &date))
        return false;
    skew = date - outbox_now(o).wall_ms;
    off = skew - o->stats.skew_ms;
    if (off < SKEW_LEAST && off > -SKEW_LEAST)
        return false;
    set_skew(o, skew);
    return true;
}

void outbox_on_answer(void *arg, const struct http_response *res,
                      const struct err *net)
{
    struct outbox *o = arg;
    struct batch sent = {o->points, o->taken};
    struct verdict v = {.kind = VERDICT_RETRY};
    bool corrected = false;

    if (net) {
        v.err = *net;
    } else {
        o->with.type->judge(o->with.conf, res, &sent, outbox_cloud_ms(o),
                            &o->arena, &v);
        corrected = measure_skew(o, res);
    }
    act(o, corrected, &v);
}
