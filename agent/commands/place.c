/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/place.h"

#include "agent/ecs/wire.h"
#include "agent/io/http.h"
#include "agent/io/loop.h"
#include "auth/aws.h"
#include "auth/aws_imds.h"

#include <stdio.h>
#include <stdlib.h>

#define METADATA   "ECS_CONTAINER_METADATA_URI_V4"
#define TIMEOUT_MS (2 * WHEN_SECOND)

struct place {
    struct loop *loop;
    struct arena arena;
    struct str token; /* of the instance metadata service */
    struct str region;
    struct err err;
};

/* One question, to its answer. */
static bool ask(struct place *p, const struct http_request *req,
                http_done_fn *done)
{
    const struct http_hooks hooks = {.done = done};
    const struct http_options options = {0};
    struct http *http = http_new(p->loop, &options);
    struct http_call call = {0};

    p->err.kind = ERR_NONE;
    http_start(http, &call, req, &hooks, p);
    loop_run(p->loop);
    http_cancel(&call);
    http_free(http);
    return p->err.kind == ERR_NONE;
}

static bool answered(struct place *p, const struct http_response *res,
                     const struct err *net)
{
    loop_stop(p->loop);
    if (net)
        p->err = *net;
    else if (res->status != 200)
        (void)err_set(&p->err, ERR_INPUT, "it answered %d", res->status);
    return p->err.kind == ERR_NONE;
}

static void take(struct place *p, struct str region)
{
    if (!aws_region(&auth_env_process, region, &p->arena, &p->region, &p->err))
        p->region = STR_NONE;
}

/*
 * The task that we are.
 */
static void on_task(void *arg, const struct http_response *res,
                    const struct err *net)
{
    struct place *p = arg;
    struct ecs_metadata m = {0};

    if (answered(p, res, net) &&
        ecs_read_metadata(res->body, &p->arena, &m, &p->err))
        take(p, m.region);
}

static bool ask_task(struct place *p, const char *uri)
{
    const struct http_request req = {
        .method = STR("GET"),
        .url = arena_printf(&p->arena, "%s/task", uri),
        .timeout_ms = TIMEOUT_MS,
        .no_proxy = true,
    };

    return ask(p, &req, on_task);
}

/*
 * The instance that we run on.
 */
static void on_token(void *arg, const struct http_response *res,
                     const struct err *net)
{
    struct place *p = arg;

    if (!answered(p, res, net))
        return;
    p->token = arena_str(&p->arena, str_trim(res->body));
    if (p->token.len == 0)
        (void)err_set(&p->err, ERR_INPUT, "what it answered is no token");
}

static void on_region(void *arg, const struct http_response *res,
                      const struct err *net)
{
    struct place *p = arg;

    if (answered(p, res, net))
        take(p, str_trim(res->body));
}

static bool ask_instance(struct place *p)
{
    const struct auth_env *env = &auth_env_process;
    struct http_request req;
    int64_t attempts;

    if (!aws_imds_attempts(env, &attempts, &p->err))
        return false;
    for (bool ok = false; !ok && attempts > 0; attempts--)
        ok = aws_imds_ask(env, STR_NONE, STR_NONE, &p->arena, &req, &p->err) &&
             ask(p, &req, on_token) &&
             aws_imds_ask(env, STR(AWS_IMDS_REGION), p->token, &p->arena, &req,
                          &p->err) &&
             ask(p, &req, on_region);
    return p->region.len > 0;
}

/* What the firmware says: elsewhere the question would be waited for in vain,
 * or answered by somebody else. */
static bool on_ec2(const struct auth_env *env)
{
    struct buf text;
    struct err none;
    bool found;

    if (aws_imds_disabled(env))
        return false;
    if (env->variable(env->arg, "AWS_EC2_METADATA_SERVICE_ENDPOINT"))
        return true;
    buf_init(&text, 4096);
    found = env->read_file(env->arg, "/sys/class/dmi/id/sys_vendor", &text,
                           &none) &&
            str_starts(buf_str(&text), STR("Amazon EC2"));
    buf_reset(&text);
    found = found ||
            (env->read_file(env->arg, "/sys/hypervisor/uuid", &text, &none) &&
             str_starts(buf_str(&text), STR("ec2")));
    buf_fini(&text);
    return found;
}

static void learn(struct place *p, const char *uri)
{
    bool ok;

    p->loop = loop_new();
    ok = uri ? ask_task(p, uri) : ask_instance(p);
    loop_free(p->loop);
    if (ok && p->region.len > 0)
        (void)setenv("AWS_REGION", arena_strdup(&p->arena, p->region), 0);
    else
        (void)fprintf(stderr,
                      "warning: region: the %s metadata %s did not "
                      "tell it: %s\n",
                      uri ? "task" : "instance", uri ? "endpoint" : "service",
                      p->err.text);
}

void place_learn(void)
{
    const struct auth_env *env = &auth_env_process;
    const char *uri = env->variable(env->arg, METADATA);
    struct place p = {0};

    arena_init(&p.arena, 4096);
    if ((uri || on_ec2(env)) &&
        !aws_region(env, STR_NONE, &p.arena, &p.region, NULL))
        learn(&p, uri);
    arena_fini(&p.arena);
}
