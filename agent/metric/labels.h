/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labels.h - a set of labels, packed and immutable.
 *
 * One block of bytes: the pairs sorted by name (byte order), each name once,
 * no empty value (an empty label is an absent one, as in Prometheus'
 * documentation, "Data model").  Equal sets are equal bytes.  The metric name
 * is the label __name__.  Whoever allocated a set frees it as one block.
 */
#ifndef AGENT_METRIC_LABELS_H
#define AGENT_METRIC_LABELS_H

#include "agent/base/arena.h"
#include "agent/base/buf.h"

#define LABEL_NAME     STR("__name__")
#define LABEL_JOB      STR("job")
#define LABEL_INSTANCE STR("instance")

struct label {
    struct str name, value;
};

struct labels {
    uint64_t hash;
    uint32_t size; /* of the packed pairs: varint length and bytes, twice */
    uint32_t count;
    unsigned char packed[];
};

/* The set without labels. */
extern const struct labels labels_empty;

struct labels_iter {
    const unsigned char *at, *end;
};

static inline struct labels_iter labels_iter(const struct labels *l)
{
    return (struct labels_iter){l->packed, l->packed + l->size};
}

/* Slices are lent by the set. */
bool labels_next(struct labels_iter *it, struct label *out);
/* The value, or an empty slice when absent. */
struct str labels_get(const struct labels *l, struct str name);
static inline struct str labels_name(const struct labels *l)
{
    return labels_get(l, LABEL_NAME);
}

bool labels_eq(const struct labels *a, const struct labels *b);
/* Prometheus' order: pair by pair, name before value, shorter set first. */
int labels_cmp(const struct labels *a, const struct labels *b);
/* Bytes of the whole block. */
static inline size_t labels_bytes(const struct labels *l)
{
    return sizeof(*l) + l->size;
}

/* {a="b", c="d"} or name{...}, as PromQL writes it; `name{}` is `name`. */
void labels_print(const struct labels *l, struct buf *out);

/*
 * Builder: collects pairs in any order; the last value given to a name wins.
 * It holds slices, so they must stay until it is built.  Reusable: start()
 * empties it.  An all-zero builder is valid.
 */
struct labels_builder {
    struct label *pairs;
    size_t count, cap;
};

void labels_start(struct labels_builder *b);
/* As labels_start(), then all pairs of `l` (lent). */
void labels_start_from(struct labels_builder *b, const struct labels *l);
void labels_set(struct labels_builder *b, struct str name, struct str value);
void labels_drop(struct labels_builder *b, struct str name);
/* The current value in the builder; empty when absent. */
struct str labels_peek(const struct labels_builder *b, struct str name);
/* Sorts and packs, into `a`, or by xmalloc() (then to be freed) if NULL. */
struct labels *labels_build(struct labels_builder *b, struct arena *a);
void labels_builder_fini(struct labels_builder *b);

/* A copy, into `a`, or by xmalloc() if NULL. */
struct labels *labels_copy(const struct labels *l, struct arena *a);

#endif
