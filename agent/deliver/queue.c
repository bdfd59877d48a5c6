/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deliver/queue.h"

#include "agent/base/mem.h"

#include <stdlib.h>

static struct entry *entry_of(struct list_node *n)
{
    return n ? list_entry(n, struct entry, node) : NULL;
}

void point_shift(struct point *p, int64_t shift_ms)
{
    p->start_ms += shift_ms;
    p->t_ms += shift_ms;
}

void queue_add(struct queue *q, const struct point *p, int64_t shift_ms)
{
    int64_t t_ms = p->t_ms + shift_ms;
    struct entry *e = xcalloc(1, sizeof(*e));
    struct list_node *at = q->entries.last, *behind = NULL;

    while (at && entry_of(at)->point->t_ms > t_ms) {
        behind = at;
        at = at->prev;
    }
    e->point = point_copy(p);
    point_shift(e->point, shift_ms);
    e->bytes = point_bytes(p) + sizeof(*e);
    list_insert_before(&q->entries, behind, &e->node);
    q->bytes += e->bytes;
}

void queue_drop(struct queue *q, struct entry *e)
{
    q->bytes -= e->bytes;
    list_remove(&e->node);
    free(e->point);
    free(e);
}

struct entry *queue_oldest(const struct queue *q)
{
    return entry_of(q->entries.first);
}

struct entry *queue_newest(const struct queue *q)
{
    return entry_of(q->entries.last);
}

struct entry *queue_older(const struct entry *e)
{
    return entry_of(e->node.prev);
}

struct entry *queue_idle(const struct queue *q)
{
    struct list_node *n = q->entries.first;

    while (n && entry_of(n)->in_flight)
        n = n->next;
    return entry_of(n);
}
