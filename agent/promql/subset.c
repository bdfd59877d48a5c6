/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/subset.h"

static const struct str reserved[] = {
    {"__name__", 8},
    {"__type__", 8},
    {"__unit__", 8},
};

const struct subset subset_nameless = {{reserved, 3}, false};

/* Walks the chosen labels of a set. */
struct walk {
    const struct subset *subset;
    struct labels_iter it;
    size_t name; /* the first of the names not yet behind */
};

static struct walk walk_start(const struct subset *s, const struct labels *l)
{
    return (struct walk){s, labels_iter(l), 0};
}

static bool walk_next(struct walk *w, struct label *out)
{
    const struct name_set *names = &w->subset->names;

    while (labels_next(&w->it, out)) {
        int order = -1;

        while (w->name < names->count &&
               (order = str_cmp(names->names[w->name], out->name)) < 0)
            w->name++;
        if ((w->name < names->count && order == 0) == w->subset->only)
            return true;
    }
    return false;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

/* Eight bytes at a time: this runs for each row of each operation. */
static uint64_t hash_text(uint64_t h, struct str s)
{
    uint64_t word;

    h = mix(h, s.len);
    for (; s.len >= sizeof(word); s = str_from(s, sizeof(word))) {
        memcpy(&word, s.ptr, sizeof(word));
        h = mix(h, word);
    }
    word = 0;
    if (s.len)
        memcpy(&word, s.ptr, s.len);
    return mix(h, word);
}

uint64_t subset_hash(const struct subset *s, const struct labels *l)
{
    struct walk w = walk_start(s, l);
    struct label label;
    uint64_t h = STR_HASH_START;

    if (s->only && s->names.count == 0)
        return h;
    while (walk_next(&w, &label))
        h = hash_text(hash_text(h, label.name), label.value);
    return h;
}

bool subset_eq(const struct subset *s, const struct labels *a,
               const struct labels *b)
{
    struct walk wa = walk_start(s, a), wb = walk_start(s, b);
    struct label la, lb;
    bool more;

    if (a == b || (s->only && s->names.count == 0))
        return true;
    do {
        more = walk_next(&wa, &la);
        if (more != walk_next(&wb, &lb))
            return false;
        if (more && (!str_eq(la.name, lb.name) || !str_eq(la.value, lb.value)))
            return false;
    } while (more);
    return true;
}

const struct labels *subset_labels(const struct subset *s,
                                   const struct labels *l, struct arena *a)
{
    struct label *pairs, label;
    struct walk w = walk_start(s, l);
    struct labels_builder b;
    size_t n = 0;

    if (s->only && s->names.count == 0)
        return &labels_empty;
    pairs = arena_array(a, (size_t)l->count + 1, sizeof(*pairs));
    while (walk_next(&w, &label))
        pairs[n++] = label;
    if (n == l->count)
        return l;
    if (n == 0)
        return &labels_empty;
    b = (struct labels_builder){pairs, n, (size_t)l->count + 1};
    return labels_build(&b, a);
}

void subset_index_init(struct subset_index *ix, const struct subset *subset,
                       size_t most, struct arena *arena)
{
    size_t cap = 8;

    while (cap < 2 * most)
        cap *= 2;
    *ix = (struct subset_index){.subset = subset, .arena = arena, .cap = cap};
    ix->keys = arena_array(arena, most + 1, sizeof(*ix->keys));
    ix->hashes = arena_array(arena, most + 1, sizeof(*ix->hashes));
    ix->slots = arena_array(arena, cap, sizeof(*ix->slots));
}

static uint64_t key_hash(const struct subset_index *ix, const struct labels *l)
{
    return ix->subset ? subset_hash(ix->subset, l) : l->hash;
}

static bool same_key(const struct subset_index *ix, size_t i, uint64_t hash,
                     const struct labels *l)
{
    if (ix->hashes[i] != hash)
        return false;
    return ix->subset ? subset_eq(ix->subset, ix->keys[i], l)
                      : labels_eq(ix->keys[i], l);
}

/* The slot of a key, or the free one where it would go. */
static size_t find_slot(const struct subset_index *ix, uint64_t hash,
                        const struct labels *l)
{
    size_t at = (hash ^ hash >> 29) & (ix->cap - 1);

    while (ix->slots[at] && !same_key(ix, ix->slots[at] - 1, hash, l))
        at = (at + 1) & (ix->cap - 1);
    return at;
}

size_t subset_index_find(const struct subset_index *ix, const struct labels *l)
{
    uint32_t number = ix->slots[find_slot(ix, key_hash(ix, l), l)];

    return number ? number - 1 : SUBSET_NONE;
}

size_t subset_index_add(struct subset_index *ix, const struct labels *l,
                        bool *added)
{
    uint64_t hash = key_hash(ix, l);
    size_t at = find_slot(ix, hash, l);

    *added = ix->slots[at] == 0;
    if (*added) {
        ix->keys[ix->count] = l;
        ix->hashes[ix->count] = hash;
        ix->slots[at] = (uint32_t)++ix->count;
    }
    return ix->slots[at] - 1;
}
