/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/mem.h"
#include "agent/base/num.h"
#include "agent/base/regex.h"
#include "agent/promql/parse.h"
#include "agent/promql/quote.h"

#include <math.h>

#define MATCHING "label matching"

struct matchers {
    struct matcher *items;
    size_t count, cap;
};

static struct matcher *matcher_add(struct parser *p, struct matchers *list)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 4;
        struct matcher *items = arena_array(p->arena, cap, sizeof(*items));

        if (list->count)
            memcpy(items, list->items, list->count * sizeof(*items));
        list->items = items;
        list->cap = cap;
    }
    return &list->items[list->count++];
}

/* Also for label_replace(): the expression's own, freed with it. */
struct regex *parse_regex(struct promql *q, struct str pattern, struct err *err)
{
    struct regex *re = regex_new(pattern, err);

    if (!re)
        return NULL;
    xgrow(&q->regexes, &q->regex_cap, q->regex_count, sizeof(*q->regexes));
    q->regexes[q->regex_count++] = re;
    return re;
}

static bool match_op(struct parser *p, enum match_op *out)
{
    switch ((int)parse_peek(p)) {
    case T_EQL:
        *out = MATCH_EQ;
        return true;
    case T_NEQ:
        *out = MATCH_NE;
        return true;
    case T_EQL_REGEX:
        *out = MATCH_RE;
        return true;
    case T_NEQ_REGEX:
        *out = MATCH_NRE;
        return true;
    default:
        return false;
    }
}

static bool match_value(struct parser *p, size_t at, struct matcher *m)
{
    struct token value;
    struct err err;

    (void)parse_take(p); /* the operator */
    if (parse_peek(p) != T_STRING)
        return parse_unexpected_in(p, MATCHING, "string");
    value = parse_take(p);
    m->value = quote_content(value.text, p->arena);
    if (m->op == MATCH_EQ || m->op == MATCH_NE)
        return true;
    m->regex = parse_regex(p->q, m->value, &err);
    return m->regex || parse_fail(p, at, p->end, "%s", err.text);
}

/* name op "value", "quoted name" op "value", or "metric name" alone. */
static bool matcher(struct parser *p, struct matchers *list)
{
    enum token_kind k = parse_peek(p);
    struct matcher m = {0};
    struct token name;

    if (k != T_IDENTIFIER && k != T_STRING)
        return parse_unexpected_in(p, MATCHING, "identifier or \"}\"");
    name = parse_take(p);
    m.name = k == T_STRING ? quote_content(name.text, p->arena) : name.text;
    if (match_op(p, &m.op)) {
        if (!match_value(p, name.at, &m))
            return false;
    } else if (k == T_IDENTIFIER) {
        return parse_unexpected_in(p, MATCHING, "label matching operator");
    } else {
        m.value = m.name;
        m.name = LABEL_NAME;
    }
    *matcher_add(p, list) = m;
    return true;
}

static bool braces(struct parser *p, struct matchers *list)
{
    (void)parse_take(p);
    while (parse_peek(p) != T_RIGHT_BRACE) {
        if (!matcher(p, list))
            return false;
        if (parse_peek(p) == T_RIGHT_BRACE)
            break;
        if (parse_peek(p) != T_COMMA)
            return parse_unexpected_in(p, MATCHING, "\",\" or \"}\"");
        (void)parse_take(p);
        /* One comma may stand before the brace, but not alone. */
    }
    (void)parse_take(p);
    return true;
}

struct node *parse_selector(struct parser *p, const struct token *name)
{
    size_t at = name ? name->at : p->token.at;
    struct node *n = parse_node(p, NODE_SELECTOR, PROMQL_VECTOR, at);
    struct matchers list = {0};

    if (parse_peek(p) == T_LEFT_BRACE && !braces(p, &list))
        return NULL;
    n->end = p->end;
    if (name) {
        n->select.selector.name = name->text;
        *matcher_add(p, &list) =
            (struct matcher){MATCH_EQ, LABEL_NAME, name->text, NULL};
    }
    n->select.selector.matchers = list.items;
    n->select.selector.count = list.count;
    return n;
}

static struct node *matrix(struct parser *p, struct node *n, size_t at,
                           int64_t range)
{
    const char *wrong = NULL;

    if (n->kind != NODE_SELECTOR)
        wrong = "ranges only allowed for vector selectors";
    else if (n->select.when.has_offset)
        wrong = "no offset modifiers allowed before range";
    else if (n->select.when.at == AT_TIME)
        wrong = "no @ modifiers allowed before range";
    if (wrong) {
        (void)parse_fail(p, at, p->end, "%s", wrong);
        return NULL;
    }
    n->kind = NODE_MATRIX;
    n->type = PROMQL_MATRIX;
    n->select.range_ms = range;
    n->end = p->end;
    return n;
}

static bool subquery_step(struct parser *p, int64_t *ms)
{
    size_t at = p->token.at;

    if (!parse_positive_duration(p, ms))
        return false;
    return *ms > 0 || parse_fail(p, at, p->end,
                                 "the step of a subquery must be at least "
                                 "1ms");
}

static struct node *subquery(struct parser *p, struct node *inner,
                             int64_t range)
{
    struct node *n = parse_node(p, NODE_SUBQUERY, PROMQL_MATRIX, inner->at);

    (void)parse_take(p); /* the colon */
    n->subquery.expr = inner;
    n->subquery.range_ms = range;
    p->context = (struct context){
        "subquery selector", "number, duration, step(), range(), or \"]\""};
    if (parse_peek(p) != T_RIGHT_BRACKET &&
        !subquery_step(p, &n->subquery.step_ms))
        return NULL;
    if (parse_peek(p) != T_RIGHT_BRACKET) {
        (void)parse_unexpected_in(p, "subquery selector", "\"]\"");
        return NULL;
    }
    (void)parse_take(p);
    n->end = p->end;
    return parse_above(p, n, inner) ? n : NULL;
}

static struct node *bracket(struct parser *p, struct node *n)
{
    struct token open = parse_take(p);
    int64_t range;

    p->context = (struct context){"subquery or range selector",
                                  "number, duration, step(), or range()"};
    if (!parse_positive_duration(p, &range))
        return NULL;
    if (parse_peek(p) == T_COLON)
        return subquery(p, n, range);
    if (parse_peek(p) != T_RIGHT_BRACKET) {
        (void)parse_unexpected_in(p, "subquery or range", "\":\" or \"]\"");
        return NULL;
    }
    (void)parse_take(p);
    return matrix(p, n, open.at, range);
}

static struct when_node *when_of(struct node *n)
{
    if (n->kind == NODE_SELECTOR || n->kind == NODE_MATRIX)
        return &n->select.when;
    return n->kind == NODE_SUBQUERY ? &n->subquery.when : NULL;
}

static bool misplaced(struct parser *p, const struct node *n, const char *what)
{
    return parse_fail(p, n->at, n->end,
                      "%s modifier must be preceded by an instant vector "
                      "selector or range vector selector or a subquery",
                      what);
}

static struct node *offset(struct parser *p, struct node *n)
{
    struct when_node *w = when_of(n);
    int64_t ms;

    (void)parse_take(p);
    p->context =
        (struct context){"offset", "number, duration, step(), or range()"};
    if (!parse_offset_duration(p, &ms))
        return NULL;
    if (!w) {
        (void)misplaced(p, n, "offset");
        return NULL;
    }
    if (w->has_offset) {
        (void)parse_fail(p, n->at, n->end,
                         "offset may not be set multiple times");
        return NULL;
    }
    w->offset_ms = ms;
    w->has_offset = ms != 0;
    n->end = p->end;
    return n;
}

static bool at_number(struct parser *p, const struct node *n, int64_t *ms)
{
    enum token_kind sign = parse_peek(p), k;
    char text[NUM_MAX];
    struct token t;
    double v;

    if (sign == T_ADD || sign == T_SUB)
        (void)parse_take(p);
    k = parse_peek(p);
    if (k != T_NUMBER && k != T_DURATION)
        return parse_unexpected(p);
    t = parse_take(p);
    if (!parse_number(p, &t, &v))
        return false;
    v = sign == T_SUB ? -v : v;
    if (v > -9223372036854775808.0 && v < 9223372036854775808.0) {
        v = round(v * 1000);
        *ms = v >= 9223372036854775808.0    ? INT64_MAX
              : v <= -9223372036854775808.0 ? INT64_MIN
                                            : (int64_t)v;
        return true;
    }
    (void)num_plain(v, text);
    return parse_fail(p, n->at, n->end,
                      "timestamp out of bounds for @ modifier: %s%s", text,
                      isfinite(v) ? ".000000" : "");
}

static bool at_value(struct parser *p, const struct node *n,
                     struct when_node *out)
{
    enum token_kind k = parse_peek(p);

    out->at = AT_TIME;
    if (k != T_START && k != T_END)
        return at_number(p, n, &out->at_ms);
    (void)parse_take(p);
    out->at = k == T_START ? AT_START : AT_END;
    return parse_want(p, T_LEFT_PAREN) && parse_want(p, T_RIGHT_PAREN);
}

static struct node *at_modifier(struct parser *p, struct node *n)
{
    struct when_node value = {0}, *w = when_of(n);

    (void)parse_take(p);
    p->context = (struct context){"@", "timestamp"};
    if (!at_value(p, n, &value))
        return NULL;
    if (!w) {
        (void)misplaced(p, n, "@");
        return NULL;
    }
    if (w->at != AT_NONE) {
        (void)parse_fail(p, n->at, n->end,
                         "@ <timestamp> may not be set multiple times");
        return NULL;
    }
    w->at = value.at;
    w->at_ms = value.at_ms;
    n->end = p->end;
    return n;
}

struct node *parse_suffixes(struct parser *p, struct node *n)
{
    struct context outer = p->context;

    while (n) {
        enum token_kind k = parse_peek(p);

        if (k == T_LEFT_BRACKET)
            n = bracket(p, n);
        else if (k == T_OFFSET)
            n = offset(p, n);
        else if (k == T_AT)
            n = at_modifier(p, n);
        else
            break;
        p->context = outer;
    }
    if (n && (parse_peek(p) == T_ANCHORED || parse_peek(p) == T_SMOOTHED)) {
        struct token t = parse_take(p);

        (void)parse_fail(p, n->at, n->end,
                         "%s modifier is experimental and not enabled",
                         token_spelling(t.kind));
        return NULL;
    }
    return n;
}
