/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tables.h - inside the store: its two indexes, open hash tables without a
 * node an entry.
 *
 * By label set: pointers, and beside them a byte of each hash, so that a probe
 * rarely has to look at a series.  By metric name: the list of its series.
 */
#ifndef AGENT_STORE_TABLES_H
#define AGENT_STORE_TABLES_H

#include "agent/store/series.h"

struct set_table {
    struct series **slots; /* NULL: free */
    unsigned char *tags;
    size_t count;
    size_t cap; /* a power of two, or 0 */
};

struct series *set_table_find(const struct set_table *t,
                              const struct labels *labels);
void set_table_add(struct set_table *t, struct series *se); /* not in it yet */
void set_table_remove(struct set_table *t, const struct series *se);
/* Gives memory back after many were removed. */
void set_table_settle(struct set_table *t);
size_t set_table_bytes(const struct set_table *t);
void set_table_fini(struct set_table *t);

struct name_slot {
    struct series *first; /* NULL: free; linked by `next` */
    uint32_t hash;
    uint32_t count; /* of series */
};

struct name_table {
    struct name_slot *slots;
    size_t count;
    size_t cap; /* a power of two, or 0 */
};

const struct name_slot *name_table_find(const struct name_table *t,
                                        struct str name);
void name_table_add(struct name_table *t, struct series *se);
/* Drops the slots whose list has become empty. */
void name_table_settle(struct name_table *t);
size_t name_table_bytes(const struct name_table *t);
void name_table_fini(struct name_table *t);

#endif
