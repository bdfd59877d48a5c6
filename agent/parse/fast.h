/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fast.h - lines that are proved good without reading them byte by byte.
 *
 * A shape is what lines of one family have in common: all bytes outside of
 * label values, from the name to the blank before the value, as the exact
 * grammar found them good once, with names that differ from each other.  A
 * line that has these very bytes between its quotes, no backslash and no byte
 * above ASCII, and a plain number, is good as well: the grammar's choice at
 * each byte depends on nothing else.  A model is a shape with its values'
 * lengths, so that a line nobody wants is proved good by comparing it with
 * the model's bytes at fixed places.  Everything that fails to fit goes the
 * exact way, so a miss costs time and never the truth.
 */
#ifndef AGENT_PARSE_FAST_H
#define AGENT_PARSE_FAST_H

#include "agent/parse/internal.h"

#define FAST_LINE     1024 /* longer lines go the exact way */
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

#define MODELS      128
#define MODEL_WAYS  4 /* places for models whose hash ends alike */
#define PASTS       4096
#define MODEL_WORDS 6 /* of 32 bytes */

struct model {
    uint32_t skeleton[MODEL_WORDS]; /* bytes that must be the model's */
    uint32_t inside[MODEL_WORDS];   /* bytes of values: any plain ones */
    uint64_t hash;                  /* of where its quotes are */
    uint16_t len;                   /* with the blank behind; 0: unused */
    uint8_t words;
    char text[MODEL_WORDS * 32];
};

struct fast {
    const char *(*lines)(struct parser *p, const char *at, const char *end);
    struct shape shapes[SHAPES];
    uint8_t current;
    uint8_t evict;
    bool try_known;
    uint32_t past; /* made of the models of the last lines */
    uint8_t model_evict;
    uint8_t next[PASTS]; /* the model that came after such a past */
    struct model models[MODELS];
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
    uint64_t hash; /* of where they are */
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
/* The line at `at`, which nobody wants, is good: skip its likes.  Returns the
 * place of its model. */
uint8_t model_learn(struct fast *f, const char *at, uint32_t len,
                    const struct quotes *q);
static inline uint32_t model_past(uint32_t past, uint8_t slot)
{
    return (past * 16U ^ slot * 5U) % PASTS;
}

/* The first of the places where a model with this hash may stand. */
static inline uint8_t model_set(uint64_t hash)
{
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return (uint8_t)((hash >> 32) % (MODELS / MODEL_WAYS) * MODEL_WAYS);
}

bool fast_too_long(const struct parser *p, const struct shape *s,
                   const struct quotes *q);

#endif
