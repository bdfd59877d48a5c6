/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/num.h"
#include "agent/parse/internal.h"

#include <math.h>
#include <stdio.h>

/* The byte that an escape means; false where the pair stays as it is. */
static bool unescape(char c, bool quotes, char *out)
{
    if (c != 'n' && c != '\\' && !(c == '"' && quotes))
        return false;
    *out = c;
    if (c == 'n')
        *out = '\n';
    return true;
}

struct str decode_escapes(struct str s, bool quotes, struct arena *a)
{
    char *out;
    size_t n = 0;

    if (s.len == 0 || memchr(s.ptr, '\\', s.len) == NULL)
        return s;
    out = arena_alloc(a, s.len);
    for (size_t i = 0; i < s.len; i++) {
        out[n] = s.ptr[i];
        if (s.ptr[i] == '\\' && i + 1 < s.len &&
            unescape(s.ptr[i + 1], quotes, &out[n]))
            i++;
        n++;
    }
    return str_n(out, n);
}

struct str names_decode(const char *text, size_t len, bool escaped,
                        struct arena *a)
{
    const struct str s = str_n(text, len);

    return escaped ? decode_escapes(s, true, a) : s;
}

/* Plain digits of a number from 1e6 on with an exponent of two digits, as Go's
 * 'g' has it: 12500000 is 1.25e+07. */
static size_t scientific(char *text, size_t n)
{
    char *first = text + (*text == '-');
    char *dot = memchr(text, '.', n);
    const size_t whole = (size_t)((dot ? dot : text + n) - first);
    char *end = text + n;

    memmove(first + 2, first + 1, whole - 1); /* over the dot, if any */
    first[1] = '.';
    if (dot == NULL)
        end++;
    while (end[-1] == '0')
        end--;
    if (end[-1] == '.')
        end--;
    return (size_t)(end - text) + (size_t)sprintf(end, "e+%02zu", whole - 1);
}

/*
 * A bound as OpenMetrics writes it ("Canonical Numbers"): 1.0, +Inf, 1e+06.
 * Prometheus 3 rewrites le and quantile so (docs/migration.md).
 */
static struct str bound(struct str s, struct arena *a)
{
    char text[NUM_MAX + 2];
    double v;
    size_t n;

    if (!num_parse_go(s, &v))
        return s;
    if (isnan(v))
        return STR("NaN");
    if (isinf(v))
        return v > 0 ? STR("+Inf") : STR("-Inf");
    n = num_general(v, text);
    if (fabs(v) >= 1e6 && !memchr(text, 'e', n))
        n = scientific(text, n);
    if (!memchr(text, '.', n) && !memchr(text, 'e', n)) {
        text[n++] = '.';
        text[n++] = '0';
    }
    return arena_str(a, str_n(text, n));
}

static bool is_bound(enum parse_type type, struct str name)
{
    return (type == PARSE_HISTOGRAM && str_eq(name, STR("le"))) ||
           (type == PARSE_SUMMARY && str_eq(name, STR("quantile")));
}

/* Prometheus leaves out every label of a name that has an empty value. */
static void drop_empty(struct parser *p, struct labels_builder *b)
{
    const struct line *l = &p->line;

    for (size_t i = 0; i < l->label_count; i++) {
        const struct line_label *t = &l->labels[i];

        if (t->value_len == 0)
            labels_drop(b, names_decode(l->text + t->name_at, t->name_len,
                                        t->name_escaped, &p->arena));
    }
}

void parse_labels(const struct parse_sample *s, struct labels_builder *b)
{
    struct parser *p = s->parser;
    const struct line *l = &p->line;
    bool empty = false;

    if (!l->labels_read)
        line_labels(p);
    labels_set(b, LABEL_NAME, s->name);
    for (size_t i = 0; i < l->label_count; i++) {
        const struct line_label *t = &l->labels[i];
        const struct str name = names_decode(l->text + t->name_at, t->name_len,
                                             t->name_escaped, &p->arena);
        struct str value = names_decode(l->text + t->value_at, t->value_len,
                                        t->value_escaped, &p->arena);

        if (is_bound(s->type, name))
            value = bound(value, &p->arena);
        empty |= value.len == 0;
        labels_set(b, name, value);
    }
    if (empty)
        drop_empty(p, b);
}
