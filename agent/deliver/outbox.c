/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deliver/outbox.h"

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/deliver/inside.h"

#include <assert.h>
#include <stdlib.h>

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

/* No failed request is repeated sooner. */
#define LEAST_REST (100 * INT64_C(1))
/* Bytes of an answer; what a cloud says beyond that is of no use. */
#define RESPONSE_MAX ((size_t)256 * 1024)

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

static void pass(void *arg);

/* The only way from state to state. */
static void enter(struct outbox *o, enum outbox_state next)
{
    assert(states[o->state].next & TO(next));
    log_debug("outbox_state", log_z("sink", o->with.type->name),
              log_z("from", states[o->state].name),
              log_z("to", states[next].name));
    o->state = next;
}

struct now outbox_now(const struct outbox *o)
{
    return loop_now(o->with.loop);
}

int64_t outbox_cloud_ms(const struct outbox *o)
{
    return outbox_now(o).wall_ms + o->stats.skew_ms;
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
    int64_t now = outbox_now(o).mono_ms;

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
void outbox_rest(struct outbox *o, int64_t at_least_ms)
{
    int64_t wait = backoff_next(&o->backoff, loop_random(o->with.loop));
    int64_t now = outbox_now(o).mono_ms;

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

void outbox_again(struct outbox *o, int64_t at_ms)
{
    if (o->state != IDLE)
        enter(o, IDLE);
    if (queue_empty(&o->queue)) {
        if (o->flushed)
            timer_arm(o->with.loop, &o->flush_timer, outbox_now(o).mono_ms,
                      flush_over, o);
        return;
    }
    timer_arm(o->with.loop, &o->timer, at_ms, pass, o);
}

int64_t outbox_next_ms(const struct outbox *o)
{
    int64_t now = outbox_now(o).mono_ms, at = o->sent_mono_ms + o->pace_ms;

    return o->pace_ms && at > now ? at : now;
}

void outbox_mark(struct outbox *o, bool in_flight)
{
    for (size_t i = 0; i < o->taken; i++)
        if (o->batch[i])
            o->batch[i]->in_flight = in_flight;
}

/*
 * Up to the request.
 */
static void send_request(struct outbox *o)
{
    const struct http_hooks hooks = {.done = outbox_on_answer};

    enter(o, SENDING);
    o->stats.requests++;
    o->sent_mono_ms = outbox_now(o).mono_ms;
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
        outbox_mark(o, false);
        outbox_failed(o, none);
        outbox_rest(o, 0);
    } else if (!o->with.type->sign(o->with.conf, creds, outbox_cloud_ms(o),
                                   &o->arena, &o->req, &err)) {
        outbox_mark(o, false);
        outbox_failed(o, &err);
        outbox_rest(o, DENIED_REST);
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
    outbox_end_entry(o, e, OUTBOX_REFUSED, &why);
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
    struct err err;

    o->stats.requests++;
    if (o->with.write && !o->with.write(o->with.arg, o->req.body, &err)) {
        outbox_failed(o, &err);
        outbox_rest(o, 0);
        return;
    }
    outbox_recovered(o);
    outbox_end_batch(o, OUTBOX_ACCEPTED, NULL);
    outbox_again(o, outbox_now(o).mono_ms);
}

static void unrenderable(struct outbox *o, size_t count, const struct err *why)
{
    o->taken = count;
    o->stats.last_error = *why;
    if (count > 1) {
        o->cut = count / 2;
    } else {
        outbox_end_batch(o, OUTBOX_REFUSED, why);
        o->cut = BATCH_MAX;
    }
    outbox_again(o, outbox_now(o).mono_ms);
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
    outbox_mark(o, true);
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
    outbox_expire(o);
    outbox_thin(o);
    count = choose(o);
    if (count > 0)
        start_request(o, count);
    else
        outbox_again(o, outbox_now(o).mono_ms);
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
    arena_init(&o->settings, 512);
    if (t->providers) {
        struct lease_options lease = {.providers = t->providers,
                                      .env = options->env,
                                      .mend = t->no_credentials};

        if (t->auth_env)
            lease.env = t->auth_env(options->conf, options->env, &o->settings);
        o->lease = lease_new(options->loop, options->http, &lease);
    }
    return o;
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
    while (!queue_empty(&o->recent))
        queue_drop(&o->recent, queue_oldest(&o->recent));
    outbox_forget_told(o);
    arena_fini(&o->arena);
    arena_fini(&o->settings);
    free(o->batch);
    free(o->points);
    free(o);
}

void outbox_add(struct outbox *o, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        queue_add(&o->queue, batch->points[i], o->stats.skew_ms);
    o->stats.added += batch->count;
    outbox_shrink(o);
    if (o->state == IDLE)
        outbox_again(o, outbox_next_ms(o));
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
