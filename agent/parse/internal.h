/* SPDX-License-Identifier: Apache-2.0 */
/*
 * internal.h - what the files of agent/parse share.
 *
 * A body goes through feed.c, which cuts it into lines that end in LF and
 * have PARSE_PAD readable bytes behind them.  fast.c takes the lines it can
 * prove good by comparing them with lines seen before; line.c, the exact
 * grammar, takes the rest, and is the only one that finds faults.  Both give
 * a struct line to emit.c.
 */
#ifndef AGENT_PARSE_INTERNAL_H
#define AGENT_PARSE_INTERNAL_H

#include "agent/parse/memory.h"
#include "agent/parse/parse.h"

#define PARSE_PAD 128 /* readable bytes behind the LF of any line */

/* Offsets are from the start of the line. */
struct line_label {
    uint32_t name_at, name_len;
    uint32_t value_at, value_len;
    bool name_escaped, value_escaped; /* there is a backslash in it */
};

/* What Prometheus takes and a specification does not. */
enum line_odd {
    ODD_NONE,
    ODD_LAST_COMMA, /* before } */
    ODD_NO_COMMA,   /* between two labels */
    ODD_LF,         /* a raw LF in a string */
    ODD_ESCAPE,     /* a backslash before something else than \\, \" and n */
    ODD_QUOTED,     /* a name in quotes */
};

#define LINE_LABELS_FAST 16 /* what the fast path takes */

struct line {
    const char *text;
    size_t len; /* to the LF, without it */
    uint32_t name_at, name_len;
    bool name_escaped, name_quoted;
    uint32_t series_at, series_len;
    uint32_t value_at, value_len;
    double value;
    int64_t t_ms;
    bool has_time, has_exemplar;
    bool labels_read;                /* `labels` holds them */
    uint32_t odd_at[ODD_QUOTED + 1]; /* 1 + where it stands first, or 0 */
    struct line_label *labels;       /* grows, reused */
    size_t label_count, label_cap;
    size_t exemplar_count; /* labels of the exemplar, behind those */
};

struct fast;
struct strict;
struct lint;

/* How far a line that holds LFs in a string has been looked at. */
enum open_state { OPEN_NONE, OPEN_STRING, OPEN_BETWEEN, OPEN_TAIL };

struct parser {
    struct parse_options o;
    size_t line_bytes;
    struct line line;
    struct arena arena; /* unescaped copies, for one line */
    struct parse_counters n;
    uint64_t line_no; /* of the line being read */
    enum parse_type type;
    bool ended;    /* "# EOF", or the NUL at which Prometheus stops */
    bool complete; /* no more bytes will come */
    bool failed;   /* fault says why */
    struct parse_fault fault;

    /* The name last asked about. */
    struct buf asked;
    bool asked_wanted;

    struct buf carry; /* an unfinished line */
    enum open_state open;
    size_t open_at; /* of carry, looked at so far */

    struct recall recall; /* the memory, as this body reads it */
    struct fast *fast;    /* NULL: every line takes the exact way */
    struct strict *strict;
    struct lint *lint;
};

/* line.c: the line at `text`, its LF at text[len].  LINE_OPEN: it ends inside
 * a string, which may hold the LF. */
enum line_result { LINE_GOOD, LINE_BAD, LINE_OPEN };
enum line_result line_read(struct parser *p, const char *text, size_t len);
/* The labels of the line in p->line, which is known to be good. */
void line_labels(struct parser *p);

/* names.c: no label twice, no empty or broken name. */
bool names_check(struct parser *p, struct line *l);
struct str names_decode(const char *text, size_t len, bool escaped,
                        struct arena *a);

/* meta.c: a line that begins with '#' at `at`. */
enum line_result meta_read(struct parser *p, const char *text, size_t len,
                           size_t at);

/* emit.c: counts the sample in p->line and hands it on, if it is wanted. */
bool emit_line(struct parser *p);
/* The same for one that is known to be wanted, at its place in the memory. */
bool emit_sample(struct parser *p, const struct line *l, struct str name,
                 void **known);
bool emit_wanted(struct parser *p, struct str name);
bool emit_over(struct parser *p, const char *text);
/* One sample more; false over the limit. */
static inline bool emit_count(struct parser *p, const char *text)
{
    p->n.samples++;
    return p->o.limits.samples == 0 || p->n.samples <= p->o.limits.samples ||
           emit_over(p, text);
}

/* fast.c: takes lines from `at` on, up to the first that needs the exact way;
 * returns its start, or `end`.  The last line ends right before `end`. */
struct fast *fast_new(void);
void fast_free(struct fast *f);
const char *fast_lines(struct parser *p, const char *at, const char *end);
/* The exact way found the line in p->line good: know it again. */
void fast_learn(struct parser *p, const struct line *l, bool wanted);

/* fault.c: always return false.  `at` is an offset into `text`, the line. */
bool fault_at(struct parser *p, const char *text, size_t at, enum err_kind kind,
              const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* A piece of the body for an error text: short, printable. */
#define EXCERPT_BYTES 40
struct excerpt {
    char text[4 * EXCERPT_BYTES + 1];
};
const char *excerpt(struct excerpt *e, const char *text, size_t len);

/* decode.c: `s` without its escapes, in `a`.  Only \\ and \n where `quotes`
 * is false (HELP of Prometheus text). */
struct str decode_escapes(struct str s, bool quotes, struct arena *a);

#endif
