/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.h - the words of PromQL.
 *
 * One table row per kind: its class (which decides how an error names it)
 * and, for words and signs that are always spelled alike, the spelling.
 * Words are known in any case; names are not folded.
 */
#ifndef AGENT_PROMQL_TOKEN_H
#define AGENT_PROMQL_TOKEN_H

#include "agent/base/buf.h"

enum token_class {
    CLASS_PLAIN,
    CLASS_KEYWORD,
    CLASS_OPERATOR,
    CLASS_AGGREGATOR,
};

/* clang-format off */
#define TOKENS(X)                                       \
    X(EOF,               PLAIN,      NULL)              \
    X(ERROR,             PLAIN,      NULL)              \
    X(IDENTIFIER,        PLAIN,      NULL)              \
    X(METRIC_IDENTIFIER, PLAIN,      NULL)              \
    X(STRING,            PLAIN,      NULL)              \
    X(NUMBER,            PLAIN,      NULL)              \
    X(DURATION,          PLAIN,      NULL)              \
    X(LEFT_PAREN,        PLAIN,      "(")               \
    X(RIGHT_PAREN,       PLAIN,      ")")               \
    X(LEFT_BRACE,        PLAIN,      "{")               \
    X(RIGHT_BRACE,       PLAIN,      "}")               \
    X(LEFT_BRACKET,      PLAIN,      "[")               \
    X(RIGHT_BRACKET,     PLAIN,      "]")               \
    X(COMMA,             PLAIN,      ",")               \
    X(COLON,             PLAIN,      ":")               \
    X(EQL,               PLAIN,      "=")               \
    X(EQL_REGEX,         OPERATOR,   "=~")              \
    X(NEQ_REGEX,         OPERATOR,   "!~")              \
    X(ADD,               OPERATOR,   "+")               \
    X(SUB,               OPERATOR,   "-")               \
    X(MUL,               OPERATOR,   "*")               \
    X(DIV,               OPERATOR,   "/")               \
    X(MOD,               OPERATOR,   "%")               \
    X(POW,               OPERATOR,   "^")               \
    X(EQLC,              OPERATOR,   "==")              \
    X(NEQ,               OPERATOR,   "!=")              \
    X(LTE,               OPERATOR,   "<=")              \
    X(LSS,               OPERATOR,   "<")               \
    X(GTE,               OPERATOR,   ">=")              \
    X(GTR,               OPERATOR,   ">")               \
    X(TRIM_UPPER,        OPERATOR,   "</")              \
    X(TRIM_LOWER,        OPERATOR,   ">/")              \
    X(AT,                OPERATOR,   "@")               \
    X(ATAN2,             OPERATOR,   "atan2")           \
    X(LAND,              OPERATOR,   "and")             \
    X(LOR,               OPERATOR,   "or")              \
    X(LUNLESS,           OPERATOR,   "unless")          \
    X(SUM,               AGGREGATOR, "sum")             \
    X(AVG,               AGGREGATOR, "avg")             \
    X(COUNT,             AGGREGATOR, "count")           \
    X(MIN,               AGGREGATOR, "min")             \
    X(MAX,               AGGREGATOR, "max")             \
    X(GROUP,             AGGREGATOR, "group")           \
    X(STDDEV,            AGGREGATOR, "stddev")          \
    X(STDVAR,            AGGREGATOR, "stdvar")          \
    X(TOPK,              AGGREGATOR, "topk")            \
    X(BOTTOMK,           AGGREGATOR, "bottomk")         \
    X(COUNT_VALUES,      AGGREGATOR, "count_values")    \
    X(QUANTILE,          AGGREGATOR, "quantile")        \
    X(LIMITK,            AGGREGATOR, "limitk")          \
    X(LIMIT_RATIO,       AGGREGATOR, "limit_ratio")     \
    X(OFFSET,            KEYWORD,    "offset")          \
    X(SMOOTHED,          KEYWORD,    "smoothed")        \
    X(ANCHORED,          KEYWORD,    "anchored")        \
    X(BY,                KEYWORD,    "by")              \
    X(WITHOUT,           KEYWORD,    "without")         \
    X(ON,                KEYWORD,    "on")              \
    X(IGNORING,          KEYWORD,    "ignoring")        \
    X(GROUP_LEFT,        KEYWORD,    "group_left")      \
    X(GROUP_RIGHT,       KEYWORD,    "group_right")     \
    X(FILL,              KEYWORD,    "fill")            \
    X(FILL_LEFT,         KEYWORD,    "fill_left")       \
    X(FILL_RIGHT,        KEYWORD,    "fill_right")      \
    X(BOOL,              KEYWORD,    "bool")            \
    X(START,             PLAIN,      "start")           \
    X(END,               PLAIN,      "end")             \
    X(STEP,              PLAIN,      "step")            \
    X(RANGE,             PLAIN,      "range")           \
    X(MAX_OF,            PLAIN,      "max_of")          \
    X(MIN_OF,            PLAIN,      "min_of")
/* clang-format on */

enum token_kind {
#define TOKEN_KIND(name, class, spelling) T_##name,
    TOKENS(TOKEN_KIND)
#undef TOKEN_KIND
        TOKEN_KINDS
};

struct token {
    enum token_kind kind;
    size_t at; /* byte of the text */
    struct str text;
};

enum token_class token_class(enum token_kind k);
/* NULL when a kind has many spellings. */
const char *token_spelling(enum token_kind k);
/* The kind of a word, by its spelling in any case; T_IDENTIFIER if it is no
 * keyword.  Inf and NaN are numbers. */
enum token_kind token_word(struct str word);
bool token_is_comparison(enum token_kind k);
bool token_is_set(enum token_kind k);
/* As errors name it: identifier "a", <op:+>, <aggr:sum>, end of input. */
void token_describe(const struct token *t, struct buf *out);

#endif
