/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body.h - the body of an answer, a piece at a time: unpack, count, parse.
 *
 * Memory does not grow with the body.
 */
#ifndef AGENT_SCRAPE_BODY_H
#define AGENT_SCRAPE_BODY_H

#include "agent/base/gzip.h"
#include "agent/scrape/ingest.h"

struct body {
    struct ingest *ingest;
    const struct parse_filter *wanted; /* NULL: all */
    struct gunzip *gunzip;             /* NULL: comes plain */
    struct parser *parser;             /* NULL before body_begin() */
    uint64_t wire_bytes, bytes;        /* as received, unpacked */
};

/* The head of the answer is in; `ingest` and `wanted` are set. */
must_check bool body_begin(struct body *b, const struct http_response *head,
                           struct err *err);
must_check bool body_feed(struct body *b, struct str piece, struct err *err);
/* All has come: false where it stops too early. */
must_check bool body_end(struct body *b, struct err *err);
void body_fini(struct body *b);
/* Samples in the body so far, wanted or not. */
uint64_t body_samples(const struct body *b);

#endif
