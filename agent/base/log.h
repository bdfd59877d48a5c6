/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - one event a line on standard error, logfmt or JSON.
 *
 * An event has a stable name and fields:
 *     log_warn("scrape_failed", log_z("job", job), log_i("status", 500));
 * At info: one line per change of state, never one per scrape.  Whoever
 * decides what happens next logs; lower layers return errors.  Secrets have
 * no printer: never hand one to a field.
 */
#ifndef AGENT_BASE_LOG_H
#define AGENT_BASE_LOG_H

#include "agent/base/err.h"
#include "agent/base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };
enum log_format { LOG_LOGFMT, LOG_JSON };

struct log_field {
    const char *key; /* NULL ends a list */
    enum { LOG_TEXT, LOG_INT, LOG_NUM, LOG_BOOL } kind;
    struct str text;
    int64_t i;
    double num;
};

static inline struct log_field log_s(const char *key, struct str v)
{
    return (struct log_field){.key = key, .kind = LOG_TEXT, .text = v};
}

static inline struct log_field log_z(const char *key, const char *v)
{
    return log_s(key, str_of(v));
}

static inline struct log_field log_i(const char *key, int64_t v)
{
    return (struct log_field){.key = key, .kind = LOG_INT, .i = v};
}

static inline struct log_field log_n(const char *key, double v)
{
    return (struct log_field){.key = key, .kind = LOG_NUM, .num = v};
}

static inline struct log_field log_b(const char *key, bool v)
{
    return (struct log_field){.key = key, .kind = LOG_BOOL, .i = v};
}

static inline struct log_field log_err(const struct err *e)
{
    return log_z("error", e->text);
}

#define LOG_END ((struct log_field){.key = NULL})

/* The variable arguments are struct log_field, the last one LOG_END. */
void log_write(enum log_level level, const char *event, ...);

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__, LOG_END)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__, LOG_END)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__, LOG_END)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__, LOG_END)

void log_setup(enum log_level least, enum log_format format);
bool log_level_parse(struct str s, enum log_level *level);
bool log_format_parse(struct str s, enum log_format *format);

/* Where lines go instead of standard error; for tests.  NULL restores. */
typedef void log_writer_fn(void *arg, struct str line);
void log_divert(log_writer_fn *writer, void *arg);
/* The wall clock for the time field; by default the system's. */
void log_clock(int64_t (*wall_ms)(void *arg), void *arg);

#endif
