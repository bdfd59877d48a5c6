/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/auth.h"

#include "agent/base/mem.h"

#include <errno.h>
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
