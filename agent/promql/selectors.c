/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/ast.h"

/* What stands around a node on the way down. */
struct scope {
    int64_t reach; /* by which the enclosing subqueries look back */
    bool subquery, fixed;
    struct str over;
};

struct collect {
    struct promql *q;
    size_t count; /* found so far; entries are written when there is room */
};

static void walk(struct collect *c, const struct node *n, struct scope scope);

/* start() and end() are the query's own time, whatever stands around. */
static struct scope moved(struct scope scope, const struct when_node *w)
{
    if (w->at == AT_START || w->at == AT_END)
        scope.reach = 0;
    if (w->at == AT_TIME) {
        scope.reach = 0;
        scope.fixed = true;
    }
    scope.reach += w->offset_ms;
    return scope;
}

static void selector(struct collect *c, const struct node *n,
                     struct scope scope)
{
    struct promql *q = c->q;
    bool range = n->kind == NODE_MATRIX;
    size_t i = c->count++;

    if (!q->selectors)
        return;
    scope = moved(scope, &n->select.when);
    scope.reach += range ? n->select.range_ms : q->options.lookback_ms;
    q->selectors[i] = (struct promql_selector){
        .matchers = n->select.selector.matchers,
        .matcher_count = n->select.selector.count,
        .reach_ms = scope.reach > 0 ? scope.reach : 0,
        .text = str_n(q->text.ptr + n->at, n->end - n->at),
        .range = range || scope.subquery,
        .fixed = scope.fixed,
        .over = scope.over,
    };
}

/* Whether what comes out has no label instance, for all that goes in. */
static bool drops_instance(const struct node *n)
{
    bool named = false;

    if (n->op == T_TOPK || n->op == T_BOTTOMK || n->op == T_LIMITK ||
        n->op == T_LIMIT_RATIO)
        return false; /* they pick, and keep all labels */
    for (size_t i = 0; i < n->aggregate.labels.count; i++)
        named |= str_eq(n->aggregate.labels.names[i], LABEL_INSTANCE);
    return named == n->aggregate.without;
}

static void walk(struct collect *c, const struct node *n, struct scope scope)
{
    switch (n->kind) {
    case NODE_NUMBER:
    case NODE_STRING:
        return;
    case NODE_PAREN:
    case NODE_UNARY:
        walk(c, n->child, scope);
        return;
    case NODE_BINARY:
        walk(c, n->binary.left, scope);
        walk(c, n->binary.right, scope);
        return;
    case NODE_AGGREGATE:
        if (n->aggregate.param)
            walk(c, n->aggregate.param, scope);
        if (drops_instance(n))
            scope.over = str_of(token_spelling(n->op));
        walk(c, n->aggregate.expr, scope);
        return;
    case NODE_CALL:
        for (size_t i = 0; i < n->call.count; i++)
            walk(c, n->call.args[i], scope);
        return;
    case NODE_SELECTOR:
    case NODE_MATRIX:
        selector(c, n, scope);
        return;
    case NODE_SUBQUERY:
        scope = moved(scope, &n->subquery.when);
        scope.reach += n->subquery.range_ms;
        scope.subquery = true;
        walk(c, n->subquery.expr, scope);
        return;
    }
}

void promql_collect(struct promql *q)
{
    struct collect c = {.q = q};
    struct scope scope = {0};

    walk(&c, q->root, scope);
    q->selector_count = c.count;
    if (c.count == 0)
        return;
    q->selectors = arena_array(&q->arena, c.count, sizeof(*q->selectors));
    c.count = 0;
    walk(&c, q->root, scope);
}

size_t promql_selectors(const struct promql *q,
                        const struct promql_selector **out)
{
    *out = q->selectors;
    return q->selector_count;
}

int64_t promql_reach(const struct promql *q)
{
    int64_t longest = 0;

    for (size_t i = 0; i < q->selector_count; i++)
        if (q->selectors[i].reach_ms > longest)
            longest = q->selectors[i].reach_ms;
    return longest;
}
