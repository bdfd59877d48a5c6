/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/near.h"
#include "agent/config/inside.h"

/* What a section is read into. */
struct into {
    struct conf *c;
    const struct conf_key *keys;
    char *base;
    const struct conf_path *path;
    struct conf_mark mark; /* of the section */
};

static void read_section(const struct into *to, const struct conf_node *node);

/* ---- defaults ---- */

static void set_default(const struct into *to, const struct conf_key *row)
{
    char *field = to->base + row->at;
    struct str text = str_of(row->def ? row->def : "");
    struct conf_path p = {to->path, str_of(row->key), 0};
    const char *path = conf_path_text(to->c, &p);
    struct err err;

    memset(field, 0, conf_kind_size(row));
    conf_origin_default(to->c, field, &to->mark, path);
    if (row->kind == CONF_KIND_TEXT)
        *(char **)(void *)field = arena_strdup(&to->c->arena, text);
    else if (row->def &&
             !conf_kind_read(row, &to->c->arena, text, false, field, &err))
        conf_fault(to->c, NULL, path, "default %s", err.text);
}

/* Nothing is there: no section, no rows. */
static void set_none(const struct into *to, const struct conf_key *row)
{
    const void *none = NULL;
    const size_t count = 0;

    memcpy(to->base + row->at, &none, sizeof(none));
    if (row->kind != CONF_KIND_OPTIONAL)
        memcpy(to->base + row->count_at, &count, sizeof(count));
}

static void set_defaults(const struct into *to)
{
    for (const struct conf_key *row = to->keys; row && row->key; row++) {
        struct conf_path p = {to->path, str_of(row->key), 0};
        struct into in = *to;

        in.keys = row->keys;
        in.base = to->base + row->at;
        if (row->kind == CONF_KIND_SECTION)
            in.path = &p;
        if (row->kind == CONF_KIND_SECTION || row->kind == CONF_KIND_INLINE)
            set_defaults(&in);
        else if (conf_kind_is_value(row->kind))
            set_default(to, row);
        else
            set_none(to, row);
    }
}

/* ---- values ---- */

static bool is_value(const struct into *to, const struct conf_node *n)
{
    if (n->bad)
        return false;
    if (n->kind != CONF_SCALAR)
        conf_fault_node(to->c, n, to->path, "must be one value, not a %s",
                        n->kind == CONF_SEQUENCE ? "list" : "section");
    else if (n->null)
        conf_fault_node(to->c, n, to->path,
                        "has no value; write one, or leave the key out");
    return n->kind == CONF_SCALAR && !n->null;
}

static void read_scalar(const struct into *to, const struct conf_key *row,
                        const struct conf_node *n)
{
    struct err err;

    if (!is_value(to, n))
        return;
    if (!conf_kind_read(row, &to->c->arena, n->text, n->secret, to->base,
                        &err)) {
        conf_fault_node(to->c, n, to->path, "%s", err.text);
        return;
    }
    conf_origin_field(to->c, to->base, &n->mark,
                      conf_path_text(to->c, to->path));
    if (!n->secret && !(row->flags & CONF_SECRET))
        return;
    conf_origin_hide(to->c, to->base);
    conf_keep_secret(to->c, n->text);
    if (row->kind == CONF_KIND_TEXT)
        conf_keep_secret(to->c, str_of(*(char **)(void *)to->base));
}

static bool too_many(const struct into *to, const struct conf_node *n)
{
    if (n->count <= CONF_ITEMS_MAX)
        return false;
    conf_fault_node(to->c, n, to->path, "has more than %d items",
                    CONF_ITEMS_MAX);
    return true;
}

/* One text of a list or map, into `field`. */
static void read_item(const struct into *to, const struct conf_node *n,
                      const struct conf_path *path, char **field)
{
    const struct conf_key text = {.kind = CONF_KIND_TEXT};
    struct into in = *to;

    *field = arena_strdup(&to->c->arena, STR(""));
    in.base = (char *)field;
    in.path = path;
    read_scalar(&in, &text, n);
}

static void read_list(const struct into *to, const struct conf_key *row,
                      const struct conf_node *n)
{
    struct conf_list list = {0};

    if (n->kind == CONF_SCALAR && n->flat) {
        read_scalar(to, row, n);
        return;
    }
    if (n->kind == CONF_MAPPING || (n->kind == CONF_SCALAR && !n->null)) {
        conf_fault_node(to->c, n, to->path, "must be a list, as [a, b]");
        return;
    }
    if (too_many(to, n))
        return;
    list.items = arena_array(&to->c->arena, n->count, sizeof(*list.items));
    for (const struct conf_node *i = n->child; i; i = i->next) {
        struct conf_path p = {to->path, STR_NONE, list.count};

        read_item(to, i, &p, &list.items[list.count++]);
    }
    memcpy(to->base, &list, sizeof(list));
    conf_origin_field(to->c, to->base, &n->mark,
                      conf_path_text(to->c, to->path));
}

static void read_map(const struct into *to, const struct conf_key *row,
                     const struct conf_node *n)
{
    struct conf_map map = {0};

    if (n->kind == CONF_SCALAR && n->flat) {
        read_scalar(to, row, n);
        return;
    }
    if (n->kind == CONF_SEQUENCE || (n->kind == CONF_SCALAR && !n->null)) {
        conf_fault_node(to->c, n, to->path,
                        "must be names with values, as {Name: value}");
        return;
    }
    if (too_many(to, n))
        return;
    map.pairs = arena_array(&to->c->arena, n->count, sizeof(*map.pairs));
    for (const struct conf_node *i = n->child; i; i = i->next) {
        struct conf_path p = {to->path, i->key, 0};
        struct conf_pair *pair = &map.pairs[map.count++];

        pair->name = arena_strdup(&to->c->arena, i->key);
        read_item(to, i, &p, &pair->value);
    }
    memcpy(to->base, &map, sizeof(map));
    conf_origin_field(to->c, to->base, &n->mark,
                      conf_path_text(to->c, to->path));
}

static void check_filled(const struct into *to, const struct conf_key *row,
                         const struct conf_node *n)
{
    const struct conf_list *list = (const void *)to->base;
    const struct conf_map *map = (const void *)to->base;
    bool empty = row->kind == CONF_KIND_LIST ? !list->count : !map->count;

    if (row->flags & CONF_FILLED && empty && !n->bad)
        conf_fault_node(to->c, n, to->path, "must not be empty");
}

/* ---- sections ---- */

static bool is_section(const struct into *to, const struct conf_node *n)
{
    if (n->kind == CONF_MAPPING || (n->kind == CONF_SCALAR && n->null))
        return true;
    if (!n->bad)
        conf_fault_node(to->c, n, to->path, "must be a section, as {%s: ...}",
                        to->keys && to->keys->key && to->keys->key[0]
                            ? to->keys->key
                            : "key");
    return false;
}

/* A section of its own: fresh memory or a field, defaults, then what stands
 * in the node. */
static void read_struct(const struct into *to, const struct conf_node *n)
{
    set_defaults(to);
    conf_origin_section(to->c, to->base, &n->mark,
                        conf_path_text(to->c, to->path));
    if (is_section(to, n))
        read_section(to, n);
}

static void read_optional(const struct into *to, const struct conf_key *row,
                          const struct conf_node *n)
{
    struct into in = *to;
    void *made = arena_zalloc(&to->c->arena, row->size ? row->size : 1);

    memcpy(to->base, &made, sizeof(made));
    in.base = made;
    in.keys = row->keys;
    in.mark = n->mark;
    read_struct(&in, n);
}

/* ROWS from a list, NAMED from a mapping. */
static void read_table(const struct into *to, const struct conf_key *row,
                       const struct conf_node *n)
{
    bool named = row->kind == CONF_KIND_NAMED;
    enum conf_node_kind want = named ? CONF_MAPPING : CONF_SEQUENCE;
    char *parent = to->base - row->at;
    size_t count = 0;
    char *rows;

    if (n->bad || (n->kind == CONF_SCALAR && n->null))
        return;
    if (n->kind != want) {
        conf_fault_node(to->c, n, to->path,
                        named ? "must be names with sections, as {name: ...}"
                              : "must be a list of sections, each with a dash");
        return;
    }
    if (too_many(to, n))
        return;
    rows = arena_array(&to->c->arena, n->count, row->size);
    for (const struct conf_node *i = n->child; i; i = i->next, count++) {
        struct conf_path p = {to->path, named ? i->key : STR_NONE, count};
        struct into in = {to->c, row->keys, rows + count * row->size, &p,
                          i->mark};

        read_struct(&in, i);
        if (named) {
            char *name = arena_strdup(&to->c->arena, i->key);

            memcpy(in.base + row->name_at, &name, sizeof(name));
        }
    }
    memcpy(to->base, &rows, sizeof(rows));
    memcpy(parent + row->count_at, &count, sizeof(count));
}

static void read_row(const struct into *to, const struct conf_key *row,
                     const struct conf_node *n)
{
    struct into in = *to;

    switch (row->kind) {
    case CONF_KIND_LIST:
        read_list(to, row, n);
        check_filled(to, row, n);
        break;
    case CONF_KIND_MAP:
        read_map(to, row, n);
        check_filled(to, row, n);
        break;
    case CONF_KIND_SECTION:
        in.keys = row->keys;
        in.mark = n->mark;
        read_struct(&in, n);
        break;
    case CONF_KIND_OPTIONAL:
        read_optional(to, row, n);
        break;
    case CONF_KIND_ROWS:
    case CONF_KIND_NAMED:
        read_table(to, row, n);
        break;
    case CONF_KIND_MS:
    case CONF_KIND_SIZE:
    case CONF_KIND_INT:
    case CONF_KIND_NUM:
    case CONF_KIND_BOOL:
    case CONF_KIND_TEXT:
    case CONF_KIND_ENUM:
    case CONF_KIND_END:
    case CONF_KIND_INLINE:
    default:
        read_scalar(to, row, n);
        break;
    }
}

/* ---- keys that nobody knows ---- */

static void offer_keys(const struct conf_key *keys, struct near *near)
{
    for (const struct conf_key *row = keys; row && row->key; row++) {
        if (row->kind == CONF_KIND_INLINE)
            offer_keys(row->keys, near);
        else
            near_offer(near, str_of(row->key));
    }
}

static void list_keys(const struct conf_key *keys, struct buf *out)
{
    for (const struct conf_key *row = keys; row && row->key; row++) {
        if (row->kind == CONF_KIND_INLINE)
            list_keys(row->keys, out);
        else
            buf_addf(out, "%s%s", out->len ? ", " : "", row->key);
    }
}

static void unknown_key(const struct into *to, const struct conf_path *path,
                        const struct conf_node *n)
{
    struct near near;
    struct buf b;

    near_start(&near, n->key);
    offer_keys(to->keys, &near);
    buf_init(&b, BUF_NO_LIMIT);
    if (!near.best.ptr)
        list_keys(to->keys, &b);
    if (near.best.ptr)
        conf_fault(to->c, &n->key_mark, conf_path_text(to->c, path),
                   "unknown key; did you mean \"%.*s\"?", STR_ARG(near.best));
    else if (b.len)
        conf_fault(to->c, &n->key_mark, conf_path_text(to->c, path),
                   "unknown key; the keys here are %s", buf_z(&b));
    else
        conf_fault(to->c, &n->key_mark, conf_path_text(to->c, path),
                   "unknown key; there is nothing to set here");
    buf_fini(&b);
}

static void check_must(const struct into *to, const struct conf_key *keys,
                       const struct conf_node *node)
{
    for (const struct conf_key *row = keys; row && row->key; row++) {
        struct conf_path p = {to->path, str_of(row->key), 0};

        if (row->kind == CONF_KIND_INLINE)
            check_must(to, row->keys, node);
        else if (row->flags & CONF_MUST &&
                 !conf_node_get(node, str_of(row->key)))
            conf_fault(to->c, &to->mark, conf_path_text(to->c, &p),
                       "must be written: %s", row->help);
    }
}

static void read_section(const struct into *to, const struct conf_node *node)
{
    for (const struct conf_node *n = node->child; n; n = n->next) {
        struct conf_path p = {to->path, n->key, 0};
        struct into in = *to;
        size_t at = 0;
        const struct conf_key *row = conf_row_find(to->keys, n->key, &at);

        in.path = &p;
        in.base = to->base + at;
        if (row)
            read_row(&in, row, n);
        else
            unknown_key(to, &p, n);
    }
    check_must(to, to->keys, node);
}

void conf_read(struct conf *c, const struct conf_key *keys,
               const struct conf_node *root, void *out)
{
    struct into to = {.c = c, .keys = keys, .base = out};

    if (root)
        to.mark = root->mark;
    set_defaults(&to);
    if (!root)
        check_must(&to, keys, NULL);
    else if (is_section(&to, root))
        read_section(&to, root);
}
