/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/aws_call.h"

#include "agent/base/log.h"
#include "auth/aws_answer.h"
#include "auth/sigv4.h"

#include <assert.h>
#include <stdio.h>

#define TRIES        3
#define BASE_MS      INT64_C(100)
#define THROTTLED_MS INT64_C(500)
#define CAP_MS       (20 * WHEN_SECOND)
/* Ten services with a hundred events each, a hundred tasks. */
#define RESPONSE_MAX ((size_t)8 << 20)
/* A clock that is off by less needs no correction; an answer that took longer
 * tells nothing about clocks. */
#define SKEW_LEAST (4 * WHEN_MINUTE)
#define SKEW_SLOW  (15 * WHEN_SECOND)

#define TO(s) (1U << AWS_CALL_##s)

static const struct {
    const char *name;
    unsigned next; /* states that may follow */
} states[] = {
    [AWS_CALL_IDLE] = {"idle", TO(SIGNING)},
    [AWS_CALL_SIGNING] = {"signing", TO(SENDING) | TO(IDLE)},
    [AWS_CALL_SENDING] = {"sending", TO(SIGNING) | TO(RESTING) | TO(IDLE)},
    [AWS_CALL_RESTING] = {"resting", TO(SIGNING) | TO(IDLE)},
};

/* The only way from state to state. */
static void enter(struct aws_call *c, enum aws_call_state next)
{
    assert(states[c->state].next & 1U << next);
    log_debug("aws_call", log_s("target", c->ask.target),
              log_z("from", states[c->state].name),
              log_z("to", states[next].name));
    c->state = next;
}

static struct now now_of(const struct aws_call *c)
{
    return loop_now(c->client->loop);
}

static int64_t cloud_ms(const struct aws_call *c)
{
    return now_of(c).wall_ms + c->client->skew_ms;
}

/* Nothing of the call is touched after this: `done` may free it. */
static void finish(struct aws_call *c, struct str body, const struct err *err)
{
    timer_disarm(&c->timer);
    enter(c, AWS_CALL_IDLE);
    c->done(c->arg, body, err);
}

static void on_credentials(void *arg, const struct credentials *creds,
                           const struct err *none);

static void out_of_patience(void *arg)
{
    struct aws_call *c = arg;
    struct err err;

    lease_leave(&c->waiter);
    (void)err_set(&err, ERR_TIMEOUT, "%s: no credentials within %lld ms",
                  c->client->name, (long long)c->ask.timeout_ms);
    finish(c, STR_NONE, &err);
}

static void sign_and_send(struct aws_call *c)
{
    enter(c, AWS_CALL_SIGNING);
    timer_arm(c->client->loop, &c->timer, c->deadline_ms, out_of_patience, c);
    lease_wait(c->client->lease, &c->waiter, on_credentials, c);
}

static void rested(void *arg)
{
    sign_and_send(arg);
}

/* Once more after a wait; false where tries or time are used up. */
static bool again_later(struct aws_call *c, bool throttled, int64_t at_least_ms)
{
    int64_t wait;

    c->backoff.base_ms = throttled ? THROTTLED_MS : BASE_MS;
    wait = backoff_next(&c->backoff, loop_random(c->client->loop));
    if (wait < at_least_ms)
        wait = at_least_ms;
    if (c->sent >= TRIES || now_of(c).mono_ms + wait >= c->deadline_ms)
        return false;
    enter(c, AWS_CALL_RESTING);
    timer_arm(c->client->loop, &c->timer, now_of(c).mono_ms + wait, rested, c);
    return true;
}

/*
 * Date is the moment the answer was made (RFC 9110 section 6.6.1).  True when
 * our idea of the cloud's clock has changed.
 */
static bool measure_skew(struct aws_call *c, const struct http_response *res)
{
    int64_t date, skew, off;

    if (http_get(res, STR("Age")).len || res->duration_ms > SKEW_SLOW ||
        !when_http_date_parse(http_get(res, STR("Date")), &date))
        return false;
    skew = date - now_of(c).wall_ms;
    off = skew - c->client->skew_ms;
    if (off < SKEW_LEAST && off > -SKEW_LEAST)
        return false;
    c->client->skew_ms = skew;
    log_warn("clock_corrected", log_z("service", c->client->name),
             log_i("skew_seconds", skew / WHEN_SECOND));
    return true;
}

/*
 * Judging.
 */
static const char *mend_of(const struct aws_call *c, const struct aws_answer *a,
                           char *grant, size_t size)
{
    switch (a->fault) {
    case AWS_FAULT_DENIED:
        if (a->code.len == 0)
            return "that is no answer of AWS: look at the proxy or firewall "
                   "on the way";
        (void)snprintf(grant, size, "grant this identity %s", c->ask.grant);
        return grant;
    case AWS_FAULT_SIGNATURE:
        return "the secret key does not fit the key id: copy both again";
    case AWS_FAULT_KEYS:
        return "the credentials are expired or unknown in this partition";
    case AWS_FAULT_CLOCK:
        return "this machine's clock is off by minutes: set it";
    case AWS_FAULT_FOREIGN:
        return "that is no answer of AWS: look at the endpoint, and at the "
               "proxy on the way";
    case AWS_FAULT_OTHER:
    case AWS_FAULT_THROTTLED:
    case AWS_FAULT_TRANSIENT:
    case AWS_FAULT_TOO_LARGE:
    case AWS_FAULT_CONTENT:
        break;
    }
    return NULL;
}

static enum err_kind kind_of(enum aws_fault fault)
{
    switch (fault) {
    case AWS_FAULT_THROTTLED:
    case AWS_FAULT_TOO_LARGE:
        return ERR_LIMIT;
    case AWS_FAULT_TRANSIENT:
    case AWS_FAULT_FOREIGN:
        return ERR_NETWORK;
    case AWS_FAULT_CLOCK:
    case AWS_FAULT_SIGNATURE:
    case AWS_FAULT_KEYS:
    case AWS_FAULT_DENIED:
        return ERR_DENIED;
    case AWS_FAULT_OTHER:
    case AWS_FAULT_CONTENT:
        break;
    }
    return ERR_INPUT;
}

static void tell(const struct aws_call *c, const struct http_response *res,
                 const struct aws_answer *a, struct err *err)
{
    struct str message = a->message;
    char grant[400];
    const char *mend = mend_of(c, a, grant, sizeof(grant));

    if (str_ends(message, STR(".")))
        message.len--;
    (void)err_set(err, kind_of(a->fault), "%s answered %d%s%.*s%s%.*s%s%s",
                  c->client->name, res->status, a->code.len ? " " : "",
                  STR_ARG(a->code), message.len ? ": " : "", STR_ARG(message),
                  mend ? "; " : "", mend ? mend : "");
}

/* Whether the same can be asked at once, with other keys or another time. */
static bool again_now(struct aws_call *c, const struct aws_answer *a,
                      bool corrected)
{
    bool keys = a->fault == AWS_FAULT_KEYS || a->fault == AWS_FAULT_SIGNATURE;

    if (corrected &&
        (keys || a->fault == AWS_FAULT_CLOCK || a->fault == AWS_FAULT_DENIED))
        return true;
    if (!keys || c->renewed)
        return false;
    c->renewed = true;
    lease_refused(c->client->lease);
    return true;
}

static void judge(struct aws_call *c, const struct http_response *res,
                  struct arena *arena)
{
    bool corrected = measure_skew(c, res), throttled;
    struct aws_answer a;
    struct err err;

    aws_answer_read(res, arena, &a);
    if (res->status < 400) /* only an error status makes a code believed */
        a.fault = AWS_FAULT_FOREIGN;
    tell(c, res, &a, &err);
    if (c->sent < TRIES && again_now(c, &a, corrected)) {
        sign_and_send(c);
        return;
    }
    throttled = a.fault == AWS_FAULT_THROTTLED;
    if ((throttled || a.fault == AWS_FAULT_TRANSIENT) &&
        again_later(c, throttled, aws_retry_after_ms(res, cloud_ms(c))))
        return;
    finish(c, STR_NONE, &err);
}

/* A deadline ends it all, and what is written wrong stays wrong. */
static void unanswered(struct aws_call *c, const struct err *net)
{
    struct err err = *net;

    if ((net->kind == ERR_NETWORK || net->kind == ERR_INPUT) &&
        again_later(c, false, 0))
        return;
    (void)err_wrap(&err, "%s", c->client->name);
    finish(c, STR_NONE, &err);
}

static void on_answer(void *arg, const struct http_response *res,
                      const struct err *net)
{
    struct aws_call *c = arg;
    struct arena arena;

    if (net) {
        unanswered(c, net);
        return;
    }
    if (res->status >= 200 && res->status < 300) {
        (void)measure_skew(c, res);
        finish(c, res->body, NULL);
        return;
    }
    arena_init(&arena, 1024);
    judge(c, res, &arena);
    arena_fini(&arena);
}

/*
 * Up to the request.
 */
static void build(const struct aws_call *c, struct http_request *req)
{
    *req = (struct http_request){
        .method = STR("POST"),
        .url = c->client->url,
        .body = c->ask.body,
        .timeout_ms = c->deadline_ms - now_of(c).mono_ms,
        .max_response = RESPONSE_MAX,
        .ca_file = c->client->ca_file,
    };
    if (req->timeout_ms < 1)
        req->timeout_ms = 1;
    http_set(req, STR("Content-Type"), STR("application/x-amz-json-1.1"));
    http_set(req, STR("X-Amz-Target"), c->ask.target);
}

static bool sign(const struct aws_call *c, const struct credentials *creds,
                 struct arena *arena, struct http_request *req, struct err *err)
{
    const struct sigv4 s = {.key_id = str_of(creds->key_id),
                            .secret = str_of(creds->secret),
                            .token = str_of(creds->token),
                            .region = c->client->region,
                            .service = str_of(c->client->name),
                            .wall_ms = cloud_ms(c)};

    return sigv4_sign(&s, arena, req, err);
}

static void on_credentials(void *arg, const struct credentials *creds,
                           const struct err *none)
{
    const struct http_hooks hooks = {.done = on_answer};
    struct aws_call *c = arg;
    struct http_request req;
    struct arena arena;
    struct err err;

    if (!creds) {
        finish(c, STR_NONE, none);
        return;
    }
    timer_disarm(&c->timer);
    arena_init(&arena, 2048);
    build(c, &req);
    if (sign(c, creds, &arena, &req, &err)) {
        enter(c, AWS_CALL_SENDING);
        c->sent++;
        http_start(c->client->http, &c->http, &req, &hooks, c);
    } else {
        finish(c, STR_NONE, &err);
    }
    arena_fini(&arena);
}

void aws_call_start(struct aws_client *client, struct aws_call *call,
                    const struct aws_ask *ask, aws_call_fn *done, void *arg)
{
    assert(!aws_call_running(call));
    *call = (struct aws_call){
        .client = client,
        .ask = *ask,
        .done = done,
        .arg = arg,
        .deadline_ms = loop_now(client->loop).mono_ms + ask->timeout_ms,
        .backoff = {.cap_ms = CAP_MS},
    };
    sign_and_send(call);
}

void aws_call_cancel(struct aws_call *call)
{
    if (!aws_call_running(call))
        return;
    timer_disarm(&call->timer);
    lease_leave(&call->waiter);
    http_cancel(&call->http);
    enter(call, AWS_CALL_IDLE);
}
