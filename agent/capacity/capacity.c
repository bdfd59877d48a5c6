/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/capacity/capacity.h"

#include "agent/base/backoff.h"
#include "agent/base/list.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/capacity/source.h"

#include <assert.h>
#include <stdlib.h>

/* HINT: a new platform is listed here. */
static const struct capacity_type *const types[] = {
    &capacity_fixed, &capacity_dns,       &capacity_up,
    &capacity_ecs,   &capacity_cloud_run, &capacity_container_app,
};

#define RETRY_MS WHEN_SECOND
#define NEAR_MS  (5 * WHEN_SECOND)
/* The most that is waited between tries where the other side has limits. */
#define SLOW_MS WHEN_MINUTE

#define TYPES (sizeof(types) / sizeof(types[0]))

/*
 *      RESTING --due--> READING --number, or none--> RESTING
 */
enum service_state { SERVICE_RESTING, SERVICE_READING };

struct service {
    struct list_node node;
    struct capacity *owner;
    char *name;
    struct buf source_text;
    struct capacity_source source;
    enum service_state state;
    struct timer timer;
    struct backoff backoff;
    bool read; /* `last` holds a number */
    struct capacity_answer last;
    struct now read_at;
    struct err failure; /* of the newest reading; ERR_NONE: it was good */
};

struct capacity {
    struct capacity_options options;
    struct list services;
    bool again;      /* every `refresh`, not only once */
    size_t open;     /* readings that a capacity_once() waits for */
    uint64_t random; /* of the turn that was at random_ms */
    int64_t random_ms;
    void (*done)(void *arg);
    void *done_arg;
    struct timer none; /* capacity_once() without services */
};

static const struct {
    const char *name;
    unsigned next; /* states that may follow */
} states[] = {
    [SERVICE_RESTING] = {"resting", 1U << SERVICE_READING},
    [SERVICE_READING] = {"reading", 1U << SERVICE_RESTING},
};

/* The only way from state to state. */
static void enter(struct service *s, enum service_state next)
{
    assert(states[s->state].next & 1U << next);
    log_debug("capacity", log_z("service", s->name),
              log_z("from", states[s->state].name),
              log_z("to", states[next].name));
    s->state = next;
}

static const struct capacity_type *type_of(const struct capacity_conf *conf)
{
    for (size_t i = 0; i < TYPES; i++)
        if (types[i]->named(conf))
            return types[i];
    return NULL;
}

bool capacity_check(const struct capacity_conf *conf, struct err *err)
{
    const struct capacity_type *type = type_of(conf);

    if (!type)
        return err_set(err, ERR_CONFIG,
                       "no source is named: write fixed, dns, up, ecs, "
                       "cloud_run or container_app");
    for (size_t i = 0; i < TYPES; i++)
        if (types[i] != type && types[i]->named(conf))
            return err_set(err, ERR_CONFIG,
                           "%s and %s are both named: keep one of them",
                           type->name, types[i]->name);
    return !type->check || type->check(conf, err);
}

void capacity_soon(struct capacity_source *s, timer_fn *fn)
{
    struct loop *loop = s->with->loop;

    timer_arm(loop, &s->timer, loop_now(loop).mono_ms, fn, s);
}

void capacity_soon_cancel(struct capacity_source *s)
{
    timer_disarm(&s->timer);
}

/* While reading fails a number stands until it is older than `keep`. */
static struct capacity_reading reading_of(const struct service *s)
{
    int64_t now_ms = loop_now(s->owner->options.loop).mono_ms;
    struct capacity_reading r = {
        .service = str_of(s->name),
        .source = buf_str(&s->source_text),
    };

    if (s->failure.kind != ERR_NONE)
        r.reason = str_of(s->failure.text);
    else if (!s->read)
        r.reason = STR("not read yet");
    r.known =
        s->read && (s->failure.kind == ERR_NONE ||
                    now_ms - s->read_at.mono_ms <= s->source.conf->keep_ms);
    r.has_desired = s->last.has_desired;
    if (!s->read)
        return r;
    r.at_ms = s->read_at.wall_ms;
    if (!r.known)
        return r;
    r.running = s->last.running;
    r.desired = s->last.desired;
    return r;
}

static void read_now(void *arg)
{
    struct service *s = arg;

    enter(s, SERVICE_READING);
    s->source.type->start(&s->source);
}

static void keep_answer(struct service *s, const struct capacity_answer *answer)
{
    backoff_reset(&s->backoff);
    if (s->failure.kind != ERR_NONE)
        log_info("capacity_known", log_z("service", s->name),
                 log_i("running", answer->running));
    s->failure.kind = ERR_NONE;
    s->last = *answer;
    s->read = true;
    s->read_at = loop_now(s->owner->options.loop);
}

static void keep_failure(struct service *s, const struct err *err)
{
    bool fuss = s->read || !s->source.type->near;

    if (s->failure.kind == ERR_NONE)
        log_write(fuss ? LOG_WARN : LOG_DEBUG, "capacity_failed",
                  log_z("service", s->name),
                  log_s("source", buf_str(&s->source_text)), log_err(err),
                  LOG_END);
    s->failure = *err;
}

/* The same for all that are read in one turn, so that those which share a
 * question go on sharing it. */
static uint64_t random_of_turn(struct capacity *c)
{
    int64_t now_ms = loop_now(c->options.loop).mono_ms;

    if (!c->random_ms || c->random_ms != now_ms)
        c->random = loop_random(c->options.loop);
    c->random_ms = now_ms;
    return c->random;
}

/* What is refused for good is no reason to hurry, nor to slow down. */
static bool can_pass(enum err_kind kind)
{
    return kind == ERR_NETWORK || kind == ERR_TIMEOUT || kind == ERR_LIMIT;
}

/* Where the other side has limits: a tenth earlier or later, and slower while
 * it is in trouble. */
static int64_t until_next_slowly(struct service *s)
{
    uint64_t random = random_of_turn(s->owner);
    int64_t least = s->source.type->least_ms;
    int64_t ms = s->source.conf->refresh_ms;

    if (can_pass(s->failure.kind))
        return least + backoff_next(&s->backoff, random);
    ms += (int64_t)(random % (uint64_t)(ms / 5 + 1)) - ms / 10;
    return ms > least ? ms : least;
}

/* Sooner after a failure. */
static int64_t until_next(struct service *s)
{
    int64_t ms = s->source.conf->refresh_ms;

    if (s->source.type->least_ms)
        return until_next_slowly(s);
    if (s->failure.kind != ERR_NONE)
        return 1 +
               backoff_next(&s->backoff, loop_random(s->owner->options.loop));
    return s->source.type->near && ms > NEAR_MS ? NEAR_MS : ms;
}

static void finish_once(struct capacity *c)
{
    void (*done)(void *arg) = c->done;

    c->done = NULL;
    done(c->done_arg);
}

static void on_done(void *arg, const struct capacity_answer *answer,
                    const struct err *err)
{
    struct service *s = arg;
    struct capacity *c = s->owner;
    struct capacity_reading r;

    if (answer)
        keep_answer(s, answer);
    else
        keep_failure(s, err);
    enter(s, SERVICE_RESTING);
    if (c->again)
        timer_arm(c->options.loop, &s->timer,
                  loop_now(c->options.loop).mono_ms + until_next(s), read_now,
                  s);
    r = reading_of(s);
    c->options.read(c->options.arg, &r);
    if (c->done && --c->open == 0)
        finish_once(c);
}

struct capacity *capacity_new(const struct capacity_options *options)
{
    struct capacity *c = xcalloc(1, sizeof(*c));

    c->options = *options;
    return c;
}

static void service_free(struct service *s)
{
    s->source.type->cancel(&s->source);
    timer_disarm(&s->timer);
    list_remove(&s->node);
    buf_fini(&s->source_text);
    free(s->name);
    free(s);
}

void capacity_free(struct capacity *c)
{
    if (!c)
        return;
    list_for_each (&c->services, n)
        service_free(list_entry(n, struct service, node));
    timer_disarm(&c->none);
    free(c);
}

static struct backoff first_backoff(const struct capacity_type *type,
                                    const struct capacity_conf *conf)
{
    struct backoff b = {.base_ms = RETRY_MS, .cap_ms = conf->refresh_ms};

    if (type->near)
        b.cap_ms = NEAR_MS;
    if (type->least_ms) {
        b.base_ms = conf->refresh_ms;
        b.cap_ms = SLOW_MS;
    }
    return b;
}

void capacity_add(struct capacity *c, struct str service,
                  const struct capacity_conf *conf)
{
    struct service *s = xcalloc(1, sizeof(*s));

    s->owner = c;
    s->name = xstrndup(service.ptr, service.len);
    s->source = (struct capacity_source){
        .type = type_of(conf),
        .with = &c->options,
        .conf = conf,
        .done = on_done,
        .arg = s,
    };
    assert(s->source.type);
    s->backoff = first_backoff(s->source.type, conf);
    buf_init(&s->source_text, BUF_NO_LIMIT);
    s->source.type->describe(conf, &s->source_text);
    list_append(&c->services, &s->node);
}

static void read_all(struct capacity *c)
{
    list_for_each (&c->services, n) {
        struct service *s = list_entry(n, struct service, node);

        timer_disarm(&s->timer);
        if (s->state == SERVICE_RESTING)
            read_now(s);
    }
}

void capacity_start(struct capacity *c)
{
    c->again = true;
    read_all(c);
}

static void on_none(void *arg)
{
    finish_once(arg);
}

void capacity_once(struct capacity *c, void (*done)(void *arg), void *arg)
{
    c->done = done;
    c->done_arg = arg;
    c->open = c->services.count;
    read_all(c);
    if (c->open == 0)
        timer_arm(c->options.loop, &c->none, loop_now(c->options.loop).mono_ms,
                  on_none, c);
}

size_t capacity_count(const struct capacity *c)
{
    return c->services.count;
}

struct capacity_reading capacity_reading(const struct capacity *c, size_t i)
{
    struct list_node *n = c->services.first;

    while (i-- > 0)
        n = n->next;
    return reading_of(list_entry(n, struct service, node));
}
