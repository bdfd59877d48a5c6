/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/parse.h"

#include "agent/base/mem.h"
#include "agent/base/regex.h"
#include "agent/promql/quote.h"

#include <stdio.h>
#include <stdlib.h>

enum precedence { LOWEST = PARSE_LOWEST, AND, COMPARE, SUM, PRODUCT, POWER };

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
    struct node *child = parse_expr(p, PARSE_LOWEST), *n;

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
    if (parse_is_name(k))
        return parse_named(p);
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
    if (k != T_LEFT_PAREN && (parse_starts_expr(p) || is_fill(k)))
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
    p->q->root = parse_expr(p, PARSE_LOWEST);
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
