/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h - what the files of this folder share, and nobody else sees.
 */
#ifndef AGENT_CONFIG_INSIDE_H
#define AGENT_CONFIG_INSIDE_H

#include "agent/base/map.h"
#include "agent/config/conf.h"

/* Where the value of a field was written. */
struct conf_origin {
    const void *field; /* its bytes are the key in the map */
    const char *path;
    struct conf_mark mark; /* of a default: of the section it is missing in */
    bool written;
    bool secret; /* came out of a file */
};

struct conf {
    struct arena arena;
    struct conf_fault *faults;
    size_t fault_count, fault_cap;
    size_t errors;
    struct map fields;   /* address -> struct conf_origin */
    struct map sections; /* the same; a struct starts where its first does */
    size_t nodes;        /* that were read from texts */
    size_t expanded;     /* bytes that came out of ${...} */
    struct str *secrets; /* in the arena, to be wiped */
    size_t secret_count, secret_cap;
};

/* Faults told; one more says that there are others. */
#define CONF_FAULTS_MAX 100
/* Items of one list, pairs of one map, rows of one table. */
#define CONF_ITEMS_MAX 2000

/* A path, built on the stack on the way down. */
struct conf_path {
    const struct conf_path *up;
    struct str key; /* ptr NULL: an item of a list */
    size_t index;
};

const char *conf_path_text(struct conf *c, const struct conf_path *p);
/* What happened to a node: a fault at its place. */
void conf_fault_node(struct conf *c, const struct conf_node *n,
                     const struct conf_path *p, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

void conf_origin_field(struct conf *c, const void *field,
                       const struct conf_mark *mark, const char *path);
void conf_origin_default(struct conf *c, const void *field,
                         const struct conf_mark *section, const char *path);
void conf_origin_section(struct conf *c, const void *section,
                         const struct conf_mark *mark, const char *path);
/* The value that was just written there is never shown. */
void conf_origin_hide(struct conf *c, const void *field);
bool conf_origin_hidden(const struct conf *c, const void *field);
void conf_keep_secret(struct conf *c, struct str s);

/* kinds.c: one value of one kind.  Fields are addressed as their type. */

/* Fills the field from text; the text of `err` says what is wrong with it,
 * without the path.  `secret`: the value is not repeated there. */
must_check bool conf_kind_read(const struct conf_key *row, struct arena *a,
                               struct str text, bool secret, void *field,
                               struct err *err);
/* As an operator would write it; lists and maps with commas. */
void conf_kind_print(const struct conf_key *row, const void *field,
                     struct buf *out);
/* "duration", "one of own, shared", and "1s to 1h" or nothing. */
void conf_kind_name(const struct conf_key *row, struct buf *out);
void conf_kind_bounds(const struct conf_key *row, struct buf *out);
size_t conf_kind_size(const struct conf_key *row);
static inline bool conf_kind_is_value(enum conf_kind k)
{
    return k >= CONF_KIND_MS && k <= CONF_KIND_MAP;
}
/* "text" in quotes: cut short, without control characters. */
void conf_quote(struct str s, struct buf *out);

/* The row for a key, inline sections included; `*at` gets the offset of its
 * field.  NULL when there is none. */
const struct conf_key *conf_row_find(const struct conf_key *keys,
                                     struct str key, size_t *at);

#endif
