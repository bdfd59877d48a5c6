/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.h - a file of samples as a store to be queried.
 *
 * An exposition may hold many samples of a series, with timestamps, in any
 * order; of two with the same time the first counts, as in a scrape.  Those
 * without a timestamp get the time that is given when the store is taken.
 */
#ifndef AGENT_PROMQL_LOAD_H
#define AGENT_PROMQL_LOAD_H

#include "agent/base/err.h"
#include "agent/parse/parse.h"
#include "agent/store/store.h"

struct load;

struct load *load_new(void);
void load_free(struct load *l); /* the store is freed unless it was taken */
/* One whole body; may be called for several.  The error begins with
 * "LINE:COL: ". */
must_check bool load_text(struct load *l, struct str text,
                          enum parse_format format, struct err *err);
size_t load_samples(const struct load *l);
/* The newest timestamp; false when no sample has one. */
bool load_newest(const struct load *l, int64_t *t_ms);
struct store *load_take(struct load *l, int64_t untimed_ms);

#endif
