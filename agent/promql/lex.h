/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lex.h - PromQL text into tokens, one at a time.
 *
 * A token is read when the parser asks for it, so that errors come in the
 * order in which Prometheus' parser meets them.  After a T_ERROR token (its
 * message is in `error`, its place in `at`) the text is over.
 * Facts: prometheus/prometheus promql/parser/lex.go (3.14).
 */
#ifndef AGENT_PROMQL_LEX_H
#define AGENT_PROMQL_LEX_H

#include "agent/promql/token.h"

struct lexer {
    struct str text;
    size_t start; /* of the token being read */
    size_t pos;
    size_t width; /* of the rune read last */
    int parens;
    bool braces, brackets;
    bool duration; /* directly behind a [, or in a duration's arithmetic */
    bool got_colon, got_duration;
    char error[256];
};

void lex_init(struct lexer *l, struct str text);
struct token lex_next(struct lexer *l);

#endif
