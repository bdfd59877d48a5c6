/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deliver/outbox.h"

#include "agent/base/backoff.h"
#include "agent/base/log.h"
#include "agent/base/map.h"
#include "agent/base/mem.h"
#include "agent/deliver/queue.h"

#include <assert.h>
#include <stdlib.h>

enum state { IDLE, SIGNING, SENDING, RESTING };

#define TO(s) (1U << (s))

static const struct {
    const char *name;
    unsigned next; /* states that may follow */
} states[] = {
    [IDLE] = {"idle", TO(SIGNING) | TO(RESTING)},
    [SIGNING] = {"signing", TO(SENDING) | TO(RESTING) | TO(IDLE)},
    [SENDING] = {"sending", TO(IDLE) | TO(RESTING)},
    [RESTING] = {"resting", TO(IDLE)},
};

/* Points looked at for one request; no cloud takes more. */
#define BATCH_MAX 1000
/* How far apart requests are pushed by throttling, at the most. */
#define PACE_MAX (60 * WHEN_SECOND)
#define PACE_MIN (500 * INT64_C(1))
/* A permission is granted by people: ask again at this pace. */
#define DENIED_REST (30 * WHEN_SECOND)
/* No failed request is repeated sooner. */
#define LEAST_REST (100 * INT64_C(1))
/* A clock that is off by less needs no correction; an answer that took longer
 * tells nothing about clocks. */
#define SKEW_LEAST (4 * WHEN_MINUTE)
#define SKEW_SLOW  (15 * WHEN_SECOND)
/* Bytes of an answer; what a cloud says beyond that is of no use. */
#define RESPONSE_MAX (256 * 1024)

const struct conf_key deliver_keys[] = {
    CONF_MS(deliver_conf, max_age, "15m", WHEN_MINUTE, 14 * WHEN_DAY,
            "How long a point that was not accepted is kept and sent again."),
    CONF_SIZE(deliver_conf, max_bytes, "4MiB", 16 * 1024, 1024 * 1024 * 1024,
              "Memory for points that wait, for each sink; the oldest go "
              "first when it is used up."),
    CONF_MS(deliver_conf, retry_min, "1s", 10, WHEN_HOUR,
            "The wait after a first failure is a random part of this; it "
            "doubles with each further one."),
    CONF_MS(deliver_conf, retry_max, "30s", 10, WHEN_HOUR,
            "The longest such wait."),
    CONF_END,
};

struct outbox {
    struct outbox_options with;
    enum state state;
    struct queue queue;
    struct map told; /* "metric\nreason" of drops already in the log */
    struct lease *lease;
    struct lease_waiter waiter;
    struct http_call call;
    struct http_request req;
    struct timer timer; /* RESTING's end, or the next pass of IDLE */
    struct timer flush_timer;
    struct arena arena;   /* of one request */
    struct entry **batch; /* what the request holds, in its order */
    const struct point **points;
    size_t taken;
    size_t cut; /* at most so many points in the next request */
    struct backoff backoff;
    int64_t pace_ms; /* least distance of requests; 0: not throttled */
    int64_t sent_mono_ms;
    bool reauthed; /* already tried since the last success */
    bool told_down;
    outbox_flushed_fn *flushed;
    void *flushed_arg;
    int64_t flush_deadline_ms;
    struct outbox_stats stats;
};

static void pass(void *arg);

const char *outbox_end_name(enum outbox_end end)
{
    static const char *const names[OUTBOX_ENDS] = {
        [OUTBOX_ACCEPTED] = "accepted",  [OUTBOX_TOO_OLD] = "too_old",
        [OUTBOX_TOO_NEW] = "too_new",    [OUTBOX_CROWDED] = "queue_full",
        [OUTBOX_REFUSED] = "unsendable", [OUTBOX_REJECTED] = "rejected",
    };

    return names[end];
}

/* The only way from state to state. */
static void enter(struct outbox *o, enum state next)
{
    assert(states[o->state].next & TO(next));
    log_debug("outbox_state", log_z("sink", o->with.type->name),
              log_z("from", states[o->state].name),
              log_z("to", states[next].name));
    o->state = next;
}

static struct now now_of(const struct outbox *o)
{
    return loop_now(o->with.loop);
}

/* Our wall clock as the cloud sees it. */
static int64_t cloud_ms(const struct outbox *o)
{
    return now_of(o).wall_ms + o->stats.skew_ms;
}

static void tell_drop(struct outbox *o, const struct point *p,
                      enum outbox_end end, const struct err *why)
{
    struct buf key;
    char *kept;

    buf_init(&key, 1024);
    buf_adds(&key, p->name);
    buf_addf(&key, "\n%d", (int)end);
    if (!map_get(&o->told, buf_str(&key))) {
        kept = buf_take(&key);
        map_put(&o->told, str_of(kept), kept);
        log_warn("point_dropped", log_z("sink", o->with.type->name),
                 log_s("metric", p->name),
                 log_z("reason", outbox_end_name(end)),
                 log_z("error", why ? why->text : ""));
    }
    buf_fini(&key);
}

static void end_entry(struct outbox *o, struct entry *e, enum outbox_end end,
                      const struct err *why)
{
    o->stats.ended[end]++;
    if (end != OUTBOX_ACCEPTED)
        tell_drop(o, e->point, end, why);
    if (o->with.ended)
        o->with.ended(o->with.arg, e->point, end, why);
    queue_drop(&o->queue, e);
}

/* What is too old or ahead of the cloud's window will never be taken. */
static void expire(struct outbox *o)
{
    const struct sink_type *t = o->with.type;
    int64_t now = cloud_ms(o), limit = o->with.deliver.max_age_ms;
    struct err why;

    if (t->oldest_ms && t->oldest_ms < limit)
        limit = t->oldest_ms;
    list_for_each (&o->queue.entries, n) {
        struct entry *e = list_entry(n, struct entry, node);

        if (now - e->point->t_ms > limit) {
            (void)err_set(&why, ERR_LIMIT,
                          "not delivered within %lld s; the last failure: %s",
                          (long long)(limit / WHEN_SECOND),
                          o->stats.last_error.kind ? o->stats.last_error.text
                                                   : "none");
            end_entry(o, e, OUTBOX_TOO_OLD, &why);
        } else if (t->ahead_ms && e->point->t_ms - now > t->ahead_ms) {
            (void)err_set(&why, ERR_LIMIT,
                          "stamped %lld s in the future of this cloud's "
                          "clock; set this machine's clock",
                          (long long)((e->point->t_ms - now) / WHEN_SECOND));
            end_entry(o, e, OUTBOX_TOO_NEW, &why);
        }
    }
}

static void shrink(struct outbox *o)
{
    struct entry *e;
    struct err why;

    while (queue_bytes(&o->queue) > (size_t)o->with.deliver.max_bytes &&
           (e = queue_idle(&o->queue))) {
        (void)err_set(&why, ERR_LIMIT,
                      "the queue is over max_bytes (%lld); this was its "
                      "oldest point",
                      (long long)o->with.deliver.max_bytes);
        end_entry(o, e, OUTBOX_CROWDED, &why);
    }
}

/*
 * Flushing.
 */
static void tell_flushed(struct outbox *o)
{
    outbox_flushed_fn *done = o->flushed;

    o->flushed = NULL;
    timer_disarm(&o->flush_timer);
    if (done)
        done(o->flushed_arg);
}

static void flush_over(void *arg)
{
    tell_flushed(arg);
}

void outbox_flush(struct outbox *o, int64_t deadline_mono_ms,
                  outbox_flushed_fn *done, void *arg)
{
    int64_t now = now_of(o).mono_ms;

    o->flushed = done;
    o->flushed_arg = arg;
    o->flush_deadline_ms = deadline_mono_ms;
    timer_arm(o->with.loop, &o->flush_timer,
              outbox_empty(o) ? now : deadline_mono_ms, flush_over, o);
    if (o->state == RESTING)
        timer_arm(o->with.loop, &o->timer, now, pass, o);
}

/*
 * Between requests.
 */
static void rest(struct outbox *o, int64_t at_least_ms)
{
    int64_t wait = backoff_next(&o->backoff, loop_random(o->with.loop));
    int64_t now = now_of(o).mono_ms;

    /* Our own patience may be cut short by a flush, the cloud's not. */
    if (o->flushed && now + wait > o->flush_deadline_ms)
        wait = (o->flush_deadline_ms - now) / 2;
    if (wait < LEAST_REST)
        wait = LEAST_REST;
    if (wait < at_least_ms)
        wait = at_least_ms;
    enter(o, RESTING);
    timer_arm(o->with.loop, &o->timer, now + wait, pass, o);
}

static void again(struct outbox *o, int64_t at_ms)
{
    if (o->state != IDLE)
        enter(o, IDLE);
    if (queue_empty(&o->queue)) {
        if (o->flushed)
            timer_arm(o->with.loop, &o->flush_timer, now_of(o).mono_ms,
                      flush_over, o);
        return;
    }
    timer_arm(o->with.loop, &o->timer, at_ms, pass, o);
}

static int64_t next_ms(const struct outbox *o)
{
    int64_t now = now_of(o).mono_ms, at = o->sent_mono_ms + o->pace_ms;

    return o->pace_ms && at > now ? at : now;
}

static void recovered(struct outbox *o)
{
    backoff_reset(&o->backoff);
    o->reauthed = false;
    o->pace_ms = o->pace_ms > PACE_MIN ? o->pace_ms / 2 : 0;
    o->stats.healthy = true;
    o->stats.last_accept_ms = now_of(o).wall_ms;
    if (o->told_down)
        log_info("sink_recovered", log_z("sink", o->with.type->name),
                 log_i("queued", (int64_t)o->queue.entries.count));
    o->told_down = false;
}

/* A request did not bring its points in; they stay queued. */
static void failed(struct outbox *o, const struct err *why)
{
    o->stats.failures++;
    o->stats.healthy = false;
    o->stats.last_error = *why;
    if (!o->told_down)
        log_warn("sink_failed", log_z("sink", o->with.type->name), log_err(why),
                 log_i("queued", (int64_t)o->queue.entries.count));
    o->told_down = true;
}

static void mark(struct outbox *o, bool in_flight)
{
    for (size_t i = 0; i < o->taken; i++)
        if (o->batch[i])
            o->batch[i]->in_flight = in_flight;
}

/*
 * After the answer.
 */
static void end_batch(struct outbox *o, enum outbox_end end,
                      const struct err *why)
{
    for (size_t i = 0; i < o->taken; i++)
        if (o->batch[i])
            end_entry(o, o->batch[i], end, why);
    o->taken = 0;
}

static void cut_or_drop(struct outbox *o, const struct err *why)
{
    if (o->taken > 1) {
        o->cut = o->taken / 2;
    } else {
        o->stats.last_error = *why;
        end_batch(o, OUTBOX_REJECTED, why);
        o->cut = BATCH_MAX;
    }
    again(o, next_ms(o));
}

static void judged_partial(struct outbox *o, const struct verdict *v)
{
    size_t before = o->queue.entries.count;

    for (size_t i = 0; i < v->bad_count; i++) {
        size_t bad = v->bad[i];

        if (bad >= o->taken || !o->batch[bad])
            continue;
        end_entry(o, o->batch[bad], OUTBOX_REJECTED, &v->err);
        o->batch[bad] = NULL;
    }
    o->stats.last_error = v->err;
    if (v->rest_delivered) {
        recovered(o);
        end_batch(o, OUTBOX_ACCEPTED, NULL);
    } else if (o->queue.entries.count == before) {
        cut_or_drop(o, &v->err); /* names none of ours: find it by cutting */
        return;
    }
    again(o, next_ms(o));
}

static void judged_retry(struct outbox *o, const struct verdict *v)
{
    failed(o, &v->err);
    if (v->throttled) {
        o->stats.throttled++;
        o->pace_ms = o->pace_ms ? o->pace_ms * 2 : PACE_MIN;
        if (o->pace_ms > PACE_MAX)
            o->pace_ms = PACE_MAX;
    }
    rest(o, v->after_ms);
}

static void judged_reauth(struct outbox *o, const struct verdict *v)
{
    bool first = !o->reauthed;

    failed(o, &v->err);
    if (o->lease)
        lease_refused(o->lease);
    o->reauthed = true;
    if (first)
        again(o, now_of(o).mono_ms);
    else
        rest(o, DENIED_REST);
}

static void judged_clock(struct outbox *o, bool corrected,
                         const struct verdict *v)
{
    failed(o, &v->err);
    if (corrected)
        again(o, now_of(o).mono_ms);
    else
        rest(o, 0);
}

static void act(struct outbox *o, bool corrected, const struct verdict *v)
{
    mark(o, false);
    switch (v->kind) {
    case VERDICT_ACCEPTED:
        recovered(o);
        end_batch(o, OUTBOX_ACCEPTED, NULL);
        o->cut = o->cut < BATCH_MAX / 2 ? o->cut * 2 : BATCH_MAX;
        again(o, next_ms(o));
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
            failed(o, &v->err);
            rest(o, DENIED_REST);
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
    skew = date - now_of(o).wall_ms;
    off = skew - o->stats.skew_ms;
    if (off < SKEW_LEAST && off > -SKEW_LEAST)
        return false;
    set_skew(o, skew);
    return true;
}

static void on_answer(void *arg, const struct http_response *res,
                      const struct err *net)
{
    struct outbox *o = arg;
    struct batch sent = {o->points, o->taken};
    struct verdict v = {.kind = VERDICT_RETRY};
    bool corrected = false;

    if (net) {
        v.err = *net;
    } else {
        o->with.type->judge(o->with.conf, res, &sent, cloud_ms(o), &o->arena,
                            &v);
        corrected = measure_skew(o, res);
    }
    act(o, corrected, &v);
}

/*
 * Up to the request.
 */
static void send_request(struct outbox *o)
{
    const struct http_hooks hooks = {.done = on_answer};

    enter(o, SENDING);
    o->stats.requests++;
    o->sent_mono_ms = now_of(o).mono_ms;
    if (!o->req.max_response)
        o->req.max_response = RESPONSE_MAX;
    http_start(o->with.http, &o->call, &o->req, &hooks, o);
}

static void on_credentials(void *arg, const struct credentials *creds,
                           const struct err *none)
{
    struct outbox *o = arg;
    struct err err;

    if (!creds) {
        mark(o, false);
        failed(o, none);
        rest(o, 0);
    } else if (!o->with.type->sign(o->with.conf, creds, cloud_ms(o), &o->arena,
                                   &o->req, &err)) {
        mark(o, false);
        failed(o, &err);
        rest(o, DENIED_REST);
    } else {
        send_request(o);
    }
}

static bool admitted(struct outbox *o, struct entry *e)
{
    struct err why;

    if (!o->with.type->admit ||
        o->with.type->admit(o->with.conf, e->point, &why))
        return true;
    end_entry(o, e, OUTBOX_REFUSED, &why);
    return false;
}

/* Newest first, as many as one request may hold. */
static size_t choose(struct outbox *o)
{
    size_t most = o->cut < BATCH_MAX ? o->cut : BATCH_MAX, n = 0;
    struct entry *e = queue_newest(&o->queue);

    while (e && n < most) {
        struct entry *older = queue_older(e);

        if (admitted(o, e)) {
            o->batch[n] = e;
            o->points[n++] = e->point;
        }
        e = older;
    }
    return n;
}

static void write_locally(struct outbox *o)
{
    if (o->with.write)
        o->with.write(o->with.arg, o->req.body);
    o->stats.requests++;
    recovered(o);
    end_batch(o, OUTBOX_ACCEPTED, NULL);
    again(o, now_of(o).mono_ms);
}

static void unrenderable(struct outbox *o, size_t count, const struct err *why)
{
    o->taken = count;
    o->stats.last_error = *why;
    if (count > 1) {
        o->cut = count / 2;
    } else {
        end_batch(o, OUTBOX_REFUSED, why);
        o->cut = BATCH_MAX;
    }
    again(o, now_of(o).mono_ms);
}

static void start_request(struct outbox *o, size_t count)
{
    const struct sink_type *t = o->with.type;
    struct batch batch = {o->points, count};
    struct err err;

    arena_reset(&o->arena);
    o->req = (struct http_request){0};
    o->taken = 0;
    if (!t->render(o->with.conf, &batch, &o->arena, &o->req, &o->taken, &err)) {
        unrenderable(o, count, &err);
        return;
    }
    if (o->req.url.len == 0) {
        write_locally(o);
        return;
    }
    mark(o, true);
    enter(o, SIGNING);
    if (o->lease && t->sign)
        lease_wait(o->lease, &o->waiter, on_credentials, o);
    else
        send_request(o);
}

/* IDLE with something to do, or RESTING that is over. */
static void pass(void *arg)
{
    struct outbox *o = arg;
    size_t count;

    if (o->state == RESTING)
        enter(o, IDLE);
    expire(o);
    count = choose(o);
    if (count > 0)
        start_request(o, count);
    else
        again(o, now_of(o).mono_ms);
}

/*
 * Life.
 */
struct outbox *outbox_new(const struct outbox_options *options)
{
    struct outbox *o = xcalloc(1, sizeof(*o));
    const struct sink_type *t = options->type;

    o->with = *options;
    o->cut = BATCH_MAX;
    o->backoff.base_ms = options->deliver.retry_min_ms;
    o->backoff.cap_ms = options->deliver.retry_max_ms;
    o->stats.healthy = true;
    o->batch = xcalloc(BATCH_MAX, sizeof(*o->batch));
    o->points = xcalloc(BATCH_MAX, sizeof(*o->points));
    arena_init(&o->arena, 8192);
    if (t->providers) {
        struct lease_options lease = {.providers = t->providers,
                                      .env = options->env,
                                      .mend = t->no_credentials};

        o->lease = lease_new(options->loop, options->http, &lease);
    }
    return o;
}

static void forget_told(struct outbox *o)
{
    struct map_slot slot;
    size_t i = 0;

    while (map_next(&o->told, &i, &slot))
        free(slot.value);
    map_fini(&o->told);
}

void outbox_free(struct outbox *o)
{
    if (!o)
        return;
    http_cancel(&o->call);
    lease_leave(&o->waiter);
    timer_disarm(&o->timer);
    timer_disarm(&o->flush_timer);
    lease_free(o->lease);
    while (!queue_empty(&o->queue))
        queue_drop(&o->queue, queue_oldest(&o->queue));
    forget_told(o);
    arena_fini(&o->arena);
    free(o->batch);
    free(o->points);
    free(o);
}

void outbox_add(struct outbox *o, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        queue_add(&o->queue, batch->points[i], o->stats.skew_ms);
    o->stats.added += batch->count;
    shrink(o);
    if (o->state == IDLE)
        again(o, next_ms(o));
}

bool outbox_empty(const struct outbox *o)
{
    return queue_empty(&o->queue);
}

const struct outbox_stats *outbox_stats(struct outbox *o)
{
    struct entry *oldest = queue_oldest(&o->queue);

    o->stats.queued = o->queue.entries.count;
    o->stats.queued_bytes = queue_bytes(&o->queue);
    o->stats.oldest_ms = oldest ? oldest->point->t_ms : 0;
    return &o->stats;
}
