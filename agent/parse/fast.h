/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fast.h - lines that are proved good without reading them byte by byte.
 *
 * A shape is what lines of one family have in common: all bytes outside of
 * label values, from the name to the blank before the value, as the exact
 * grammar found them good once, with names that differ from each other.  A
 * line that has these very bytes between its quotes, no backslash and no byte
 * above ASCII, and a plain number, is good as well: the grammar's choice at
 * each byte depends on nothing else.  Everything that fails to fit goes the
 * exact way, so a miss costs time and never the truth.
 */
#ifndef AGENT_PARSE_FAST_H
#define AGENT_PARSE_FAST_H

#include "agent/parse/internal.h"

#define SHAPES        8
#define SHAPE_PREFIX  128 /* name{first=" */
#define SHAPE_BETWEEN 32  /* ",label=" */
#define SHAPE_QUOTES  (2 * LINE_LABELS_FAST)

struct shape {
    bool used, wanted;
    uint8_t labels;
    uint8_t next; /* the shape that came after this one */
    uint16_t name_len;
    uint16_t prefix_len; /* to the first quote; or to the blank */
    uint8_t label_len[LINE_LABELS_FAST];
    uint8_t between_len[LINE_LABELS_FAST]; /* before label i, from 1 on */
    char prefix[SHAPE_PREFIX + 32];
    char between[LINE_LABELS_FAST][SHAPE_BETWEEN];
};

struct fast {
    const char *(*lines)(struct parser *p, const char *at, const char *end);
    struct shape shapes[SHAPES];
    uint8_t current;
    uint8_t evict;
    bool try_known;
};

/* Which bytes of up to 64 are what. */
struct block {
    uint64_t quote, lf;
    uint64_t odd; /* a backslash, or not ASCII */
};

/* Which bytes of up to 32 are what a number is made of. */
struct number_bytes {
    uint32_t digit, dot, e, sign;
};

/* What one line's bytes are. */
struct quotes {
    uint32_t at[SHAPE_QUOTES + 8];
    uint32_t count;
    uint32_t lf;
};

/* Sets which vector code runs: "avx2", "sse2", "portable"; false where this
 * machine has it not.  For tests; NULL: the best. */
bool fast_use(const char *name);

/*
 * [sign] digits [. digits] [e [sign] digits], with at most two digits of
 * exponent, so that it fits a float: the part of number_read()'s grammar that
 * can be told from four masks of its `len` bytes.
 */
static inline bool number_plain(struct number_bytes b, uint32_t len)
{
    const uint32_t all = len < 32 ? ((uint32_t)1 << len) - 1 : UINT32_MAX;
    const uint32_t digit = b.digit & all, dot = b.dot & all;
    const uint32_t e = b.e & all, sign = b.sign & all;
    const uint32_t before_e = e - 1; /* all bits without an e */
    const uint32_t exponent = digit & ~before_e;

    return (digit | dot | e | sign) == all && (e & before_e) == 0 &&
           (dot & (dot - 1)) == 0 && (dot & ~before_e) == 0 &&
           (sign & ~(1 | (e << 1))) == 0 && (digit & before_e) != 0 &&
           (e == 0 || exponent != 0) &&
           (exponent & (exponent - 1) & ((exponent & (exponent - 1)) - 1)) == 0;
}

/* What follows the blank behind a series: value and timestamp into `l`; false
 * where the exact way must look. */
bool tail_read(struct parser *p, const char *text, size_t len, struct line *l);
/* The same without keeping them. */
bool tail_good(struct parser *p, const char *text, size_t len);
/* Sends the line on; false when the parse ends here. */
bool fast_emit(struct parser *p, const char *at, const struct shape *s,
               const struct quotes *q);
bool fast_emit_known(struct parser *p, const char *at, size_t series_len,
                     size_t name_len);
bool fast_too_long(const struct parser *p, const struct shape *s,
                   const struct quotes *q);

#endif
