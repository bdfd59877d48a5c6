/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find.c - where a service is: the shared part of all questions.
 *
 * Whoever needs the task's metadata waits for one fetch; what it told is kept
 * for good, since a task never moves.
 */
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/ecs/inside.h"

#include <assert.h>
#include <stdlib.h>

/* The agent's own endpoint, on this very machine. */
#define METADATA_MS  (2 * WHEN_SECOND)
#define METADATA_MAX ((size_t)1 << 20)

struct ecs *ecs_new(struct loop *loop, struct http *http,
                    const struct auth_env *env)
{
    struct ecs *e = xcalloc(1, sizeof(*e));
    const struct lease_options lease = {
        .providers = aws_providers, .env = env, .mend = aws_no_credentials};

    e->loop = loop;
    e->http = http;
    e->env = env;
    e->lease = lease_new(loop, http, &lease);
    arena_init(&e->arena, 512);
    return e;
}

static void client_free(struct ecs_client *c)
{
    list_remove(&c->node);
    arena_fini(&c->arena);
    free(c);
}

void ecs_free(struct ecs *e)
{
    if (!e)
        return;
    assert(!e->finding.count && !e->counting.count && !e->batches.count);
    http_cancel(&e->ask);
    timer_disarm(&e->turn);
    timer_disarm(&e->gather);
    list_for_each (&e->clients, n)
        client_free(list_entry(n, struct ecs_client, node));
    lease_free(e->lease);
    arena_fini(&e->arena);
    free(e);
}

static struct str authorities(const struct ecs *e, const struct ecs_conf *conf)
{
    struct str written = str_trim(str_of(conf->ca_file));

    return written.len > 0
               ? written
               : str_of(e->env->variable(e->env->arg, "AWS_CA_BUNDLE"));
}

static struct ecs_client *client_of(struct ecs *e, const struct ecs_conf *conf,
                                    struct str region, struct str url)
{
    struct str ca_file = authorities(e, conf);
    struct ecs_client *c;

    list_for_each (&e->clients, n) {
        c = list_entry(n, struct ecs_client, node);
        if (str_eq(c->aws.region, region) && str_eq(c->aws.url, url) &&
            str_eq(c->aws.ca_file, ca_file))
            return c;
    }
    c = xcalloc(1, sizeof(*c));
    arena_init(&c->arena, 512);
    c->aws = (struct aws_client){
        .loop = e->loop,
        .http = e->http,
        .lease = e->lease,
        .name = "ecs",
        .region = arena_str(&c->arena, region),
        .url = arena_str(&c->arena, url),
        .ca_file = arena_str(&c->arena, ca_file),
    };
    list_append(&e->clients, &c->node);
    return c;
}

/*
 * From what is written and what the task tells to a place.
 */
static bool whole(const struct ecs_metadata *m)
{
    return m->cluster.len && m->service.len && m->region.len;
}

static struct ecs_metadata filled(const struct ecs *e,
                                  const struct ecs_conf *conf,
                                  struct arena *arena)
{
    struct ecs_metadata m = ecs_written(conf, e->env, arena);

    if (!m.cluster.len)
        m.cluster = e->metadata.cluster;
    if (!m.service.len)
        m.service = e->metadata.service;
    if (!m.region.len)
        m.region = e->metadata.region;
    return m;
}

static bool refuse_gap(const struct ecs_metadata *m, struct err *err)
{
    if (!m->service.len)
        return err_set(err, ERR_CONFIG,
                       "service: not set, and the task metadata endpoint does "
                       "not tell it (on Fargate it never does); write ecs: "
                       "{service: ...}");
    return err_set(err, ERR_CONFIG,
                   "%s: not set, and the task metadata endpoint does not tell "
                   "it; write it under ecs",
                   m->cluster.len ? "region" : "cluster");
}

static bool place_in(struct ecs *e, const struct ecs_conf *conf,
                     struct arena *arena, struct ecs_place *out,
                     struct err *err)
{
    struct ecs_metadata m = filled(e, conf, arena);
    struct str url;

    if (!whole(&m))
        return refuse_gap(&m, err);
    if (!ecs_endpoint(conf, m.region, e->env, arena, &url, err))
        return false;
    *out = (struct ecs_place){m.cluster, m.service,
                              client_of(e, conf, m.region, url)};
    return true;
}

static bool place_of(struct ecs *e, const struct ecs_conf *conf,
                     struct ecs_place *out, struct err *err)
{
    struct arena arena;
    bool ok;

    arena_init(&arena, 512);
    ok = place_in(e, conf, &arena, out, err);
    arena_fini(&arena);
    return ok;
}

/* May free the finder, not the hub. */
static void tell(struct ecs *e, struct ecs_find *f, const struct err *failure)
{
    struct ecs_place place;
    struct err err;

    list_remove(&f->node);
    if (failure)
        f->done(f->arg, NULL, failure);
    else if (place_of(e, f->conf, &place, &err))
        f->done(f->arg, &place, NULL);
    else
        f->done(f->arg, NULL, &err);
}

static bool must_wait(const struct ecs *e, const struct ecs_find *f)
{
    struct ecs_metadata m;
    struct arena arena;
    bool wait;

    if (e->known)
        return false;
    arena_init(&arena, 512);
    m = ecs_written(f->conf, e->env, &arena);
    wait = !whole(&m);
    arena_fini(&arena);
    return wait;
}

/*
 * The metadata.
 */
static void tell_waiting(struct ecs *e, const struct err *failure)
{
    struct list told = {0};
    struct list_node *n;

    list_for_each (&e->finding, f)
        if (!failure || must_wait(e, list_entry(f, struct ecs_find, node))) {
            list_remove(f);
            list_append(&told, f);
        }
    while ((n = told.first))
        tell(e, list_entry(n, struct ecs_find, node), failure);
}

static bool read_answer(struct ecs *e, const struct http_response *res,
                        struct err *err)
{
    if (res->status != 200)
        return err_set(err, ERR_INPUT, "answered %d", res->status);
    return ecs_read_metadata(res->body, &e->arena, &e->metadata, err);
}

static void on_metadata(void *arg, const struct http_response *res,
                        const struct err *net)
{
    struct ecs *e = arg;
    struct err err;

    if (net)
        err = *net;
    else if (!read_answer(e, res, &err))
        e->metadata = (struct ecs_metadata){0};
    else
        e->known = true;
    if (e->known)
        log_info("task_known", log_s("cluster", e->metadata.cluster),
                 log_s("service", e->metadata.service),
                 log_s("region", e->metadata.region));
    else
        (void)err_wrap(&err, "the task metadata endpoint");
    tell_waiting(e, e->known ? NULL : &err);
}

static void ask_metadata(struct ecs *e)
{
    const struct http_hooks hooks = {.done = on_metadata};
    struct str uri =
        str_trim(str_of(e->env->variable(e->env->arg, ECS_METADATA_VARIABLE)));
    struct arena arena;
    struct http_request req = {
        .method = STR("GET"),
        .timeout_ms = METADATA_MS,
        .max_response = METADATA_MAX,
        .no_proxy = true,
    };

    arena_init(&arena, 512);
    req.url = arena_printf(&arena, "%.*s/task", STR_ARG(uri));
    http_start(e->http, &e->ask, &req, &hooks, e);
    arena_fini(&arena);
}

static void no_metadata(struct ecs *e)
{
    struct err err;

    (void)err_set(&err, ERR_CONFIG,
                  "cluster, service or region is not set, and this is no ECS "
                  "task that could tell it (" ECS_METADATA_VARIABLE
                  " is not set); write it under ecs");
    tell_waiting(e, &err);
}

static void on_turn(void *arg)
{
    struct ecs *e = arg;
    struct list told = {0};
    struct list_node *n;

    list_for_each (&e->finding, f)
        if (!must_wait(e, list_entry(f, struct ecs_find, node))) {
            list_remove(f);
            list_append(&told, f);
        }
    while ((n = told.first))
        tell(e, list_entry(n, struct ecs_find, node), NULL);
    if (!e->finding.count || http_running(&e->ask))
        return;
    if (e->env->variable(e->env->arg, ECS_METADATA_VARIABLE))
        ask_metadata(e);
    else
        no_metadata(e);
}

void ecs_find_start(struct ecs *e, struct ecs_find *f,
                    const struct ecs_conf *conf, ecs_find_fn *done, void *arg)
{
    *f = (struct ecs_find){.conf = conf, .done = done, .arg = arg};
    list_append(&e->finding, &f->node);
    timer_arm(e->loop, &e->turn, loop_now(e->loop).mono_ms, on_turn, e);
}

void ecs_find_cancel(struct ecs_find *f)
{
    list_remove(&f->node);
}
