/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/lease.h"

#include "agent/base/backoff.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"

#include <assert.h>
#include <stdlib.h>

/*
 * Renewal starts 10 to 20 minutes ahead of expiry, or at half of a short
 * life.  Keys that are handed out already expired (the instance metadata
 * service does so in its own trouble) are used and asked for again later:
 * AWS SDKs call that static stability.
 */
#define AHEAD_LEAST (10 * WHEN_MINUTE)
#define AHEAD_MORE  (10 * WHEN_MINUTE)
#define STALE_LIFE  (17 * WHEN_MINUTE)
#define STALE_MORE  (8 * WHEN_MINUTE)
/* Between tries, and how many there are before those who wait are told. */
#define REST_BASE    WHEN_SECOND
#define REST_CAP     WHEN_MINUTE
#define TRIES        3
#define RESPONSE_MAX ((size_t)64 << 10)
#define TIMEOUT_MS   (5 * WHEN_SECOND)
#define RUN_MS       (60 * WHEN_SECOND)

enum state { EMPTY, ASKING, RESTING, VALID };

#define TO(s) (1U << (s))

static const struct {
    const char *name;
    unsigned next; /* states that may follow */
} states[] = {
    [EMPTY] = {"empty", TO(ASKING)},
    [ASKING] = {"asking", TO(VALID) | TO(RESTING) | TO(EMPTY)},
    [RESTING] = {"resting", TO(ASKING)},
    [VALID] = {"valid", TO(EMPTY)},
};

struct lease {
    struct loop *loop;
    struct http *http;
    struct lease_options with;
    enum state state;
    void **provider_states; /* kept from fetch to fetch; zeroed when new */
    size_t provider_count;
    size_t at; /* the provider that is asked */
    struct credentials value;
    bool held;            /* `value` is filled, maybe refused or expired */
    bool refused;         /* by the service */
    int64_t expires_mono; /* INT64_MAX: never */
    struct list waiters;
    bool gave_up; /* `failure` is to be told */
    struct err failure;
    bool told_failing; /* it is in the log */
    struct backoff backoff;
    struct timer work; /* RESTING's end; VALID's renewal */
    struct timer tell; /* waiters hear from the loop */
    struct http_call call;
    struct process_call run;
    struct arena arena; /* of one fetch; wiped at its end */
};

static void fetch(struct lease *l);
static void rested(void *arg);

static int64_t mono(const struct lease *l)
{
    return loop_now(l->loop).mono_ms;
}

static const struct provider_type *provider(const struct lease *l)
{
    return l->with.providers[l->at];
}

static int64_t random_up_to(const struct lease *l, int64_t most)
{
    return (int64_t)(loop_random(l->loop) % (uint64_t)(most + 1));
}

/* The only way from state to state. */
static void enter(struct lease *l, enum state next)
{
    assert(states[l->state].next & TO(next));
    log_debug("lease_state", log_z("from", states[l->state].name),
              log_z("to", states[next].name));
    l->state = next;
}

static bool usable(const struct lease *l)
{
    return l->held && !l->refused && mono(l) < l->expires_mono;
}

/*
 * Telling.
 */
static void tell(void *arg)
{
    struct lease *l = arg;
    struct list told = {0};
    struct list_node *n;
    struct credentials creds = {0};
    struct err failure = l->failure;
    bool good = usable(l) || (l->gave_up && l->held && !l->refused);

    if (!good && !l->gave_up) { /* refused since */
        if (l->state == EMPTY && l->waiters.count > 0)
            fetch(l);
        return;
    }
    l->gave_up = false;
    if (good) /* a copy, as whoever hears of it may end the lease */
        credentials_copy(&creds, &l->value);
    list_take(&told, &l->waiters);
    while ((n = list_pop(&told))) {
        struct lease_waiter *w = list_entry(n, struct lease_waiter, node);

        w->done(w->arg, good ? &creds : NULL, good ? NULL : &failure);
    }
    credentials_clear(&creds);
}

static void tell_soon(struct lease *l)
{
    if (l->waiters.count > 0)
        timer_arm(l->loop, &l->tell, mono(l), tell, l);
}

/*
 * Results of a fetch.
 */
static void renew(void *arg)
{
    struct lease *l = arg;

    enter(l, EMPTY);
    fetch(l);
}

/* When the value ends, and when to see to a new one. */
static void set_expiry(struct lease *l)
{
    int64_t life = l->value.expires_ms - loop_now(l->loop).wall_ms;
    int64_t until = l->value.renew_ms - loop_now(l->loop).wall_ms;
    int64_t ahead = AHEAD_LEAST + random_up_to(l, AHEAD_MORE);

    l->expires_mono = INT64_MAX;
    if (l->value.expires_ms == 0)
        return;
    if (life <= 0) {
        log_warn("credentials_stale", log_z("source", l->value.source));
        life = STALE_LIFE + random_up_to(l, STALE_MORE);
        ahead = 0;
    }
    if (ahead > life / 2)
        ahead = life / 2;
    if (until > 0 && life - until > ahead)
        ahead = life - until;
    l->expires_mono = mono(l) + life;
    timer_arm(l->loop, &l->work, l->expires_mono - ahead, renew, l);
}

static void succeed(struct lease *l, struct credentials *creds)
{
    if (!l->held || l->told_failing)
        log_info("credentials_found", log_z("source", creds->source),
                 log_b("expire", creds->expires_ms != 0));
    credentials_clear(&l->value);
    l->value = *creds;
    *creds = (struct credentials){0};
    l->held = true;
    l->refused = l->told_failing = l->gave_up = false;
    backoff_reset(&l->backoff);
    enter(l, VALID);
    set_expiry(l);
    tell_soon(l);
}

static void give_up(struct lease *l)
{
    enter(l, EMPTY);
    backoff_reset(&l->backoff);
    l->gave_up = l->waiters.count > 0;
    tell_soon(l);
}

static void rest(struct lease *l, int64_t at_least_ms)
{
    int64_t wait = backoff_next(&l->backoff, loop_random(l->loop));

    if (wait < at_least_ms)
        wait = at_least_ms;
    enter(l, RESTING);
    timer_arm(l->loop, &l->work, mono(l) + wait, rested, l);
}

static void fail(struct lease *l, const struct err *why, bool for_good,
                 const struct provide_out *out)
{
    l->failure = *why;
    if (!l->told_failing)
        log_warn("credentials_failed", log_err(why),
                 log_b("still_valid", usable(l)));
    l->told_failing = true;
    if (usable(l)) /* nobody is in need: go on in the background */
        rest(l, for_good ? REST_CAP : out->after_ms);
    else if (for_good || (!out->patient && l->backoff.tries + 1 >= TRIES))
        give_up(l);
    else
        rest(l, out->after_ms);
}

/*
 * A fetch: the first provider that is configured, step by step.
 */
static void on_answer(void *arg, const struct http_response *res,
                      const struct err *net);

static void on_end(void *arg, const struct process_result *res,
                   const struct err *err);

static void send(struct lease *l, struct http_request *ask)
{
    static const struct http_hooks hooks = {.done = on_answer};

    if (!ask->timeout_ms)
        ask->timeout_ms = TIMEOUT_MS;
    if (!ask->max_response)
        ask->max_response = RESPONSE_MAX;
    http_start(l->http, &l->call, ask, &hooks, l);
}

static void run(struct lease *l, struct process_request *what)
{
    if (!what->timeout_ms)
        what->timeout_ms = RUN_MS;
    if (!what->max_output)
        what->max_output = RESPONSE_MAX;
    process_start(l->loop, &l->run, what, on_end, l);
}

static void failed(struct lease *l, struct provide_out *out, bool for_good)
{
    (void)err_wrap(&out->err, "%s", provider(l)->name);
    fail(l, &out->err, for_good, out);
}

/* True: not configured, so the next one's turn. */
static bool step(struct lease *l, enum provide what, struct provide_out *out)
{
    if (what != PROVIDE_ASK && what != PROVIDE_RUN) /* it held keys, maybe */
        arena_wipe(&l->arena);
    switch (what) {
    case PROVIDE_ABSENT:
        return true;
    case PROVIDE_ASK:
        send(l, &out->ask);
        break;
    case PROVIDE_RUN:
        run(l, &out->run);
        break;
    case PROVIDE_DONE:
        succeed(l, &out->creds);
        break;
    case PROVIDE_RETRY:
        failed(l, out, false);
        break;
    case PROVIDE_FAILED:
        failed(l, out, true);
        break;
    }
    return false;
}

static void *provider_state(struct lease *l)
{
    void **state = &l->provider_states[l->at];

    if (!*state)
        *state = xcalloc(1, provider(l)->state_size + 1);
    return *state;
}

/* From the provider that stands at `at`. */
static void ask_from_here(struct lease *l)
{
    struct err none;

    for (; l->at < l->provider_count; l->at++) {
        struct provide_out out = {.arena = &l->arena};
        enum provide what;

        what = provider(l)->start(provider_state(l), l->with.env,
                                  loop_now(l->loop), &out);
        if (!step(l, what, &out))
            return;
    }
    (void)err_set(&none, ERR_CONFIG, "%s",
                  l->with.mend ? l->with.mend
                               : "no credentials are configured");
    fail(l, &none, true, NULL);
}

static void fetch(struct lease *l)
{
    enter(l, ASKING);
    l->at = 0;
    ask_from_here(l);
}

static void rested(void *arg)
{
    fetch(arg);
}

static void go_on(struct lease *l, enum provide what, struct provide_out *out)
{
    if (!step(l, what, out))
        return;
    l->at++; /* it turned out not to be there */
    ask_from_here(l);
}

static void on_answer(void *arg, const struct http_response *res,
                      const struct err *net)
{
    struct lease *l = arg;
    struct provide_out out = {.arena = &l->arena};

    go_on(l,
          provider(l)->answer(provider_state(l), l->with.env, loop_now(l->loop),
                              res, net, &out),
          &out);
}

static void on_end(void *arg, const struct process_result *res,
                   const struct err *err)
{
    struct lease *l = arg;
    struct provide_out out = {.arena = &l->arena};

    go_on(l,
          provider(l)->ended(provider_state(l), l->with.env, loop_now(l->loop),
                             res, err, &out),
          &out);
}

/*
 * For those who need it.
 */
struct lease *lease_new(struct loop *loop, struct http *http,
                        const struct lease_options *options)
{
    struct lease *l = xcalloc(1, sizeof(*l));

    l->loop = loop;
    l->http = http;
    l->with = *options;
    l->backoff = (struct backoff){.base_ms = REST_BASE, .cap_ms = REST_CAP};
    while (options->providers[l->provider_count])
        l->provider_count++;
    l->provider_states =
        xcalloc(l->provider_count + 1, sizeof(*l->provider_states));
    arena_init(&l->arena, 4096);
    return l;
}

void lease_free(struct lease *l)
{
    if (!l)
        return;
    http_cancel(&l->call);
    process_cancel(&l->run);
    timer_disarm(&l->work);
    timer_disarm(&l->tell);
    while (list_pop(&l->waiters))
        ;
    for (l->at = 0; l->at < l->provider_count; l->at++)
        if (l->provider_states[l->at]) {
            wipe(l->provider_states[l->at], provider(l)->state_size);
            free(l->provider_states[l->at]);
        }
    free(l->provider_states);
    credentials_clear(&l->value);
    arena_wipe(&l->arena);
    arena_fini(&l->arena);
    free(l);
}

void lease_wait(struct lease *l, struct lease_waiter *w, lease_done_fn *done,
                void *arg)
{
    assert(!w->node.list);
    w->done = done;
    w->arg = arg;
    list_append(&l->waiters, &w->node);
    if (usable(l) || l->gave_up) {
        tell_soon(l);
        return;
    }
    if (l->state == VALID) { /* expired before the renewal's turn came */
        timer_disarm(&l->work);
        enter(l, EMPTY);
    }
    if (l->state == EMPTY)
        fetch(l);
}

void lease_leave(struct lease_waiter *w)
{
    list_remove(&w->node);
}

const struct credentials *lease_current(const struct lease *l)
{
    return l->held && !l->refused ? &l->value : NULL;
}

void lease_refused(struct lease *l)
{
    l->refused = true;
    if (l->state != VALID)
        return;
    timer_disarm(&l->work);
    enter(l, EMPTY);
}
