/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/capacity/source.h"

static bool named(const struct capacity_conf *conf)
{
    return conf->ecs != NULL;
}

static bool check(const struct capacity_conf *conf, struct err *err)
{
    if (conf->refresh_ms < ECS_LEAST_MS)
        return err_set(err, ERR_CONFIG,
                       "refresh: is shorter than 10s, and all that this AWS "
                       "account asks ECS shares one limit; write 10s or more");
    return true;
}

static void describe(const struct capacity_conf *conf, struct buf *out)
{
    ecs_describe(&conf->ecs->at, out);
    if (conf->ecs->primary_only)
        buf_addz(out, ", primary deployment");
}

static bool read_primary(const struct ecs_count *count,
                         struct capacity_answer *out, struct err *err)
{
    if (!count->has_primary)
        return err_set(err, ERR_INPUT,
                       "ecs: the service has no PRIMARY deployment, since "
                       "something other than ECS deploys it; leave out "
                       "primary_only");
    out->running = count->primary_running;
    out->desired = count->primary_desired;
    return true;
}

static void on_count(void *arg, const struct ecs_count *count,
                     const struct err *err)
{
    struct capacity_source *s = arg;
    struct capacity_answer a = {.has_desired = true};
    struct err none;

    if (err) {
        s->done(s->arg, NULL, err);
        return;
    }
    a.running = count->running;
    a.desired = count->desired;
    if (s->conf->ecs->primary_only && !read_primary(count, &a, &none))
        s->done(s->arg, NULL, &none);
    else
        s->done(s->arg, &a, NULL);
}

static void start(struct capacity_source *s)
{
    ecs_count_start(s->with->ecs, &s->count, &s->conf->ecs->at,
                    s->conf->timeout_ms, on_count, s);
}

static void cancel(struct capacity_source *s)
{
    ecs_count_cancel(&s->count);
}

const struct capacity_type capacity_ecs = {
    .name = "ecs",
    .least_ms = ECS_LEAST_MS,
    .named = named,
    .check = check,
    .describe = describe,
    .start = start,
    .cancel = cancel,
};
