/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config/conf.h"

#include "agent/base/mem.h"
#include "agent/config/inside.h"

#include <stdarg.h>
#include <stdlib.h>

#define ARENA_BLOCK 16384
#define FAULT_TEXT  2048

struct conf *conf_new(void)
{
    struct conf *c = xcalloc(1, sizeof(*c));

    arena_init(&c->arena, ARENA_BLOCK);
    return c;
}

void conf_free(struct conf *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->secret_count; i++) {
        union {
            const char *lent;
            char *ours; /* the arena's, and so this configuration's */
        } p = {.lent = c->secrets[i].ptr};

        wipe(p.ours, c->secrets[i].len);
    }
    free(c->secrets);
    free(c->faults);
    map_fini(&c->fields);
    map_fini(&c->sections);
    arena_fini(&c->arena);
    free(c);
}

struct arena *conf_arena(struct conf *c)
{
    return &c->arena;
}

void conf_keep_secret(struct conf *c, struct str s)
{
    if (!s.len)
        return;
    xgrow(&c->secrets, &c->secret_cap, c->secret_count, sizeof(*c->secrets));
    c->secrets[c->secret_count++] = s;
}

/* ---- places ---- */

static void path_add(const struct conf_path *p, struct buf *out)
{
    if (!p)
        return;
    path_add(p->up, out);
    if (!p->key.ptr)
        buf_addf(out, "[%zu]", p->index);
    else
        buf_addf(out, "%s%.*s", out->len ? "." : "", STR_ARG(p->key));
}

const char *conf_path_text(struct conf *c, const struct conf_path *p)
{
    struct buf b;
    const char *text;

    buf_init(&b, FAULT_TEXT);
    path_add(p, &b);
    text = arena_strdup(&c->arena, buf_str(&b));
    buf_fini(&b);
    return text;
}

static struct str address(const void *const *field)
{
    return str_n((const char *)field, sizeof(*field));
}

static void keep(struct conf *c, struct map *m, struct conf_origin from)
{
    struct conf_origin *o = arena_alloc(&c->arena, sizeof(*o));

    *o = from;
    map_put(m, address(&o->field), o);
}

void conf_origin_field(struct conf *c, const void *field,
                       const struct conf_mark *mark, const char *path)
{
    keep(c, &c->fields, (struct conf_origin){field, path, *mark, true, false});
}

void conf_origin_default(struct conf *c, const void *field,
                         const struct conf_mark *section, const char *path)
{
    keep(c, &c->fields,
         (struct conf_origin){field, path, *section, false, false});
}

void conf_origin_section(struct conf *c, const void *section,
                         const struct conf_mark *mark, const char *path)
{
    keep(c, &c->sections,
         (struct conf_origin){section, path, *mark, true, false});
}

void conf_origin_hide(struct conf *c, const void *field)
{
    struct conf_origin *o = map_get(&c->fields, address(&field));

    if (o)
        o->secret = true;
}

bool conf_origin_hidden(const struct conf *c, const void *field)
{
    const struct conf_origin *o = map_get(&c->fields, address(&field));

    return o && o->secret;
}

const struct conf_mark *conf_written(const struct conf *c, const void *field)
{
    const struct conf_origin *o = map_get(&c->fields, address(&field));

    return o && o->written ? &o->mark : NULL;
}

static void inherit_value(struct conf *c, const struct conf_key *row, char *to,
                          const char *from)
{
    const struct conf_origin *o =
        map_get(&c->fields, address((const void *[]){from}));

    if (conf_written(c, to))
        return;
    memcpy(to, from, conf_kind_size(row));
    if (!o || !o->written)
        return;
    conf_origin_field(c, to, &o->mark, o->path);
    if (o->secret)
        conf_origin_hide(c, to);
}

void conf_inherit(struct conf *c, const struct conf_key *keys, void *to,
                  const void *from)
{
    for (const struct conf_key *row = keys; row->key; row++) {
        char *t = (char *)to + row->at;
        const char *f = (const char *)from + row->at;

        if (row->kind == CONF_KIND_SECTION || row->kind == CONF_KIND_INLINE)
            conf_inherit(c, row->keys, t, f);
        else if (conf_kind_is_value(row->kind))
            inherit_value(c, row, t, f);
    }
}

/* ---- faults ---- */

/* What is inherited is found once for each heir. */
static bool told_already(const struct conf *c, const struct conf_mark *mark,
                         const char *path, struct str text)
{
    for (size_t i = 0; i < c->fault_count; i++) {
        const struct conf_fault *f = &c->faults[i];

        if (str_eqz(text, f->text) && strcmp(path, f->path) == 0 &&
            (mark ? mark->line == f->mark.line && mark->col == f->mark.col
                  : f->mark.source == NULL))
            return true;
    }
    return false;
}

static void add_fault(struct conf *c, const struct conf_mark *mark,
                      const char *path, struct str text)
{
    struct conf_fault *f;

    if (c->fault_count > CONF_FAULTS_MAX || told_already(c, mark, path, text))
        return;
    if (c->fault_count == CONF_FAULTS_MAX) {
        mark = NULL;
        path = "";
        text = STR("there are more faults than are told here");
    }
    xgrow(&c->faults, &c->fault_cap, c->fault_count, sizeof(*c->faults));
    f = &c->faults[c->fault_count++];
    *f = (struct conf_fault){.path = path,
                             .text = arena_strdup(&c->arena, text)};
    if (mark)
        f->mark = *mark;
    c->errors++;
}

static void add_faultv(struct conf *c, const struct conf_mark *mark,
                       const char *path, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

static void add_faultv(struct conf *c, const struct conf_mark *mark,
                       const char *path, const char *fmt, va_list ap)
{
    struct buf b;

    buf_init(&b, BUF_NO_LIMIT);
    buf_addv(&b, fmt, ap);
    add_fault(c, mark, path ? path : "", buf_str(&b));
    buf_fini(&b);
}

void conf_fault(struct conf *c, const struct conf_mark *mark, const char *path,
                const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_faultv(c, mark, path, fmt, ap);
    va_end(ap);
}

void conf_fault_node(struct conf *c, const struct conf_node *n,
                     const struct conf_path *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_faultv(c, &n->mark, conf_path_text(c, p), fmt, ap);
    va_end(ap);
}

void conf_blame(struct conf *c, const void *field, const char *fmt, ...)
{
    const struct conf_origin *o = map_get(&c->fields, address(&field));
    va_list ap;

    va_start(ap, fmt);
    add_faultv(c, o ? &o->mark : NULL, o ? o->path : "", fmt, ap);
    va_end(ap);
}

/* Columns count characters, as libyaml does. */
static unsigned columns(struct str s)
{
    unsigned n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

void conf_blame_byte(struct conf *c, char *const *field, size_t offset,
                     const char *fmt, ...)
{
    const void *key = field;
    const struct conf_origin *o = map_get(&c->fields, address(&key));
    struct conf_mark mark = {0};
    va_list ap;

    if (o)
        mark = o->mark;
    if (mark.text_col && offset <= strlen(*field))
        mark.col = mark.text_col + columns(str_n(*field, offset));
    va_start(ap, fmt);
    add_faultv(c, o ? &mark : NULL, o ? o->path : "", fmt, ap);
    va_end(ap);
}

void conf_blame_section(struct conf *c, const void *section, const char *fmt,
                        ...)
{
    const struct conf_origin *o = map_get(&c->sections, address(&section));
    va_list ap;

    va_start(ap, fmt);
    add_faultv(c, o ? &o->mark : NULL, o ? o->path : "", fmt, ap);
    va_end(ap);
}

void conf_blame_err(struct conf *c, const struct conf_key *keys,
                    const void *section, const struct err *err)
{
    struct str text = str_of(err->text);
    size_t colon = str_find(text, ':'), at = 0;
    const struct conf_key *row =
        conf_row_find(keys, str_n(text.ptr, colon), &at);
    const char *rest = text.ptr + colon + (row && colon < text.len);

    const void *field = row ? (const char *)section + at : NULL;

    while (row && *rest == ' ')
        rest++;
    if (row && conf_kind_is_value(row->kind))
        conf_blame(c, field, "%s", rest);
    else if (row && map_get(&c->sections, address(&field)))
        conf_blame_section(c, field, "%s", rest);
    else
        conf_blame_section(c, section, "%s", err->text);
}

void conf_fault_warns(struct conf *c)
{
    struct conf_fault *f;

    if (!c->fault_count || c->fault_count > CONF_FAULTS_MAX)
        return;
    f = &c->faults[c->fault_count - 1];
    if (!f->warning)
        c->errors--;
    f->warning = true;
}

void conf_fault_quotes(struct conf *c, struct str lines)
{
    if (c->fault_count)
        c->faults[c->fault_count - 1].quote = arena_strdup(&c->arena, lines);
}

bool conf_faulty(const struct conf *c, const void *section)
{
    const struct conf_origin *o = map_get(&c->sections, address(&section));
    size_t n = o ? strlen(o->path) : 0;

    for (size_t i = 0; o && i < c->fault_count; i++) {
        const struct conf_fault *f = &c->faults[i];

        if (!f->warning && strncmp(f->path, o->path, n) == 0 &&
            (f->path[n] == '.' || f->path[n] == '[' || f->path[n] == '\0'))
            return true;
    }
    return false;
}

bool conf_good(const struct conf *c)
{
    return c->errors == 0;
}

size_t conf_fault_count(const struct conf *c)
{
    return c->fault_count;
}

const struct conf_fault *conf_fault_at(const struct conf *c, size_t i)
{
    return &c->faults[i];
}

/* ---- printing them ---- */

/* Sources in the order in which they were first met; then by place. */
static int compare(const struct conf_fault *a, const struct conf_fault *b)
{
    if (!a->mark.source || !b->mark.source)
        return (a->mark.source == NULL) - (b->mark.source == NULL);
    if (strcmp(a->mark.source, b->mark.source) != 0)
        return (a->mark.line == 0) - (b->mark.line == 0);
    if (a->mark.line != b->mark.line)
        return a->mark.line < b->mark.line ? -1 : 1;
    return (a->mark.col > b->mark.col) - (a->mark.col < b->mark.col);
}

void conf_fault_print(const struct conf_fault *f, struct buf *out)
{
    if (f->mark.source)
        buf_addf(out, "%s:", f->mark.source);
    if (f->mark.line)
        buf_addf(out, "%u:%u:", f->mark.line, f->mark.col);
    if (f->mark.source)
        buf_addc(out, ' ');
    if (f->warning)
        buf_addz(out, "warning: ");
    if (f->path[0])
        buf_addf(out, "%s: ", f->path);
    buf_addz(out, f->text);
}

static void print_fault(const struct conf_fault *f, struct buf *out)
{
    conf_fault_print(f, out);
    buf_addc(out, '\n');
    if (f->quote)
        buf_addf(out, "%s%s", f->quote,
                 str_ends(str_of(f->quote), STR("\n")) ? "" : "\n");
}

void conf_faults_print(const struct conf *c, struct buf *out)
{
    const struct conf_fault *order[CONF_FAULTS_MAX + 1];

    for (size_t i = 0; i < c->fault_count; i++) {
        size_t at = i;

        for (; at && compare(&c->faults[i], order[at - 1]) < 0; at--)
            order[at] = order[at - 1];
        order[at] = &c->faults[i];
    }
    for (size_t i = 0; i < c->fault_count; i++)
        print_fault(order[i], out);
}
