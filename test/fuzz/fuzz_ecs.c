/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever Amazon ECS, the task metadata endpoint or a stranger in their place
 * may answer: it is refused with a reason, or what comes out of it is sound.
 */
#include "agent/ecs/wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void need(bool truth)
{
    if (!truth)
        abort();
}

static void check_services(struct str body, struct arena *arena)
{
    struct ecs_services s;
    struct err err;

    if (!ecs_read_services(body, arena, &s, &err)) {
        need(err.kind != ERR_NONE && err.text[0]);
        return;
    }
    for (size_t i = 0; i < s.count; i++) {
        const struct ecs_count *c = &s.services[i].count;

        need(c->running >= 0 && c->desired >= 0 && c->pending >= 0);
        need(c->primary_running >= 0 && c->primary_desired >= 0);
    }
    for (size_t i = 0; i < s.failure_count; i++)
        need(str_find(s.failures[i].name, '/') == s.failures[i].name.len);
}

static void check_tasks(struct str body, struct arena *arena)
{
    struct ecs_task *tasks;
    size_t count;

    if (!ecs_read_tasks(body, arena, &tasks, &count, NULL))
        return;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < tasks[i].address.len; k++) {
            char c = tasks[i].address.ptr[k];

            need((c >= '0' && c <= '9') || c == '.'); /* ends up in a URL */
        }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct str body = str_n((const char *)data, size);
    struct ecs_page page;
    struct ecs_metadata metadata;
    struct arena arena;

    arena_init(&arena, 4096);
    check_services(body, &arena);
    check_tasks(body, &arena);
    (void)!ecs_read_page(body, &arena, &page, NULL);
    (void)!ecs_read_metadata(body, &arena, &metadata, NULL);
    (void)ecs_arn_cluster(body);
    (void)ecs_arn_region(body);
    arena_fini(&arena);
    return 0;
}
