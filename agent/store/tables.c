/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/store/tables.h"

#include "agent/base/mem.h"

#include <stdlib.h>

#define LEAST 16 /* slots of a table that is not empty */

/* At most four in five slots are taken. */
static bool is_full(size_t count, size_t cap)
{
    return (count + 1) * 5 > cap * 4;
}

static size_t fitting(size_t count)
{
    size_t cap = LEAST;

    while (is_full(count, cap))
        cap *= 2;
    return cap;
}

static unsigned char tag_of(uint64_t hash)
{
    return (unsigned char)(hash >> 56);
}

static void set_place(struct set_table *t, struct series *se)
{
    uint64_t hash = series_set(se)->hash;
    size_t i = hash & (t->cap - 1);

    while (t->slots[i])
        i = (i + 1) & (t->cap - 1);
    t->slots[i] = se;
    t->tags[i] = tag_of(hash);
}

static void set_rebuild(struct set_table *t, size_t cap)
{
    struct set_table old = *t;

    t->slots = xcalloc(cap, sizeof(*t->slots));
    t->tags = xcalloc(cap, 1);
    t->cap = cap;
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i])
            set_place(t, old.slots[i]);
    set_table_fini(&old);
}

struct series *set_table_find(const struct set_table *t,
                              const struct labels *labels)
{
    unsigned char tag = tag_of(labels->hash);

    if (t->cap == 0)
        return NULL;
    for (size_t i = labels->hash & (t->cap - 1); t->slots[i];
         i = (i + 1) & (t->cap - 1))
        if (t->tags[i] == tag && labels_eq(series_set(t->slots[i]), labels))
            return t->slots[i];
    return NULL;
}

void set_table_add(struct set_table *t, struct series *se)
{
    if (is_full(t->count, t->cap))
        set_rebuild(t, t->cap ? t->cap * 2 : LEAST);
    set_place(t, se);
    t->count++;
}

/* Those behind the gap move up, so that every probe still ends at a free slot
 * behind what it looks for. */
static void close_gap(struct set_table *t, size_t gap)
{
    size_t mask = t->cap - 1;

    for (size_t i = (gap + 1) & mask; t->slots[i]; i = (i + 1) & mask) {
        size_t home = series_set(t->slots[i])->hash & mask;

        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        t->slots[gap] = t->slots[i];
        t->tags[gap] = t->tags[i];
        t->slots[i] = NULL;
        gap = i;
    }
}

void set_table_remove(struct set_table *t, const struct series *se)
{
    size_t i = series_set(se)->hash & (t->cap - 1);

    while (t->slots[i] != se)
        i = (i + 1) & (t->cap - 1);
    t->slots[i] = NULL;
    t->count--;
    close_gap(t, i);
}

void set_table_settle(struct set_table *t)
{
    if (t->cap > LEAST && t->count < t->cap / 4)
        set_rebuild(t, fitting(t->count));
}

size_t set_table_bytes(const struct set_table *t)
{
    return t->cap * (sizeof(*t->slots) + 1);
}

void set_table_fini(struct set_table *t)
{
    free(t->slots);
    free(t->tags);
    *t = (struct set_table){0};
}

static struct str slot_name(const struct name_slot *slot)
{
    return labels_name(series_set(slot->first));
}

/* Where `name` stands, or the free slot where it would. */
static struct name_slot *name_place(const struct name_table *t, struct str name,
                                    uint32_t hash)
{
    size_t i = hash & (t->cap - 1);

    while (t->slots[i].first &&
           (t->slots[i].hash != hash || !str_eq(slot_name(&t->slots[i]), name)))
        i = (i + 1) & (t->cap - 1);
    return &t->slots[i];
}

static uint32_t name_hash(struct str name)
{
    uint64_t h = str_hash(name);

    return (uint32_t)(h ^ (h >> 32));
}

static void name_rebuild(struct name_table *t, size_t cap)
{
    struct name_table old = *t;

    *t = (struct name_table){.slots = xcalloc(cap, sizeof(*t->slots)),
                             .cap = cap};
    for (size_t i = 0; i < old.cap; i++) {
        struct name_slot *slot = &old.slots[i];

        if (!slot->first)
            continue;
        *name_place(t, slot_name(slot), slot->hash) = *slot;
        t->count++;
    }
    name_table_fini(&old);
}

const struct name_slot *name_table_find(const struct name_table *t,
                                        struct str name)
{
    const struct name_slot *slot;

    if (t->cap == 0)
        return NULL;
    slot = name_place(t, name, name_hash(name));
    return slot->first ? slot : NULL;
}

void name_table_add(struct name_table *t, struct series *se)
{
    struct str name = labels_name(series_set(se));
    uint32_t hash = name_hash(name);
    struct name_slot *slot;

    if (is_full(t->count, t->cap))
        name_rebuild(t, t->cap ? t->cap * 2 : LEAST);
    slot = name_place(t, name, hash);
    if (!slot->first) {
        t->count++;
        slot->hash = hash;
    }
    se->next = slot->first;
    slot->first = se;
    slot->count++;
}

void name_table_settle(struct name_table *t)
{
    size_t living = 0;

    for (size_t i = 0; i < t->cap; i++)
        living += t->slots[i].first != NULL;
    if (living < t->count)
        name_rebuild(t, fitting(living));
}

size_t name_table_bytes(const struct name_table *t)
{
    return t->cap * sizeof(*t->slots);
}

void name_table_fini(struct name_table *t)
{
    free(t->slots);
    *t = (struct name_table){0};
}
