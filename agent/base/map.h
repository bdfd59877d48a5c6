/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.h - from a slice to a pointer.
 *
 * Keys are lent: their bytes must outlive the entry (usually they live in the
 * value).  Values are never NULL.  Order of iteration is unspecified.
 */
#ifndef AGENT_BASE_MAP_H
#define AGENT_BASE_MAP_H

#include "agent/base/str.h"

struct map_slot {
    struct str key;
    void *value;
    uint64_t hash;
};

struct map {
    struct map_slot *slots;
    size_t count; /* entries */
    size_t cap;   /* slots, a power of two, or 0 */
};

void map_fini(struct map *m); /* an all-zero map is empty and valid */
void *map_get(const struct map *m, struct str key);
/* Returns the value that stood there before (its key is replaced), or NULL. */
void *map_put(struct map *m, struct str key, void *value);
void *map_remove(struct map *m, struct str key);
/* `*i` starts at 0; false at the end.  Nothing may be added meanwhile. */
bool map_next(const struct map *m, size_t *i, struct map_slot *out);

#endif
