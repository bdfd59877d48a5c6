/* SPDX-License-Identifier: Apache-2.0 */
/*
 * when.h - time as a value.
 *
 * Pure code takes time as an argument; agent/io/loop.h is the only reader of
 * a clock.  All durations and stamps are int64_t milliseconds; stamps count
 * from 1970-01-01 UTC without leap seconds.
 */
#ifndef AGENT_BASE_WHEN_H
#define AGENT_BASE_WHEN_H

#include "agent/base/err.h"
#include "agent/base/str.h"

struct now {
    int64_t mono_ms; /* for intervals and deadlines; never steps */
    int64_t wall_ms; /* for stamps; may step either way */
};

#define WHEN_SECOND INT64_C(1000)
#define WHEN_MINUTE (60 * WHEN_SECOND)
#define WHEN_HOUR   (60 * WHEN_MINUTE)
#define WHEN_DAY    (24 * WHEN_HOUR)

#define WHEN_TEXT 40 /* room for each text below, with its NUL */

/* "15s", "1m30s", "500ms", "2h", "0"; units d h m s ms, each once, in this
 * order.  False for anything else or over 100 years. */
bool when_duration_parse(struct str s, int64_t *ms);
/* The same way round: 90000 gives "1m30s", 0 gives "0s". */
void when_duration_format(int64_t ms, char out[WHEN_TEXT]);
/* 2026-11-24T17:07:00Z, with .123 only when there are milliseconds. */
void when_rfc3339(int64_t wall_ms, char out[WHEN_TEXT]);
bool when_rfc3339_parse(struct str s, int64_t *wall_ms);
/* 20261124T170700Z, as SigV4 writes it (RFC: ISO 8601 basic). */
void when_iso_basic(int64_t wall_ms, char out[WHEN_TEXT]);
/* The three forms of RFC 9110 section 5.6.7. */
bool when_http_date_parse(struct str s, int64_t *wall_ms);
void when_http_date(int64_t wall_ms, char out[WHEN_TEXT]);

#endif
