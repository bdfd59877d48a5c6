/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/ini.h"

struct reader {
    struct ini *ini;
    struct arena *arena;
    const char *file;
    size_t line;
    bool in_section;
    struct str section;
    struct ini_entry *property; /* a blank line does not end it; NULL: none */
};

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool comment(char c)
{
    return c == '#' || c == ';';
}

static bool fault(const struct reader *r, struct err *err, const char *what)
{
    return err_set(err, ERR_CONFIG, "%s:%zu: %s", r->file, r->line, what);
}

static struct ini_entry *add(struct reader *r, struct str name,
                             struct str value)
{
    struct ini_entry *e = arena_zalloc(r->arena, sizeof(*e));

    *e =
        (struct ini_entry){.section = r->section, .name = name, .value = value};
    if (r->ini->last)
        r->ini->last->next = e;
    else
        r->ini->first = e;
    r->ini->last = e;
    return e;
}

static bool read_section(struct reader *r, struct str line, struct err *err)
{
    for (size_t i = 0; i < line.len; i++)
        if (comment(line.ptr[i]))
            line.len = i;
    line = str_trim(line);
    if (!str_ends(line, STR("]")))
        return fault(r, err, "a section wants a ] at its end");
    r->section =
        arena_str(r->arena, str_trim(str_n(line.ptr + 1, line.len - 2)));
    r->in_section = true;
    r->property = NULL;
    (void)add(r, STR_NONE, STR_NONE);
    return true;
}

/* A comment in a value stands behind a blank. */
static struct str without_comment(struct str line)
{
    for (size_t i = 1; i < line.len; i++)
        if (comment(line.ptr[i]) && blank(line.ptr[i - 1]))
            return str_n(line.ptr, i);
    return line;
}

static bool read_property(struct reader *r, struct str line, struct err *err)
{
    size_t at;
    struct str name;

    line = without_comment(line);
    at = str_find(line, '=');
    name = str_trim(str_n(line.ptr, at));
    if (!r->in_section)
        return fault(r, err, "a property before any [section]");
    if (at == line.len)
        return fault(r, err, "neither a [section] nor NAME = VALUE");
    if (name.len == 0)
        return fault(r, err, "a value without a name");
    r->property = add(r, arena_str(r->arena, name),
                      arena_str(r->arena, str_trim(str_from(line, at + 1))));
    return true;
}

static bool read_continuation(struct reader *r, struct str line,
                              struct err *err)
{
    if (!r->property)
        return fault(r, err,
                     "begins with a blank, so it goes on with a property, but "
                     "there is none before it");
    r->property->value =
        arena_printf(r->arena, "%.*s\n%.*s", STR_ARG(r->property->value),
                     STR_ARG(str_trim(line)));
    return true;
}

static bool read_line(struct reader *r, struct str line, struct err *err)
{
    if (str_trim(line).len == 0 || comment(line.ptr[0]))
        return true;
    if (blank(line.ptr[0]))
        return read_continuation(r, line, err);
    if (line.ptr[0] == '[')
        return read_section(r, line, err);
    return read_property(r, line, err);
}

bool ini_parse(struct str text, const char *file, struct arena *arena,
               struct ini *out, struct err *err)
{
    struct reader r = {.ini = out, .arena = arena, .file = file};
    struct str line;

    *out = (struct ini){0};
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_from(text, 3);
    if (text.len > 0 && memchr(text.ptr, '\0', text.len))
        return err_set(err, ERR_CONFIG, "%s: is no text", file);
    while (str_next(&text, '\n', &line)) {
        r.line++;
        if (!read_line(&r, line, err))
            return false;
    }
    return true;
}
