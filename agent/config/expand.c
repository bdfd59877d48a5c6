/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/mem.h"
#include "agent/config/inside.h"
#include "agent/config/source.h"

/* ${A:-${B:-${C}}} and no deeper. */
#define NESTING_MAX 4
/* Of all values together: one variable may stand in many of them. */
#define EXPANDED_MAX (4 * CONF_FILE_MAX)

struct expansion {
    const struct conf_world *world;
    struct buf *out;
    bool secret; /* something came out of a file */
};

static bool expand_text(struct expansion *x, struct str text, int depth,
                        struct err *err);

static size_t name_length(struct str s)
{
    size_t n = 0;

    for (; n < s.len; n++) {
        unsigned char c = (unsigned char)s.ptr[n], lower = c | 0x20;

        if (c != '_' && (lower < 'a' || lower > 'z') &&
            (n == 0 || c < '0' || c > '9'))
            break;
    }
    return n;
}

/* What stands between ${ and its }, from behind the ${; false: no end. */
static bool inner(struct str s, struct str *out)
{
    size_t depth = 1;

    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '$' && i + 1 < s.len && s.ptr[i + 1] == '{')
            depth++;
        if (s.ptr[i] == '}' && --depth == 0) {
            *out = str_n(s.ptr, i);
            return true;
        }
    }
    return false;
}

static bool expand_file(struct expansion *x, struct str path, struct err *err)
{
    char name[1024];
    struct buf b;
    struct str text;
    bool ok;

    if (path.len == 0 || path.len >= sizeof(name))
        return err_set(err, ERR_CONFIG,
                       "${file:%.*s}: write the file's path, as in "
                       "${file:/run/secrets/x}",
                       STR_ARG(path));
    memcpy(name, path.ptr, path.len);
    name[path.len] = '\0';
    buf_init(&b, CONF_SECRET_MAX);
    ok = x->world->read_file(x->world->arg, name, &b, err);
    text = buf_str(&b);
    if (ok && text.len && memchr(text.ptr, '\0', text.len))
        ok = err_set(err, ERR_CONFIG, "%s: has a NUL byte in it", name);
    if (!ok)
        (void)err_wrap(err, "${file:%s}", name);
    if (text.len && text.ptr[text.len - 1] == '\n')
        text.len--;
    if (text.len && text.ptr[text.len - 1] == '\r')
        text.len--;
    if (ok)
        buf_adds(x->out, text);
    x->secret = true;
    wipe(b.data, b.len);
    buf_fini(&b);
    return ok;
}

/* NAME, or NAME:-otherwise */
static bool expand_variable(struct expansion *x, struct str s, int depth,
                            struct err *err)
{
    size_t n = name_length(s);
    struct str rest = str_from(s, n);
    char name[256];
    const char *value;

    if (n == 0 || n >= sizeof(name) ||
        (rest.len && !str_starts(rest, STR(":-"))))
        return err_set(err, ERR_CONFIG,
                       "${%.*s} is not ${NAME}, ${NAME:-default} or "
                       "${file:/path}; a $ of its own is written $$",
                       STR_ARG(s));
    memcpy(name, s.ptr, n);
    name[n] = '\0';
    value = conf_world_variable(x->world, name);
    if (value && (*value || !rest.len)) {
        buf_addz(x->out, value);
        return true;
    }
    if (rest.len)
        return expand_text(x, str_from(rest, 2), depth + 1, err);
    return err_set(err, ERR_CONFIG,
                   "the variable %s is not set; set it, or write "
                   "${%s:-default}",
                   name, name);
}

/* ${1}: a group of a regular expression; no variable has such a name. */
static bool is_group(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len > 0;
}

static bool expand_one(struct expansion *x, struct str *text, int depth,
                       struct err *err)
{
    struct str in;
    struct str file = STR("file:");

    if (!inner(str_from(*text, 2), &in))
        return err_set(err, ERR_CONFIG, "${ has no closing }");
    *text = str_from(*text, in.len + 3);
    if (is_group(in)) {
        buf_addf(x->out, "${%.*s}", STR_ARG(in));
        return true;
    }
    if (str_starts(in, file))
        return expand_file(x, str_from(in, file.len), err);
    return expand_variable(x, in, depth, err);
}

static bool expand_text(struct expansion *x, struct str text, int depth,
                        struct err *err)
{
    if (depth > NESTING_MAX)
        return err_set(err, ERR_CONFIG, "${ stands in ${ too deep");
    while (text.len) {
        size_t plain = str_find(text, '$');
        bool escaped;

        buf_add(x->out, text.ptr, plain);
        text = str_from(text, plain);
        if (!text.len)
            break;
        if (str_starts(text, STR("${"))) {
            if (!expand_one(x, &text, depth, err))
                return false;
            continue;
        }
        escaped = str_starts(text, STR("$$"));
        buf_addc(x->out, '$');
        text = str_from(text, escaped ? 2 : 1);
    }
    return true;
}

static void expand_scalar(struct conf *c, const struct conf_world *w,
                          struct conf_node *n, const struct conf_path *path)
{
    struct buf out;
    struct expansion x = {.world = w, .out = &out};
    struct err err;
    bool ok;

    if (str_find(n->text, '$') == n->text.len)
        return;
    buf_init(&out, CONF_FILE_MAX);
    ok = expand_text(&x, n->text, 0, &err);
    c->expanded += out.len;
    if (ok && (!buf_ok(&out) || c->expanded > EXPANDED_MAX))
        ok = err_set(&err, ERR_LIMIT, "is too long once ${...} is expanded");
    if (ok)
        n->text = str_n(arena_strdup(&c->arena, buf_str(&out)), out.len);
    else
        conf_fault_node(c, n, path, "%s", err.text);
    n->bad = !ok;
    n->mark.text_col = 0; /* it stands there otherwise */
    n->secret = n->secret || x.secret;
    if (ok && x.secret)
        conf_keep_secret(c, n->text);
    wipe(out.data, out.len);
    buf_fini(&out);
}

static void expand_below(struct conf *c, const struct conf_world *w,
                         struct conf_node *n, const struct conf_path *path)
{
    size_t i = 0;

    if (n->kind == CONF_SCALAR)
        expand_scalar(c, w, n, path);
    for (struct conf_node *k = n->child; k; k = k->next) {
        struct conf_path p = {path, k->key, i++};

        expand_below(c, w, k, &p);
    }
}

void conf_expand(struct conf *c, const struct conf_world *w,
                 struct conf_node *root)
{
    if (root)
        expand_below(c, w, root, NULL);
}
