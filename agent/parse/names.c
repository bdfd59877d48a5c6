/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The faults of a sample that Prometheus finds after its parser: a label
 * given twice, a name that is empty, a limit (scrape/scrape.go).
 */
#include "agent/parse/internal.h"

#include <stdlib.h>

#define FEW 24 /* labels that are compared each with each */

struct named {
    struct str name;
    const struct line_label *label;
};

static bool twice(struct parser *p, const struct line *l,
                  const struct named *second)
{
    struct excerpt e;

    return fault_at(p, l->text, second->label->name_at, ERR_INPUT,
                    "the label \"%s\" is given twice",
                    excerpt(&e, second->name.ptr, second->name.len));
}

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    const int order = str_cmp(x->name, y->name);

    return order ? order : (x->label > y->label) - (x->label < y->label);
}

/* An empty value takes all labels of its name away, before they are counted:
 * the second one there is no fault then. */
static bool taken_away(const struct named *names, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (names[i].label->value_len == 0 && str_eq(names[i].name, name))
            return true;
    return false;
}

static bool check_few(struct parser *p, const struct line *l,
                      const struct named *names, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(names[i].name, names[j].name) &&
                !taken_away(names, count, names[i].name))
                return twice(p, l, &names[i]);
    return true;
}

static bool check_many(struct parser *p, const struct line *l,
                       struct named *names, size_t count)
{
    qsort(names, count, sizeof(*names), by_name);
    for (size_t i = 0, j; i < count; i = j) {
        for (j = i + 1; j < count && str_eq(names[i].name, names[j].name);)
            j++;
        if (j > i + 1 && !taken_away(names + i, j - i, names[i].name))
            return twice(p, l, &names[i + 1]);
    }
    return true;
}

static bool is_name_label(struct str name)
{
    return name.len == LABEL_NAME.len && str_eq(name, LABEL_NAME);
}

static bool check_one(struct parser *p, const struct line *l,
                      const struct named *n)
{
    if (n->name.len == 0)
        return fault_at(p, l->text, n->label->name_at, ERR_INPUT,
                        "a label has an empty name");
    if (is_name_label(n->name))
        return fault_at(p, l->text, n->label->name_at, ERR_INPUT,
                        "the label \"__name__\" is the metric's name, which "
                        "stands before the braces");
    return true;
}

static bool over(struct parser *p, const struct line *l, size_t at,
                 const char *what, size_t limit)
{
    return fault_at(p, l->text, at, ERR_LIMIT, "%s %zu", what, limit);
}

static bool check_value(struct parser *p, const struct line *l,
                        const struct line_label *t)
{
    const size_t limit = p->o.limits.label_value_bytes;
    const struct str value = names_decode(l->text + t->value_at, t->value_len,
                                          t->value_escaped, &p->arena);

    if (limit && value.len > limit)
        return over(p, l, t->value_at,
                    "the label value is longer than the limit of bytes,",
                    limit);
    return true;
}

static bool check_limits(struct parser *p, const struct line *l,
                         const struct named *names)
{
    const struct parse_limits *limit = &p->o.limits;
    size_t count = 1;

    for (size_t i = 0; i < l->label_count; i++) {
        const struct line_label *t = names[i].label;

        count += t->value_len > 0;
        if (limit->label_name_bytes &&
            names[i].name.len > limit->label_name_bytes)
            return over(p, l, t->name_at,
                        "the label name is longer than the limit of bytes,",
                        limit->label_name_bytes);
        if (!check_value(p, l, t))
            return false;
    }
    if (limit->labels && count > limit->labels)
        return over(p, l, l->series_at,
                    "the sample has more labels than the limit,",
                    limit->labels);
    return true;
}

bool names_check(struct parser *p, struct line *l)
{
    const size_t n = l->label_count;
    struct named few[FEW];
    struct named *names =
        n <= FEW ? few : arena_array(&p->arena, n, sizeof(*names));

    for (size_t i = 0; i < n; i++) {
        const struct line_label *t = &l->labels[i];

        names[i] =
            (struct named){names_decode(l->text + t->name_at, t->name_len,
                                        t->name_escaped, &p->arena),
                           t};
        if (!check_one(p, l, &names[i]))
            return false;
    }
    if (!check_limits(p, l, names))
        return false;
    return n <= FEW ? check_few(p, l, names, n) : check_many(p, l, names, n);
}
