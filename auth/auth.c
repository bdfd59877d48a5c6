/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/auth.h"

#include "agent/base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)64 << 10)

void credentials_clear(struct credentials *c)
{
    wipe_free(c->key_id);
    wipe_free(c->secret);
    wipe_free(c->token);
    *c = (struct credentials){0};
}

static char *copied(const char *z)
{
    return z ? xstrdup(z) : NULL;
}

void credentials_copy(struct credentials *to, const struct credentials *from)
{
    *to = *from;
    to->key_id = copied(from->key_id);
    to->secret = copied(from->secret);
    to->token = copied(from->token);
}

static const char *process_variable(void *arg, const char *name)
{
    const char *value = getenv(name);

    (void)arg;
    return value && str_trim(str_of(value)).len > 0 ? value : NULL;
}

static bool process_read_file(void *arg, const char *path, struct buf *out,
                              struct err *err)
{
    FILE *f = fopen(path, "re");
    char piece[4096];
    size_t n, most = out->len + FILE_MAX;

    (void)arg;
    if (!f)
        return err_set(
            err, errno == ENOENT || errno == ENOTDIR ? ERR_CONFIG : ERR_DENIED,
            "%s: %s", path, strerror(errno));
    while (out->len <= most && (n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(out, piece, n);
    wipe(piece, sizeof(piece));
    if (ferror(f))
        (void)err_set(err, ERR_DENIED, "%s: cannot be read", path);
    else if (out->len > most || !buf_ok(out))
        (void)err_set(err, ERR_LIMIT, "%s: is larger than %zu KiB", path,
                      FILE_MAX >> 10);
    else {
        (void)fclose(f);
        return true;
    }
    (void)fclose(f);
    return false;
}

const struct auth_env auth_env_process = {
    .variable = process_variable,
    .read_file = process_read_file,
};

struct str auth_variable(const struct auth_env *env, const char *name)
{
    const char *value = env->variable(env->arg, name);

    return value ? str_trim(str_of(value)) : STR_NONE;
}

bool auth_printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return false;
    return true;
}

enum provide provide_failed(struct provide_out *out, enum provide how,
                            enum err_kind kind, const char *fmt, ...)
{
    va_list ap;

    out->err.kind = kind;
    va_start(ap, fmt);
    (void)vsnprintf(out->err.text, sizeof(out->err.text), fmt, ap);
    va_end(ap);
    return how;
}

/*
 * The overlay.
 */
struct overlay {
    struct auth_env env;
    const struct auth_env *under;
    struct auth_value *values; /* NUL-terminated ones */
    size_t count;
};

static const char *overlaid(void *arg, const char *name)
{
    const struct overlay *o = arg;

    for (size_t i = 0; i < o->count; i++)
        if (strcmp(o->values[i].name, name) == 0)
            return o->values[i].value.ptr;
    return o->under->variable(o->under->arg, name);
}

static bool read_under(void *arg, const char *path, struct buf *out,
                       struct err *err)
{
    const struct overlay *o = arg;

    return o->under->read_file(o->under->arg, path, out, err);
}

const struct auth_env *auth_overlay(const struct auth_env *under,
                                    const struct auth_value *values,
                                    size_t count, struct arena *arena)
{
    struct overlay *o = arena_zalloc(arena, sizeof(*o));

    o->under = under;
    o->values = arena_array(arena, count, sizeof(*values));
    for (size_t i = 0; i < count; i++) {
        struct str value = str_trim(values[i].value);

        if (value.len > 0)
            o->values[o->count++] = (struct auth_value){
                values[i].name, str_of(arena_strdup(arena, value))};
    }
    o->env = (struct auth_env){
        .variable = overlaid, .read_file = read_under, .arg = o};
    return &o->env;
}
