/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/eval.h"
#include "agent/promql/subset.h"

#include <math.h>

static double arithmetic(enum token_kind op, double a, double b)
{
    switch ((int)op) {
    case T_ADD:
        return a + b;
    case T_SUB:
        return a - b;
    case T_MUL:
        return a * b;
    case T_DIV:
        return a / b;
    case T_MOD:
        return fmod(a, b);
    case T_POW:
        return pow(a, b);
    default:
        return atan2(a, b);
    }
}

static bool compares(enum token_kind op, double a, double b)
{
    switch ((int)op) {
    case T_EQLC:
        return a == b;
    case T_NEQ:
        return a != b;
    case T_GTR:
        return a > b;
    case T_LSS:
        return a < b;
    case T_GTE:
        return a >= b;
    default:
        return a <= b;
    }
}

double eval_element(const struct node *n, double a, double b, bool *keep)
{
    bool truth;

    *keep = true;
    if (!token_is_comparison(n->op))
        return arithmetic(n->op, a, b);
    truth = compares(n->op, a, b);
    if (n->binary.return_bool)
        return truth ? 1 : 0;
    *keep = truth;
    return a;
}

bool eval_renames(const struct node *n)
{
    return !token_is_comparison(n->op) || n->binary.return_bool;
}

static bool scalar_scalar(const struct node *n, double a, double b,
                          struct value *out)
{
    double v = token_is_comparison(n->op) ? (compares(n->op, a, b) ? 1.0 : 0.0)
                                          : arithmetic(n->op, a, b);

    value_scalar(out, v);
    return true;
}

/* `swap`: the scalar stood on the left.  A filter keeps the vector's value
 * on either side. */
static bool vector_scalar(struct eval *ev, const struct node *n,
                          const struct value *vector, double scalar, bool swap,
                          struct value *out)
{
    bool rename = eval_renames(n);

    value_vector(ev, out, vector->count);
    for (size_t i = 0; i < vector->count; i++) {
        const struct promql_row *row = &vector->rows[i];
        const struct labels *labels = row->labels;
        bool keep;
        double v = swap ? eval_element(n, scalar, row->v, &keep)
                        : eval_element(n, row->v, scalar, &keep);

        if (!keep)
            continue;
        if (rename)
            labels = subset_labels(&subset_nameless, labels, ev->arena);
        value_add(out, labels, ev->t_ms, rename ? v : row->v);
    }
    return !rename || value_unique(ev, out);
}

static struct subset match_subset(const struct node *n)
{
    return (struct subset){n->binary.match.labels, n->binary.match.on};
}

static bool set_operation(struct eval *ev, const struct node *n,
                          const struct value *left, const struct value *right,
                          struct value *out)
{
    bool or = n->op == T_LOR;
    const struct value *table = or ? left : right;
    const struct value *tested = or ? right : left;
    struct subset subset = match_subset(n);
    struct subset_index ix;

    value_vector(ev, out, left->count + right->count);
    subset_index_init(&ix, &subset, table->count, ev->arena);
    for (size_t i = 0; i < table->count; i++) {
        bool added;

        (void)subset_index_add(&ix, table->rows[i].labels, &added);
        if (or)
            out->rows[out->count++] = table->rows[i];
    }
    for (size_t i = 0; i < tested->count; i++) {
        bool found =
            subset_index_find(&ix, tested->rows[i].labels) != SUBSET_NONE;

        if (found == (n->op == T_LAND))
            out->rows[out->count++] = tested->rows[i];
    }
    return ! or || value_unique(ev, out);
}

bool eval_binary(struct eval *ev, const struct node *n, struct value *out)
{
    struct value left, right;

    if (!eval_node(ev, n->binary.left, &left) ||
        !eval_node(ev, n->binary.right, &right))
        return false;
    if (left.type == PROMQL_SCALAR && right.type == PROMQL_SCALAR)
        return scalar_scalar(n, left.scalar, right.scalar, out);
    if (right.type == PROMQL_SCALAR)
        return vector_scalar(ev, n, &left, right.scalar, false, out);
    if (left.type == PROMQL_SCALAR)
        return vector_scalar(ev, n, &right, left.scalar, true, out);
    if (token_is_set(n->op))
        return set_operation(ev, n, &left, &right, out);
    return eval_join(ev, n, &left, &right, out);
}
