/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jsonr.h - typed reads from a json-c tree, with the path in every error.
 */
#ifndef AGENT_BASE_JSONR_H
#define AGENT_BASE_JSONR_H

#include "agent/base/err.h"
#include "agent/base/str.h"

struct json_object;

/* Parses `text` whole (one value, nothing behind it; depth at most 32).  The
 * tree is the caller's: json_object_put(). */
must_check bool jsonr_parse(struct str text, struct json_object **out,
                            struct err *err);
/* The member, or NULL when it is absent or null or `o` is no object. */
struct json_object *jsonr_get(struct json_object *o, const char *key);
/* What is read is lent by the tree.  A member that is absent or of another
 * type is an error that names it. */
must_check bool jsonr_text(struct json_object *o, const char *key,
                           struct str *out, struct err *err);
must_check bool jsonr_int(struct json_object *o, const char *key, int64_t *out,
                          struct err *err);
struct str jsonr_text_or(struct json_object *o, const char *key,
                         struct str otherwise);

#endif
