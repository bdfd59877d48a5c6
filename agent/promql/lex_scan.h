/* SPDX-License-Identifier: Apache-2.0 */
/* lex_scan.h - what the lexer's files share; for lex*.c alone. */
#ifndef AGENT_PROMQL_LEX_SCAN_H
#define AGENT_PROMQL_LEX_SCAN_H

#include "agent/promql/lex.h"

uint32_t lex_rune(struct lexer *l); /* reads one; RUNE_EOF at the end */
void lex_back(struct lexer *l);     /* undoes the last lex_rune() */
uint32_t lex_peek(const struct lexer *l);
bool lex_alphanumeric(uint32_t r);
void lex_error(struct lexer *l, const char *message);

/* Each reads as much as Prometheus' lexer does, and tells whether it is one;
 * a failed lex_number() leaves off where lex_duration() goes on. */
bool lex_number(struct lexer *l);
bool lex_duration(struct lexer *l);
/* Behind the opening quote; on false the error is set. */
bool lex_string(struct lexer *l, uint32_t quote);

#endif
