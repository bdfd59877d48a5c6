/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing, linear probes, at most three quarters full. */
#include "agent/base/map.h"

#include "agent/base/mem.h"

#include <stdlib.h>

void map_fini(struct map *m)
{
    free(m->slots);
    *m = (struct map){0};
}

/* Where `key` is, or the empty slot where it would be. */
static size_t probe(const struct map *m, struct str key, uint64_t hash)
{
    size_t i = (size_t)hash & (m->cap - 1);

    while (m->slots[i].value &&
           (m->slots[i].hash != hash || !str_eq(m->slots[i].key, key)))
        i = (i + 1) & (m->cap - 1);
    return i;
}

void *map_get(const struct map *m, struct str key)
{
    if (m->count == 0)
        return NULL;
    return m->slots[probe(m, key, str_hash(key))].value;
}

static void grow(struct map *m)
{
    struct map bigger = {.count = m->count, .cap = m->cap ? m->cap * 2 : 8};

    bigger.slots = xcalloc(bigger.cap, sizeof(*bigger.slots));
    for (size_t i = 0; i < m->cap; i++) {
        const struct map_slot *s = &m->slots[i];

        if (s->value)
            bigger.slots[probe(&bigger, s->key, s->hash)] = *s;
    }
    free(m->slots);
    *m = bigger;
}

void *map_put(struct map *m, struct str key, void *value)
{
    uint64_t hash = str_hash(key);
    struct map_slot *s;
    void *before;

    if (m->count >= m->cap / 4 * 3)
        grow(m);
    s = &m->slots[probe(m, key, hash)];
    before = s->value;
    *s = (struct map_slot){.key = key, .value = value, .hash = hash};
    m->count += before == NULL;
    return before;
}

/* Moves later members of the run into the hole, so that probes end rightly. */
static void close_gap(struct map *m, size_t hole)
{
    size_t mask = m->cap - 1;

    for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
        size_t home = (size_t)m->slots[i].hash & mask;

        if (((i - home) & mask) < ((i - hole) & mask))
            continue; /* its home lies behind the hole */
        m->slots[hole] = m->slots[i];
        hole = i;
    }
    m->slots[hole] = (struct map_slot){0};
}

void *map_remove(struct map *m, struct str key)
{
    size_t i;
    void *value;

    if (m->count == 0)
        return NULL;
    i = probe(m, key, str_hash(key));
    value = m->slots[i].value;
    if (!value)
        return NULL;
    m->count--;
    close_gap(m, i);
    return value;
}

bool map_next(const struct map *m, size_t *i, struct map_slot *out)
{
    for (; *i < m->cap; ++*i)
        if (m->slots[*i].value) {
            *out = m->slots[(*i)++];
            return true;
        }
    return false;
}
