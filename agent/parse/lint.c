/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/parse/lint.h"

#include "agent/base/map.h"
#include "agent/base/mem.h"

#include <ctype.h>
#include <stdlib.h>

/* What is known of a family, by the name in its metadata. */
struct known {
    struct str name;
    bool help, type, samples;
    enum parse_type kind;
    uint64_t line, col; /* of its name, where it was first met */
};

struct lint {
    struct arena arena;
    struct map families;
    struct known *last;
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
    k->line = p->line_no;
    k->col = col;
    map_put(&l->families, k->name, k);
    return k;
}

static void tell(struct parser *p, const struct known *k, const char *what)
{
    struct excerpt e;
    struct buf text;

    buf_init(&text, 512);
    buf_addf(&text, "%s: %s", excerpt(&e, k->name.ptr, k->name.len), what);
    p->o.lint(p->o.arg, k->line, k->col, buf_str(&text));
    buf_fini(&text);
}

void lint_meta(struct parser *p, const struct parse_meta *m, size_t name_at)
{
    struct known *k = family(p, m->name, name_at + 1);

    if (m->kind == PARSE_HELP)
        k->help |= m->text.len > 0;
    if (m->kind == PARSE_TYPE) {
        k->type = true;
        k->kind = m->type;
    }
    p->lint->last = k;
}

/* The family's name is that of the sample, or what stands before a suffix. */
static struct known *of_sample(struct parser *p, struct str name)
{
    static const char *const suffixes[] = {"_bucket", "_sum",     "_count",
                                           "_total",  "_created", "_info",
                                           "_gsum",   "_gcount"};
    struct lint *l = p->lint;

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
        const struct str end = str_of(suffixes[i]);
        struct known *k;

        if (!str_ends(name, end))
            continue;
        k = map_get(&l->families, str_n(name.ptr, name.len - end.len));
        if (k)
            return k;
    }
    return family(p, name, p->line.series_at + 1);
}

void lint_sample(struct parser *p, struct str name)
{
    struct known *k = map_get(&p->lint->families, name);

    if (k == NULL)
        k = of_sample(p, name);
    k->samples = true;
}

static bool has_part(struct str name, const char *word)
{
    struct str part;

    while (str_next(&name, '_', &part))
        if (str_eqz(part, word))
            return true;
    return false;
}

/* A unit of which the base unit should be used. */
static const char *base_unit(struct str name)
{
    static const struct {
        const char *unit, *base;
    } units[] = {
        {"nanoseconds", "seconds"},  {"microseconds", "seconds"},
        {"milliseconds", "seconds"}, {"minutes", "seconds"},
        {"hours", "seconds"},        {"days", "seconds"},
        {"weeks", "seconds"},        {"fahrenheit", "celsius"},
        {"kilobytes", "bytes"},      {"megabytes", "bytes"},
        {"gigabytes", "bytes"},      {"kibibytes", "bytes"},
        {"mebibytes", "bytes"},      {"gibibytes", "bytes"},
        {"millimeters", "meters"},   {"centimeters", "meters"},
        {"kilometers", "meters"},    {"inches", "meters"},
        {"feet", "meters"},          {"miles", "meters"},
        {"kilograms", "grams"},      {"calories", "joules"},
        {"milliamperes", "amperes"}, {"millivolts", "volts"},
        {"kilovolts", "volts"},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (has_part(name, units[i].unit) &&
            strcmp(units[i].unit, units[i].base) != 0)
            return units[i].base;
    return NULL;
}

static bool has_capital(struct str name)
{
    for (size_t i = 1; i < name.len; i++)
        if (isupper((unsigned char)name.ptr[i]) &&
            islower((unsigned char)name.ptr[i - 1]))
            return true;
    return false;
}

static void lint_counter(struct parser *p, const struct known *k)
{
    const bool total = str_ends(k->name, STR("_total"));

    if (p->o.format == PARSE_OPENMETRICS || !k->type)
        return;
    if (k->kind == PARSE_COUNTER && !total)
        tell(p, k, "a counter should have the suffix \"_total\"");
    if (k->kind != PARSE_COUNTER && total)
        tell(p, k, "only a counter should have the suffix \"_total\"");
}

static void lint_suffix(struct parser *p, const struct known *k)
{
    const bool histogram = k->kind == PARSE_HISTOGRAM;

    if (!k->type)
        return;
    if (!histogram && str_ends(k->name, STR("_bucket")))
        tell(p, k, "only a histogram should have the suffix \"_bucket\"");
    if (!histogram && k->kind != PARSE_SUMMARY &&
        (str_ends(k->name, STR("_count")) || str_ends(k->name, STR("_sum"))))
        tell(p, k,
             "only a histogram or a summary should have the suffix "
             "\"_count\" or \"_sum\"");
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
    if (memchr(k->name.ptr, ':', k->name.len))
        tell(p, k, "colons are for recording rules");
    if (has_capital(k->name))
        tell(p, k, "names should be in snake_case, not camelCase");
    for (enum parse_type t = PARSE_COUNTER; t <= PARSE_SUMMARY; t++)
        if (has_part(k->name, parse_type_name(t)))
            tell(p, k, "a name should not hold the type of the metric");
}

static int by_place(const void *a, const void *b)
{
    const struct known *x = *(const struct known *const *)a;
    const struct known *y = *(const struct known *const *)b;

    return (x->line > y->line) - (x->line < y->line);
}

static void lint_family(struct parser *p, const struct known *k)
{
    if (!k->samples)
        return;
    if (!k->help)
        tell(p, k, "no help text");
    if (!k->type)
        tell(p, k, "no type");
    lint_counter(p, k);
    lint_suffix(p, k);
    lint_words(p, k);
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
