/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quote.h - text as Go's %q writes it, which is how Prometheus' messages
 * quote the query, and string literals read back.
 */
#ifndef AGENT_PROMQL_QUOTE_H
#define AGENT_PROMQL_QUOTE_H

#include "agent/base/arena.h"
#include "agent/base/buf.h"

#define RUNE_ERROR 0xFFFD
#define RUNE_EOF   UINT32_MAX

/* The rune at the start of `s` and its length; RUNE_ERROR and 1 for a byte
 * that begins no well-formed sequence, RUNE_EOF and 0 at the end. */
size_t quote_rune_at(struct str s, uint32_t *rune);
void quote_text(struct buf *out, struct str s);       /* "..." */
void quote_rune(struct buf *out, uint32_t rune);      /* '...' */
void quote_rune_hash(struct buf *out, uint32_t rune); /* U+0041 'A' */
/* The first `runes` runes of `s`. */
struct str quote_prefix(struct str s, size_t runes);
/* The content of a string literal that the lexer accepted, quotes included;
 * into `a` when it has escapes. */
struct str quote_content(struct str literal, struct arena *a);

#endif
