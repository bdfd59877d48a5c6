/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - intrusive list that counts its members.
 *
 * A node is a member of at most one list.  To call out for each member, move
 * them all to a local list first (list_take), so that a callback may add,
 * remove or free anything.
 */
#ifndef AGENT_BASE_LIST_H
#define AGENT_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list;

struct list_node {
    struct list_node *next, *prev;
    struct list *list; /* NULL when in none */
};

struct list {
    struct list_node *first, *last;
    size_t count;
};

#define list_entry(node, type, member) \
    ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* The body may remove `n` itself, no other. */
#define list_for_each(l, n)                                                   \
    for (struct list_node *n = (l)->first, *n##_next = n ? n->next : NULL; n; \
         n = n##_next, n##_next = n ? n->next : NULL)

static inline void list_insert_before(struct list *l, struct list_node *at,
                                      struct list_node *n)
{
    n->list = l;
    n->next = at;
    n->prev = at ? at->prev : l->last;
    if (n->prev)
        n->prev->next = n;
    else
        l->first = n;
    if (at)
        at->prev = n;
    else
        l->last = n;
    l->count++;
}

static inline void list_append(struct list *l, struct list_node *n)
{
    list_insert_before(l, NULL, n);
}

static inline void list_prepend(struct list *l, struct list_node *n)
{
    list_insert_before(l, l->first, n);
}

/* Fine for a node that is in no list. */
static inline void list_remove(struct list_node *n)
{
    struct list *l = n->list;

    if (!l)
        return;
    if (n->prev)
        n->prev->next = n->next;
    else
        l->first = n->next;
    if (n->next)
        n->next->prev = n->prev;
    else
        l->last = n->prev;
    l->count--;
    *n = (struct list_node){0};
}

static inline struct list_node *list_pop(struct list *l)
{
    struct list_node *n = l->first;

    if (n)
        list_remove(n);
    return n;
}

/* Moves every member of `from` to the end of `to`. */
static inline void list_take(struct list *to, struct list *from)
{
    struct list_node *n;

    while ((n = list_pop(from)))
        list_append(to, n);
}

#endif
