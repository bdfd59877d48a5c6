/* SPDX-License-Identifier: Apache-2.0 */
/*
 * count.c - how many tasks run: up to ten services of a cluster a call.
 *
 * A count is found (find.c), stands among those to ask for until the next
 * turn, and then travels in a batch with others of its cluster.
 */
#include "agent/base/mem.h"
#include "agent/ecs/inside.h"

#include <stdlib.h>

struct ecs_batch {
    struct list_node node;
    struct ecs_client *client;
    struct str cluster;
    struct str services[ECS_SERVICES_MAX]; /* each once */
    size_t count;
    struct list members; /* ecs_count_call */
    int64_t timeout_ms;
    struct arena arena;
    struct aws_call call;
};

static struct ecs_count_call *member(struct list_node *n)
{
    return list_entry(n, struct ecs_count_call, node);
}

/*
 * Answers.
 */

/* Nothing of the call is touched after this: `done` may free it. */
static void finish(struct ecs_count_call *c, const struct ecs_count *count,
                   const struct err *err)
{
    list_remove(&c->node);
    c->ecs = NULL;
    c->batch = NULL;
    c->done(c->arg, count, err);
}

static bool refuse_missing(const struct ecs_count_call *c,
                           const struct ecs_failure *f, struct err *err)
{
    return err_set(err, ERR_INPUT,
                   "ecs: there is no service %.*s in cluster %.*s of %.*s "
                   "(%.*s%s%.*s); look at cluster, service and region",
                   STR_ARG(ecs_short_name(c->place.service)),
                   STR_ARG(ecs_short_name(c->place.cluster)),
                   STR_ARG(c->place.client->aws.region), STR_ARG(f->reason),
                   f->detail.len ? ": " : "", STR_ARG(f->detail));
}

static bool find_failure(const struct ecs_count_call *c,
                         const struct ecs_services *answer, struct err *err)
{
    struct ecs_failure none = {.reason = STR("not in the answer")};
    struct str name = ecs_short_name(c->place.service);

    for (size_t i = 0; i < answer->failure_count; i++)
        if (str_eq(answer->failures[i].name, name))
            return refuse_missing(c, &answer->failures[i], err);
    return refuse_missing(c, &none, err);
}

static bool find_count(const struct ecs_count_call *c,
                       const struct ecs_services *answer, struct ecs_count *out,
                       struct err *err)
{
    struct str name = ecs_short_name(c->place.service);

    for (size_t i = 0; i < answer->count; i++) {
        const struct ecs_service *s = &answer->services[i];

        if (!str_eq(s->name, name))
            continue;
        if (s->inactive)
            return err_set(err, ERR_INPUT,
                           "ecs: service %.*s of cluster %.*s is INACTIVE: it "
                           "was deleted; name the service that took its place",
                           STR_ARG(name),
                           STR_ARG(ecs_short_name(c->place.cluster)));
        *out = s->count;
        return true;
    }
    return find_failure(c, answer, err);
}

static void tell(struct ecs_count_call *c, const struct ecs_services *answer)
{
    struct ecs_count count;
    struct err err;

    if (find_count(c, answer, &count, &err))
        finish(c, &count, NULL);
    else
        finish(c, NULL, &err);
}

static void batch_free(struct ecs_batch *b)
{
    list_remove(&b->node);
    aws_call_cancel(&b->call);
    arena_fini(&b->arena);
    free(b);
}

static void on_answer(void *arg, struct str body, const struct err *err)
{
    struct ecs_batch *b = arg;
    struct ecs_services answer;
    struct list told = {0};
    struct list_node *n;
    struct err bad;

    if (!err && !ecs_read_services(body, &b->arena, &answer, &bad)) {
        (void)err_wrap(&bad, "ecs: DescribeServices");
        err = &bad;
    }
    list_take(&told, &b->members);
    for (n = told.first; n; n = n->next)
        member(n)->batch = NULL; /* a cancel need not look after it */
    while ((n = told.first)) {
        if (err)
            finish(member(n), NULL, err);
        else
            tell(member(n), &answer);
    }
    batch_free(b);
}

/*
 * Questions.
 */
static bool has_service(const struct ecs_batch *b, struct str service)
{
    for (size_t i = 0; i < b->count; i++)
        if (str_eq(b->services[i], service))
            return true;
    return false;
}

/* One that is still being made and has room, or a new one. */
static struct ecs_batch *batch_for(struct ecs *e,
                                   const struct ecs_count_call *c)
{
    struct ecs_batch *b;

    list_for_each (&e->batches, n) {
        b = list_entry(n, struct ecs_batch, node);
        if (!aws_call_running(&b->call) && b->client == c->place.client &&
            str_eq(b->cluster, c->place.cluster) &&
            (b->count < ECS_SERVICES_MAX || has_service(b, c->place.service)))
            return b;
    }
    b = xcalloc(1, sizeof(*b));
    b->client = c->place.client;
    arena_init(&b->arena, 4096);
    b->cluster = arena_str(&b->arena, c->place.cluster);
    list_append(&e->batches, &b->node);
    return b;
}

static void join(struct ecs_batch *b, struct ecs_count_call *c)
{
    if (!has_service(b, c->place.service))
        b->services[b->count++] = arena_str(&b->arena, c->place.service);
    if (b->timeout_ms < c->timeout_ms)
        b->timeout_ms = c->timeout_ms;
    c->batch = b;
    list_append(&b->members, &c->node);
}

static const char *grant_of(struct ecs_batch *b)
{
    struct str cluster = ecs_short_name(b->cluster);
    struct str first = ecs_short_name(b->services[0]);

    return arena_printf(&b->arena,
                        "ecs:DescribeServices on arn:aws:ecs:%.*s:*:service/"
                        "%.*s/%.*s",
                        STR_ARG(b->client->aws.region), STR_ARG(cluster),
                        STR_ARG(b->count > 1 ? STR("*") : first))
        .ptr;
}

static void ask(struct ecs_batch *b)
{
    const struct aws_ask what = {
        .target = ECS_TARGET("DescribeServices"),
        .body =
            ecs_write_services(b->cluster, b->services, b->count, &b->arena),
        .grant = grant_of(b),
        .timeout_ms = b->timeout_ms,
    };

    aws_call_start(&b->client->aws, &b->call, &what, on_answer, b);
}

void ecs_gather(void *arg)
{
    struct ecs *e = arg;
    struct list_node *n;

    while ((n = list_pop(&e->counting)))
        join(batch_for(e, member(n)), member(n));
    list_for_each (&e->batches, b)
        if (!aws_call_running(&list_entry(b, struct ecs_batch, node)->call))
            ask(list_entry(b, struct ecs_batch, node));
}

static void on_place(void *arg, const struct ecs_place *place,
                     const struct err *err)
{
    struct ecs_count_call *c = arg;
    struct ecs *e = c->ecs;

    if (err) {
        finish(c, NULL, err);
        return;
    }
    c->place = *place;
    list_append(&e->counting, &c->node);
    timer_arm(e->loop, &e->gather, loop_now(e->loop).mono_ms, ecs_gather, e);
}

void ecs_count_start(struct ecs *e, struct ecs_count_call *call,
                     const struct ecs_conf *conf, int64_t timeout_ms,
                     ecs_count_fn *done, void *arg)
{
    *call = (struct ecs_count_call){
        .ecs = e, .timeout_ms = timeout_ms, .done = done, .arg = arg};
    ecs_find_start(e, &call->find, conf, on_place, call);
}

void ecs_count_cancel(struct ecs_count_call *call)
{
    struct ecs_batch *b = call->batch;

    if (!call->ecs)
        return;
    ecs_find_cancel(&call->find);
    list_remove(&call->node);
    if (b && !b->members.count)
        batch_free(b);
    call->ecs = NULL;
    call->batch = NULL;
}
