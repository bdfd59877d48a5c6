/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config/show.h"

#include "agent/config/env.h"
#include "agent/config/inside.h"

/* ---- the tables ---- */

struct telling {
    conf_option_fn *fn;
    void *arg;
    struct buf path;
    bool listed; /* below a list or names: no variable reaches it */
};

static bool has_variable(const struct telling *t, const struct conf_key *row)
{
    return !t->listed &&
           (conf_kind_is_value(row->kind) || row->flags & CONF_CHOICES);
}

static void tell(struct telling *t, const struct conf_key *row)
{
    struct buf env, kind, bounds;
    struct conf_option o = {.path = buf_z(&t->path), .row = row};

    buf_init(&env, BUF_NO_LIMIT);
    buf_init(&kind, BUF_NO_LIMIT);
    buf_init(&bounds, BUF_NO_LIMIT);
    if (has_variable(t, row))
        conf_env_name(buf_str(&t->path), &env);
    conf_kind_name(row, &kind);
    conf_kind_bounds(row, &bounds);
    o.env = buf_z(&env);
    o.kind = buf_z(&kind);
    o.bounds = buf_z(&bounds);
    o.def = row->def ? row->def : "";
    o.section = !conf_kind_is_value(row->kind);
    t->fn(t->arg, &o);
    buf_fini(&env);
    buf_fini(&kind);
    buf_fini(&bounds);
}

static void tell_rows(struct telling *t, const struct conf_key *keys)
{
    for (const struct conf_key *row = keys; row && row->key; row++) {
        bool rows = row->kind == CONF_KIND_ROWS;
        bool named = row->kind == CONF_KIND_NAMED;
        bool listed = t->listed;
        size_t len = t->path.len;

        if (row->kind == CONF_KIND_INLINE) {
            tell_rows(t, row->keys);
            continue;
        }
        buf_addf(&t->path, "%s%s", len ? "." : "", row->key);
        tell(t, row);
        if (rows || named)
            buf_addz(&t->path, rows ? "[]" : ".NAME");
        t->listed = listed || rows || named;
        if (!conf_kind_is_value(row->kind))
            tell_rows(t, row->keys);
        t->listed = listed;
        t->path.len = len;
        if (t->path.data)
            t->path.data[len] = '\0';
    }
}

void conf_options(const struct conf_key *keys, conf_option_fn *fn, void *arg)
{
    struct telling t = {.fn = fn, .arg = arg};

    buf_init(&t.path, BUF_NO_LIMIT);
    tell_rows(&t, keys);
    buf_fini(&t.path);
}

/* Words of `text` in lines of at most 78 columns, each begun by `indent`
 * blanks. */
static void wrap(const char *text, int indent, struct buf *out)
{
    struct str rest = str_of(text), word;
    int column = 0;

    while (str_next(&rest, ' ', &word)) {
        bool first = column == 0;

        if (!first && column + 1 + (int)word.len > 78) {
            buf_addc(out, '\n');
            first = true;
        }
        if (first)
            buf_addf(out, "%*s", indent, "");
        column = first ? indent : column + 1;
        buf_addf(out, "%s%.*s", first ? "" : " ", STR_ARG(word));
        column += (int)word.len;
    }
    buf_addc(out, '\n');
}

static void print_option(void *arg, const struct conf_option *o)
{
    struct buf *out = arg;

    buf_addf(out, "%s\n    %s", o->path, o->kind);
    if (o->bounds[0])
        buf_addf(out, ", %s", o->bounds);
    if (o->def[0])
        buf_addf(out, "; default %s", o->def);
    if (o->row->flags & CONF_MUST)
        buf_addz(out, "; must be written");
    buf_addc(out, '\n');
    if (o->env[0])
        buf_addf(out, "    %s\n", o->env);
    if (o->row->help && o->row->help[0])
        wrap(o->row->help, 4, out);
    buf_addc(out, '\n');
}

void conf_options_print(const struct conf_key *keys, struct buf *out)
{
    conf_options(keys, print_option, out);
}

/* ---- what is in force ---- */

struct showing {
    const struct conf *c;
    struct buf *out;
    int indent;
};

static void show_rows(const struct showing *s, const struct conf_key *keys,
                      const char *base);

/* What a YAML text may hold as it is, and does not fold (YAML 1.1, section
 * 4.1.1). */
static bool is_plain(uint32_t rune)
{
    return rune >= ' ' && (rune < 0x7f || rune > 0xa0) && rune != 0x2028 &&
           rune != 0x2029 && rune != 0xfeff && rune != 0xfffe && rune != 0xffff;
}

/* As YAML in double quotes takes it; `dollar` stands for a $. */
static void show_quoted(struct str text, const char *dollar, struct buf *out)
{
    buf_addc(out, '"');
    while (text.len) {
        uint32_t rune = 0;
        size_t n = str_rune(text, &rune);
        char c = text.ptr[0];

        if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else if (c == '$')
            buf_addz(out, dollar);
        else if (n && is_plain(rune))
            buf_add(out, text.ptr, n);
        else
            buf_addf(out, "\\u%04X", (unsigned)rune);
        text = str_from(text, n ? n : 1);
    }
    buf_addc(out, '"');
}

/* One text, or *** in its place. */
static void show_text(const struct conf *c, char *const *field, struct buf *out)
{
    if (conf_origin_hidden(c, field) && (*field)[0])
        buf_addz(out, "\"***\"");
    else
        show_quoted(str_of(*field), "$$", out);
}

static void show_value(const struct conf *c, const struct conf_key *row,
                       const void *field, struct buf *out)
{
    const struct conf_list *list = field;
    const struct conf_map *map = field;

    if (row->kind == CONF_KIND_TEXT) {
        show_text(c, field, out);
    } else if (row->kind == CONF_KIND_LIST) {
        buf_addc(out, '[');
        for (size_t i = 0; i < list->count; i++) {
            buf_addz(out, i ? ", " : "");
            show_text(c, &list->items[i], out);
        }
        buf_addc(out, ']');
    } else if (row->kind == CONF_KIND_MAP) {
        buf_addc(out, '{');
        for (size_t i = 0; i < map->count; i++) {
            buf_addz(out, i ? ", " : "");
            show_quoted(str_of(map->pairs[i].name), "$", out);
            buf_addz(out, ": ");
            show_text(c, &map->pairs[i].value, out);
        }
        buf_addc(out, '}');
    } else {
        conf_kind_print(row, field, out);
    }
}

static void show_origin(const struct conf_mark *m, struct buf *out)
{
    if (!m)
        return;
    buf_addf(out, "  # %s", m->source);
    if (m->line)
        buf_addf(out, ":%u", m->line);
}

static void show_key(const struct showing *s, const char *key)
{
    buf_addf(s->out, "%*s%s:", s->indent, "", key);
}

static void show_section(const struct showing *s, const struct conf_key *row,
                         const char *base)
{
    struct showing in = *s;

    size_t before;

    show_key(s, row->key);
    buf_addc(s->out, '\n');
    before = s->out->len;
    in.indent += 2;
    show_rows(&in, row->keys, base);
    if (s->out->len > before)
        return;
    s->out->len--; /* nothing is in it */
    buf_addz(s->out, " {}\n");
}

/* A list of sections, or sections by name. */
static void show_table(const struct showing *s, const struct conf_key *row,
                       const char *base)
{
    struct showing in = *s;
    const char *rows;
    size_t count;

    memcpy(&rows, base + row->at, sizeof(rows));
    memcpy(&count, base + row->count_at, sizeof(count));
    show_key(s, row->key);
    buf_addz(s->out, count                          ? "\n"
                     : row->kind == CONF_KIND_NAMED ? " {}\n"
                                                    : " []\n");
    in.indent += 4;
    for (size_t i = 0; i < count; i++, rows += row->size) {
        buf_addf(s->out, "%*s", s->indent + 2, "");
        if (row->kind == CONF_KIND_NAMED)
            show_quoted(
                str_of(*(char *const *)(const void *)(rows + row->name_at)),
                "$", s->out);
        buf_addz(s->out, row->kind == CONF_KIND_NAMED ? ":\n" : "-\n");
        show_rows(&in, row->keys, rows);
    }
}

static void show_row(const struct showing *s, const struct conf_key *row,
                     const char *base)
{
    const char *field = base + row->at;
    const char *section = NULL;

    if (row->kind == CONF_KIND_INLINE) {
        show_rows(s, row->keys, field);
    } else if (row->kind == CONF_KIND_SECTION) {
        show_section(s, row, field);
    } else if (row->kind == CONF_KIND_OPTIONAL) {
        memcpy(&section, field, sizeof(section));
        if (section)
            show_section(s, row, section);
    } else if (conf_kind_is_value(row->kind)) {
        show_key(s, row->key);
        buf_addc(s->out, ' ');
        show_value(s->c, row, field, s->out);
        show_origin(conf_written(s->c, field), s->out);
        buf_addc(s->out, '\n');
    } else {
        show_table(s, row, base);
    }
}

static void show_rows(const struct showing *s, const struct conf_key *keys,
                      const char *base)
{
    for (const struct conf_key *row = keys; row && row->key; row++)
        show_row(s, row, base);
}

void conf_show(const struct conf *c, const struct conf_key *keys,
               const void *values, struct buf *out)
{
    struct showing s = {c, out, 0};

    show_rows(&s, keys, values);
}
