/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config/tree.h"

struct conf_node *conf_node_new(struct arena *a, enum conf_node_kind kind,
                                struct conf_mark mark)
{
    struct conf_node *n = arena_zalloc(a, sizeof(*n));

    n->kind = kind;
    n->mark = mark;
    n->key_mark = mark;
    return n;
}

struct conf_node *conf_node_text(struct arena *a, struct conf_mark mark,
                                 struct str text)
{
    struct conf_node *n = conf_node_new(a, CONF_SCALAR, mark);

    n->text = str_n(arena_strdup(a, text), text.len);
    return n;
}

static void append(struct conf_node *parent, struct conf_node *child)
{
    child->next = NULL;
    if (parent->last)
        parent->last->next = child;
    else
        parent->child = child;
    parent->last = child;
    parent->count++;
}

void conf_node_add(struct arena *a, struct conf_node *parent, struct str key,
                   struct conf_node *child)
{
    if (key.ptr)
        child->key = str_n(arena_strdup(a, key), key.len);
    append(parent, child);
}

struct conf_node *conf_node_get(const struct conf_node *parent, struct str key)
{
    struct conf_node *n = parent ? parent->child : NULL;

    while (n && !str_eq(n->key, key))
        n = n->next;
    return n;
}

void conf_node_remove(struct conf_node *parent, struct conf_node *child)
{
    struct conf_node *n = parent->child, *next;

    parent->child = NULL;
    parent->last = NULL;
    parent->count = 0;
    for (; n; n = next) {
        next = n->next;
        if (n != child)
            append(parent, n);
    }
}

/* Keeps of `base` only what `over` names too. */
static void keep_only(struct conf_node *base, const struct conf_node *over)
{
    struct conf_node *n = base->child, *next;

    base->child = NULL;
    base->last = NULL;
    base->count = 0;
    for (; n; n = next) {
        next = n->next;
        if (conf_node_get(over, n->key))
            append(base, n);
    }
}

/* Puts `over` where a child of its key stands in `base`, or at the end. */
static void put(struct conf_node *base, struct conf_node *over)
{
    struct conf_node **at = &base->child, *was, *now;

    while (*at && !str_eq((*at)->key, over->key))
        at = &(*at)->next;
    was = *at;
    if (!was) {
        append(base, over);
        return;
    }
    now = conf_node_merge(was, over);
    if (now != was) {
        now->next = was->next;
        *at = now;
        if (base->last == was)
            base->last = now;
    }
}

struct conf_node *conf_node_merge(struct conf_node *base,
                                  struct conf_node *over)
{
    struct conf_node *next;

    if (!base || !over)
        return base ? base : over;
    if (base->kind == CONF_SCALAR && base->null && over->kind == CONF_MAPPING)
        return over;
    if (base->kind != CONF_MAPPING || over->kind != CONF_MAPPING)
        return over;
    if (over->only)
        keep_only(base, over);
    base->only = base->only || over->only;
    for (struct conf_node *n = over->child; n; n = next) {
        next = n->next;
        put(base, n);
    }
    return base;
}

void conf_node_set(struct arena *a, struct conf_node *root, const char *path,
                   struct conf_node *value)
{
    struct conf_node top = {.kind = CONF_MAPPING}, *at = &top;
    struct str rest = str_of(path), part;

    /* A tree of this one value, merged over the rest. */
    while (str_next(&rest, '.', &part)) {
        struct conf_node *n =
            rest.ptr ? conf_node_new(a, CONF_MAPPING, value->mark) : value;

        conf_node_add(a, at, part, n);
        at = n;
    }
    (void)conf_node_merge(root, &top);
}
