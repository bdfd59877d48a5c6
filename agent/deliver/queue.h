/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.h - the points that wait for one sink, oldest first, with their
 * bytes.  It owns copies of the points.
 */
#ifndef AGENT_DELIVER_QUEUE_H
#define AGENT_DELIVER_QUEUE_H

#include "agent/base/list.h"
#include "agent/metric/point.h"

struct entry {
    struct list_node node;
    struct point *point;
    size_t bytes;   /* of the copy and this struct */
    bool in_flight; /* in the request on its way: not to be dropped */
};

struct queue {
    struct list entries; /* by t_ms */
    size_t bytes;
};

/* In its place by time, behind those of the same time; its times are moved by
 * `shift_ms`, so that all in the queue are of the cloud's clock. */
void queue_add(struct queue *q, const struct point *p, int64_t shift_ms);
void point_shift(struct point *p, int64_t shift_ms);
void queue_drop(struct queue *q, struct entry *e); /* frees it */

static inline bool queue_empty(const struct queue *q)
{
    return q->entries.count == 0;
}

static inline size_t queue_bytes(const struct queue *q)
{
    return q->bytes;
}

struct entry *queue_oldest(const struct queue *q); /* NULL when empty */
/* The oldest that is not in flight, or NULL. */
struct entry *queue_idle(const struct queue *q);
struct entry *queue_newest(const struct queue *q);
struct entry *queue_older(const struct entry *e); /* NULL at the end */

#endif
