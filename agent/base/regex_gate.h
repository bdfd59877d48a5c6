/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex_gate.h - reads RE2's syntax and writes the same pattern for PCRE2.
 *
 * Private to regex*.c.  The grammar is that of Go's regexp/syntax with its
 * Perl flags (https://pkg.go.dev/regexp/syntax); whatever it does not name is
 * refused, so nothing of PCRE2's own reaches PCRE2.  Literals leave here
 * escaped, groups without their names, which are kept in `names`.
 */
#ifndef AGENT_BASE_REGEX_GATE_H
#define AGENT_BASE_REGEX_GATE_H

#include "agent/base/buf.h"
#include "agent/base/err.h"

#define GATE_NESTING_MAX 1000U /* as in Go */

struct regex_name {
    struct str name; /* lent by the pattern */
    uint32_t group;
};

struct regex_gate {
    struct str all;  /* the whole pattern, for errors */
    struct str rest; /* what is still to be read */
    struct buf out;  /* for PCRE2 */
    struct regex_name *names;
    size_t name_count, name_cap;
    uint32_t groups;
    struct err *err;
};

/* On success the caller frees g->names and g->out; on failure too. */
must_check bool regex_gate(struct regex_gate *g, struct str pattern,
                           struct err *err);

/* "error parsing regexp: WHAT: `PART`", as Go words it; returns false. */
bool gate_fail(struct regex_gate *g, const char *what, struct str part);

/* regex_class.c: what begins with a backslash or a bracket. */
must_check bool gate_class(struct regex_gate *g);
/* A class such as \d or \pL; `*taken` tells whether it was one. */
must_check bool gate_perl_class(struct regex_gate *g, bool in_class,
                                bool *taken);
/* An escaped or plain character. */
must_check bool gate_char(struct regex_gate *g, uint32_t *c);
void gate_put_char(struct regex_gate *g, uint32_t c);

#endif
