/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that begin with '#': metadata, comments, and the end of OpenMetrics.
 */
#include "agent/parse/chars.h"
#include "agent/parse/internal.h"
#include "agent/parse/lint.h"
#include "agent/parse/strict.h"

struct comment {
    struct parser *p;
    const char *text; /* the line */
    const char *at, *end;
    bool prometheus;
    struct parse_meta meta;
    size_t name_at;
};

static bool bad(struct comment *c, const char *at, const char *what)
{
    return fault_at(c->p, c->text, (size_t)(at - c->text), ERR_INPUT, "%s",
                    what);
}

static bool gap(const struct comment *c, const char *at)
{
    return *at == ' ' || (c->prometheus && *at == '\t');
}

static void skip_gap(struct comment *c)
{
    c->at++;
    while (c->prometheus && is_blank(*c->at))
        c->at++;
}

/* HELP, TYPE or UNIT and what separates it from the name. */
static bool keyword(struct comment *c)
{
    static const char *const words[] = {
        [PARSE_HELP] = "HELP", [PARSE_TYPE] = "TYPE", [PARSE_UNIT] = "UNIT"};
    const size_t count = c->prometheus ? PARSE_UNIT : PARSE_UNIT + 1;

    for (size_t i = 0; i < count; i++) {
        if (c->end - c->at < 5 || memcmp(c->at, words[i], 4) != 0 ||
            !gap(c, c->at + 4))
            continue;
        c->meta.kind = (enum parse_meta_kind)i;
        c->at += 4;
        skip_gap(c);
        return true;
    }
    return false;
}

/* A name in quotes; false with `*open` where the line ends inside it. */
static bool quoted(struct comment *c, bool *open)
{
    const char *from = c->at++;

    for (; c->at < c->end && *c->at != '"'; c->at++) {
        if (*c->at == '\0')
            return bad(c, c->at, "a name holds a NUL byte");
        if (*c->at != '\\')
            continue;
        if (++c->at == c->end || *c->at == '\n')
            return bad(c, c->at - 1, "a backslash ends the line");
    }
    if (c->at == c->end) {
        *open = !c->p->complete;
        return *open ? false : bad(c, from, "the string has no closing quote");
    }
    c->name_at++;
    c->meta.name = decode_escapes(str_n(from + 1, (size_t)(c->at - from - 1)),
                                  true, &c->p->arena);
    c->at++;
    return true;
}

static bool name(struct comment *c, bool *open)
{
    const char *from = c->at;

    c->name_at = (size_t)(from - c->text);
    if (*from == '"')
        return quoted(c, open);
    if (!is_name_start(*from))
        return bad(c, from, "metadata must name its metric");
    while (is_name_char(*c->at))
        c->at++;
    c->meta.name = str_n(from, (size_t)(c->at - from));
    return true;
}

/* One byte behind the name, whatever it is in Prometheus text, is no text. */
static bool text(struct comment *c)
{
    const size_t left = (size_t)(c->end - c->at);
    bool blank = c->prometheus;

    if (!c->prometheus && *c->at != ' ')
        return bad(c, c->at, "metadata must have one blank behind its name");
    if (c->prometheus && left > 0 && *c->at == '\0')
        return bad(c, c->at, "metadata holds a NUL byte behind its name");
    for (const char *at = c->at; blank && at < c->end; at++)
        blank = is_blank(*at);
    c->meta.text = left && !blank ? str_n(c->at + 1, left - 1) : STR_NONE;
    return true;
}

static bool type_of(struct comment *c)
{
    const size_t at = (size_t)(c->at - c->text) + (c->at < c->end);
    struct excerpt e;

    for (enum parse_type t = PARSE_UNKNOWN; t <= PARSE_STATESET; t++) {
        const char *word = parse_type_name(t);

        if (c->prometheus && t == PARSE_UNKNOWN)
            word = "untyped";
        if (c->prometheus && t > PARSE_SUMMARY)
            break;
        if (!str_eqz(c->meta.text, word))
            continue;
        c->meta.type = c->p->type = t;
        return true;
    }
    return fault_at(c->p, c->text, at, ERR_INPUT,
                    "\"%s\" is not a type of metric: %s are",
                    excerpt(&e, c->meta.text.ptr, c->meta.text.len),
                    c->prometheus ? "counter, gauge, histogram, summary and "
                                    "untyped"
                                  : "counter, gauge, histogram, "
                                    "gaugehistogram, summary, info, stateset "
                                    "and unknown");
}

static bool help_of(struct comment *c)
{
    const char *from = c->at + (c->at < c->end);

    if (!str_utf8(c->meta.text))
        return bad(c, from, "the help text is not valid UTF-8");
    c->meta.text = decode_escapes(c->meta.text, !c->prometheus, &c->p->arena);
    return true;
}

static bool unit_of(struct comment *c)
{
    const struct str name = c->meta.name, unit = c->meta.text;
    struct excerpt e, f;

    if (unit.len == 0 || (name.len > unit.len && str_ends(name, unit) &&
                          name.ptr[name.len - unit.len - 1] == '_'))
        return true;
    return fault_at(c->p, c->text, (size_t)(c->at - c->text) + 1, ERR_INPUT,
                    "the unit \"%s\" is not the end of the name \"%s\", behind "
                    "an underscore",
                    excerpt(&e, unit.ptr, unit.len),
                    excerpt(&f, name.ptr, name.len));
}

static bool told(struct comment *c)
{
    struct parser *p = c->p;

    c->meta.line = p->line_no;
    if (p->strict && !strict_meta(p, &c->meta, c->text, c->name_at))
        return false;
    if (p->lint)
        lint_meta(p, &c->meta, c->name_at);
    if (p->o.meta)
        p->o.meta(p->o.arg, &c->meta);
    return true;
}

static bool metadata(struct comment *c, bool *open)
{
    static bool (*const check[])(struct comment *) = {
        [PARSE_HELP] = help_of, [PARSE_TYPE] = type_of, [PARSE_UNIT] = unit_of};

    return name(c, open) && text(c) && check[c->meta.kind](c) && told(c);
}

/* "# EOF": nothing may follow. */
static enum line_result end_of_body(struct comment *c)
{
    if (c->at + 3 < c->end) {
        bad(c, c->at + 3, "nothing may follow # EOF");
        return LINE_BAD;
    }
    if (c->p->strict && !strict_end(c->p, c->text))
        return LINE_BAD;
    c->p->ended = true;
    return LINE_GOOD;
}

static enum line_result openmetrics(struct comment *c)
{
    if (c->end - c->at >= 3 && memcmp(c->at, "EOF", 3) == 0)
        return end_of_body(c);
    bad(c, c->text,
        "only # HELP, # TYPE, # UNIT and # EOF, with single blanks, may begin "
        "with #");
    return LINE_BAD;
}

/* A comment that is none of ours; promlex.l takes a NUL there for the end,
 * if no blank stands behind the '#'. */
static enum line_result comment(struct comment *c, bool after_blank)
{
    if (!after_blank && memchr(c->at, '\0', (size_t)(c->end - c->at)))
        c->p->ended = true;
    return LINE_GOOD;
}

enum line_result meta_read(struct parser *p, const char *text, size_t len,
                           size_t at)
{
    struct comment c = {.p = p, .text = text};
    bool open = false, blank;

    c.at = text + at + 1;
    c.end = text + len;
    c.prometheus = p->o.format == PARSE_PROMETHEUS;
    blank = gap(&c, c.at);
    if (blank) {
        skip_gap(&c);
        if (keyword(&c)) {
            if (metadata(&c, &open))
                return LINE_GOOD;
            return open ? LINE_OPEN : LINE_BAD;
        }
    }
    if (c.prometheus)
        return comment(&c, blank);
    if (blank)
        return openmetrics(&c);
    bad(&c, text, "a comment may not stand in OpenMetrics");
    return LINE_BAD;
}
