/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/func.h"
#include "agent/promql/parse.h"

static bool one_arg(struct parser *p, struct node ***args, size_t *count)
{
    struct node *n = parse_expr(p, PARSE_LOWEST);

    if (!n)
        return false;
    if (*count == PROMQL_MAX_ARGS)
        return parse_fail(p, n->at, n->end, "too many arguments");
    (*args)[(*count)++] = n;
    return true;
}

bool parse_is_name(enum token_kind k)
{
    if (k == T_IDENTIFIER || k == T_METRIC_IDENTIFIER)
        return true;
    return k >= T_LAND && k != T_BOOL && k != T_ON && k != T_IGNORING &&
           k != T_GROUP_LEFT && k != T_GROUP_RIGHT;
}

bool parse_starts_expr(struct parser *p)
{
    enum token_kind k = parse_peek(p);

    return (k >= T_STRING && k <= T_LEFT_PAREN) || k == T_LEFT_BRACE ||
           k == T_ADD || k == T_SUB || parse_is_name(k);
}

bool parse_args(struct parser *p, struct node ***args, size_t *count)
{
    *count = 0;
    *args = arena_array(p->arena, PROMQL_MAX_ARGS, sizeof(**args));
    if (!parse_want(p, T_LEFT_PAREN))
        return false;
    if (parse_peek(p) == T_RIGHT_PAREN) {
        (void)parse_take(p);
        return true;
    }
    while (one_arg(p, args, count)) {
        struct token t;

        if (parse_peek(p) != T_COMMA)
            return parse_want(p, T_RIGHT_PAREN);
        t = parse_take(p);
        if (!parse_starts_expr(p)) /* a lexer's error came first */
            return parse_fail(p, t.at, t.at + 1,
                              "trailing commas not allowed in function "
                              "call args");
    }
    return false;
}

static bool check_known(struct parser *p, const struct token *name,
                        const struct func *f)
{
    size_t end = name->at + name->text.len;

    if (!f)
        return parse_fail(p, name->at, end,
                          "unknown function with name \"%.*s\"",
                          STR_ARG(name->text));
    if (f->flags & FUNC_NATIVE)
        return parse_fail(p, name->at, end,
                          "function \"%s\" reads native histograms, which "
                          "are not supported; use the series of a classic "
                          "histogram (_bucket, _sum, _count)",
                          f->name);
    if (f->flags & FUNC_EXPERIMENTAL && !p->q->options.experimental)
        return parse_fail(p, name->at, end, "function \"%s\" is not enabled",
                          f->name);
    if (!f->map && !f->range && !f->call)
        return parse_fail(p, name->at, end, "function \"%s\" is not supported",
                          f->name);
    return true;
}

static const struct func *known_function(struct parser *p,
                                         const struct token *name)
{
    const struct func *f = func_find(name->text);

    return check_known(p, name, f) ? f : NULL;
}

static struct node *call(struct parser *p, struct token name)
{
    struct node **args, *n;
    const struct func *f;
    size_t count;

    if (!parse_args(p, &args, &count))
        return NULL;
    f = known_function(p, &name);
    if (!f)
        return NULL;
    n = parse_node(p, NODE_CALL, f->result, name.at);
    n->call.func = f;
    n->call.args = args;
    n->call.count = count;
    for (size_t i = 0; i < count; i++)
        if (!parse_above(p, n, args[i]))
            return NULL;
    return n;
}

/* A name: of an aggregation, a function or a metric. */
struct node *parse_named(struct parser *p)
{
    struct token t = parse_take(p);
    enum token_kind next = parse_peek(p);
    bool function = t.kind == T_IDENTIFIER || t.kind >= T_START;

    if (next == T_ERROR)
        return NULL;
    if (token_class(t.kind) == CLASS_AGGREGATOR &&
        (next == T_LEFT_PAREN || next == T_BY || next == T_WITHOUT))
        return parse_aggregate(p, t);
    if (function && next == T_LEFT_PAREN)
        return call(p, t);
    return parse_selector(p, &t);
}
