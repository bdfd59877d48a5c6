/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.h - what was written, before anybody knows what it should be.
 *
 * Scalars stay text: `no` is the text "no" until a row asks for a boolean.
 * Every node knows where it was written.  Nodes live in an arena and are not
 * changed by those who read them.
 */
#ifndef AGENT_CONFIG_TREE_H
#define AGENT_CONFIG_TREE_H

#include "agent/base/arena.h"
#include "agent/base/str.h"

/* A place: FILE:LINE:COL, or a variable, or an option of the command line. */
struct conf_mark {
    const char *source; /* "scalebridge.yml", "env NAME", "--log-level" */
    unsigned line, col; /* from 1; 0: the source has no lines */
    unsigned text_col;  /* where the text in it begins, if it stands there as
                           it is and in one line; or 0 */
};

enum conf_node_kind { CONF_SCALAR, CONF_SEQUENCE, CONF_MAPPING };

struct conf_node {
    enum conf_node_kind kind;
    bool null;   /* scalar: nothing, ~ or null stands there */
    bool secret; /* scalar: came out of a file; never echoed */
    bool bad;    /* a fault was told of it; keep the default and be quiet */
    bool only;   /* mapping: of what it is merged over, these keys stay */
    bool flat;   /* scalar: lists and maps are written with commas in it */
    struct conf_mark mark;          /* of the value */
    struct conf_mark key_mark;      /* of the key, in a mapping */
    struct str key;                 /* in a mapping */
    struct str text;                /* scalar; NUL-terminated */
    struct conf_node *child, *last; /* sequence, mapping */
    struct conf_node *next;         /* sibling, in the order written */
    size_t count;                   /* of children */
};

struct conf_node *conf_node_new(struct arena *a, enum conf_node_kind kind,
                                struct conf_mark mark);
struct conf_node *conf_node_text(struct arena *a, struct conf_mark mark,
                                 struct str text);
/* Behind the last child; `key` is copied (STR_NONE in a sequence). */
void conf_node_add(struct arena *a, struct conf_node *parent, struct str key,
                   struct conf_node *child);
/* The child called `key`, or NULL. */
struct conf_node *conf_node_get(const struct conf_node *parent, struct str key);
/* Takes a child out of its parent. */
void conf_node_remove(struct conf_node *parent, struct conf_node *child);
/* Puts `over` on top of `base`: mappings are merged key by key, anything else
 * replaces.  Either may be NULL; returns the result, made of both. */
struct conf_node *conf_node_merge(struct conf_node *base,
                                  struct conf_node *over);
/* Sets the scalar at "a.b.c", making the mappings on the way. */
void conf_node_set(struct arena *a, struct conf_node *root, const char *path,
                   struct conf_node *value);

#endif
