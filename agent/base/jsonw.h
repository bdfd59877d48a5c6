/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jsonw.h - writes JSON onto a buffer as it goes; no tree is built.
 *
 * Commas are its business.  In an object every value is preceded by
 * jsonw_key().  Text is escaped; bytes that are no UTF-8 become U+FFFD.
 */
#ifndef AGENT_BASE_JSONW_H
#define AGENT_BASE_JSONW_H

#include "agent/base/buf.h"

struct jsonw {
    struct buf *out;
    bool comma;     /* the next value needs one in front */
    bool after_key; /* the next value belongs to a key */
    int indent;     /* 0: compact; else blanks a level */
    int depth;
};

void jsonw_init(struct jsonw *w, struct buf *out, int indent);
void jsonw_object(struct jsonw *w);
void jsonw_object_end(struct jsonw *w);
void jsonw_array(struct jsonw *w);
void jsonw_array_end(struct jsonw *w);
void jsonw_key(struct jsonw *w, const char *key);
void jsonw_keys(struct jsonw *w, struct str key);
void jsonw_text(struct jsonw *w, struct str s);
void jsonw_textz(struct jsonw *w, const char *z);
void jsonw_int(struct jsonw *w, int64_t v);
void jsonw_num(struct jsonw *w, double v); /* NaN and Inf become null */
void jsonw_bool(struct jsonw *w, bool v);
void jsonw_null(struct jsonw *w);
void jsonw_raw(struct jsonw *w, struct str json); /* already JSON */

#endif
