/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config/env.h"

#include "agent/base/near.h"
#include "agent/config/inside.h"

struct env {
    struct conf *c;
    const struct conf_world *world;
    const char *const *others;
    struct map names;       /* every variable that means something */
    struct conf_node *root; /* NULL while nothing is set */
};

void conf_env_name(struct str path, struct buf *out)
{
    buf_addz(out, CONF_ENV_PREFIX);
    for (size_t i = 0; i < path.len; i++) {
        char c = path.ptr[i];

        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (c == '.' || c == '-')
            c = '_';
        buf_addc(out, c);
    }
}

/* The variable of a path: its name (in the arena) and value, or NULL. */
static const char *lookup(struct env *e, const char *path, const char **name)
{
    struct buf b;
    const char *value;

    buf_init(&b, BUF_NO_LIMIT);
    conf_env_name(str_of(path), &b);
    *name = arena_strdup(&e->c->arena, buf_str(&b));
    buf_fini(&b);
    map_put(&e->names, str_of(*name), e);
    value = conf_world_variable(e->world, *name);
    return value && *value ? value : NULL;
}

static struct conf_mark mark_of(struct env *e, const char *name)
{
    struct str source = arena_printf(&e->c->arena, "env %s", name);

    return (struct conf_mark){.source = source.ptr};
}

static struct conf_node *root_of(struct env *e, struct conf_mark mark)
{
    if (!e->root)
        e->root = conf_node_new(&e->c->arena, CONF_MAPPING, mark);
    return e->root;
}

static void read_option(struct env *e, const struct conf_path *path)
{
    const char *text = conf_path_text(e->c, path), *name;
    const char *value = lookup(e, text, &name);
    struct conf_node *n;

    if (!value)
        return;
    n = conf_node_text(&e->c->arena, mark_of(e, name), str_of(value));
    n->flat = true;
    conf_node_set(&e->c->arena, root_of(e, n->mark), text, n);
}

/* Options of a choice that was not taken, as written in variables: what was
 * meant by them is not clear. */
static void tell_unused(struct env *e, const char *path, const char *name,
                        const struct conf_node *chosen)
{
    const struct conf_node *section = conf_node_get(e->root, str_of(path));

    for (const struct conf_node *n = section ? section->child : NULL; n;
         n = n->next) {
        if (conf_node_get(chosen, n->key))
            continue;
        conf_fault(e->c, &n->mark, NULL,
                   "is not used, for %.*s is not among %s; add it there, or "
                   "unset this",
                   STR_ARG(n->key), name);
        conf_fault_warns(e->c);
    }
}

/* A section of choices: those that are named are there, and no others. */
static void read_choices(struct env *e, const struct conf_path *path)
{
    const char *text = conf_path_text(e->c, path), *name;
    const char *value = lookup(e, text, &name);
    struct conf_node *chosen;
    struct str rest, part;

    if (!value)
        return;
    chosen = conf_node_new(&e->c->arena, CONF_MAPPING, mark_of(e, name));
    chosen->only = true;
    for (rest = str_of(value); str_next(&rest, ',', &part);) {
        part = str_trim(part);
        if (part.len && !conf_node_get(chosen, part))
            conf_node_add(
                &e->c->arena, chosen, part,
                conf_node_new(&e->c->arena, CONF_MAPPING, chosen->mark));
    }
    tell_unused(e, text, name, chosen);
    conf_node_set(&e->c->arena, root_of(e, chosen->mark), text, chosen);
}

static void read_rows(struct env *e, const struct conf_key *keys,
                      const struct conf_path *up)
{
    for (const struct conf_key *row = keys; row && row->key; row++) {
        struct conf_path path = {up, str_of(row->key), 0};

        if (row->kind == CONF_KIND_INLINE)
            read_rows(e, row->keys, up);
        else if (row->kind == CONF_KIND_SECTION ||
                 row->kind == CONF_KIND_OPTIONAL)
            read_rows(e, row->keys, &path);
        else if (conf_kind_is_value(row->kind))
            read_option(e, &path);
        /* Last, for it closes the choice. */
        if (row->flags & CONF_CHOICES)
            read_choices(e, &path);
    }
}

/* ---- variables that mean nothing ---- */

/* What Kubernetes puts into every pod of a namespace with a Service called
 * scalebridge or scalebridge-...: NAME_SERVICE_HOST, NAME_SERVICE_PORT...,
 * NAME_PORT=tcp://..., NAME_PORT_80_TCP... (Kubernetes, "Environment
 * variables" of Services). */
static bool is_service_link(struct str name, struct str value)
{
    static const char *const protocols[] = {"_TCP", "_UDP", "_SCTP"};
    struct str rest = name;

    if (str_ends(name, STR("_SERVICE_HOST")) ||
        str_ends(name, STR("_SERVICE_PORT")))
        return true;
    if (str_ends(name, STR("_PORT")) &&
        (str_starts(value, STR("tcp://")) || str_starts(value, STR("udp://"))))
        return true;
    for (; rest.len; rest = str_from(rest, 1)) {
        struct str port = STR("_PORT_");

        if (str_starts(rest, STR("_SERVICE_PORT_")))
            return true;
        if (!str_starts(rest, port))
            continue;
        rest = str_from(rest, port.len);
        while (rest.len && rest.ptr[0] >= '0' && rest.ptr[0] <= '9')
            rest = str_from(rest, 1);
        for (size_t i = 0; i < 3; i++)
            if (str_starts(rest, str_of(protocols[i])))
                return true;
    }
    return false;
}

static bool is_other(const struct env *e, struct str name)
{
    for (const char *const *o = e->others; o && *o; o++) {
        struct str known = str_of(*o);

        if (str_eq(name, known))
            return true;
        if (str_ends(known, STR("*")) &&
            str_starts(name, str_n(known.ptr, known.len - 1)))
            return true;
    }
    return false;
}

static void unknown(struct env *e, struct str name)
{
    struct conf_mark mark = mark_of(e, arena_strdup(&e->c->arena, name));
    struct map_slot slot;
    struct near near;

    near_start(&near, name);
    for (size_t i = 0; map_next(&e->names, &i, &slot);)
        near_offer(&near, slot.key);
    for (const char *const *o = e->others; o && *o; o++)
        if (!str_ends(str_of(*o), STR("*")))
            near_offer(&near, str_of(*o));
    if (near.best.ptr)
        conf_fault(e->c, &mark, NULL, "unknown variable; did you mean %.*s?",
                   STR_ARG(near.best));
    else
        conf_fault(e->c, &mark, NULL,
                   "unknown variable; `scalebridge help config` lists all");
}

static void check_names(struct env *e)
{
    for (const char *const *v = e->world->variables; v && *v; v++) {
        struct str all = str_of(*v);
        struct str name = str_n(all.ptr, str_find(all, '='));
        struct str value = str_from(all, name.len + 1);

        if (str_starts(name, STR(CONF_ENV_PREFIX)) && value.len &&
            !map_get(&e->names, name) && !is_other(e, name) &&
            !is_service_link(name, value))
            unknown(e, name);
    }
}

struct conf_node *conf_env(struct conf *c, const struct conf_world *w,
                           const struct conf_key *keys,
                           const char *const *others)
{
    struct env e = {.c = c, .world = w, .others = others};

    read_rows(&e, keys, NULL);
    check_names(&e);
    map_fini(&e.names);
    return e.root;
}
