/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/parse.h"
#include "agent/promql/quote.h"

#include <stdlib.h>

#define GROUPING "grouping opts"

/* Words that may be label names between ( and ). */
static bool is_label_word(enum token_kind k)
{
    if (k == T_IDENTIFIER || k == T_METRIC_IDENTIFIER || k == T_STRING)
        return true;
    return k >= T_ATAN2 && k != T_WITHOUT;
}

static bool one_name(struct parser *p, struct str *names, size_t *count)
{
    struct token t;

    if (!is_label_word(parse_peek(p)))
        return parse_unexpected_in(p, GROUPING, "label");
    if (*count == PROMQL_MAX_ARGS)
        return parse_fail(p, p->token.at, p->token.at, "too many labels");
    t = parse_take(p);
    if (t.kind == T_STRING)
        t.text = quote_content(t.text, p->arena);
    if (t.text.len == 0 || !str_utf8(t.text))
        return parse_fail(p, t.at, p->end,
                          "invalid label name for grouping: \"%.*s\"",
                          STR_ARG(t.text));
    names[(*count)++] = t.text;
    return true;
}

bool parse_names(struct parser *p, struct str **names, size_t *count)
{
    *names = arena_array(p->arena, PROMQL_MAX_ARGS, sizeof(**names));
    *count = 0;
    if (parse_peek(p) != T_LEFT_PAREN)
        return parse_unexpected_in(p, GROUPING, "\"(\"");
    (void)parse_take(p);
    while (parse_peek(p) != T_RIGHT_PAREN) {
        if (!one_name(p, *names, count))
            return false;
        if (parse_peek(p) == T_RIGHT_PAREN)
            break;
        if (parse_peek(p) != T_COMMA)
            return parse_unexpected_in(p, GROUPING, "\",\" or \")\"");
        (void)parse_take(p);
    }
    (void)parse_take(p);
    return true;
}

static int by_name(const void *a, const void *b)
{
    const struct str *x = a, *y = b;

    return str_cmp(*x, *y);
}

struct name_set parse_name_set(struct parser *p, const struct str *names,
                               size_t count, struct str extra)
{
    struct str *out = arena_array(p->arena, count + 1, sizeof(*out));
    size_t n = 0;

    if (count)
        memcpy(out, names, count * sizeof(*out));
    if (extra.len)
        out[count++] = extra;
    qsort(out, count, sizeof(*out), by_name);
    for (size_t i = 0; i < count; i++)
        if (n == 0 || !str_eq(out[n - 1], out[i]))
            out[n++] = out[i];
    return (struct name_set){out, n};
}

static bool has_param(enum token_kind op)
{
    return op >= T_TOPK;
}

struct grouping {
    bool given, without;
    struct str *names;
    size_t count;
};

static bool grouping(struct parser *p, struct grouping *g)
{
    enum token_kind k = parse_peek(p);

    if (k != T_BY && k != T_WITHOUT)
        return k != T_ERROR;
    (void)parse_take(p);
    g->given = true;
    g->without = k == T_WITHOUT;
    return parse_names(p, &g->names, &g->count);
}

static bool operands(struct parser *p, struct node *n, struct node **args,
                     size_t count)
{
    size_t want = has_param(n->op) ? 2 : 1;
    bool limit = n->op == T_LIMITK || n->op == T_LIMIT_RATIO;

    if (count == 0)
        return parse_fail(p, n->at, n->end,
                          "no arguments for aggregate expression provided");
    if (limit && !p->q->options.experimental)
        return parse_fail(p, n->at, n->end,
                          "%s() is experimental and must be enabled with "
                          "--enable-feature=promql-experimental-functions",
                          token_spelling(n->op));
    if (count != want)
        return parse_fail(p, n->at, n->end,
                          "wrong number of arguments for aggregate "
                          "expression provided, expected %zu, got %zu",
                          want, count);
    n->aggregate.param = want == 2 ? args[0] : NULL;
    n->aggregate.expr = args[want - 1];
    for (size_t i = 0; i < count; i++)
        if (!parse_above(p, n, args[i]))
            return false;
    return true;
}

/* The label that count_values writes belongs to its grouping. */
static void group_labels(struct parser *p, struct node *n,
                         const struct grouping *g)
{
    struct str extra = g->without ? LABEL_NAME : STR_NONE;
    const struct node *param = n->aggregate.param;

    n->aggregate.without = g->without;
    if (n->op == T_COUNT_VALUES && !g->without && param->type == PROMQL_STRING)
        extra = node_string(param);
    n->aggregate.labels = parse_name_set(p, g->names, g->count, extra);
}

struct node *parse_aggregate(struct parser *p, struct token op)
{
    struct context outer = p->context;
    struct grouping g = {0};
    struct node **args, *n;
    size_t count;

    p->context = (struct context){"aggregation", NULL};
    if (!grouping(p, &g) || !parse_args(p, &args, &count))
        return NULL;
    p->context = outer;
    n = parse_node(p, NODE_AGGREGATE, PROMQL_VECTOR, op.at);
    if (!g.given && !grouping(p, &g))
        return NULL;
    n->end = p->end;
    n->op = op.kind;
    if (!operands(p, n, args, count))
        return NULL;
    group_labels(p, n, &g);
    return n;
}
