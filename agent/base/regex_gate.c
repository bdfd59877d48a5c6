/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/regex_gate.h"

#include "agent/base/mem.h"

#define REPEAT_MAX 1000
#define OUT_MAX    ((size_t)1024 * 1024)

/* How often what was read last may repeat its innermost part; 0: nothing was
 * read that could be repeated. */
struct piece {
    uint32_t repeats;
    struct str repetition; /* ptr NULL unless it ends in an operator */
};

static bool alternatives(struct regex_gate *g, uint32_t depth,
                         uint32_t *repeats);

bool gate_fail(struct regex_gate *g, const char *what, struct str part)
{
    return err_set(g->err, ERR_INPUT, "error parsing regexp: %s: `%.*s`", what,
                   STR_ARG(part));
}

static void skip(struct regex_gate *g, size_t n)
{
    g->rest = str_from(g->rest, n);
}

static struct str since(const struct regex_gate *g, struct str from)
{
    return str_n(from.ptr, from.len - g->rest.len);
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A count without leading zeros; huge ones stay over the limit. */
static bool count(struct str *s, uint32_t *out)
{
    size_t n = 0;

    *out = 0;
    for (; n < s->len && digit(s->ptr[n]); n++)
        if (*out <= REPEAT_MAX)
            *out = *out * 10 + (uint32_t)(s->ptr[n] - '0');
    if (n == 0 || (n > 1 && s->ptr[0] == '0'))
        return false;
    *s = str_from(*s, n);
    return true;
}

struct repeat {
    uint32_t least, most;
    bool endless;
};

/* {2}, {2,} or {2,3}; anything else that begins so is literal. */
static bool read_counts(struct str *s, struct repeat *r)
{
    struct str at = str_from(*s, 1);

    *r = (struct repeat){0};
    if (!count(&at, &r->least))
        return false;
    r->most = r->least;
    if (at.len && at.ptr[0] == ',') {
        at = str_from(at, 1);
        r->endless = at.len && at.ptr[0] == '}';
        if (!r->endless && !count(&at, &r->most))
            return false;
    }
    if (at.len == 0 || at.ptr[0] != '}')
        return false;
    *s = str_from(at, 1);
    return true;
}

static bool bad_counts(const struct repeat *r)
{
    return r->least > REPEAT_MAX || r->most > REPEAT_MAX || r->most < r->least;
}

/* Repeats within repeats multiply; the product has the same limit. */
static bool multiply(struct regex_gate *g, struct str op,
                     const struct repeat *r, struct piece *p)
{
    if (r->most > 1)
        p->repeats *= r->most;
    if (p->repeats > REPEAT_MAX)
        return gate_fail(g, "invalid repeat count", op);
    return true;
}

/* An operator has been read from `from` on; what does it apply to? */
static bool apply(struct regex_gate *g, struct str from, struct repeat *r,
                  struct piece *p)
{
    struct str op;

    if (g->rest.len && g->rest.ptr[0] == '?')
        skip(g, 1);
    op = since(g, from);
    if (p->repetition.ptr) {
        size_t n = (size_t)(op.ptr + op.len - p->repetition.ptr);

        return gate_fail(g, "invalid nested repetition operator",
                         str_n(p->repetition.ptr, n));
    }
    if (p->repeats == 0)
        return gate_fail(g, "missing argument to repetition operator", op);
    if (!multiply(g, op, r, p))
        return false;
    p->repetition = op;
    buf_adds(&g->out, op);
    return true;
}

static bool simple_repeat(struct regex_gate *g, struct piece *p)
{
    struct str from = g->rest;
    struct repeat r = {.least = 0, .most = 1};

    skip(g, 1);
    return apply(g, from, &r, p);
}

static void literal(struct regex_gate *g, uint32_t c, struct piece *p)
{
    gate_put_char(g, c);
    *p = (struct piece){.repeats = 1};
}

static bool counted_repeat(struct regex_gate *g, struct piece *p)
{
    struct str from = g->rest;
    struct str after = from;
    struct repeat r;

    if (!read_counts(&after, &r)) {
        skip(g, 1);
        literal(g, '{', p);
        return true;
    }
    g->rest = after;
    if (bad_counts(&r))
        return gate_fail(g, "invalid repeat count", since(g, from));
    return apply(g, from, &r, p);
}

static bool name_ok(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (c != '_' && !digit(c) && !(c >= 'a' && c <= 'z') &&
            !(c >= 'A' && c <= 'Z'))
            return false;
    }
    return name.len > 0;
}

/* (?P<name> or (?<name>, `opening` bytes up to the name. */
static bool named_group(struct regex_gate *g, size_t opening)
{
    struct str from = g->rest;
    size_t end = str_find(g->rest, '>');
    struct str name;

    if (end == g->rest.len)
        return gate_fail(g, "invalid named capture", from);
    name = str_n(from.ptr + opening, end - opening);
    skip(g, end + 1);
    if (!name_ok(name))
        return gate_fail(g, "invalid named capture", since(g, from));
    for (size_t i = 0; i < g->name_count; i++)
        if (str_eq(g->names[i].name, name))
            return gate_fail(g, "duplicate capture group name", name);
    xgrow(&g->names, &g->name_cap, g->name_count, sizeof(*g->names));
    g->names[g->name_count++] = (struct regex_name){name, ++g->groups};
    buf_addc(&g->out, '(');
    return true;
}

/*
 * (?imsU-imsU) or (?imsU-imsU:, told apart by `*group`.  At least one flag
 * must follow a minus sign.
 */
static bool flags(struct regex_gate *g, bool *group)
{
    struct str from = g->rest;
    bool minus = false;
    bool any = false;

    skip(g, 2);
    while (g->rest.len) {
        char c = g->rest.ptr[0];

        skip(g, str_rune(g->rest, NULL));
        if (c == ':' || c == ')') {
            if (minus && !any)
                break;
            *group = c == ':';
            buf_adds(&g->out, since(g, from));
            return true;
        }
        if (c == '-' && !minus) {
            minus = true;
            any = false;
        } else if (str_find(STR("imsU"), c) < 4) {
            any = true;
        } else {
            break;
        }
    }
    if (g->rest.len == 0 && since(g, from).len == 2)
        return gate_fail(g, "missing closing )", g->all);
    return gate_fail(g, "invalid or unsupported Perl syntax", since(g, from));
}

/* The opening parenthesis and what belongs to it. */
static bool open_group(struct regex_gate *g, bool *group)
{
    struct str s = g->rest;

    *group = true;
    if (!str_starts(s, STR("(?"))) {
        skip(g, 1);
        g->groups++;
        buf_addc(&g->out, '(');
        return true;
    }
    if (str_starts(s, STR("(?P<")))
        return named_group(g, 4);
    if (str_starts(s, STR("(?<=")) || str_starts(s, STR("(?<!")))
        return gate_fail(g, "invalid or unsupported Perl syntax",
                         str_n(s.ptr, 4));
    if (str_starts(s, STR("(?<")))
        return named_group(g, 3);
    return flags(g, group);
}

static bool parenthesis(struct regex_gate *g, uint32_t depth, struct piece *p)
{
    uint32_t repeats;
    bool group;

    if (depth >= GATE_NESTING_MAX)
        return gate_fail(g, "expression nests too deeply", g->all);
    if (!open_group(g, &group))
        return false;
    *p = (struct piece){0};
    if (!group)
        return true;
    if (!alternatives(g, depth + 1, &repeats))
        return false;
    if (g->rest.len == 0)
        return gate_fail(g, "missing closing )", g->all);
    skip(g, 1);
    buf_addc(&g->out, ')');
    p->repeats = repeats;
    return true;
}

/* Grouped, since PCRE2 does not let some of them be repeated. */
static void assertion(struct regex_gate *g, struct str s, struct piece *p)
{
    buf_addf(&g->out, "(?:%.*s)", STR_ARG(s));
    *p = (struct piece){.repeats = 1};
}

/* \Q...\E, or to the end. */
static void quotation(struct regex_gate *g, struct piece *p)
{
    skip(g, 2);
    while (g->rest.len && !str_starts(g->rest, STR("\\E"))) {
        uint32_t c;

        skip(g, str_rune(g->rest, &c));
        literal(g, c, p);
    }
    skip(g, 2);
}

static bool backslash(struct regex_gate *g, struct piece *p)
{
    uint32_t c;
    bool taken;

    if (str_starts(g->rest, STR("\\Q"))) {
        quotation(g, p);
        return true;
    }
    if (g->rest.len > 1 && str_find(STR("AbBz"), g->rest.ptr[1]) < 4) {
        assertion(g, str_n(g->rest.ptr, 2), p);
        skip(g, 2);
        return true;
    }
    *p = (struct piece){.repeats = 1};
    if (!gate_perl_class(g, false, &taken))
        return false;
    if (taken)
        return true;
    if (!gate_char(g, &c))
        return false;
    gate_put_char(g, c);
    return true;
}

/* One item of a sequence. */
static bool item(struct regex_gate *g, uint32_t depth, struct piece *p)
{
    struct str one = str_n(g->rest.ptr, 1);
    uint32_t c;

    switch (g->rest.ptr[0]) {
    case '(':
        return parenthesis(g, depth, p);
    case '[':
        *p = (struct piece){.repeats = 1};
        return gate_class(g);
    case '\\':
        return backslash(g, p);
    case '*':
    case '+':
    case '?':
        return simple_repeat(g, p);
    case '{':
        return counted_repeat(g, p);
    case '^':
    case '$':
        skip(g, 1);
        assertion(g, one, p);
        return true;
    case '.':
        skip(g, 1);
        *p = (struct piece){.repeats = 1};
        buf_addc(&g->out, '.');
        return true;
    default:
        skip(g, str_rune(g->rest, &c));
        literal(g, c, p);
        return true;
    }
}

static bool alternatives(struct regex_gate *g, uint32_t depth,
                         uint32_t *repeats)
{
    struct piece p = {0};

    *repeats = 1;
    while (g->rest.len && g->rest.ptr[0] != ')') {
        if (g->rest.ptr[0] == '|') {
            skip(g, 1);
            buf_addc(&g->out, '|');
            p = (struct piece){0};
            continue;
        }
        if (!item(g, depth, &p))
            return false;
        if (p.repeats > *repeats)
            *repeats = p.repeats;
    }
    return true;
}

bool regex_gate(struct regex_gate *g, struct str pattern, struct err *err)
{
    uint32_t repeats;

    *g = (struct regex_gate){.all = pattern, .rest = pattern, .err = err};
    buf_init(&g->out, OUT_MAX);
    if (!str_utf8(pattern))
        return gate_fail(g, "invalid UTF-8", STR_NONE);
    if (pattern.len > OUT_MAX / 16)
        return gate_fail(g, "expression too large", STR_NONE);
    buf_addz(&g->out, "\\A(?s:");
    if (!alternatives(g, 0, &repeats))
        return false;
    if (g->rest.len)
        return gate_fail(g, "unexpected )", pattern);
    buf_addz(&g->out, ")\\z");
    return buf_ok(&g->out) || gate_fail(g, "expression too large", STR_NONE);
}
