/* SPDX-License-Identifier: Apache-2.0 */
/* simdns.c - resolve.h of the simulated world. */
#include "agent/base/mem.h"
#include "test/lib/sim.h"
#include "test/lib/simworld.h"

#include <assert.h>
#include <stdlib.h>

#define TTL_MS INT64_C(30000)

struct sim_zone {
    struct sim_zone *next;
    struct str name;
    enum resolve_type type;
    enum err_kind error;
    struct resolve_answer answer;
};

struct resolver {
    struct loop *loop;
    size_t running;
};

struct resolve_query {
    struct list_node node;
    struct resolve_call *call;
    resolve_done_fn *done;
    void *arg;
    struct str name;
    const struct sim_zone *zone; /* NULL: the name exists not */
    bool fault;
    struct timer timer;
};

struct resolver *resolver_new(struct loop *loop, struct str servers,
                              struct err *err)
{
    struct resolver *r = xcalloc(1, sizeof(*r));

    (void)servers;
    (void)err;
    r->loop = loop;
    return r;
}

void resolver_free(struct resolver *r)
{
    assert(!r || r->running == 0);
    free(r);
}

static int by_address(const void *a, const void *b)
{
    const struct resolve_record *x = a, *y = b;
    int order = str_cmp(x->address, y->address);

    return order ? order : (x->port > y->port) - (x->port < y->port);
}

static struct sim_zone *add_zone(struct loop *loop, struct str name,
                                 enum resolve_type type)
{
    struct sim_zone *z = arena_zalloc(&loop->arena, sizeof(*z));

    z->name = arena_str(&loop->arena, name);
    z->type = type;
    z->next = loop->zones;
    loop->zones = z;
    return z;
}

void sim_dns(struct loop *loop, struct str name, enum resolve_type type,
             const struct resolve_record *records, size_t count)
{
    struct sim_zone *z = add_zone(loop, name, type);
    struct resolve_record *copy =
        arena_array(&loop->arena, count + 1, sizeof(*copy));

    for (size_t i = 0; i < count; i++) {
        copy[i] = records[i];
        copy[i].address = arena_str(&loop->arena, records[i].address);
    }
    qsort(copy, count, sizeof(*copy), by_address);
    z->answer = (struct resolve_answer){copy, count};
}

void sim_dns_addresses(struct loop *loop, struct str name,
                       enum resolve_type type, const char *addresses)
{
    struct resolve_record records[64];
    struct str rest = str_of(addresses), part;
    size_t n = 0;

    while (rest.len > 0 && str_next(&rest, ',', &part)) {
        assert(n < 64);
        records[n++] =
            (struct resolve_record){.address = part, .ttl_ms = TTL_MS};
    }
    sim_dns(loop, name, type, records, n);
}

void sim_dns_fail(struct loop *loop, struct str name, enum resolve_type type,
                  enum err_kind kind)
{
    add_zone(loop, name, type)->error = kind;
}

void sim_dns_latency(struct loop *loop, int64_t ms)
{
    loop->dns_latency_ms = ms;
}

size_t sim_lookups(const struct loop *loop)
{
    return loop->lookup_count;
}

static const struct sim_zone *find_zone(const struct loop *loop,
                                        struct str name, enum resolve_type type)
{
    const struct sim_zone *z = loop->zones;

    while (z && (z->type != type || !str_eqi(z->name, name)))
        z = z->next;
    return z;
}

static void release(struct resolve_query *q)
{
    timer_disarm(&q->timer);
    list_remove(&q->node);
    q->call->resolver->running--;
    *q->call = (struct resolve_call){0};
}

static void finish(struct resolve_query *q, const struct resolve_answer *answer,
                   const struct err *err)
{
    static const struct resolve_answer none;

    release(q);
    q->done(q->arg, answer ? answer : &none, err);
    free(q);
}

static void on_answer(void *arg)
{
    struct resolve_query *q = arg;
    enum err_kind kind = q->zone ? q->zone->error : ERR_NONE;
    struct err err;

    if (q->fault)
        kind = ERR_NETWORK;
    if (kind != ERR_NONE)
        err_set(&err, kind, "%.*s: simulated failure of DNS", STR_ARG(q->name));
    finish(q, q->zone && kind == ERR_NONE ? &q->zone->answer : NULL,
           kind == ERR_NONE ? NULL : &err);
}

static void on_deadline(void *arg)
{
    struct resolve_query *q = arg;
    struct err err;

    err_set(&err, ERR_TIMEOUT, "%.*s: no answer from DNS in time",
            STR_ARG(q->name));
    finish(q, NULL, &err);
}

void resolve_start(struct resolver *r, struct resolve_call *call,
                   const struct resolve_question *question,
                   resolve_done_fn *done, void *arg)
{
    struct loop *loop = r->loop;
    struct resolve_query *q = xcalloc(1, sizeof(*q));
    int64_t timeout_ms = question->timeout_ms;
    bool late = loop->dns_latency_ms > timeout_ms;

    assert(!call->resolver);
    q->call = call;
    q->done = done;
    q->arg = arg;
    q->name = arena_str(&loop->arena, question->name);
    q->zone = find_zone(loop, question->name, question->type);
    q->fault = sim_fault(loop);
    *call = (struct resolve_call){r, q};
    r->running++;
    loop->lookup_count++;
    list_append(&loop->lookups, &q->node);
    timer_arm(loop, &q->timer,
              loop->now.mono_ms + (late ? timeout_ms : loop->dns_latency_ms),
              late ? on_deadline : on_answer, q);
}

void resolve_cancel(struct resolve_call *call)
{
    struct resolve_query *q = call->query;

    if (!call->resolver)
        return;
    release(q);
    free(q);
}
