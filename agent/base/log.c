/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/log.h"

#include "agent/base/jsonw.h"
#include "agent/base/num.h"
#include "agent/base/when.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_LINE ((size_t)16 * 1024)
#define FIELDS_MAX   32 /* more than any event has */

static const char *const level_names[] = {"debug", "info", "warn", "error",
                                          "off"};

/* The only state in this folder: a process has one standard error. */
static struct {
    enum log_level least;
    enum log_format format;
    log_writer_fn *writer;
    void *writer_arg;
    int64_t (*wall_ms)(void *arg);
    void *wall_arg;
} setup = {.least = LOG_INFO};

void log_setup(enum log_level least, enum log_format format)
{
    setup.least = least;
    setup.format = format;
}

void log_divert(log_writer_fn *writer, void *arg)
{
    setup.writer = writer;
    setup.writer_arg = arg;
}

void log_clock(int64_t (*wall_ms)(void *arg), void *arg)
{
    setup.wall_ms = wall_ms;
    setup.wall_arg = arg;
}

bool log_level_parse(struct str s, enum log_level *level)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++)
        if (str_eqz(s, level_names[i])) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

bool log_format_parse(struct str s, enum log_format *format)
{
    if (str_eqz(s, "logfmt"))
        *format = LOG_LOGFMT;
    else if (str_eqz(s, "json"))
        *format = LOG_JSON;
    else
        return false;
    return true;
}

static int64_t wall_now(void)
{
    struct timespec t;

    if (setup.wall_ms)
        return setup.wall_ms(setup.wall_arg);
    if (clock_gettime(CLOCK_REALTIME, &t) != 0)
        return 0;
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool needs_quotes(struct str s)
{
    if (s.len == 0 || !str_utf8(s))
        return true;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7F)
            return true;
    }
    return false;
}

/* Quoted text is a JSON string: one set of escapes for both formats. */
static void put_text(struct buf *out, struct str s)
{
    struct jsonw w;

    if (!needs_quotes(s)) {
        buf_adds(out, s);
        return;
    }
    jsonw_init(&w, out, 0);
    jsonw_text(&w, s);
}

static void put_logfmt(struct buf *out, const struct log_field *f)
{
    char text[NUM_MAX];

    buf_addf(out, "%s%s=", out->len ? " " : "", f->key);
    switch (f->kind) {
    case LOG_TEXT:
        put_text(out, f->text);
        break;
    case LOG_INT:
        buf_addf(out, "%" PRId64, f->i);
        break;
    case LOG_NUM:
        buf_adds(out, str_n(text, num_json(f->num, text)));
        break;
    case LOG_BOOL:
        buf_addz(out, f->i ? "true" : "false");
        break;
    }
}

static void put_json(struct jsonw *w, const struct log_field *f)
{
    jsonw_key(w, f->key);
    switch (f->kind) {
    case LOG_TEXT:
        jsonw_text(w, f->text);
        break;
    case LOG_INT:
        jsonw_int(w, f->i);
        break;
    case LOG_NUM:
        jsonw_num(w, f->num);
        break;
    case LOG_BOOL:
        jsonw_bool(w, f->i);
        break;
    }
}

static void render(struct buf *out, const struct log_field *fields, size_t n)
{
    struct jsonw w;

    if (setup.format == LOG_LOGFMT) {
        for (size_t i = 0; i < n; i++)
            put_logfmt(out, &fields[i]);
        return;
    }
    jsonw_init(&w, out, 0);
    jsonw_object(&w);
    for (size_t i = 0; i < n; i++)
        put_json(&w, &fields[i]);
    jsonw_object_end(&w);
}

/* One write a line, so that lines of two processes do not mix. */
static void emit(struct buf *line)
{
    if (setup.writer) {
        setup.writer(setup.writer_arg, buf_str(line));
        return;
    }
    line->max++; /* a line that just fits still ends in one */
    buf_addc(line, '\n');
    while (write(STDERR_FILENO, line->data, line->len) < 0 && errno == EINTR)
        continue;
}

static void write_line(const struct log_field *fields, size_t n)
{
    struct buf line;

    buf_init(&line, LONGEST_LINE);
    render(&line, fields, n);
    if (!buf_ok(&line)) { /* keep what names the event, drop the rest */
        buf_reset(&line);
        render(&line, fields, n < 3 ? n : 3);
    }
    if (line.len)
        emit(&line);
    buf_fini(&line);
}

void log_write(enum log_level level, const char *event, ...)
{
    struct log_field fields[FIELDS_MAX];
    char time[WHEN_TEXT];
    size_t n = 0;
    va_list ap;

    if (level < setup.least)
        return;
    when_rfc3339(wall_now(), time);
    fields[n++] = log_z("time", time);
    fields[n++] = log_z("level", level_names[level]);
    fields[n++] = log_z("event", event);
    va_start(ap, event);
    while (n < FIELDS_MAX) {
        fields[n] = va_arg(ap, struct log_field);
        if (!fields[n].key)
            break;
        n++;
    }
    va_end(ap);
    write_line(fields, n);
}
