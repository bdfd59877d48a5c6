/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws_call.h - one operation of an AWS service that speaks AWS JSON 1.1:
 * signed, sent, judged, and sent again while that can help.
 *
 *      IDLE --start--> SIGNING --keys--> SENDING --answer--> IDLE
 *                        ^                  |
 *                        +---- RESTING <----+ throttled, 5xx, network
 *
 * Tried at most three times within the deadline, as the SDKs do (AWS SDKs and
 * Tools Reference Guide, "Retry behavior"): full jitter over 100 ms, or 500 ms
 * when throttled, doubling, and no sooner than Retry-After says.  Keys that
 * the service calls expired are fetched anew once; a clock that is off is
 * corrected by Date, for all later calls of the client.
 *
 * `done` comes later, from the loop, exactly once, unless aws_call_cancel()
 * came first; inside `done` the call is already idle.
 */
#ifndef AUTH_AWS_CALL_H
#define AUTH_AWS_CALL_H

#include "agent/base/backoff.h"
#include "auth/lease.h"

/* One service at one endpoint; all texts are lent as long as it is used. */
struct aws_client {
    struct loop *loop;
    struct http *http;
    struct lease *lease;
    const char *name; /* signs, and is named in errors: "ecs" */
    struct str region;
    struct str url;     /* from aws_endpoint() */
    struct str ca_file; /* empty: the system's */
    int64_t skew_ms;    /* what is added to our clock; kept by the calls */
};

struct aws_ask {
    struct str target; /* X-Amz-Target */
    struct str body;
    const char *grant; /* for people, when permission is missing: "ecs:X on
                          the service S" */
    int64_t timeout_ms;
};

/* `body` of a 2xx answer, lent for the call; with `err` there is none. */
typedef void aws_call_fn(void *arg, struct str body, const struct err *err);

enum aws_call_state {
    AWS_CALL_IDLE,
    AWS_CALL_SIGNING,
    AWS_CALL_SENDING,
    AWS_CALL_RESTING,
};

struct aws_call {
    enum aws_call_state state;
    struct aws_client *client;
    struct aws_ask ask;
    aws_call_fn *done;
    void *arg;
    int64_t deadline_ms; /* monotonic */
    struct backoff backoff;
    unsigned sent;
    bool renewed; /* fresh keys were asked for already */
    struct lease_waiter waiter;
    struct http_call http;
    struct timer timer; /* RESTING's end, or that of patience */
};

/* Texts of `ask` are lent until `done`. */
void aws_call_start(struct aws_client *client, struct aws_call *call,
                    const struct aws_ask *ask, aws_call_fn *done, void *arg);
void aws_call_cancel(struct aws_call *call); /* fine when idle */
static inline bool aws_call_running(const struct aws_call *call)
{
    return call->state != AWS_CALL_IDLE;
}

#endif
