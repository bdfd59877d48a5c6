/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config/source.h"

#include "agent/base/mem.h"
#include "agent/config/inside.h"

#include <yaml.h>

#define DEPTH_MAX 16
#define NODES_MAX 10000

struct reader {
    struct conf *c;
    const char *source;
    struct str text;
    yaml_parser_t yaml;
    bool failed; /* a fault was told; nothing more is read */
};

static struct conf_mark mark_at(const struct reader *r, const yaml_mark_t *mark)
{
    return (struct conf_mark){.source = r->source,
                              .line = (unsigned)mark->line + 1,
                              .col = (unsigned)mark->column + 1};
}

static void fail(struct reader *r, const yaml_mark_t *at, const char *text)
{
    struct conf_mark mark = mark_at(r, at);

    if (!r->failed)
        conf_fault(r->c, &mark, NULL, "%s", text);
    r->failed = true;
}

/* ---- what libyaml finds wrong ---- */

static struct str line_of(struct str text, size_t line)
{
    struct str part = STR_NONE;

    for (size_t i = 0; i <= line; i++)
        if (!str_next(&text, '\n', &part))
            return STR_NONE;
    return part;
}

static bool has(struct str s, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= s.len; i++)
        if (memcmp(s.ptr + i, word, n) == 0)
            return true;
    return false;
}

/* A tab among the blanks before the first letter of the line. */
static bool tab_indents(struct str line)
{
    size_t i = 0;

    while (i < line.len && line.ptr[i] == ' ')
        i++;
    return i < line.len && line.ptr[i] == '\t';
}

/* What to do about it; the first that fits. */
static const char *mend_for(struct str line, const char *problem)
{
    if (tab_indents(line))
        return "a tab cannot indent; use blanks";
    if (has(line, "${"))
        return "write text with ${...} in quotes inside { } and [ ]";
    if (strstr(problem, "mapping values are not allowed"))
        return "write text that holds \": \" in quotes, and check the "
               "indentation";
    if (strstr(problem, "expected ':'"))
        return "a key wants a colon and a blank behind it";
    if (strstr(problem, "cannot start any token"))
        return "write text that begins with a special character in quotes";
    return "check the indentation and the brackets of this line and of those "
           "above it";
}

/* Bad bytes have an offset in place of a line. */
static yaml_mark_t offset_mark(struct str text, size_t offset)
{
    yaml_mark_t m = {0};

    for (size_t i = 0; i < offset && i < text.len; i++) {
        m.line += text.ptr[i] == '\n';
        m.column = text.ptr[i] == '\n' ? 0 : m.column + 1;
    }
    return m;
}

static void fail_yaml(struct reader *r)
{
    const yaml_parser_t *y = &r->yaml;
    const char *problem = y->problem ? y->problem : "not YAML";
    yaml_mark_t at = y->problem_mark;
    struct buf b;

    buf_init(&b, BUF_NO_LIMIT);
    if (y->error == YAML_READER_ERROR) {
        at = offset_mark(r->text, y->problem_offset);
        buf_addf(&b, "%s; the file must be UTF-8 text", problem);
    } else {
        buf_addz(&b, problem);
        if (y->context && y->context_mark.line != at.line)
            buf_addf(&b, " (%s that began in line %zu)", y->context,
                     y->context_mark.line + 1);
        buf_addf(&b, "; %s", mend_for(line_of(r->text, at.line), problem));
    }
    fail(r, &at, buf_z(&b));
    buf_fini(&b);
}

/* ---- events to nodes ---- */

static bool next_event(struct reader *r, yaml_event_t *e)
{
    if (r->failed)
        return false;
    if (!yaml_parser_parse(&r->yaml, e)) {
        fail_yaml(r);
        return false;
    }
    return true;
}

static bool is_null(const yaml_event_t *e)
{
    struct str s =
        str_n((const char *)e->data.scalar.value, e->data.scalar.length);

    return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (s.len == 0 || str_eqz(s, "~") || str_eqz(s, "null") ||
            str_eqz(s, "Null") || str_eqz(s, "NULL"));
}

static const yaml_char_t *anchor_of(const yaml_event_t *e)
{
    if (e->type == YAML_SCALAR_EVENT)
        return e->data.scalar.anchor;
    if (e->type == YAML_SEQUENCE_START_EVENT)
        return e->data.sequence_start.anchor;
    return e->type == YAML_MAPPING_START_EVENT ? e->data.mapping_start.anchor
                                               : NULL;
}

static const yaml_char_t *tag_of(const yaml_event_t *e)
{
    if (e->type == YAML_SCALAR_EVENT)
        return e->data.scalar.tag;
    if (e->type == YAML_SEQUENCE_START_EVENT)
        return e->data.sequence_start.tag;
    return e->type == YAML_MAPPING_START_EVENT ? e->data.mapping_start.tag
                                               : NULL;
}

static bool allowed(struct reader *r, const yaml_event_t *e, int depth)
{
    if (e->type == YAML_ALIAS_EVENT || anchor_of(e))
        fail(r, &e->start_mark,
             "anchors (&) and aliases (*) are not taken; write the value out, "
             "or in quotes if it is text");
    else if (tag_of(e))
        fail(r, &e->start_mark,
             "tags (!) are not taken; write text that begins with ! in "
             "quotes");
    else if (depth > DEPTH_MAX)
        fail(r, &e->start_mark, "is nested deeper than any option");
    else if (++r->c->nodes > NODES_MAX)
        fail(r, &e->start_mark, "has more than 10,000 values");
    return !r->failed;
}

static struct conf_node *read_node(struct reader *r, const yaml_event_t *e,
                                   int depth);

/* Quotes take a column each, and an escape in between would take more. */
static unsigned text_column(const yaml_event_t *e)
{
    unsigned col = (unsigned)e->start_mark.column + 1;
    size_t width = e->end_mark.column - e->start_mark.column;
    struct str text =
        str_n((const char *)e->data.scalar.value, e->data.scalar.length);
    size_t letters = 0;

    for (size_t i = 0; i < text.len; i++)
        letters += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    if (e->start_mark.line != e->end_mark.line)
        return 0;
    if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return width == letters ? col : 0;
    return width == letters + 2 ? col + 1 : 0;
}

static struct conf_node *read_scalar(struct reader *r, const yaml_event_t *e)
{
    struct conf_node *n = conf_node_text(
        &r->c->arena, mark_at(r, &e->start_mark),
        str_n((const char *)e->data.scalar.value, e->data.scalar.length));

    n->null = is_null(e);
    n->mark.text_col = text_column(e);
    return n;
}

static struct conf_node *read_sequence(struct reader *r,
                                       const yaml_event_t *start, int depth)
{
    struct conf_node *n = conf_node_new(&r->c->arena, CONF_SEQUENCE,
                                        mark_at(r, &start->start_mark));
    yaml_event_t e;

    while (next_event(r, &e)) {
        bool end = e.type == YAML_SEQUENCE_END_EVENT;
        struct conf_node *item = end ? NULL : read_node(r, &e, depth + 1);

        yaml_event_delete(&e);
        if (end)
            break;
        if (item)
            conf_node_add(&r->c->arena, n, STR_NONE, item);
    }
    return n;
}

/* The key that `e` is: fails when it is no text, or stands there already. */
static bool read_key(struct reader *r, const struct conf_node *map,
                     const yaml_event_t *e, struct conf_node *key)
{
    const struct conf_node *first;

    if (e->type != YAML_SCALAR_EVENT) {
        fail(r, &e->start_mark, "a key must be text");
        return false;
    }
    *key = *read_scalar(r, e);
    first = conf_node_get(map, key->text);
    if (key->text.len == 0 || memchr(key->text.ptr, '\0', key->text.len)) {
        fail(r, &e->start_mark, "a key must be text");
    } else if (first) {
        struct buf b;

        buf_init(&b, BUF_NO_LIMIT);
        conf_quote(key->text, &b);
        buf_addf(&b, " is written twice; it stands in line %u already",
                 first->key_mark.line);
        fail(r, &e->start_mark, buf_z(&b));
        buf_fini(&b);
    }
    return !r->failed;
}

static void read_value(struct reader *r, struct conf_node *map,
                       const struct conf_node *key, int depth)
{
    struct conf_node *value;
    yaml_event_t e;

    if (!next_event(r, &e))
        return;
    value = read_node(r, &e, depth + 1);
    yaml_event_delete(&e);
    if (!value)
        return;
    value->key_mark = key->mark;
    if (value->kind == CONF_SCALAR && value->null)
        value->mark = key->mark; /* libyaml points to the line below */
    conf_node_add(&r->c->arena, map, key->text, value);
}

static struct conf_node *read_mapping(struct reader *r,
                                      const yaml_event_t *start, int depth)
{
    struct conf_node *n = conf_node_new(&r->c->arena, CONF_MAPPING,
                                        mark_at(r, &start->start_mark));
    struct conf_node key;
    yaml_event_t e;

    while (next_event(r, &e)) {
        bool end = e.type == YAML_MAPPING_END_EVENT;
        bool ok = !end && allowed(r, &e, depth) && read_key(r, n, &e, &key);

        yaml_event_delete(&e);
        if (end)
            break;
        if (ok)
            read_value(r, n, &key, depth);
    }
    return n;
}

static struct conf_node *read_node(struct reader *r, const yaml_event_t *e,
                                   int depth)
{
    if (!allowed(r, e, depth))
        return NULL;
    if (e->type == YAML_SCALAR_EVENT)
        return read_scalar(r, e);
    if (e->type == YAML_SEQUENCE_START_EVENT)
        return read_sequence(r, e, depth);
    if (e->type == YAML_MAPPING_START_EVENT)
        return read_mapping(r, e, depth);
    return NULL;
}

static struct conf_node *read_document(struct reader *r)
{
    struct conf_node *root = NULL;
    bool end = false;
    int documents = 0;
    yaml_event_t e;

    while (!end && next_event(r, &e)) {
        if (e.type == YAML_STREAM_END_EVENT)
            end = true;
        else if (e.type == YAML_DOCUMENT_START_EVENT && ++documents > 1)
            fail(r, &e.start_mark,
                 "a second document (---) begins here; "
                 "write one");
        else if (e.type != YAML_STREAM_START_EVENT &&
                 e.type != YAML_DOCUMENT_START_EVENT &&
                 e.type != YAML_DOCUMENT_END_EVENT)
            root = read_node(r, &e, 1);
        yaml_event_delete(&e);
    }
    return r->failed ? NULL : root;
}

struct conf_node *conf_parse(struct conf *c, const char *source,
                             struct str text)
{
    struct reader r = {.c = c, .text = text};
    struct conf_node *root;

    r.source = arena_strdup(&c->arena, str_of(source));
    if (text.len > CONF_FILE_MAX) {
        conf_fault(c, &(struct conf_mark){.source = r.source}, NULL,
                   "is longer than 1 MiB");
        return NULL;
    }
    if (!yaml_parser_initialize(&r.yaml)) {
        conf_fault(c, NULL, NULL, "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&r.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(
        &r.yaml, (const unsigned char *)(text.ptr ? text.ptr : ""), text.len);
    root = read_document(&r);
    yaml_parser_delete(&r.yaml);
    return root;
}

struct conf_node *conf_parse_file(struct conf *c, const struct conf_world *w,
                                  const char *path)
{
    struct conf_node *root = NULL;
    struct buf text;
    struct err err;

    buf_init(&text, CONF_FILE_MAX);
    if (w->read_file(w->arg, path, &text, &err))
        root = conf_parse(c, path, buf_str(&text));
    else
        conf_fault(c, NULL, NULL, "%s", err.text);
    wipe(text.data, text.len);
    buf_fini(&text);
    return root;
}
