/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ast.h - the tree of an expression.
 *
 * Nodes live in the expression's arena and never change once checked, so one
 * tree can be evaluated any number of times.  `at` and `end` are the bytes of
 * the text it was read from.  Durations are whole milliseconds: a query of
 * one instant has no step and no range, so arithmetic on durations is done
 * while parsing.
 */
#ifndef AGENT_PROMQL_AST_H
#define AGENT_PROMQL_AST_H

#include "agent/promql/promql.h"
#include "agent/promql/token.h"

#define PROMQL_MAX_DEPTH 400 /* nodes above one another */
#define PROMQL_MAX_ARGS  64
#define PROMQL_LOOKBACK  INT64_C(300000)
#define PROMQL_STEP      INT64_C(60000) /* of a subquery without one */

enum node_kind {
    NODE_NUMBER,
    NODE_STRING,
    NODE_PAREN,
    NODE_UNARY,
    NODE_BINARY,
    NODE_AGGREGATE,
    NODE_CALL,
    NODE_SELECTOR,
    NODE_MATRIX, /* selector[range] */
    NODE_SUBQUERY,
};

enum at_kind { AT_NONE, AT_TIME, AT_START, AT_END };

/* Which moment a selector or subquery looks at. */
struct when_node {
    enum at_kind at;
    int64_t at_ms;
    int64_t offset_ms;
    bool has_offset;
};

/* Names in byte order, each once. */
struct name_set {
    const struct str *names;
    size_t count;
};

struct selector_node {
    struct str name; /* as written outside the braces; may be empty */
    struct matcher *matchers;
    size_t count;
};

enum cardinality { ONE_TO_ONE, MANY_TO_ONE, ONE_TO_MANY, MANY_TO_MANY };

struct matching {
    enum cardinality card;
    bool given; /* on or ignoring with labels */
    bool on;
    struct name_set labels;  /* of ignoring: with __name__ */
    struct name_set written; /* as given */
    struct str *include;     /* of group_left and group_right, as written */
    size_t include_count;
};

struct func;

struct node {
    enum node_kind kind;
    enum promql_type type;
    size_t at, end;
    unsigned depth;
    enum token_kind op; /* unary, binary, aggregate */
    union {
        double number;
        struct str string;
        struct node *child; /* paren, unary */
        struct {
            struct node *left, *right;
            struct matching match;
            bool return_bool;
        } binary;
        struct {
            struct node *param; /* NULL: none */
            struct node *expr;
            bool without;
            struct name_set labels; /* of without: with __name__ */
        } aggregate;
        struct {
            const struct func *func;
            struct node **args;
            size_t count;
            struct regex *regex; /* label_replace */
        } call;
        struct {
            struct selector_node selector;
            struct when_node when;
            int64_t range_ms; /* matrix */
        } select;
        struct {
            struct node *expr;
            struct when_node when;
            int64_t range_ms;
            int64_t step_ms; /* 0: the default */
        } subquery;
    };
};

struct promql {
    struct arena arena;
    struct str text;
    struct node *root;
    struct promql_options options;
    struct promql_selector *selectors;
    size_t selector_count;
    struct regex **regexes; /* to be freed with it */
    size_t regex_count, regex_cap;
};

/* Without the parentheses around it. */
struct node *node_unwrap(struct node *n);
/* The content of a string argument. */
struct str node_string(const struct node *n);

/* Whether a matcher takes a label of this value; "" is an absent label. */
bool matcher_accepts(const struct matcher *m, struct str value);

/* Types, argument counts and all that is wrong although it parses. */
bool promql_check(struct promql *q, struct promql_error *error);
/* Fills `selectors`. */
void promql_collect(struct promql *q);

/* "LINE:COL: parse error: message" for the bytes [at, end). */
bool promql_fail(struct promql_error *error, struct str text, size_t at,
                 size_t end, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#endif
