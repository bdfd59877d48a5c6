/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex.h - regular expressions as Prometheus has them: RE2's syntax, fully
 * anchored, dot matches a line feed (^(?s:...)$).
 *
 * Executed by PCRE2 behind a gate that refuses what RE2 refuses (look-around,
 * back-references, possessive and atomic groups, callouts ...), with a match
 * limit, so that no pattern can hang the loop.
 */
#ifndef AGENT_BASE_REGEX_H
#define AGENT_BASE_REGEX_H

#include "agent/base/buf.h"
#include "agent/base/err.h"

struct regex;

struct regex *regex_new(struct str pattern, struct err *err);
void regex_free(struct regex *re);
bool regex_match(const struct regex *re, struct str subject);
/* On a match appends `template` with $1, ${1}, $name and ${name} expanded as
 * Go's Regexp.Expand does; false, and nothing appended, without one. */
bool regex_expand(const struct regex *re, struct str subject,
                  struct str template, struct buf *out);

#endif
