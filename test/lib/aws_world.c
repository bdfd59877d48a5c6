/* SPDX-License-Identifier: Apache-2.0 */
#include "test/lib/aws_world.h"

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "test/lib/unit.h"

#include <stdlib.h>

static void quiet(void *arg, struct str line)
{
    (void)arg;
    (void)line;
}

static bool same_name(const char *variable, const char *name, size_t n)
{
    return strncmp(variable, name, n) == 0 && variable[n] == '=';
}

static const char *variable(void *arg, const char *name)
{
    const struct aws_world *w = arg;
    size_t n = strlen(name);

    for (size_t i = 0; i < AWS_WORLD_MAX && w->variables[i]; i++)
        if (same_name(w->variables[i], name, n))
            return w->variables[i][n + 1] ? w->variables[i] + n + 1 : NULL;
    return NULL;
}

static bool read_file(void *arg, const char *path, struct buf *out,
                      struct err *err)
{
    const struct aws_world *w = arg;

    for (size_t i = 0; i < AWS_WORLD_MAX && w->paths[i]; i++) {
        if (strcmp(w->paths[i], path) != 0)
            continue;
        if (!w->texts[i])
            return err_set(err, ERR_DENIED, "%s: Permission denied", path);
        buf_addz(out, w->texts[i]);
        return true;
    }
    return err_set(err, ERR_CONFIG, "%s: No such file or directory", path);
}

static void on_keys(void *arg, const struct credentials *creds,
                    const struct err *err)
{
    struct aws_world *w = arg;

    w->told++;
    credentials_clear(&w->creds);
    w->err = (struct err){0};
    if (creds)
        credentials_copy(&w->creds, creds);
    else
        w->err = *err;
}

struct aws_world *aws_world_new(void)
{
    return aws_world_of(aws_providers, aws_no_credentials);
}

struct aws_world *aws_world_of(const struct provider_type *const *providers,
                               const char *mend)
{
    struct aws_world *w = xcalloc(1, sizeof(*w));
    struct http_options http = {0};
    struct lease_options lease = {
        .providers = providers, .env = &w->env, .mend = mend};

    log_divert(quiet, NULL);
    w->loop = loop_new();
    w->http = http_new(w->loop, &http);
    w->env = (struct auth_env){
        .variable = variable, .read_file = read_file, .arg = w};
    aws_world_set(w, "AWS_EC2_METADATA_DISABLED=true");
    w->lease = lease_new(w->loop, w->http, &lease);
    return w;
}

void aws_world_free(struct aws_world *w)
{
    credentials_clear(&w->creds);
    lease_free(w->lease);
    http_free(w->http);
    loop_free(w->loop);
    log_divert(NULL, NULL);
    free(w);
}

void aws_world_set(struct aws_world *w, const char *text)
{
    size_t n = strcspn(text, "="), i = 0;

    while (w->variables[i] && !same_name(w->variables[i], text, n))
        i++;
    assert_true(i < AWS_WORLD_MAX - 1);
    w->variables[i] = text;
}

void aws_world_file(struct aws_world *w, const char *path, const char *text)
{
    size_t i = 0;

    while (w->paths[i] && strcmp(w->paths[i], path) != 0)
        i++;
    assert_true(i < AWS_WORLD_MAX - 1);
    w->paths[i] = path;
    w->texts[i] = text;
}

bool aws_world_fetch(struct aws_world *w)
{
    size_t before = w->told;

    lease_wait(w->lease, &w->waiter, on_keys, w);
    while (w->told == before && sim_step(w->loop))
        ;
    assert_int_equal(w->told, before + 1);
    return w->creds.source[0] != '\0';
}

bool aws_world_fetch_anew(struct aws_world *w)
{
    lease_refused(w->lease);
    return aws_world_fetch(w);
}

void aws_world_assert_keys(struct aws_world *w, const char *id,
                           const char *token)
{
    if (!w->creds.key_id)
        fail_msg("no credentials: %s", w->err.text);
    assert_string_equal(w->creds.key_id, id);
    if (token)
        assert_string_equal(w->creds.token, token);
    else
        assert_null(w->creds.token);
}

void aws_world_assert_reason(struct aws_world *w, const char *part)
{
    assert_string_equal(w->creds.source, "");
    if (!strstr(w->err.text, part))
        fail_msg("\"%s\" is not in: %s", part, w->err.text);
}
