/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - what is said to Amazon ECS and what it answers; pure.
 *
 * AWS JSON 1.1 (Amazon ECS API Reference: DescribeServices, ListTasks,
 * DescribeTasks), and the answer of the task metadata endpoint to /task.
 * Texts that are read live in the arena.  An answer that misses a member the
 * reference promises is an error that names it; unknown ones are passed over.
 */
#ifndef AGENT_ECS_WIRE_H
#define AGENT_ECS_WIRE_H

#include "agent/base/arena.h"
#include "agent/base/err.h"
#include "agent/ecs/ecs.h"

#define ECS_SERVICES_MAX 10  /* of one DescribeServices */
#define ECS_TASKS_MAX    100 /* of one DescribeTasks */

#define ECS_TARGET(operation) \
    STR("AmazonEC2ContainerServiceV20141113." operation)

/* The REGION of arn:aws:ecs:REGION:..., or empty. */
struct str ecs_arn_region(struct str text);
/* What stands behind the last slash; all where there is none. */
struct str ecs_short_name(struct str text);
/* The CLUSTER of ...:service/CLUSTER/NAME, or empty. */
struct str ecs_arn_cluster(struct str text);

struct str ecs_write_services(struct str cluster, const struct str *services,
                              size_t count, struct arena *arena);
struct str ecs_write_list(struct str cluster, struct str service,
                          struct str next_token, struct arena *arena);
struct str ecs_write_tasks(struct str cluster, const struct str *arns,
                           size_t count, struct arena *arena);

struct ecs_service {
    struct str name;
    bool inactive;
    struct ecs_count count;
};

struct ecs_failure {
    struct str name; /* of the service or task */
    struct str reason, detail;
};

struct ecs_services {
    struct ecs_service *services;
    size_t count;
    struct ecs_failure *failures;
    size_t failure_count;
};

must_check bool ecs_read_services(struct str body, struct arena *arena,
                                  struct ecs_services *out, struct err *err);

struct ecs_page {
    struct str *arns;
    size_t count;
    struct str next; /* empty: this was the last page */
};

must_check bool ecs_read_page(struct str body, struct arena *arena,
                              struct ecs_page *out, struct err *err);

struct ecs_task {
    struct str id;
    bool wanted;        /* runs, is to run, and is not unhealthy */
    struct str address; /* private IPv4; empty where it has none of its own */
};

must_check bool ecs_read_tasks(struct str body, struct arena *arena,
                               struct ecs_task **out, size_t *count,
                               struct err *err);

struct ecs_metadata {
    struct str cluster, service, region; /* empty where it does not tell */
};

must_check bool ecs_read_metadata(struct str body, struct arena *arena,
                                  struct ecs_metadata *out, struct err *err);

#endif
