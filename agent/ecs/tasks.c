/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tasks.c - where the tasks of a service are.
 *
 *      FINDING --place--> LISTING --last page--> DESCRIBING --all--> done
 *                         (100 a page)           (100 a call)
 *
 * A task that ended between the two calls is not in the second answer, and is
 * no target any more.
 */
#include "agent/base/mem.h"
#include "agent/ecs/inside.h"

#include <stdlib.h>

/* A service has at most 5,000 tasks (Amazon ECS service quotas), so a list
 * that goes on beyond that is turning in a circle. */
#define PAGES_MAX 100

struct ecs_tasks_work {
    struct ecs_tasks_call *call;
    struct ecs *ecs;
    struct ecs_find find;
    struct ecs_place place;
    struct aws_call aws;
    struct arena arena;
    int64_t deadline_ms;
    struct str *arns;
    size_t arn_count, arn_cap, pages;
    size_t described; /* of them */
    struct str *addresses;
    size_t count, cap;
    size_t homeless; /* run, but have no address of their own */
    ecs_tasks_fn *done;
    void *arg;
};

static void work_free(struct ecs_tasks_work *w)
{
    ecs_find_cancel(&w->find);
    aws_call_cancel(&w->aws);
    arena_fini(&w->arena);
    free(w->arns);
    free(w->addresses);
    free(w);
}

/* The call is idle first, so that `done` may start it again. */
static void finish(struct ecs_tasks_work *w, const struct err *err)
{
    const struct ecs_tasks tasks = {w->addresses, w->count};

    w->call->work = NULL;
    w->done(w->arg, err ? NULL : &tasks, err);
    work_free(w);
}

static void ask(struct ecs_tasks_work *w, struct str target, struct str body,
                aws_call_fn *done)
{
    struct ecs_client *client = w->place.client;
    int64_t left = w->deadline_ms - loop_now(w->ecs->loop).mono_ms;
    struct str cluster = ecs_short_name(w->place.cluster);
    const struct aws_ask what = {
        .target = target,
        .body = body,
        .grant = arena_printf(&w->arena,
                              "ecs:ListTasks and ecs:DescribeTasks on * (a "
                              "condition may name ecs:cluster %.*s)",
                              STR_ARG(cluster))
                     .ptr,
        .timeout_ms = left > 1 ? left : 1,
    };

    aws_call_start(&client->aws, &w->aws, &what, done, w);
}

/*
 * Describing.
 */
static void describe(struct ecs_tasks_work *w);

static void finish_all(struct ecs_tasks_work *w)
{
    struct err err;

    if (w->homeless) {
        (void)err_set(&err, ERR_INPUT,
                      "ecs: %zu of the tasks of %.*s that run have no private "
                      "IPv4 address of their own; give the service the "
                      "network mode awsvpc, or name its targets",
                      w->homeless, STR_ARG(ecs_short_name(w->place.service)));
        finish(w, &err);
    } else {
        finish(w, NULL);
    }
}

static void keep(struct ecs_tasks_work *w, const struct ecs_task *task)
{
    if (!task->wanted)
        return;
    if (!task->address.len) {
        w->homeless++;
        return;
    }
    xgrow(&w->addresses, &w->cap, w->count, sizeof(*w->addresses));
    w->addresses[w->count++] = task->address;
}

static void on_described(void *arg, struct str body, const struct err *err)
{
    struct ecs_tasks_work *w = arg;
    struct ecs_task *tasks;
    size_t count;
    struct err bad;

    if (err) {
        finish(w, err);
        return;
    }
    if (!ecs_read_tasks(body, &w->arena, &tasks, &count, &bad)) {
        (void)err_wrap(&bad, "ecs: DescribeTasks");
        finish(w, &bad);
        return;
    }
    for (size_t i = 0; i < count; i++)
        keep(w, &tasks[i]);
    describe(w);
}

static void describe(struct ecs_tasks_work *w)
{
    size_t n = w->arn_count - w->described;
    const struct str *from;

    if (n == 0) { /* also where there are no ARNs at all */
        finish_all(w);
        return;
    }
    if (n > ECS_TASKS_MAX)
        n = ECS_TASKS_MAX;
    from = w->arns + w->described;
    w->described += n;
    ask(w, ECS_TARGET("DescribeTasks"),
        ecs_write_tasks(w->place.cluster, from, n, &w->arena), on_described);
}

/*
 * Listing.
 */
static void list(struct ecs_tasks_work *w, struct str next);

static bool keep_page(struct ecs_tasks_work *w, const struct ecs_page *page,
                      struct err *err)
{
    if (++w->pages > PAGES_MAX)
        return err_set(err, ERR_LIMIT,
                       "ecs: ListTasks: the list of tasks does not end");
    for (size_t i = 0; i < page->count; i++) {
        xgrow(&w->arns, &w->arn_cap, w->arn_count, sizeof(*w->arns));
        w->arns[w->arn_count++] = page->arns[i];
    }
    return true;
}

static void on_listed(void *arg, struct str body, const struct err *err)
{
    struct ecs_tasks_work *w = arg;
    struct ecs_page page;
    struct err bad;

    if (err) {
        finish(w, err);
        return;
    }
    if (!ecs_read_page(body, &w->arena, &page, &bad)) {
        (void)err_wrap(&bad, "ecs: ListTasks");
        finish(w, &bad);
    } else if (!keep_page(w, &page, &bad)) {
        finish(w, &bad);
    } else if (page.next.len) {
        list(w, page.next);
    } else {
        describe(w);
    }
}

static void list(struct ecs_tasks_work *w, struct str next)
{
    ask(w, ECS_TARGET("ListTasks"),
        ecs_write_list(w->place.cluster, w->place.service, next, &w->arena),
        on_listed);
}

static void on_place(void *arg, const struct ecs_place *place,
                     const struct err *err)
{
    struct ecs_tasks_work *w = arg;

    if (err) {
        finish(w, err);
        return;
    }
    w->place = *place;
    list(w, STR_NONE);
}

void ecs_tasks_start(struct ecs *e, struct ecs_tasks_call *call,
                     const struct ecs_conf *conf, int64_t timeout_ms,
                     ecs_tasks_fn *done, void *arg)
{
    struct ecs_tasks_work *w = xcalloc(1, sizeof(*w));

    w->call = call;
    w->ecs = e;
    w->deadline_ms = loop_now(e->loop).mono_ms + timeout_ms;
    w->done = done;
    w->arg = arg;
    arena_init(&w->arena, 4096);
    call->work = w;
    ecs_find_start(e, &w->find, conf, on_place, w);
}

void ecs_tasks_cancel(struct ecs_tasks_call *call)
{
    if (call->work)
        work_free(call->work);
    call->work = NULL;
}
