/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/place.h"

#include "agent/ecs/wire.h"
#include "agent/io/http.h"
#include "agent/io/loop.h"
#include "auth/aws.h"

#include <stdio.h>
#include <stdlib.h>

#define METADATA   "ECS_CONTAINER_METADATA_URI_V4"
#define TIMEOUT_MS (2 * WHEN_SECOND)

struct place {
    struct loop *loop;
    struct arena arena;
    struct str region;
    struct err err;
};

static void on_answer(void *arg, const struct http_response *res,
                      const struct err *net)
{
    struct place *p = arg;
    struct ecs_metadata m = {0};

    if (net)
        p->err = *net;
    else if (res->status != 200)
        (void)err_set(&p->err, ERR_INPUT, "it answered %d", res->status);
    else if (ecs_read_metadata(res->body, &p->arena, &m, &p->err) &&
             !aws_region(&auth_env_process, m.region, &p->arena, &p->region,
                         &p->err))
        p->region = STR_NONE;
    loop_stop(p->loop);
}

static void ask(struct place *p, const char *uri)
{
    static const struct http_hooks hooks = {.done = on_answer};
    const struct http_options options = {0};
    struct http *http = http_new(p->loop, &options);
    struct http_call call = {0};
    const struct http_request req = {
        .method = STR("GET"),
        .url = arena_printf(&p->arena, "%s/task", uri),
        .timeout_ms = TIMEOUT_MS,
        .no_proxy = true,
    };

    http_start(http, &call, &req, &hooks, p);
    loop_run(p->loop);
    http_cancel(&call);
    http_free(http);
}

void place_learn(void)
{
    const struct auth_env *env = &auth_env_process;
    const char *uri = env->variable(env->arg, METADATA);
    struct place p = {0};

    if (!uri)
        return;
    arena_init(&p.arena, 4096);
    if (!aws_region(env, STR_NONE, &p.arena, &p.region, NULL)) {
        p.loop = loop_new();
        ask(&p, uri);
        loop_free(p.loop);
        if (p.region.len > 0)
            (void)setenv("AWS_REGION", p.region.ptr, 0);
        else
            (void)fprintf(stderr,
                          "warning: region: the task metadata endpoint did "
                          "not tell it: %s\n",
                          p.err.text);
    }
    arena_fini(&p.arena);
}
