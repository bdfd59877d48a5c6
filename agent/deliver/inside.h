/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h - what the files of an outbox share; no other folder includes it.
 *
 * outbox.c lives, chooses and sends; outbox_act.c acts on what the cloud
 * answered; outbox_end.c says why a point left the queue, outbox_series.c which
 * points of one series a cloud does not want.  Only outbox_again() and
 * outbox_rest() end a request: exactly one of them follows each answer.
 */
#ifndef AGENT_DELIVER_INSIDE_H
#define AGENT_DELIVER_INSIDE_H

#include "agent/base/backoff.h"
#include "agent/base/map.h"
#include "agent/deliver/outbox.h"
#include "agent/deliver/queue.h"

/* Points looked at for one request; no cloud takes more. */
#define BATCH_MAX 1000
/* A permission is granted by people: ask again at this pace. */
#define DENIED_REST (30 * WHEN_SECOND)

enum outbox_state { IDLE, SIGNING, SENDING, RESTING };

struct outbox {
    struct outbox_options with;
    enum outbox_state state;
    struct queue queue;
    struct queue recent; /* copies of what was accepted: least_gap_ms */
    struct map told;     /* "metric\nreason" of drops already in the log */
    struct lease *lease;
    struct lease_waiter waiter;
    struct http_call call;
    struct http_request req;
    struct timer timer; /* RESTING's end, or the next pass of IDLE */
    struct timer flush_timer;
    struct arena arena;    /* of one request */
    struct arena settings; /* what the lease is told; lives as long as it */
    struct entry **batch;  /* what the request holds, in its order */
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

/*
 * outbox.c
 */
struct now outbox_now(const struct outbox *o);
/* Our wall clock as the cloud sees it. */
int64_t outbox_cloud_ms(const struct outbox *o);
/* Waits with back-off, `at_least_ms` at the least, before the next request. */
void outbox_rest(struct outbox *o, int64_t at_least_ms);
/* Idle now; the next request, where something waits, at `at_ms`. */
void outbox_again(struct outbox *o, int64_t at_ms);
/* When the pace of throttling allows the next request. */
int64_t outbox_next_ms(const struct outbox *o);
/* Marks the points of the request as on their way, or as waiting again. */
void outbox_mark(struct outbox *o, bool in_flight);

/*
 * outbox_act.c
 */
void outbox_on_answer(void *arg, const struct http_response *res,
                      const struct err *net);
/* The cloud took a request. */
void outbox_recovered(struct outbox *o);
/* A request did not bring its points in; they stay queued. */
void outbox_failed(struct outbox *o, const struct err *why);

/*
 * outbox_end.c
 */
/* Counts the point, tells of it and frees it. */
void outbox_end_entry(struct outbox *o, struct entry *e, enum outbox_end end,
                      const struct err *why);
/* All points of the request; `why` is NULL for what was accepted. */
void outbox_end_batch(struct outbox *o, enum outbox_end end,
                      const struct err *why);
/* Ends what is too old for its cloud or ahead of it. */
void outbox_expire(struct outbox *o);
/* Ends the oldest points while the queue is over max_bytes. */
void outbox_shrink(struct outbox *o);
void outbox_forget_told(struct outbox *o);

/*
 * outbox_series.c
 */
/* Ends what this cloud does not want beside another point of its series; no
 * request is under way. */
void outbox_thin(struct outbox *o);
/* It was accepted. */
void outbox_remember(struct outbox *o, const struct point *p);

#endif
