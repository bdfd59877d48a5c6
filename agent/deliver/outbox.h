/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox.h - what one sink is still to be told: queue, cut, sign, send,
 * judge, retry, count.  The same for every cloud; none waits for another.
 *
 *      IDLE --points--> SIGNING --lease--> SENDING --accepted, rejected--> IDLE
 *       ^                 ^                   |
 *       |                 +---- (again) ------+ fresh credentials, clock, cut
 *       +---- RESTING <-----------------------+ retry, denied, throttled
 *
 * Delivery is at least once.  Where a backlog must drain the newest points go
 * first (a scaler wants now; history follows).  A point leaves the queue when
 * the cloud accepted or refused it, when it is older than max_age or than its
 * cloud's window, when the queue is over max_bytes (oldest first), or where a
 * cloud wants the newest of a series alone, behind a newer one; every
 * such end is counted by its reason and told once per metric and reason.
 */
#ifndef AGENT_DELIVER_OUTBOX_H
#define AGENT_DELIVER_OUTBOX_H

#include "agent/config/conf.h"
#include "agent/io/http.h"
#include "agent/io/loop.h"
#include "auth/lease.h"
#include "sinks/sink.h"

struct deliver_conf {
    int64_t max_age_ms;   /* a point is given up after this long */
    int64_t max_bytes;    /* memory for points that wait, per sink */
    int64_t retry_min_ms; /* the first wait is a random part of this */
    int64_t retry_max_ms;
};
extern const struct conf_key deliver_keys[];

/* Why a point left the queue. */
enum outbox_end {
    OUTBOX_ACCEPTED,
    OUTBOX_TOO_OLD,    /* past max_age or the cloud's window */
    OUTBOX_TOO_NEW,    /* ahead of the cloud's window: our clock is off */
    OUTBOX_CROWDED,    /* the queue was over max_bytes */
    OUTBOX_REFUSED,    /* cannot be sent: sink's admit() or render() */
    OUTBOX_REJECTED,   /* the cloud refused it */
    OUTBOX_SUPERSEDED, /* a newer one of its series is sent in its place, or
                          was just before */
    OUTBOX_ENDS,
};
const char *outbox_end_name(enum outbox_end end);

struct outbox_stats {
    uint64_t added;
    uint64_t ended[OUTBOX_ENDS];
    uint64_t requests;
    uint64_t failures; /* requests that ended in a retry */
    uint64_t throttled;
    size_t queued; /* points, in flight ones included */
    size_t queued_bytes;
    int64_t oldest_ms;      /* wall clock of the oldest queued point, or 0 */
    int64_t last_accept_ms; /* wall clock, or 0 */
    int64_t skew_ms;        /* what is added to our clock for signatures */
    bool healthy;           /* the last request was accepted, or none yet */
    struct err last_error;  /* of the last failure; kind ERR_NONE: none yet */
};

struct outbox;

/* Hears of each point's end, before it is freed; may be NULL. */
typedef void outbox_ended_fn(void *arg, const struct point *point,
                             enum outbox_end end, const struct err *why);
/* Bytes of a sink without HTTP; may be NULL: they are dropped.  False when
 * they could not be written: their points wait and are tried again. */
typedef bool outbox_write_fn(void *arg, struct str bytes, struct err *err);

struct outbox_options {
    struct loop *loop;
    struct http *http;
    const struct sink_type *type;
    const void *conf; /* of the sink, prepared; lent as long as the outbox */
    struct deliver_conf deliver;
    const struct auth_env *env;
    outbox_ended_fn *ended;
    outbox_write_fn *write;
    void *arg;
};

struct outbox *outbox_new(const struct outbox_options *options);
/* What is still queued is forgotten; stats tell how much that is. */
void outbox_free(struct outbox *o);

/* Copies the points and sends them, together with what waits. */
void outbox_add(struct outbox *o, const struct batch *batch);
/* Nothing queued and nothing in flight. */
bool outbox_empty(const struct outbox *o);
const struct outbox_stats *outbox_stats(struct outbox *o);

/* `done` comes later, from the loop, exactly once: when the outbox is empty
 * or `deadline_mono_ms` went by.  While flushing, waits are cut short to what
 * fits before the deadline. */
typedef void outbox_flushed_fn(void *arg);
void outbox_flush(struct outbox *o, int64_t deadline_mono_ms,
                  outbox_flushed_fn *done, void *arg);

#endif
