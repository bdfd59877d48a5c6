/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/eval.h"
#include "agent/promql/subset.h"

/*
 * The results of a many-to-one match so far, each with the key of its match
 * group: within a group they must differ, and those that a filter drops
 * count as well (since Prometheus 3.9).
 */
struct seen {
    const struct labels **labels;
    size_t *keys;
    uint32_t *slots; /* number + 1; 0 is free */
    size_t count, cap;
};

static void seen_init(struct seen *s, size_t most, struct arena *a)
{
    *s = (struct seen){.cap = 8};
    while (s->cap < 2 * most)
        s->cap *= 2;
    s->labels = arena_array(a, most, sizeof(*s->labels));
    s->keys = arena_array(a, most, sizeof(*s->keys));
    s->slots = arena_array(a, s->cap, sizeof(*s->slots));
}

/* False when it is there already. */
static bool seen_add(struct seen *s, size_t key, const struct labels *l)
{
    uint64_t hash = l->hash ^ key * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (hash ^ hash >> 29) & (s->cap - 1);

    for (; s->slots[at]; at = (at + 1) & (s->cap - 1)) {
        size_t i = s->slots[at] - 1;

        if (s->keys[i] == key && labels_eq(s->labels[i], l))
            return false;
    }
    s->labels[s->count] = l;
    s->keys[s->count] = key;
    s->slots[at] = (uint32_t)++s->count;
    return true;
}

/* One-to-one or many-to-one: "one" has each key once. */
struct join {
    struct eval *ev;
    const struct node *n;
    struct subset subset, result; /* result: what a one-to-one row keeps */
    bool rename;
    const struct value *many, *one;
    struct subset_index ix;
    const struct promql_row **row_of; /* of `one`, by key */
    bool *matched;                    /* by key, one-to-one */
    struct seen seen;                 /* else */
    struct labels_builder builder;    /* for the labels of group_left */
};

static bool fail_duplicate(struct join *j, const struct promql_row *a,
                           const struct promql_row *b)
{
    const struct labels *group =
        subset_labels(&j->subset, a->labels, j->ev->arena);
    const char *side =
        j->n->binary.match.card == ONE_TO_MANY ? "left" : "right";
    struct buf g, x, y;

    if (labels_cmp(a->labels, b->labels) < 0)
        return fail_duplicate(j, b, a);
    buf_init(&g, 200);
    buf_init(&x, 200);
    buf_init(&y, 200);
    labels_print(group, &g);
    labels_print(a->labels, &x);
    labels_print(b->labels, &y);
    (void)eval_fail(j->ev,
                    "found duplicate series for the match group %s on the %s "
                    "hand-side of the operation: [%s, %s];many-to-many "
                    "matching not allowed: matching labels must be unique on "
                    "one side",
                    buf_z(&g), side, buf_z(&x), buf_z(&y));
    buf_fini(&g);
    buf_fini(&x);
    buf_fini(&y);
    return false;
}

static bool index_one_side(struct join *j)
{
    const struct value *one = j->one;

    subset_index_init(&j->ix, &j->subset, one->count, j->ev->arena);
    j->row_of = arena_array(j->ev->arena, one->count + 1, sizeof(*j->row_of));
    j->matched = arena_array(j->ev->arena, one->count + 1, sizeof(bool));
    for (size_t i = 0; i < one->count; i++) {
        const struct promql_row *row = &one->rows[i];
        bool added;
        size_t key = subset_index_add(&j->ix, row->labels, &added);

        if (!added)
            return fail_duplicate(j, row, j->row_of[key]);
        j->row_of[key] = row;
    }
    return true;
}

static const struct labels *with_included(struct join *j,
                                          const struct labels *many,
                                          const struct labels *one)
{
    const struct matching *m = &j->n->binary.match;

    if (m->include_count == 0)
        return many;
    labels_start_from(&j->builder, many);
    for (size_t i = 0; i < m->include_count; i++)
        labels_set(&j->builder, m->include[i], labels_get(one, m->include[i]));
    return labels_build(&j->builder, j->ev->arena);
}

static const struct labels *result_labels(struct join *j,
                                          const struct labels *many,
                                          const struct labels *one)
{
    const struct matching *m = &j->n->binary.match;
    struct arena *a = j->ev->arena;

    if (!token_is_comparison(j->n->op))
        many = subset_labels(&subset_nameless, many, a);
    if (m->card == ONE_TO_ONE)
        many = subset_labels(&j->result, many, a);
    else
        many = with_included(j, many, one);
    return j->rename ? subset_labels(&subset_nameless, many, a) : many;
}

static bool join_row(struct join *j, const struct promql_row *row,
                     struct value *out)
{
    enum cardinality card = j->n->binary.match.card;
    size_t key = subset_index_find(&j->ix, row->labels);
    const struct promql_row *one;
    const struct labels *labels;
    bool keep;
    double v;

    if (key == SUBSET_NONE)
        return true;
    one = j->row_of[key];
    if (card == ONE_TO_ONE && j->matched[key])
        return eval_fail(j->ev, "multiple matches for labels: many-to-one "
                                "matching must be explicit "
                                "(group_left/group_right)");
    j->matched[key] = true;
    v = card == ONE_TO_MANY ? eval_element(j->n, one->v, row->v, &keep)
                            : eval_element(j->n, row->v, one->v, &keep);
    labels = result_labels(j, row->labels, one->labels);
    if (card != ONE_TO_ONE && !seen_add(&j->seen, key, labels))
        return eval_fail(j->ev, "multiple matches for labels: grouping "
                                "labels must ensure unique matches");
    if (keep)
        value_add(out, labels, j->ev->t_ms, v);
    return true;
}

static bool join_rows(struct join *j, struct value *out)
{
    if (!index_one_side(j))
        return false;
    for (size_t i = 0; i < j->many->count; i++)
        if (!join_row(j, &j->many->rows[i], out))
            return false;
    return value_unique(j->ev, out);
}

bool eval_join(struct eval *ev, const struct node *n, const struct value *left,
               const struct value *right, struct value *out)
{
    const struct matching *m = &n->binary.match;
    bool swap = m->card == ONE_TO_MANY, ok;
    struct join j = {
        .ev = ev,
        .n = n,
        .subset = {m->labels, m->on},
        .rename = eval_renames(n),
        .many = swap ? right : left,
        .one = swap ? left : right,
    };

    value_vector(ev, out, j.many->count);
    if (left->count == 0 || right->count == 0)
        return true;
    seen_init(&j.seen, j.many->count, ev->arena);
    j.result = j.subset;
    if (!m->on) /* a filter keeps the name, which ignoring never names */
        j.result.names = m->written;
    ok = join_rows(&j, out);
    labels_builder_fini(&j.builder);
    return ok;
}
