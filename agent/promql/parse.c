/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/parse.h"

#include "agent/base/mem.h"
#include "agent/base/regex.h"
#include "agent/promql/func.h"
#include "agent/promql/quote.h"

#include <stdio.h>
#include <stdlib.h>

enum precedence { LOWEST = 1, AND, COMPARE, SUM, PRODUCT, POWER };

enum token_kind parse_peek(struct parser *p)
{
    if (!p->have) {
        p->token = lex_next(&p->lex);
        p->have = true;
        if (p->token.kind == T_ERROR)
            (void)parse_fail(p, p->token.at, p->lex.text.len, "%s",
                             p->lex.error);
    }
    return p->token.kind;
}

struct token parse_take(struct parser *p)
{
    (void)parse_peek(p);
    p->have = p->token.kind == T_ERROR || p->token.kind == T_EOF;
    p->end = p->token.at + p->token.text.len;
    return p->token;
}

bool parse_fail(struct parser *p, size_t at, size_t end, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    if (p->error->err.kind != ERR_NONE)
        return false;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return promql_fail(p->error, p->lex.text, at, end, "%s", text);
}

bool parse_unexpected_in(struct parser *p, const char *where,
                         const char *expected)
{
    struct buf b;

    if (parse_peek(p) == T_ERROR)
        return false;
    buf_init(&b, 400);
    buf_addz(&b, "unexpected ");
    token_describe(&p->token, &b);
    if (where)
        buf_addf(&b, " in %s", where);
    if (expected)
        buf_addf(&b, ", expected %s", expected);
    (void)parse_fail(p, p->token.at, p->token.at + p->token.text.len, "%s",
                     buf_z(&b));
    buf_fini(&b);
    return false;
}

bool parse_unexpected(struct parser *p)
{
    return parse_unexpected_in(p, p->context.where, p->context.expected);
}

bool parse_want(struct parser *p, enum token_kind kind)
{
    if (parse_peek(p) != kind)
        return parse_unexpected(p);
    (void)parse_take(p);
    return true;
}

struct node *parse_node(struct parser *p, enum node_kind kind,
                        enum promql_type type, size_t at)
{
    struct node *n = arena_zalloc(p->arena, sizeof(*n));

    n->kind = kind;
    n->type = type;
    n->at = at;
    n->end = p->end;
    n->depth = 1;
    return n;
}

bool parse_above(struct parser *p, struct node *n, const struct node *child)
{
    if (child->depth >= n->depth)
        n->depth = child->depth + 1;
    return n->depth < PROMQL_MAX_DEPTH ||
           parse_fail(p, n->at, n->end, "expression is nested too deeply");
}

static int precedence(enum token_kind op)
{
    if (op >= T_EQLC && op <= T_TRIM_LOWER)
        return COMPARE;
    if (op == T_ADD || op == T_SUB)
        return SUM;
    if (op == T_MUL || op == T_DIV || op == T_MOD || op == T_ATAN2)
        return PRODUCT;
    if (op == T_POW)
        return POWER;
    if (op == T_LAND || op == T_LUNLESS)
        return AND;
    return op == T_LOR ? LOWEST : 0;
}

static struct node *literal(struct parser *p)
{
    struct token t = parse_take(p);
    struct node *n = parse_node(p, NODE_NUMBER, PROMQL_SCALAR, t.at);

    return parse_number(p, &t, &n->number) ? n : NULL;
}

static struct node *string(struct parser *p)
{
    struct token t = parse_take(p);
    struct node *n = parse_node(p, NODE_STRING, PROMQL_STRING, t.at);

    n->string = quote_content(t.text, p->arena);
    return n;
}

static struct node *paren(struct parser *p)
{
    struct token t = parse_take(p);
    struct node *child = parse_expr(p, LOWEST), *n;

    if (!child || !parse_want(p, T_RIGHT_PAREN))
        return NULL;
    n = parse_node(p, NODE_PAREN, child->type, t.at);
    n->child = child;
    return parse_above(p, n, child) ? n : NULL;
}

static struct node *unary(struct parser *p)
{
    struct token op = parse_take(p);
    struct node *child = parse_expr(p, POWER), *n;

    if (!child)
        return NULL;
    if (child->kind == NODE_NUMBER) {
        child->number = op.kind == T_SUB ? -child->number : child->number;
        child->at = op.at;
        return child;
    }
    n = parse_node(p, NODE_UNARY, child->type, op.at);
    n->op = op.kind;
    n->child = child;
    n->end = child->end;
    return parse_above(p, n, child) ? n : NULL;
}

static bool one_arg(struct parser *p, struct node ***args, size_t *count)
{
    struct node *n = parse_expr(p, LOWEST);

    if (!n)
        return false;
    if (*count == PROMQL_MAX_ARGS)
        return parse_fail(p, n->at, n->end, "too many arguments");
    (*args)[(*count)++] = n;
    return true;
}

static bool is_metric_word(enum token_kind k)
{
    if (k == T_IDENTIFIER || k == T_METRIC_IDENTIFIER)
        return true;
    return k >= T_LAND && k != T_BOOL && k != T_ON && k != T_IGNORING &&
           k != T_GROUP_LEFT && k != T_GROUP_RIGHT;
}

static bool starts_expr(struct parser *p)
{
    enum token_kind k = parse_peek(p);

    return (k >= T_STRING && k <= T_LEFT_PAREN) || k == T_LEFT_BRACE ||
           k == T_ADD || k == T_SUB || is_metric_word(k);
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
        if (!starts_expr(p)) /* a lexer's error came first */
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
static struct node *named(struct parser *p)
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

static struct node *primary(struct parser *p)
{
    enum token_kind k = parse_peek(p);

    if (k == T_NUMBER || k == T_DURATION)
        return literal(p);
    if (k == T_STRING)
        return string(p);
    if (k == T_LEFT_PAREN)
        return paren(p);
    if (k == T_LEFT_BRACE)
        return parse_selector(p, NULL);
    if (is_metric_word(k))
        return named(p);
    (void)parse_unexpected(p);
    return NULL;
}

static struct node *operand(struct parser *p)
{
    enum token_kind k = parse_peek(p);
    struct node *n;

    if (k == T_ADD || k == T_SUB)
        return unary(p);
    n = primary(p);
    return n ? parse_suffixes(p, n) : NULL;
}

static bool is_fill(enum token_kind k)
{
    return k == T_FILL || k == T_FILL_LEFT || k == T_FILL_RIGHT;
}

static bool include_labels(struct parser *p, struct matching *m)
{
    enum token_kind k = parse_peek(p);

    if (k != T_GROUP_LEFT && k != T_GROUP_RIGHT)
        return true;
    (void)parse_take(p);
    m->card = k == T_GROUP_LEFT ? MANY_TO_ONE : ONE_TO_MANY;
    k = parse_peek(p);
    if (k != T_LEFT_PAREN && (starts_expr(p) || is_fill(k)))
        return true;
    return parse_names(p, &m->include, &m->include_count);
}

static bool matching(struct parser *p, struct node *n)
{
    struct matching *m = &n->binary.match;
    struct str *names = NULL;
    size_t count = 0;
    enum token_kind k = parse_peek(p);

    if (k == T_BOOL) {
        (void)parse_take(p);
        n->binary.return_bool = true;
        k = parse_peek(p);
    }
    if (k == T_ON || k == T_IGNORING) {
        (void)parse_take(p);
        m->on = k == T_ON;
        if (!parse_names(p, &names, &count) || !include_labels(p, m))
            return false;
    }
    m->given = count > 0;
    m->written = parse_name_set(p, names, count, STR_NONE);
    m->labels = parse_name_set(p, names, count, m->on ? STR_NONE : LABEL_NAME);
    k = parse_peek(p);
    if (is_fill(k))
        return parse_fail(p, n->at, n->end,
                          "binop fill modifiers are experimental and not "
                          "enabled");
    return k != T_ERROR;
}

static struct node *binary(struct parser *p, struct node *left)
{
    struct token op = parse_take(p);
    struct node *n = parse_node(p, NODE_BINARY, PROMQL_SCALAR, left->at);
    int level = precedence(op.kind);

    n->op = op.kind;
    n->binary.left = left;
    if (!matching(p, n))
        return NULL;
    n->binary.right = parse_expr(p, op.kind == T_POW ? level : level + 1);
    if (!n->binary.right)
        return NULL;
    n->end = n->binary.right->end;
    if (left->type != PROMQL_SCALAR || n->binary.right->type != PROMQL_SCALAR)
        n->type = PROMQL_VECTOR;
    return parse_above(p, n, left) && parse_above(p, n, n->binary.right) ? n
                                                                         : NULL;
}

struct node *parse_expr(struct parser *p, int min_precedence)
{
    struct node *n;

    if (++p->depth > PROMQL_MAX_DEPTH) {
        (void)parse_fail(p, p->lex.start, p->lex.start,
                         "expression is nested too deeply");
        return NULL;
    }
    n = operand(p);
    while (n) {
        int level = precedence(parse_peek(p));

        if (level == 0 || level < min_precedence)
            break;
        n = binary(p, n);
    }
    p->depth--;
    return n && parse_peek(p) != T_ERROR ? n : NULL;
}

static bool whole(struct parser *p)
{
    enum token_kind k = parse_peek(p);

    if (k == T_ERROR)
        return false;
    if (k == T_EOF)
        return parse_fail(p, 0, 0, "no expression found in input");
    p->q->root = parse_expr(p, LOWEST);
    if (!p->q->root)
        return false;
    return parse_peek(p) == T_EOF || parse_unexpected(p);
}

struct promql *promql_parse(struct str text,
                            const struct promql_options *options,
                            struct promql_error *error)
{
    struct promql *q = xcalloc(1, sizeof(*q));
    struct promql_error scratch = {0};
    struct parser p = {.q = q, .arena = &q->arena};

    p.error = error ? error : &scratch;
    *p.error = (struct promql_error){0};
    arena_init(&q->arena, 2048);
    q->text = arena_str(&q->arena, text);
    if (options)
        q->options = *options;
    if (q->options.lookback_ms <= 0)
        q->options.lookback_ms = PROMQL_LOOKBACK;
    lex_init(&p.lex, q->text);
    if (whole(&p) && promql_check(q, p.error)) {
        promql_collect(q);
        return q;
    }
    promql_free(q);
    return NULL;
}

void promql_free(struct promql *q)
{
    if (!q)
        return;
    for (size_t i = 0; i < q->regex_count; i++)
        regex_free(q->regexes[i]);
    free(q->regexes);
    arena_fini(&q->arena);
    free(q);
}
