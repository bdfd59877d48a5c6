/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/parse/lint.h"

#include "agent/base/map.h"
#include "agent/base/mem.h"
#include "agent/parse/family.h"

#include <ctype.h>
#include <stdlib.h>

struct place {
    uint64_t line, col;
};

enum label_fault { LABEL_LE, LABEL_QUANTILE, LABEL_CAPITAL, LABEL_FAULTS };

/* What is known of a family, by the name in its metadata. */
struct known {
    struct str name;
    bool help, samples;
    enum parse_type type;              /* PARSE_UNKNOWN without a TYPE line */
    struct place place;                /* of its name, where it was first met */
    struct place labels[LABEL_FAULTS]; /* the first of each; line 0: none */
};

struct lint {
    struct arena arena;
    struct map families;
};

struct lint *lint_new(void)
{
    struct lint *l = xcalloc(1, sizeof(*l));

    arena_init(&l->arena, 4096);
    return l;
}

void lint_free(struct lint *l)
{
    if (l == NULL)
        return;
    map_fini(&l->families);
    arena_fini(&l->arena);
    free(l);
}

static struct known *family(struct parser *p, struct str name, uint64_t col)
{
    struct lint *l = p->lint;
    struct known *k = map_get(&l->families, name);

    if (k)
        return k;
    k = arena_zalloc(&l->arena, sizeof(*k));
    k->name = arena_str(&l->arena, name);
    k->place = (struct place){p->line_no, col};
    map_put(&l->families, k->name, k);
    return k;
}

static void tell_at(struct parser *p, const struct known *k, struct place at,
                    const char *what)
{
    struct excerpt e;
    struct buf text;

    buf_init(&text, 512);
    buf_addf(&text, "%s: %s", excerpt(&e, k->name.ptr, k->name.len), what);
    p->o.lint(p->o.arg, at.line, at.col, buf_str(&text));
    buf_fini(&text);
}

static void tell(struct parser *p, const struct known *k, const char *what)
{
    tell_at(p, k, k->place, what);
}

void lint_meta(struct parser *p, const struct parse_meta *m, size_t name_at)
{
    struct known *k = family(p, m->name, name_at + 1);

    if (m->kind == PARSE_HELP)
        k->help |= m->text.len > 0;
    if (m->kind == PARSE_TYPE)
        k->type = m->type;
}

/* The family of that name before its suffix, if its type has such samples. */
static struct known *of_suffix(struct parser *p, struct str name)
{
    const char *last = memrchr(name.ptr, '_', name.len);
    const size_t at = last ? (size_t)(last - name.ptr) : name.len;
    struct known *k = map_get(&p->lint->families, str_n(name.ptr, at));

    if (k == NULL || last == NULL)
        return NULL;
    for (const char *const *s = family_suffixes(p->o.format, k->type); *s; s++)
        if (str_eqz(str_from(name, at), *s) &&
            !(p->o.format == PARSE_PROMETHEUS && strcmp(*s, "_created") == 0))
            return k;
    return NULL;
}

static bool is_histogram(const struct known *k)
{
    return k->type == PARSE_HISTOGRAM || k->type == PARSE_GAUGEHISTOGRAM;
}

/* A lower-case letter and a capital behind it. */
static bool has_capital(struct str name)
{
    for (size_t i = 1; i < name.len; i++)
        if (isupper((unsigned char)name.ptr[i]) &&
            islower((unsigned char)name.ptr[i - 1]))
            return true;
    return false;
}

static void note(struct known *k, enum label_fault fault, struct place at)
{
    if (k->labels[fault].line == 0)
        k->labels[fault] = at;
}

static void lint_labels(struct parser *p, struct known *k)
{
    const struct line *l = &p->line;
    const bool typed = k->type != PARSE_UNKNOWN;

    for (size_t i = 0; i < l->label_count; i++) {
        const struct line_label *t = &l->labels[i];
        const struct str name = str_n(l->text + t->name_at, t->name_len);
        const struct place at = {p->line_no, t->name_at + 1};

        if (typed && !is_histogram(k) && str_eqz(name, "le"))
            note(k, LABEL_LE, at);
        if (typed && k->type != PARSE_SUMMARY && str_eqz(name, "quantile"))
            note(k, LABEL_QUANTILE, at);
        if (has_capital(name))
            note(k, LABEL_CAPITAL, at);
    }
}

void lint_sample(struct parser *p, struct str name)
{
    struct known *k = map_get(&p->lint->families, name);

    if (k == NULL)
        k = of_suffix(p, name);
    if (k == NULL)
        k = family(p, name, p->line.series_at + 1);
    k->samples = true;
    lint_labels(p, k);
}

/* A part of the name between underscores, the first one apart: a name that is
 * a unit or a type and no more says nothing wrong. */
static bool has_part(struct str name, const char *word)
{
    struct str part;

    (void)str_next(&name, '_', &part);
    while (str_next(&name, '_', &part))
        if (str_eqi(part, str_of(word)))
            return true;
    return false;
}

/* The base of a unit with or without a prefix; NULL where it is none. */
static const char *base_of(struct str part)
{
    static const struct {
        const char *unit, *base;
    } units[] = {
        {"amperes", "amperes"}, {"bytes", "bytes"},
        {"celsius", "celsius"}, {"grams", "grams"},
        {"joules", "joules"},   {"kelvin", "kelvin"},
        {"meters", "meters"},   {"metres", "metres"},
        {"seconds", "seconds"}, {"volts", "volts"},
        {"minutes", "seconds"}, {"hours", "seconds"},
        {"days", "seconds"},    {"weeks", "seconds"},
        {"kelvins", "kelvin"},  {"fahrenheit", "celsius"},
        {"rankine", "celsius"}, {"inches", "meters"},
        {"yards", "meters"},    {"miles", "meters"},
        {"bits", "bytes"},      {"calories", "joules"},
        {"pounds", "grams"},    {"ounces", "grams"},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (str_eqz(part, units[i].unit))
            return units[i].base;
    return NULL;
}

static struct str without_prefix(struct str part)
{
    static const char *const prefixes[] = {
        "pico", "nano",  "micro", "milli", "centi", "deci",
        "deca", "hecto", "kilo",  "kibi",  "mega",  "mebi",
        "giga", "gibi",  "tera",  "tebi",  "peta",  "pebi"};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
        if (str_starts(part, str_of(prefixes[i])))
            return str_from(part, strlen(prefixes[i]));
    return part;
}

/* The unit that should stand in place of the first one of the name. */
static const char *base_unit(struct str name)
{
    struct str part;

    while (str_next(&name, '_', &part)) {
        const char *base = base_of(part);

        if (base == NULL)
            base = base_of(without_prefix(part));
        if (base)
            return str_eqz(part, base) ? NULL : base;
    }
    return NULL;
}

static void lint_counter(struct parser *p, const struct known *k)
{
    const bool total = str_ends(k->name, STR("_total"));

    if (p->o.format == PARSE_OPENMETRICS)
        return;
    if (k->type == PARSE_COUNTER && !total)
        tell(p, k, "a counter should have the suffix \"_total\"");
    if (k->type != PARSE_COUNTER && k->type != PARSE_UNKNOWN && total)
        tell(p, k, "only a counter should have the suffix \"_total\"");
}

static void lint_suffix(struct parser *p, const struct known *k)
{
    const bool counts = is_histogram(k) || k->type == PARSE_SUMMARY;

    if (k->type == PARSE_UNKNOWN)
        return;
    if (!is_histogram(k) && str_ends(k->name, STR("_bucket")))
        tell(p, k, "only a histogram should have the suffix \"_bucket\"");
    if (!counts &&
        (str_ends(k->name, STR("_count")) || str_ends(k->name, STR("_sum"))))
        tell(p, k,
             "only a histogram or a summary should have the suffix "
             "\"_count\" or \"_sum\"");
}

static bool is_abbreviated(struct str name)
{
    static const char *const units[] = {"s",  "ms", "us", "ns", "sec",
                                        "b",  "kb", "mb", "gb", "tb",
                                        "pb", "m",  "h",  "d"};

    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (has_part(name, units[i]))
            return true;
    return false;
}

static void lint_words(struct parser *p, const struct known *k)
{
    const char *base = base_unit(k->name);
    struct buf text;

    if (base) {
        buf_init(&text, 128);
        buf_addf(&text, "use the base unit \"%s\"", base);
        tell(p, k, buf_z(&text));
        buf_fini(&text);
    }
    if (is_abbreviated(k->name))
        tell(p, k, "a name should not hold an abbreviated unit");
    if (memchr(k->name.ptr, ':', k->name.len))
        tell(p, k, "colons are for recording rules");
    if (has_capital(k->name))
        tell(p, k, "names should be in snake_case, not camelCase");
    for (enum parse_type t = PARSE_COUNTER; t <= PARSE_SUMMARY; t++)
        if (has_part(k->name, parse_type_name(t)))
            tell(p, k, "a name should not hold the type of the metric");
}

static void tell_labels(struct parser *p, const struct known *k)
{
    static const char *const what[] = {
        [LABEL_LE] = "only a histogram should have a label \"le\"",
        [LABEL_QUANTILE] = "only a summary should have a label \"quantile\"",
        [LABEL_CAPITAL] =
            "names of labels should be in snake_case, not camelCase",
    };

    for (int i = 0; i < LABEL_FAULTS; i++)
        if (k->labels[i].line > 0)
            tell_at(p, k, k->labels[i], what[i]);
}

static int by_place(const void *a, const void *b)
{
    const struct known *x = *(const struct known *const *)a;
    const struct known *y = *(const struct known *const *)b;

    return (x->place.line > y->place.line) - (x->place.line < y->place.line);
}

static void lint_family(struct parser *p, const struct known *k)
{
    if (!k->samples)
        return;
    if (!k->help)
        tell(p, k, "no help text");
    lint_counter(p, k);
    lint_suffix(p, k);
    lint_words(p, k);
    tell_labels(p, k);
}

void lint_end(struct parser *p)
{
    struct lint *l = p->lint;
    const size_t count = l->families.count;
    struct known **sorted = arena_array(&l->arena, count + 1, sizeof(*sorted));
    struct map_slot slot;
    size_t n = 0, i = 0;

    while (map_next(&l->families, &i, &slot))
        sorted[n++] = slot.value;
    qsort(sorted, n, sizeof(struct known *), by_place);
    for (i = 0; i < n; i++)
        lint_family(p, sorted[i]);
}
