/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/mem.h"
#include "agent/metric/labels.h"
#include "agent/metric/labels_pack.h"

#include <assert.h>
#include <stdlib.h>

/* Up to here sorting in place by insertion is the quickest. */
#define FEW 24

void labels_start(struct labels_builder *b)
{
    b->count = 0;
}

void labels_start_from(struct labels_builder *b, const struct labels *l)
{
    struct labels_iter it = labels_iter(l);
    struct label pair;

    labels_start(b);
    while (labels_next(&it, &pair))
        labels_set(b, pair.name, pair.value);
}

/* Only noted here; a later pair hides an earlier one when it is built, so that
 * a bomb of labels costs no square of their number. */
void labels_set(struct labels_builder *b, struct str name, struct str value)
{
    xgrow(&b->pairs, &b->cap, b->count, sizeof(*b->pairs));
    b->pairs[b->count++] = (struct label){name, value};
}

void labels_drop(struct labels_builder *b, struct str name)
{
    labels_set(b, name, STR_NONE);
}

struct str labels_peek(const struct labels_builder *b, struct str name)
{
    for (size_t i = b->count; i > 0; i--)
        if (str_eq(b->pairs[i - 1].name, name))
            return b->pairs[i - 1].value;
    return STR_NONE;
}

static void sort_few(struct label *p, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct label x = p[i];
        size_t j = i;

        for (; j > 0 && str_cmp(p[j - 1].name, x.name) > 0; j--)
            p[j] = p[j - 1];
        p[j] = x;
    }
}

static void merge(const struct label *p, size_t half, size_t n,
                  struct label *out)
{
    size_t i = 0, j = half;

    for (size_t k = 0; k < n; k++) {
        bool left = j == n || (i < half && str_cmp(p[i].name, p[j].name) <= 0);

        out[k] = left ? p[i++] : p[j++];
    }
}

/* Stable, so that of equal names the last one set stays last. */
static void sort_many(struct label *p, size_t n, struct label *scratch)
{
    size_t half = n / 2;

    if (n <= FEW) {
        sort_few(p, n);
        return;
    }
    sort_many(p, half, scratch);
    sort_many(p + half, n - half, scratch);
    merge(p, half, n, scratch);
    memcpy(p, scratch, n * sizeof(*p));
}

static void sort(struct label *p, size_t n)
{
    struct label *scratch;

    if (n <= FEW) {
        sort_few(p, n);
        return;
    }
    scratch = xreallocarray(NULL, n, sizeof(*scratch));
    sort_many(p, n, scratch);
    free(scratch);
}

/* The last of each name, unless its value is empty. */
static size_t keep_last(struct label *p, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        bool hidden = i + 1 < n && str_eq(p[i].name, p[i + 1].name);

        if (!hidden && p[i].value.len > 0)
            p[kept++] = p[i];
    }
    return kept;
}

static size_t packed_size(struct str s)
{
    size_t n = 1 + s.len;

    for (size_t rest = s.len >> 7; rest > 0; rest >>= 7)
        n++;
    return n;
}

static unsigned char *pack(unsigned char *at, struct str s)
{
    size_t rest = s.len;

    for (; rest >= 0x80; rest >>= 7)
        *at++ = (unsigned char)(rest | 0x80);
    *at++ = (unsigned char)rest;
    if (s.len > 0)
        memcpy(at, s.ptr, s.len);
    return at + s.len;
}

struct labels *labels_build(struct labels_builder *b, struct arena *a)
{
    size_t size = 0;
    struct labels *l;
    unsigned char *at;

    sort(b->pairs, b->count);
    b->count = keep_last(b->pairs, b->count);
    for (size_t i = 0; i < b->count; i++)
        size += packed_size(b->pairs[i].name) + packed_size(b->pairs[i].value);
    assert(size <= UINT32_MAX); /* bodies and settings are far smaller */
    l = a ? arena_alloc(a, sizeof(*l) + size) : xmalloc(sizeof(*l) + size);
    l->size = (uint32_t)size;
    l->count = (uint32_t)b->count;
    at = l->packed;
    for (size_t i = 0; i < b->count; i++)
        at = pack(pack(at, b->pairs[i].name), b->pairs[i].value);
    l->hash = labels_hash_packed(l->packed, size);
    return l;
}

void labels_builder_fini(struct labels_builder *b)
{
    free(b->pairs);
    *b = (struct labels_builder){0};
}
