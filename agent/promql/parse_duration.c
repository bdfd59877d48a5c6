/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/parse.h"

#include <math.h>

#define SECONDS_MAX 9223372036.854775 /* 2^63 ns */

static bool arithmetic(struct parser *p, int level, struct duration *out);
static bool operand(struct parser *p, bool power, struct duration *out);

static bool in_range(struct parser *p, const struct duration *d)
{
    return !(d->seconds > SECONDS_MAX || d->seconds < -SECONDS_MAX) ||
           parse_fail(p, d->at, d->end, "duration out of range");
}

static bool number(struct parser *p, struct duration *out)
{
    struct token t = parse_take(p);

    *out = (struct duration){0, true, t.at, t.at + t.text.len};
    return parse_number(p, &t, &out->seconds);
}

static bool literal(struct parser *p, struct duration *out)
{
    return number(p, out) && in_range(p, out);
}

/* step() and range(): an instant query has neither. */
static bool nothing(struct parser *p, struct duration *out)
{
    struct token t = parse_take(p);

    if (!parse_want(p, T_LEFT_PAREN) || !parse_want(p, T_RIGHT_PAREN))
        return false;
    *out = (struct duration){0, false, t.at, p->end};
    return true;
}

static bool extreme(struct parser *p, struct duration *out)
{
    struct token t = parse_take(p);
    struct duration a = {0}, b = {0};

    if (!parse_want(p, T_LEFT_PAREN) || !arithmetic(p, 1, &a) ||
        !parse_want(p, T_COMMA) || !arithmetic(p, 1, &b) ||
        !parse_want(p, T_RIGHT_PAREN))
        return false;
    *out = (struct duration){t.kind == T_MIN_OF ? fmin(a.seconds, b.seconds)
                                                : fmax(a.seconds, b.seconds),
                             false, t.at, p->end};
    return true;
}

static bool paren(struct parser *p, struct duration *out)
{
    bool ok;

    if (++p->depth > PROMQL_MAX_DEPTH)
        return parse_fail(p, p->end, p->end, "expression is nested too deeply");
    (void)parse_take(p);
    ok = arithmetic(p, 1, out) && parse_want(p, T_RIGHT_PAREN);
    p->depth--;
    return ok;
}

static bool is_literal(enum token_kind k)
{
    return k == T_NUMBER || k == T_DURATION;
}

static bool primary(struct parser *p, struct duration *out)
{
    enum token_kind k = parse_peek(p);

    if (is_literal(k))
        return literal(p, out);
    if (k == T_STEP || k == T_RANGE)
        return nothing(p, out);
    if (k == T_MIN_OF || k == T_MAX_OF)
        return extreme(p, out);
    return k == T_LEFT_PAREN ? paren(p, out) : parse_unexpected(p);
}

/* What a sign stands before: of an offset one primary, else also what binds
 * tighter. */
static bool signed_operand(struct parser *p, bool power, struct duration *out)
{
    if (power)
        return arithmetic(p, 3, out);
    if (is_literal(parse_peek(p)))
        return number(p, out);
    return operand(p, false, out);
}

/* Signs, then a primary. */
static bool operand(struct parser *p, bool power, struct duration *out)
{
    enum token_kind k = parse_peek(p);
    struct token sign;

    if (k != T_ADD && k != T_SUB)
        return primary(p, out);
    if (++p->depth > PROMQL_MAX_DEPTH)
        return parse_fail(p, p->end, p->end, "expression is nested too deeply");
    sign = parse_take(p);
    if (!signed_operand(p, power, out))
        return false;
    p->depth--;
    out->seconds = k == T_SUB ? -out->seconds : out->seconds;
    out->at = sign.at;
    return in_range(p, out);
}

static int level_of(enum token_kind op)
{
    if (op == T_ADD || op == T_SUB)
        return 1;
    if (op == T_MUL || op == T_DIV || op == T_MOD)
        return 2;
    return op == T_POW ? 3 : 0;
}

static bool apply(struct parser *p, const struct token *op, struct duration *a,
                  const struct duration *b)
{
    if (b->seconds == 0 && (op->kind == T_DIV || op->kind == T_MOD))
        return parse_fail(p, op->at, op->at + 1, "%s by zero",
                          op->kind == T_DIV ? "division" : "modulo");
    if (op->kind == T_ADD)
        a->seconds += b->seconds;
    else if (op->kind == T_SUB)
        a->seconds -= b->seconds;
    else if (op->kind == T_MUL)
        a->seconds *= b->seconds;
    else if (op->kind == T_DIV)
        a->seconds /= b->seconds;
    else if (op->kind == T_MOD)
        a->seconds = fmod(a->seconds, b->seconds);
    else
        a->seconds = pow(a->seconds, b->seconds);
    a->literal = false;
    a->end = b->end;
    return true;
}

static bool arithmetic(struct parser *p, int level, struct duration *out)
{
    if (!operand(p, true, out))
        return false;
    for (;;) {
        int l = level_of(parse_peek(p));
        struct duration right = {0};
        struct token op;

        if (l == 0 || l < level)
            return parse_peek(p) != T_ERROR;
        op = parse_take(p);
        if (!arithmetic(p, op.kind == T_POW ? l : l + 1, &right) ||
            !apply(p, &op, out, &right))
            return false;
    }
}

static bool milliseconds(struct parser *p, const struct duration *d,
                         int64_t *ms)
{
    if (!isfinite(d->seconds))
        return parse_fail(p, d->at, d->end, "duration is NaN or infinite");
    if (!in_range(p, d))
        return false;
    /* A literal is rounded to nanoseconds, a result cut to milliseconds. */
    *ms = d->literal ? (int64_t)(round(d->seconds * 1e9) / 1e6)
                     : (int64_t)(d->seconds * 1000);
    return true;
}

bool parse_positive_duration(struct parser *p, int64_t *ms)
{
    struct duration d = {0};

    if (!arithmetic(p, 1, &d))
        return false;
    if (d.seconds <= 0)
        return parse_fail(p, d.at, d.end, "duration must be greater than 0");
    return milliseconds(p, &d, ms);
}

bool parse_offset_duration(struct parser *p, int64_t *ms)
{
    struct duration d = {0};

    return operand(p, false, &d) && milliseconds(p, &d, ms);
}
