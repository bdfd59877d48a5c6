/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/testseries.h"

#include "agent/base/mem.h"
#include "agent/base/num.h"
#include "agent/metric/sample.h"
#include "agent/promql/promql.h"

#include <stdlib.h>

/* ---- values ---- */

struct scan {
    struct str text;
    size_t at;
    struct test_values *out;
    struct err *err;
};

static char peek(const struct scan *s)
{
    if (s->at == s->text.len)
        return '\0';
    return s->text.ptr[s->at];
}

static bool take(struct scan *s, char c)
{
    if (s->at >= s->text.len || s->text.ptr[s->at] != c)
        return false;
    s->at++;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool fail(const struct scan *s, const char *text)
{
    return err_set(s->err, ERR_INPUT, "column %zu: %s", s->at + 1, text);
}

static bool add(struct scan *s, struct test_value v, uint64_t times)
{
    if (times > TEST_VALUES_MAX - s->out->count)
        return fail(s, "more than 1,000,000 values in one series");
    for (; times > 0; times--) {
        xgrow(&s->out->items, &s->out->cap, s->out->count,
              sizeof(*s->out->items));
        s->out->items[s->out->count++] = v;
    }
    return true;
}

/* Behind an x: how often. */
static bool scan_times(struct scan *s, uint64_t *times)
{
    if (!is_digit(peek(s)))
        return fail(s, "a whole number must follow the x, as in 1+2x10");
    for (*times = 0; is_digit(peek(s)); s->at++)
        if (*times <= TEST_VALUES_MAX)
            *times = *times * 10 + (uint64_t)(peek(s) - '0');
    return true;
}

static void skip_digits(struct scan *s)
{
    while (is_digit(peek(s)))
        s->at++;
}

/* Of the bytes of a number or a word. */
static struct str scan_number(struct scan *s)
{
    size_t from = s->at;

    if (is_letter(peek(s))) {
        while (is_letter(peek(s)) || is_digit(peek(s)))
            s->at++;
        return str_n(s->text.ptr + from, s->at - from);
    }
    skip_digits(s);
    if (take(s, '.'))
        skip_digits(s);
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+'))
            (void)take(s, '-');
        skip_digits(s);
    }
    return str_n(s->text.ptr + from, s->at - from);
}

static bool read_number(struct scan *s, double *out)
{
    size_t from = s->at;
    struct str text = scan_number(s);

    if (num_parse(text, out) && (peek(s) == 'x' || !is_letter(peek(s))))
        return true;
    s->at = from;
    return fail(s, "a number, stale or _ must stand here");
}

/* 1, 1x4, 1+2x3 */
static bool scan_numbers(struct scan *s)
{
    bool minus = peek(s) == '-';
    uint64_t times = 0;
    double v, step = 0;

    s->at += minus || peek(s) == '+';
    if (!read_number(s, &v))
        return false;
    v = minus ? -v : v;
    if (peek(s) == '+' || peek(s) == '-') {
        minus = s->text.ptr[s->at++] == '-';
        if (!read_number(s, &step))
            return false;
        step = minus ? -step : step;
        if (peek(s) != 'x')
            return fail(s, "how often is missing, as in 1+2x10");
    }
    if (take(s, 'x') && !scan_times(s, &times))
        return false;
    for (uint64_t i = 0; i <= times; i++) {
        if (!add(s, (struct test_value){.v = v}, 1))
            return false;
        v += step;
    }
    return true;
}

static bool scan_omitted(struct scan *s)
{
    uint64_t times = 1;

    s->at++;
    if (take(s, 'x') && !scan_times(s, &times))
        return false;
    return add(s, (struct test_value){.omitted = true}, times);
}

static bool scan_item(struct scan *s)
{
    struct str rest = str_from(s->text, s->at);

    if (peek(s) == '_')
        return scan_omitted(s);
    if (str_starts(rest, STR("stale")) &&
        (rest.len == 5 || is_blank(rest.ptr[5]))) {
        s->at += 5;
        return add(s, (struct test_value){.v = sample_stale()}, 1);
    }
    if (str_starts(rest, STR("{{")))
        return fail(s, "native histograms are not taken");
    return scan_numbers(s);
}

bool test_values_parse(struct str text, struct test_values *out,
                       struct err *err)
{
    struct scan s = {text, 0, out, err};
    bool ok = true;

    *out = (struct test_values){.items = NULL};
    while (ok) {
        while (is_blank(peek(&s)))
            s.at++;
        if (s.at == text.len)
            return true;
        ok = scan_item(&s) &&
             (s.at == text.len || is_blank(peek(&s)) ||
              fail(&s, "a blank must stand between two values"));
    }
    free(out->items);
    *out = (struct test_values){.items = NULL};
    return false;
}

/* ---- labels ---- */

static bool is_plain_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_letter(s.ptr[i]) && !is_digit(s.ptr[i]) && s.ptr[i] != ':')
            return false;
    return true;
}

/* A selector, and nothing but one: no range, no offset, no operator. */
static bool is_series(const struct promql *q, struct str text)
{
    const struct promql_selector *s;

    return promql_type(q) == PROMQL_VECTOR && promql_selectors(q, &s) == 1 &&
           s->text.len == text.len &&
           (str_ends(text, STR("}")) || is_plain_name(text));
}

static bool read_matchers(const struct promql *q, struct labels_builder *b)
{
    const struct promql_selector *s;
    bool equal = true;

    (void)promql_selectors(q, &s);
    for (size_t i = 0; i < s->matcher_count; i++) {
        equal = equal && s->matchers[i].op == MATCH_EQ;
        labels_set(b, s->matchers[i].name, s->matchers[i].value);
    }
    return equal;
}

bool test_labels_parse(struct str text, struct arena *a,
                       const struct labels **out, struct err *err)
{
    struct promql_error error = {.err = {.kind = ERR_NONE}};
    struct labels_builder b = {0};
    struct promql *q;
    bool ok;

    text = str_trim(text);
    *out = &labels_empty;
    if (text.len == 0 || str_eqz(text, "{}"))
        return true;
    q = promql_parse(text, &(struct promql_options){0}, &error);
    ok = q && is_series(q, text) && read_matchers(q, &b);
    if (ok)
        *out = labels_build(&b, a);
    else if (error.err.kind != ERR_NONE)
        (void)err_set(err, ERR_INPUT, "%s", error.err.text);
    else
        (void)err_set(err, ERR_INPUT,
                      "must be one series, as name{label=\"value\"}");
    labels_builder_fini(&b);
    promql_free(q);
    return ok;
}

bool test_number_parse(struct str text, double *out)
{
    text = str_trim(text);
    if (str_eqi(text, STR(".nan")))
        *out = sample_nan();
    else if (str_eqi(text, STR(".inf")) || str_eqi(text, STR("+.inf")))
        *out = __builtin_inf();
    else if (str_eqi(text, STR("-.inf")))
        *out = -__builtin_inf();
    else
        return num_parse(text, out);
    return true;
}
