/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Families as the specifications want them.  Only the family being read is
 * held with its series; of those before it the names.
 */
#include "agent/parse/strict.h"

#include "agent/base/map.h"
#include "agent/base/mem.h"
#include "agent/parse/family.h"

#include <stdlib.h>

#define EXEMPLAR_RUNES 128

struct strict {
    struct map names;  /* of samples, taken by families: to the family's name */
    struct arena held; /* those names */
    struct family family;
};

struct strict *strict_new(void)
{
    struct strict *s = xcalloc(1, sizeof(*s));

    arena_init(&s->held, 4096);
    family_init(&s->family);
    return s;
}

void strict_free(struct strict *s)
{
    if (s == NULL)
        return;
    family_fini(&s->family);
    map_fini(&s->names);
    arena_fini(&s->held);
    free(s);
}

static bool refuse(struct parser *p, const char *text, size_t at,
                   const char *what, struct str name)
{
    struct excerpt e;

    return fault_at(p, text, at, ERR_INPUT, "%s \"%s\"", what,
                    excerpt(&e, name.ptr, name.len));
}

/* The family takes name and suffix for itself. */
static bool take(struct parser *p, const char *text, size_t at,
                 const char *suffix)
{
    struct strict *s = p->strict;
    const struct str name = s->family.name;
    const struct str full =
        arena_printf(&s->held, "%.*s%s", STR_ARG(name), suffix);
    const struct str *other = map_get(&s->names, full);
    struct str *mine;

    if (other && !str_eq(*other, name))
        return refuse(p, text, at, "the names of its samples are also those of",
                      *other);
    if (other)
        return true;
    mine = arena_alloc(&s->held, sizeof(*mine));
    *mine = arena_str(&s->held, name);
    map_put(&s->names, full, mine);
    return true;
}

static bool take_all(struct parser *p, const char *text, size_t at)
{
    const struct family *f = &p->strict->family;
    const char *const *suffix = family_suffixes(p->o.format, f->type);

    if (!take(p, text, at, ""))
        return false;
    for (; *suffix; suffix++)
        if (!take(p, text, at, *suffix))
            return false;
    return true;
}

/* Ends the family before, and begins this one. */
static bool begin(struct parser *p, const char *text, size_t at,
                  struct str name)
{
    struct strict *s = p->strict;
    const struct str *before;

    if (!family_end(p, &s->family, text))
        return false;
    before = map_get(&s->names, name);
    if (before)
        return refuse(p, text, at,
                      "the lines of a family must stand together: this one "
                      "comes back to",
                      *before);
    family_begin(&s->family, name);
    return take_all(p, text, at);
}

bool strict_meta(struct parser *p, const struct parse_meta *m, const char *text,
                 size_t name_at)
{
    struct family *f = &p->strict->family;

    if (text[name_at - 1] == '"' && p->o.format == PARSE_OPENMETRICS)
        return fault_at(p, text, name_at - 1, ERR_INPUT,
                        "OpenMetrics 1.0 has no names in quotes");
    if (!(f->named && str_eq(f->name, m->name)) &&
        !begin(p, text, name_at, m->name))
        return false;
    if (f->samples)
        return refuse(p, text, name_at,
                      "metadata must stand before the samples of", m->name);
    if (f->has[m->kind])
        return refuse(p, text, name_at,
                      "the same metadata was already given for", m->name);
    f->has[m->kind] = true;
    if (m->kind == PARSE_UNIT)
        f->unit = m->text.len > 0;
    if (m->kind == PARSE_TYPE)
        f->type = m->type;
    if (f->unit && (f->type == PARSE_INFO || f->type == PARSE_STATESET))
        return refuse(p, text, name_at, "a unit does not go with the type of",
                      m->name);
    return m->kind != PARSE_TYPE || take_all(p, text, name_at);
}

static bool odd_line(struct parser *p)
{
    static const char *const what[] = {
        [ODD_LAST_COMMA] = "no comma may stand before }",
        [ODD_NO_COMMA] = "a comma must stand between two labels",
        [ODD_LF] = "a line feed in a string must be written \\n",
        [ODD_ESCAPE] = "a backslash in a string must be written \\\\",
        [ODD_QUOTED] = "OpenMetrics 1.0 has no names in quotes",
    };
    const bool openmetrics = p->o.format == PARSE_OPENMETRICS;
    const struct line *l = &p->line;

    for (int i = ODD_LAST_COMMA; i <= ODD_QUOTED; i++) {
        if (l->odd_at[i] == 0 || (i == ODD_LAST_COMMA && !openmetrics) ||
            (i == ODD_QUOTED && !openmetrics) ||
            (i == ODD_ESCAPE && openmetrics))
            continue;
        return fault_at(p, l->text, l->odd_at[i] - 1, ERR_INPUT, "%s", what[i]);
    }
    if (l->value_at == l->series_at + l->series_len)
        return fault_at(p, l->text, l->value_at, ERR_INPUT,
                        "a blank must stand before the value");
    return true;
}

static size_t runes(struct parser *p, size_t at, size_t len, bool escaped)
{
    const struct str s =
        names_decode(p->line.text + at, len, escaped, &p->arena);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

/* OpenMetrics 1.0, sections "LabelSet" and "Exemplars". */
static bool exemplar(struct parser *p)
{
    const struct line *l = &p->line;
    const struct line_label *first = l->labels + l->label_count;
    size_t length = 0;

    for (size_t i = 0; i < l->exemplar_count; i++) {
        const struct line_label *t = &first[i];
        const struct str name = str_n(l->text + t->name_at, t->name_len);

        for (size_t j = 0; j < i; j++)
            if (str_eq(name,
                       str_n(l->text + first[j].name_at, first[j].name_len)))
                return refuse(p, l->text, t->name_at,
                              "the exemplar has twice the label", name);
        length +=
            t->name_len + runes(p, t->value_at, t->value_len, t->value_escaped);
    }
    if (length <= EXEMPLAR_RUNES)
        return true;
    return fault_at(p, l->text, first->name_at, ERR_INPUT,
                    "the labels of an exemplar may not be longer than %d "
                    "characters in all",
                    EXEMPLAR_RUNES);
}

bool strict_sample(struct parser *p, struct str name)
{
    struct family *f = &p->strict->family;
    const struct line *l = &p->line;

    if (!odd_line(p) || !exemplar(p))
        return false;
    if (f->named && family_has(p->o.format, f, name))
        return family_sample(p, f, name);
    if (f->named && str_eq(f->name, name))
        return fault_at(p, l->text, l->series_at, ERR_INPUT,
                        "a sample of a %s must be named %s",
                        parse_type_name(f->type), family_forms(f->type));
    return begin(p, l->text, l->series_at, name) && family_sample(p, f, name);
}

bool strict_end(struct parser *p, const char *text)
{
    return family_end(p, &p->strict->family, text);
}
