/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/metric/labels.h"

#include "agent/base/mem.h"
#include "agent/metric/labels_pack.h"

const struct labels labels_empty = {.hash = 0};

#define HASH_STEP UINT64_C(0x9e3779b97f4a7c15)

static uint64_t hash_word(uint64_t h, uint64_t word)
{
    h = (h ^ word) * HASH_STEP;
    return h ^ (h >> 32);
}

/* Eight bytes a step; the empty text gives 0. */
uint64_t labels_hash_packed(const unsigned char *p, size_t n)
{
    uint64_t h = n * HASH_STEP;

    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word;

        memcpy(&word, p, 8);
        h = hash_word(h, word);
    }
    if (n > 0) {
        uint64_t word = 0;

        memcpy(&word, p, n);
        h = hash_word(h, word);
    }
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    return h ^ (h >> 29);
}

static struct str next_text(struct labels_iter *it)
{
    size_t n = *it->at & 0x7f;
    struct str s;

    for (unsigned shift = 7; *it->at++ & 0x80; shift += 7)
        n |= (size_t)(*it->at & 0x7f) << shift;
    s = str_n((const char *)it->at, n);
    it->at += n;
    return s;
}

bool labels_next(struct labels_iter *it, struct label *out)
{
    if (it->at == it->end)
        return false;
    out->name = next_text(it);
    out->value = next_text(it);
    return true;
}

struct str labels_get(const struct labels *l, struct str name)
{
    struct labels_iter it = labels_iter(l);
    struct label pair;

    while (labels_next(&it, &pair)) {
        if (str_eq(pair.name, name))
            return pair.value;
        if (name.len > 0 &&
            (unsigned char)pair.name.ptr[0] > (unsigned char)name.ptr[0])
            break; /* they are sorted */
    }
    return STR_NONE;
}

bool labels_eq(const struct labels *a, const struct labels *b)
{
    return a == b || (a->hash == b->hash && a->size == b->size &&
                      memcmp(a->packed, b->packed, a->size) == 0);
}

int labels_cmp(const struct labels *a, const struct labels *b)
{
    struct labels_iter ia = labels_iter(a), ib = labels_iter(b);
    struct label pa, pb;

    for (;;) {
        bool more_a = labels_next(&ia, &pa), more_b = labels_next(&ib, &pb);
        int d;

        if (!more_a || !more_b)
            return (int)more_a - (int)more_b;
        d = str_cmp(pa.name, pb.name);
        if (d == 0)
            d = str_cmp(pa.value, pb.value);
        if (d != 0)
            return d < 0 ? -1 : 1;
    }
}

struct labels *labels_copy(const struct labels *l, struct arena *a)
{
    size_t n = labels_bytes(l);
    struct labels *copy = a ? arena_alloc(a, n) : xmalloc(n);

    memcpy(copy, l, n);
    return copy;
}
