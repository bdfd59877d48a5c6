/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exact grammar of a sample's line, in both formats.  The lexical rules
 * are those of prometheus/prometheus model/textparse, promlex.l and
 * openmetricslex.l.
 */
#include "agent/base/mem.h"
#include "agent/parse/chars.h"
#include "agent/parse/internal.h"
#include "agent/parse/number.h"

#include <math.h>

/* One reading of a line; end is its LF. */
struct cursor {
    struct parser *p;
    struct line *l;
    const char *at, *end;
    bool blanks; /* any run of blanks may stand between tokens */
    bool open;   /* the line ends inside a string */
};

static bool bad(struct cursor *c, const char *at, const char *what)
{
    return fault_at(c->p, c->l->text, (size_t)(at - c->l->text), ERR_INPUT,
                    "%s", what);
}

static bool bad_text(struct cursor *c, const char *at, size_t len,
                     const char *what)
{
    struct excerpt e;

    return fault_at(c->p, c->l->text, (size_t)(at - c->l->text), ERR_INPUT,
                    "\"%s\" %s", excerpt(&e, at, len), what);
}

/* Something else stands, or nothing, where `what` was expected. */
static bool unexpected(struct cursor *c, const char *at, const char *what)
{
    const size_t place = (size_t)(at - c->l->text);
    struct excerpt e;

    if (at == c->end)
        return fault_at(c->p, c->l->text, place, ERR_INPUT,
                        "the line ends where %s was expected", what);
    return fault_at(c->p, c->l->text, place, ERR_INPUT,
                    "\"%s\" stands where %s was expected", excerpt(&e, at, 1),
                    what);
}

static uint32_t offset(const struct cursor *c, const char *at)
{
    return (uint32_t)(at - c->l->text);
}

static void odd(struct cursor *c, enum line_odd what, const char *at)
{
    if (c->l->odd_at[what] == 0)
        c->l->odd_at[what] = 1 + offset(c, at);
}

static void skip_blanks(struct cursor *c)
{
    if (!c->blanks)
        return;
    while (is_blank(*c->at))
        c->at++;
}

/* At a backslash; goes to the byte behind it, whatever it is. */
static bool escape(struct cursor *c, bool *escaped)
{
    *escaped = true;
    if (++c->at == c->end || *c->at == '\n')
        return bad(c, c->at - 1, "a backslash ends the line");
    if (*c->at != '\\' && *c->at != '"' && *c->at != 'n')
        odd(c, ODD_ESCAPE, c->at - 1);
    return true;
}

/*
 * From behind the opening quote to the closing one.  NUL is a byte like any
 * other in a label's value and nowhere else; a raw LF belongs to the string
 * in Prometheus text, and in the name of a metric or label.
 */
static bool string(struct cursor *c, bool is_value, bool *escaped)
{
    const char *quote = c->at - 1;
    const bool lf_is_text = c->blanks || !is_value;

    for (; c->at < c->end; c->at++) {
        const char b = *c->at;

        if (b == '"')
            return true;
        if (b == '\n' && !lf_is_text)
            break;
        if (b == '\0' && !is_value)
            return bad(c, c->at, "a name holds a NUL byte");
        if (b == '\n')
            odd(c, ODD_LF, c->at);
        if (b == '\\' && !escape(c, escaped))
            return false;
    }
    if (c->at == c->end && lf_is_text && !c->p->complete) {
        c->open = true; /* more may come */
        return false;
    }
    return bad(c, quote, "the string has no closing quote");
}

/* Those of an exemplar stand behind those of its sample. */
static void label_keep(struct line *l, const struct line_label *t,
                       bool exemplar)
{
    const size_t count = l->label_count + l->exemplar_count;

    xgrow(&l->labels, &l->label_cap, count, sizeof(*l->labels));
    l->labels[count] = *t;
    *(exemplar ? &l->exemplar_count : &l->label_count) += 1;
}

static bool utf8(struct cursor *c, const char *from, const char *what)
{
    const struct str s = str_n(from, (size_t)(c->at - from));

    if (str_utf8(s))
        return true;
    return bad_text(c, from, s.len, what);
}

/* Takes a name, quoted or not; `t` gets its place. */
static bool label_name(struct cursor *c, struct line_label *t, bool *quoted)
{
    const char *from = c->at;

    *quoted = *from == '"';
    if (*quoted) {
        odd(c, ODD_QUOTED, from);
        from = ++c->at;
        if (!string(c, false, &t->name_escaped) ||
            !utf8(c, from, "is not valid UTF-8: names must be"))
            return false;
    } else if (!is_label_start(*from)) {
        return unexpected(c, from, "a label name or }");
    } else {
        while (is_label_char(*c->at))
            c->at++;
    }
    t->name_at = offset(c, from);
    t->name_len = (uint32_t)(c->at - from);
    c->at += *quoted;
    return true;
}

static bool label_value(struct cursor *c, struct line_label *t)
{
    const char *from;

    if (*c->at != '=')
        return unexpected(c, c->at, "= after a label name");
    c->at++;
    skip_blanks(c);
    if (*c->at != '"')
        return bad(c, c->at, "a label value must stand in quotes");
    from = ++c->at;
    if (!string(c, true, &t->value_escaped) ||
        !utf8(c, from, "is not valid UTF-8: label values must be"))
        return false;
    t->value_at = offset(c, from);
    t->value_len = (uint32_t)(c->at - from);
    c->at++;
    return true;
}

/* A quoted string in braces without a value is the metric's name. */
static bool quoted_name(struct cursor *c, const struct line_label *t)
{
    struct line *l = c->l;

    if (l->name_quoted || l->name_len > 0)
        return bad(c, l->text + t->name_at - 1,
                   "the metric name was already given");
    if (t->name_len == 0)
        return bad(c, l->text + t->name_at - 1, "the metric name is empty");
    l->name_quoted = true;
    l->name_escaped = t->name_escaped;
    l->name_at = t->name_at;
    l->name_len = t->name_len;
    return true;
}

/* What follows a label or a name: a comma, or the brace that ends it all. */
static bool separator(struct cursor *c)
{
    skip_blanks(c);
    if (*c->at == ',') {
        c->at++;
        skip_blanks(c);
        if (*c->at == '}')
            odd(c, ODD_LAST_COMMA, c->at - 1);
        return true;
    }
    if (*c->at != '}')
        odd(c, ODD_NO_COMMA, c->at);
    if (c->blanks || *c->at == '}')
        return true; /* Prometheus' lexer lets the comma be left out */
    return unexpected(c, c->at, "a comma or }");
}

static bool one_label(struct cursor *c, bool exemplar)
{
    struct line_label t = {0};
    bool quoted;

    if (!label_name(c, &t, &quoted))
        return false;
    skip_blanks(c);
    if (quoted && !exemplar && (*c->at == ',' || *c->at == '}'))
        return quoted_name(c, &t) && separator(c);
    if (!label_value(c, &t))
        return false;
    label_keep(c->l, &t, exemplar);
    return separator(c);
}

/* From behind { to behind }. */
static bool braces(struct cursor *c, bool exemplar)
{
    skip_blanks(c);
    while (*c->at != '}') {
        if (!one_label(c, exemplar))
            return false;
    }
    c->at++;
    return true;
}

static bool series(struct cursor *c)
{
    struct line *l = c->l;
    const char *from = c->at;

    if (!is_name_start(*from) && *from != '{')
        return unexpected(c, from, "a metric name");
    while (is_name_char(*c->at))
        c->at++;
    l->series_at = l->name_at = offset(c, from);
    l->name_len = (uint32_t)(c->at - from);
    l->series_len = l->name_len;
    skip_blanks(c);
    if (*c->at == '{') {
        c->at++;
        if (!braces(c, false))
            return false;
        l->series_len = offset(c, c->at) - l->series_at;
    }
    if (l->name_len == 0)
        return bad(c, from, "the metric has no name");
    return true;
}

static bool number(struct cursor *c, double *out, const char *what)
{
    const char *from = c->at;

    while (c->at < c->end && *c->at != ' ' &&
           !(c->blanks && (*c->at == '\t' || *c->at == '{' || !*c->at)))
        c->at++;
    if (c->at == from)
        return unexpected(c, from, what);
    if (!number_read(from, (size_t)(c->at - from), out))
        return bad_text(c, from, (size_t)(c->at - from),
                        c->at[-1] == '\r'
                            ? "ends in a carriage return: lines end in a line "
                              "feed alone"
                            : "is not a number that fits a float");
    return true;
}

#define WANT_VALUE "a value"

/* OpenMetrics, section "Timestamps": seconds; Prometheus cuts to ms. */
static bool seconds(struct cursor *c, int64_t *out)
{
    const char *from = c->at;
    double s = 0;

    if (!number(c, &s, "a timestamp"))
        return false;
    if (!isfinite(s))
        return bad_text(c, from, (size_t)(c->at - from),
                        "is not a timestamp in seconds");
    *out = number_to_int64(s * 1000.0);
    return true;
}

static bool exemplar(struct cursor *c)
{
    double value;
    int64_t t_ms;

    c->at += 4;
    c->l->has_exemplar = true;
    if (!braces(c, true))
        return false;
    if (*c->at != ' ')
        return bad(c, c->at, "the exemplar has no value");
    c->at++;
    if (!number(c, &value, WANT_VALUE))
        return false;
    if (*c->at == ' ') {
        c->at++;
        return seconds(c, &t_ms);
    }
    return true;
}

static bool at_exemplar(const struct cursor *c)
{
    return c->end - c->at >= 4 && memcmp(c->at, " # {", 4) == 0;
}

static bool ends(struct cursor *c)
{
    if (c->at == c->end)
        return true;
    return bad_text(c, c->at, (size_t)(c->end - c->at),
                    "stands behind the end of the sample");
}

static bool openmetrics_rest(struct cursor *c)
{
    struct line *l = c->l;

    if (*c->at != ' ')
        return bad_text(c, c->at, c->at < c->end ? 1 : 0,
                        "stands where one blank and a value were expected");
    l->value_at = offset(c, ++c->at);
    if (!number(c, &l->value, WANT_VALUE))
        return false;
    l->value_len = offset(c, c->at) - l->value_at;
    if (*c->at == ' ' && !at_exemplar(c)) {
        c->at++;
        l->has_time = true;
        if (!seconds(c, &l->t_ms))
            return false;
    }
    if (at_exemplar(c) && !exemplar(c))
        return false;
    return ends(c);
}

static bool milliseconds(struct cursor *c)
{
    const char *from = c->at;

    while (is_digit(*c->at))
        c->at++;
    c->l->has_time = true;
    if (!str_int(str_n(from, (size_t)(c->at - from)), &c->l->t_ms))
        return bad_text(c, from, (size_t)(c->at - from),
                        "is too large for a timestamp in milliseconds");
    return true;
}

static bool prometheus_rest(struct cursor *c)
{
    struct line *l = c->l;

    skip_blanks(c);
    l->value_at = offset(c, c->at);
    if (!number(c, &l->value, WANT_VALUE))
        return false;
    l->value_len = offset(c, c->at) - l->value_at;
    skip_blanks(c);
    if (c->at < c->end && !is_digit(*c->at))
        return bad_text(c, c->at, (size_t)(c->end - c->at),
                        "stands where a timestamp in whole milliseconds was "
                        "expected");
    if (c->at < c->end && !milliseconds(c))
        return false;
    skip_blanks(c);
    return ends(c);
}

static bool sample(struct cursor *c)
{
    if (!series(c))
        return false;
    return c->blanks ? prometheus_rest(c) : openmetrics_rest(c);
}

static void line_start(struct parser *p, const char *text, size_t len)
{
    struct line *l = &p->line;
    struct line_label *labels = l->labels;
    const size_t cap = l->label_cap;

    *l = (struct line){
        .text = text, .len = len, .labels = labels, .label_cap = cap};
    arena_reset(&p->arena);
}

void line_labels(struct parser *p)
{
    struct line *l = &p->line;
    struct cursor c = {p, l, l->text + l->series_at, NULL, false, false};

    c.end = c.at + l->series_len;
    c.blanks = p->o.format == PARSE_PROMETHEUS;
    l->label_count = l->exemplar_count = 0;
    l->name_len = 0;
    l->name_quoted = false;
    (void)series(&c); /* it was read before */
    l->labels_read = true;
}

enum line_result line_read(struct parser *p, const char *text, size_t len)
{
    struct cursor c = {p, &p->line, text, text + len, false, false};

    c.blanks = p->o.format == PARSE_PROMETHEUS;
    line_start(p, text, len);
    skip_blanks(&c);
    if (*c.at == '#')
        return meta_read(p, text, len, (size_t)(c.at - text));
    if (c.blanks && c.at == c.end)
        return LINE_GOOD;
    if (c.blanks && *c.at == '\0') {
        p->ended = true; /* promlex.l takes a NUL here for the end */
        return LINE_GOOD;
    }
    if (sample(&c) && names_check(p, &p->line))
        return emit_line(p) ? LINE_GOOD : LINE_BAD;
    return c.open ? LINE_OPEN : LINE_BAD;
}
