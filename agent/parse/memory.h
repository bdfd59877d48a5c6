/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.h - the series of the last good body, in order.
 *
 * Texts stand front-coded: an entry holds how many bytes it shares with the
 * text before it, and the rest.  While a body repeats the last one, entry
 * after entry is compared in place and nothing is written; from the first
 * difference on a second list grows, which replaces the first when the body
 * turns out good.
 */
#ifndef AGENT_PARSE_MEMORY_H
#define AGENT_PARSE_MEMORY_H

#include "agent/base/buf.h"
#include "agent/parse/parse.h"

/* Readable bytes behind an entry, and behind recall.last. */
#define MEMORY_PAD 64

struct memory_list {
    unsigned char *data;
    size_t len, cap;
    size_t count;
};

/* The head of an entry; `rest` bytes of text and padding follow. */
struct memory_entry {
    void *known;
    uint16_t shared; /* bytes in common with the text before */
    uint16_t rest;
    uint16_t name_len;
    uint8_t type;
    uint8_t pad;
};

struct parse_memory {
    struct memory_list list;
    enum parse_format format;
    bool strict;
    bool used; /* format and strict say something */
};

/* How one body goes along the memory. */
struct recall {
    struct parse_memory *memory; /* NULL: none */
    size_t at;                   /* of memory->list: the entry expected next */
    size_t index;                /* its number */
    struct str last;             /* text of the last wanted series */
    struct buf last_copy;        /* holds it between pieces */
    bool differs;                /* `fresh` counts */
    struct memory_list fresh;
    struct buf expect; /* differs: text of the entry at `at` */
    uint32_t misses;   /* in a row */
};

void recall_start(struct recall *r, struct parse_memory *m,
                  const struct parse_options *o);
void recall_fini(struct recall *r);
/* The body was good: what it had is the memory now. */
void recall_commit(struct recall *r);
/* `last` must survive the bytes it points at. */
void recall_keep(struct recall *r);

static inline const struct memory_entry *recall_next(const struct recall *r)
{
    if (r->memory == NULL || r->at == r->memory->list.len)
        return NULL;
    return (const struct memory_entry *)(const void *)(r->memory->list.data +
                                                       r->at);
}

static inline size_t memory_entry_bytes(const struct memory_entry *e)
{
    return (sizeof(*e) + e->rest + 7) & ~(size_t)7;
}

/* The place of `text` in the list, entered now if need be.  `*found`: it was
 * recognised.  NULL without memory, for a text that is too long to remember,
 * and for one that holds an LF. */
void **recall_place(struct recall *r, struct str text, size_t name_len,
                    enum parse_type type, bool *found);

/* After comparing entry and text oneself, while !differs: steps over it. */
static inline void **recall_step(struct recall *r, struct str text)
{
    struct memory_entry *e =
        (struct memory_entry *)(void *)(r->memory->list.data + r->at);

    r->at += memory_entry_bytes(e);
    r->index++;
    r->last = text;
    return &e->known;
}

#endif
