/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subset.h - some labels of a set: the key of a group or of a match.
 *
 * Either only the labels named (by, on), or all but those (without,
 * ignoring).  Names are sorted, as the labels are, so both are walked side by
 * side without building anything.
 */
#ifndef AGENT_PROMQL_SUBSET_H
#define AGENT_PROMQL_SUBSET_H

#include "agent/promql/ast.h"

struct subset {
    struct name_set names;
    bool only; /* these; else all others */
};

/* What a name-changing operation takes off: __name__, __type__, __unit__. */
extern const struct subset subset_nameless;

uint64_t subset_hash(const struct subset *s, const struct labels *l);
bool subset_eq(const struct subset *s, const struct labels *a,
               const struct labels *b);
/* The set of the chosen labels; `l` itself when nothing falls away. */
const struct labels *subset_labels(const struct subset *s,
                                   const struct labels *l, struct arena *a);

/*
 * From keys to small numbers: the first key gets 0, the next new one 1 ...
 * An index is over rows of labels that stay where they are.
 */
struct subset_index {
    const struct subset *subset; /* NULL: whole label sets */
    struct arena *arena;
    const struct labels **keys; /* by number */
    uint64_t *hashes;
    uint32_t *slots; /* number + 1; 0 is free */
    size_t count, cap;
};

#define SUBSET_NONE SIZE_MAX

/* Room for at most `most` different keys. */
void subset_index_init(struct subset_index *ix, const struct subset *subset,
                       size_t most, struct arena *arena);
size_t subset_index_find(const struct subset_index *ix, const struct labels *l);
/* `*added` tells whether the key is new. */
size_t subset_index_add(struct subset_index *ix, const struct labels *l,
                        bool *added);

#endif
