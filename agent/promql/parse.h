/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.h - what the parser's files share.
 *
 * A recursive descent over the tokens of lex.h.  Prometheus' parser is made
 * from a grammar with rules for errors; which of them an unexpected token
 * hits depends on what is open around it.  `context` is that: the innermost
 * open rule, saved and restored by whoever opens one.
 * Facts: prometheus/prometheus promql/parser/generated_parser.y (3.14).
 *
 * Every function that can fail returns NULL or false once `error` is set;
 * the first error counts.
 */
#ifndef AGENT_PROMQL_PARSE_H
#define AGENT_PROMQL_PARSE_H

#include "agent/promql/ast.h"
#include "agent/promql/lex.h"

struct context {
    const char *where;    /* "aggregation"; NULL at the top */
    const char *expected; /* may be NULL */
};

struct parser {
    struct lexer lex;
    struct token token; /* the next one, if `have` */
    bool have;
    size_t end; /* of the token taken last */
    struct promql *q;
    struct arena *arena;
    struct promql_error *error;
    struct context context;
    unsigned depth;
};

/* The next token's kind; T_ERROR when the lexer failed, then the error is
 * set. */
enum token_kind parse_peek(struct parser *p);
struct token parse_take(struct parser *p);
/* Takes a token of that kind, or fails as unexpected. */
bool parse_want(struct parser *p, enum token_kind kind);
/* unexpected TOKEN in CONTEXT, expected WHAT; always false. */
bool parse_unexpected(struct parser *p);
bool parse_unexpected_in(struct parser *p, const char *where,
                         const char *expected);
bool parse_fail(struct parser *p, size_t at, size_t end, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
struct node *parse_node(struct parser *p, enum node_kind kind,
                        enum promql_type type, size_t at);
/* Sets the depth of a node above `child`, or fails. */
bool parse_above(struct parser *p, struct node *n, const struct node *child);

#define PARSE_LOWEST 1 /* the precedence of `or` */
struct node *parse_expr(struct parser *p, int min_precedence);
bool parse_starts_expr(struct parser *p);
/* Whether a word may be a metric's name. */
bool parse_is_name(enum token_kind k);
/* An aggregation, a function or a metric: what begins with a name. */
struct node *parse_named(struct parser *p);
bool parse_args(struct parser *p, struct node ***args, size_t *count);
/* "( a, b )" of by, on, group_left ...; as written. */
bool parse_names(struct parser *p, struct str **names, size_t *count);
/* Sorted, each once, `extra` among them unless it is empty. */
struct name_set parse_name_set(struct parser *p, const struct str *names,
                               size_t count, struct str extra);
struct node *parse_aggregate(struct parser *p, struct token op);
/* The name, if it has one, is taken; { may follow. */
struct node *parse_selector(struct parser *p, const struct token *name);
/* A compiled pattern, freed with the expression. */
struct regex *parse_regex(struct promql *q, struct str pattern,
                          struct err *err);
/* [range], offset and @ behind an expression. */
struct node *parse_suffixes(struct parser *p, struct node *n);

struct duration {
    double seconds;
    bool literal; /* no arithmetic in it */
    size_t at, end;
};
/* Of a range or a step, greater than 0, as whole milliseconds. */
bool parse_positive_duration(struct parser *p, int64_t *ms);
bool parse_offset_duration(struct parser *p, int64_t *ms);
/* A number or duration token as a number. */
bool parse_number(struct parser *p, const struct token *t, double *out);

#endif
