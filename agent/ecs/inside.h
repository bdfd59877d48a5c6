/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h - what the files of this folder share, and nobody else sees.
 */
#ifndef AGENT_ECS_INSIDE_H
#define AGENT_ECS_INSIDE_H

#include "agent/ecs/ecs.h"
#include "agent/ecs/wire.h"
#include "auth/aws.h"
#include "auth/aws_call.h"

#define ECS_METADATA_VARIABLE "ECS_CONTAINER_METADATA_URI_V4"

/* One region at one endpoint. */
struct ecs_client {
    struct list_node node;
    struct aws_client aws;
    struct arena arena; /* of its texts */
};

struct ecs {
    struct loop *loop;
    struct http *http;
    const struct auth_env *env;
    struct lease *lease;
    struct list clients;
    struct arena arena; /* of metadata */
    bool known;         /* metadata is there */
    struct ecs_metadata metadata;
    struct http_call ask; /* for metadata */
    struct list finding;  /* ecs_find */
    struct timer turn;    /* tells those that need not wait for metadata */
    struct list counting; /* ecs_count_call that wait for a batch */
    struct timer gather;  /* makes the batches */
    struct list batches;  /* on their way */
};

/* conf.c: what of a place is known without asking anybody; empty where it
 * must be asked for.  Lent by `conf`, the environment and `arena`. */
struct ecs_metadata ecs_written(const struct ecs_conf *conf,
                                const struct auth_env *env,
                                struct arena *arena);
/* conf.c: the URL to ask. */
must_check bool ecs_endpoint(const struct ecs_conf *conf, struct str region,
                             const struct auth_env *env, struct arena *arena,
                             struct str *out, struct err *err);

/* find.c: `done` comes later, from the loop. */
void ecs_find_start(struct ecs *e, struct ecs_find *f,
                    const struct ecs_conf *conf, ecs_find_fn *done, void *arg);
void ecs_find_cancel(struct ecs_find *f);

/* count.c: makes batches of those that stand in `counting`. */
void ecs_gather(void *arg);

#endif
