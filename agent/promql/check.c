/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/func.h"
#include "agent/promql/parse.h"

#include <stdarg.h>
#include <stdio.h>

struct check {
    struct promql *q;
    struct promql_error *error;
};

static bool check(struct check *c, struct node *n);

static const char *type_name(enum promql_type t)
{
    return promql_type_name(t);
}

#define fail(c, n, ...) \
    promql_fail((c)->error, (c)->q->text, (n)->at, (n)->end, __VA_ARGS__)

static bool expect(struct check *c, struct node *n, enum promql_type want,
                   const char *context)
{
    return check(c, n) && (n->type == want ||
                           fail(c, n, "expected type %s in %s, got %s",
                                type_name(want), context, type_name(n->type)));
}

static bool check_aggregate(struct check *c, struct node *n)
{
    enum promql_type want =
        n->op == T_COUNT_VALUES ? PROMQL_STRING : PROMQL_SCALAR;
    struct str label;

    if (!expect(c, n->aggregate.expr, PROMQL_VECTOR, "aggregation expression"))
        return false;
    if (!n->aggregate.param)
        return true;
    if (!expect(c, n->aggregate.param, want, "aggregation parameter"))
        return false;
    if (want == PROMQL_SCALAR)
        return true;
    label = node_string(n->aggregate.param);
    return (label.len > 0 && str_utf8(label)) ||
           fail(c, n->aggregate.param, "invalid label name \"%.*s\"",
                STR_ARG(label));
}

/* The operator's place: between the operands, without blanks. */
static bool fail_op(struct check *c, const struct node *n, const char *fmt,
                    struct str arg)
{
    size_t at = n->binary.left->end, end = n->binary.right->at;
    const char *text = c->q->text.ptr;
    char message[300];

    while (at < end && strchr(" \t\r\n", text[at]))
        at++;
    while (end > at && strchr(" \t\r\n", text[end - 1]))
        end--;
    (void)snprintf(message, sizeof(message), "%s%.*s%s", fmt, STR_ARG(arg),
                   arg.len ? "\" must not occur in ON and GROUP clause at once"
                           : "");
    return promql_fail(c->error, c->q->text, at, end, "%s", message);
}

static bool check_include(struct check *c, const struct node *n)
{
    const struct matching *m = &n->binary.match;

    if (!m->on)
        return true;
    for (size_t i = 0; i < m->labels.count; i++)
        for (size_t j = 0; j < m->include_count; j++)
            if (str_eq(m->labels.names[i], m->include[j]))
                return fail_op(c, n, "label \"", m->include[j]);
    return true;
}

static bool is_operand(const struct node *n)
{
    return n->type == PROMQL_SCALAR || n->type == PROMQL_VECTOR;
}

static bool check_matching(struct check *c, struct node *n)
{
    struct matching *m = &n->binary.match;
    bool vectors = n->binary.left->type == PROMQL_VECTOR &&
                   n->binary.right->type == PROMQL_VECTOR;
    bool set = token_is_set(n->op);
    const char *op = token_spelling(n->op);

    if (!vectors && m->given)
        return fail(c, n,
                    "vector matching only allowed between instant vectors");
    if (vectors && set && m->card != ONE_TO_ONE)
        return fail(c, n, "no grouping allowed for \"%s\" operation", op);
    if (!vectors && set)
        return fail(c, n,
                    "set operator \"%s\" not allowed in binary scalar "
                    "expression",
                    op);
    if (n->op == T_TRIM_LOWER || n->op == T_TRIM_UPPER)
        return fail(c, n,
                    "operator \"%s\" trims native histograms, which are not "
                    "supported",
                    op);
    if (set)
        m->card = MANY_TO_MANY;
    return true;
}

static bool check_binary(struct check *c, struct node *n)
{
    struct node *left = n->binary.left, *right = n->binary.right;
    bool comparison = token_is_comparison(n->op);

    if (!check(c, left) || !check(c, right))
        return false;
    if (n->binary.return_bool && !comparison)
        return fail_op(c, n,
                       "bool modifier can only be used on comparison "
                       "operators",
                       STR_NONE);
    if (comparison && !n->binary.return_bool && left->type == PROMQL_SCALAR &&
        right->type == PROMQL_SCALAR)
        return fail_op(c, n,
                       "comparisons between scalars must use BOOL "
                       "modifier",
                       STR_NONE);
    if (!check_include(c, n))
        return false;
    if (!is_operand(left) || !is_operand(right))
        return fail(c, is_operand(left) ? right : left,
                    "binary expression must contain only scalar and instant "
                    "vector types");
    return check_matching(c, n);
}

static bool check_count(struct check *c, const struct node *n)
{
    const struct func *f = n->call.func;
    int got = (int)n->call.count, least = f->type_count - 1;

    if (f->variadic == 0)
        return got == f->type_count ||
               fail(c, n, "expected %d argument(s) in call to \"%s\", got %d",
                    f->type_count, f->name, got);
    if (got < least)
        return fail(c, n,
                    "expected at least %d argument(s) in call to \"%s\", got "
                    "%d",
                    least, f->name, got);
    if (f->variadic > 0 && got > least + f->variadic)
        return fail(c, n,
                    "expected at most %d argument(s) in call to \"%s\", got "
                    "%d",
                    least + f->variadic, f->name, got);
    return true;
}

static bool valid_label(struct check *c, const struct node *n, const char *what,
                        size_t i)
{
    struct str label = node_string(n->call.args[i]);

    return (label.len > 0 && str_utf8(label)) ||
           fail(c, n->call.args[i], "invalid %s label name in %s(): %.*s", what,
                n->call.func->name, STR_ARG(label));
}

static bool check_labels(struct check *c, struct node *n)
{
    bool join = strcmp(n->call.func->name, "label_join") == 0;
    struct str pattern;
    struct err err;

    if (!join && strcmp(n->call.func->name, "label_replace") != 0)
        return true;
    for (size_t i = 3; join && i < n->call.count; i++)
        if (!valid_label(c, n, "source", i))
            return false;
    if (!valid_label(c, n, "destination", 1))
        return false;
    if (join)
        return true;
    pattern = node_string(n->call.args[4]);
    n->call.regex = parse_regex(c->q, pattern, &err);
    return n->call.regex ||
           fail(c, n->call.args[4],
                "invalid regular expression in label_replace(): %.*s",
                STR_ARG(pattern));
}

static bool check_call(struct check *c, struct node *n)
{
    const struct func *f = n->call.func;
    char context[64];

    if (!check_count(c, n))
        return false;
    (void)snprintf(context, sizeof(context), "call to function \"%s\"",
                   f->name);
    for (size_t i = 0; i < n->call.count; i++) {
        size_t t = i < (size_t)f->type_count ? i : (size_t)f->type_count - 1;

        if (!expect(c, n->call.args[i], f->types[t], context))
            return false;
    }
    return check_labels(c, n);
}

static bool check_unary(struct check *c, struct node *n)
{
    if (!check(c, n->child))
        return false;
    return is_operand(n->child) ||
           fail(c, n,
                "unary expression only allowed on expressions of type scalar "
                "or instant vector, got \"%s\"",
                type_name(n->child->type));
}

/* Prometheus' own word for the type here, "matrix", not "range vector". */
static bool check_subquery(struct check *c, struct node *n)
{
    static const char *const words[] = {"scalar", "string", "vector", "matrix"};

    if (!check(c, n->subquery.expr))
        return false;
    return n->subquery.expr->type == PROMQL_VECTOR ||
           fail(c, n,
                "subquery is only allowed on instant vector, got %s "
                "instead",
                words[n->subquery.expr->type]);
}

static bool check_selector(struct check *c, struct node *n)
{
    const struct selector_node *s = &n->select.selector;

    for (size_t i = 0; s->name.len && i + 1 < s->count; i++)
        if (str_eq(s->matchers[i].name, LABEL_NAME))
            return fail(c, n,
                        "metric name must not be set twice: \"%.*s\" or "
                        "\"%.*s\"",
                        STR_ARG(s->name), STR_ARG(s->matchers[i].value));
    for (size_t i = 0; i < s->count; i++)
        if (!matcher_accepts(&s->matchers[i], STR_NONE))
            return true;
    return fail(c, n,
                "vector selector must contain at least one non-empty "
                "matcher");
}

static bool check(struct check *c, struct node *n)
{
    switch (n->kind) {
    case NODE_NUMBER:
    case NODE_STRING:
        return true;
    case NODE_PAREN:
        return check(c, n->child);
    case NODE_UNARY:
        return check_unary(c, n);
    case NODE_BINARY:
        return check_binary(c, n);
    case NODE_AGGREGATE:
        return check_aggregate(c, n);
    case NODE_CALL:
        return check_call(c, n);
    case NODE_SELECTOR:
    case NODE_MATRIX:
        return check_selector(c, n);
    case NODE_SUBQUERY:
        return check_subquery(c, n);
    }
    return false;
}

bool promql_check(struct promql *q, struct promql_error *error)
{
    struct check c = {q, error};

    return check(&c, q->root);
}
