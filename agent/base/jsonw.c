/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/jsonw.h"

#include "agent/base/num.h"

#include <inttypes.h>
#include <math.h>

void jsonw_init(struct jsonw *w, struct buf *out, int indent)
{
    *w = (struct jsonw){.out = out, .indent = indent};
}

static void new_line(struct jsonw *w)
{
    if (!w->indent)
        return;
    buf_addc(w->out, '\n');
    for (int i = 0; i < w->indent * w->depth; i++)
        buf_addc(w->out, ' ');
}

/* What stands between one value, or one member, and the next. */
static void separate(struct jsonw *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->comma)
        buf_addc(w->out, ',');
    if (w->depth)
        new_line(w);
}

static void open(struct jsonw *w, char bracket)
{
    separate(w);
    buf_addc(w->out, bracket);
    w->comma = false;
    w->depth++;
}

static void close(struct jsonw *w, char bracket)
{
    w->depth--;
    if (w->comma)
        new_line(w);
    buf_addc(w->out, bracket);
    w->comma = true;
}

void jsonw_object(struct jsonw *w)
{
    open(w, '{');
}

void jsonw_object_end(struct jsonw *w)
{
    close(w, '}');
}

void jsonw_array(struct jsonw *w)
{
    open(w, '[');
}

void jsonw_array_end(struct jsonw *w)
{
    close(w, ']');
}

/* RFC 8259, section 7; DEL as well, for the sake of terminals. */
static void put_control(struct buf *out, unsigned char c)
{
    static const char names[] = "\b\t\n\f\r";
    size_t at = str_find(str_of(names), (char)c);

    if (at < sizeof(names) - 1)
        buf_addf(out, "\\%c", "btnfr"[at]);
    else
        buf_addf(out, "\\u%04x", c);
}

static bool plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

static size_t plain_run(struct str s)
{
    size_t n = 0;

    while (n < s.len && plain((unsigned char)s.ptr[n]))
        n++;
    return n;
}

/* One character that is not plain; how many bytes it took. */
static size_t put_odd(struct buf *out, struct str s)
{
    unsigned char c = (unsigned char)s.ptr[0];
    size_t n = str_rune(s, NULL);

    if (c == '"' || c == '\\')
        buf_addf(out, "\\%c", c);
    else if (c < 0x20 || c == 0x7F)
        put_control(out, c);
    else if (n == 0)
        buf_addz(out, "\xEF\xBF\xBD");
    else
        buf_add(out, s.ptr, n);
    return n ? n : 1;
}

static void put_text(struct buf *out, struct str s)
{
    buf_addc(out, '"');
    while (s.len) {
        size_t n = plain_run(s);

        buf_add(out, s.ptr, n);
        s = str_from(s, n);
        if (s.len)
            s = str_from(s, put_odd(out, s));
    }
    buf_addc(out, '"');
}

void jsonw_key(struct jsonw *w, const char *key)
{
    jsonw_keys(w, str_of(key));
}

void jsonw_keys(struct jsonw *w, struct str key)
{
    separate(w);
    put_text(w->out, key);
    buf_addz(w->out, w->indent ? ": " : ":");
    w->after_key = true;
}

void jsonw_text(struct jsonw *w, struct str s)
{
    separate(w);
    put_text(w->out, s);
    w->comma = true;
}

void jsonw_textz(struct jsonw *w, const char *z)
{
    jsonw_text(w, str_of(z));
}

void jsonw_raw(struct jsonw *w, struct str json)
{
    separate(w);
    buf_adds(w->out, json);
    w->comma = true;
}

void jsonw_int(struct jsonw *w, int64_t v)
{
    separate(w);
    buf_addf(w->out, "%" PRId64, v);
    w->comma = true;
}

void jsonw_num(struct jsonw *w, double v)
{
    char text[NUM_MAX];

    if (isfinite(v))
        jsonw_raw(w, str_n(text, num_json(v, text)));
    else
        jsonw_null(w);
}

void jsonw_bool(struct jsonw *w, bool v)
{
    jsonw_raw(w, v ? STR("true") : STR("false"));
}

void jsonw_null(struct jsonw *w)
{
    jsonw_raw(w, STR("null"));
}
