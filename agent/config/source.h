/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h - YAML (and JSON, which is YAML) into a tree, and ${...} in it.
 *
 * One document, UTF-8, at most 1 MiB, 10,000 nodes, 16 levels.  Refused with
 * a place and a mend: duplicate keys, anchors and aliases, tags, tabs that
 * indent.  In every value
 *     ${NAME}           the variable; a fault when it is not set
 *     ${NAME:-default}  the default when it is not set, or empty
 *     ${file:/path}     the file without its last line feed; kept secret
 *     ${1}              itself: a group of a regular expression
 *     $$                one $
 * and any other $ stands for itself.  What is put in is not read as YAML.
 */
#ifndef AGENT_CONFIG_SOURCE_H
#define AGENT_CONFIG_SOURCE_H

#include "agent/config/conf.h"

/* Variables and files as the reader may see them; tests hand in their own. */
struct conf_world {
    const char *const *variables; /* "NAME=value", NULL at the end */
    /* The whole file, at most `out->max` bytes. */
    bool (*read_file)(void *arg, const char *path, struct buf *out,
                      struct err *err);
    void *arg;
    /* Tells the paths that a pattern of the shell matches, in their order;
     * NULL: no pattern matches anything. */
    void (*match)(void *arg, const char *pattern,
                  void (*found)(void *to, const char *path), void *to);
};

/* The process' own environment and files. */
struct conf_world conf_world_process(void);
/* Lent, or NULL when unset. */
const char *conf_world_variable(const struct conf_world *w, const char *name);

#define CONF_FILE_MAX   ((size_t)1 << 20)
#define CONF_SECRET_MAX ((size_t)64 << 10)

/* The tree of a text; NULL when there is none: after a fault, or where the
 * text is empty (comments only). */
struct conf_node *conf_parse(struct conf *c, const char *source,
                             struct str text);
/* The same of a file; that it cannot be read is a fault. */
struct conf_node *conf_parse_file(struct conf *c, const struct conf_world *w,
                                  const char *path);
/* Expands ${...} in every value of a tree, in place.  Done once, on the tree
 * of all sources, so that what was overridden is not asked for. */
void conf_expand(struct conf *c, const struct conf_world *w,
                 struct conf_node *root);

#endif
