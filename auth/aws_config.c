/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/aws_config.h"

#include "agent/base/mem.h"
#include "auth/aws_keys.h"

#define FILE_MOST ((size_t)64 << 10)

/* The path, or NULL where it is below a home that is not known. */
static const char *file_path(const struct auth_env *env, const char *variable,
                             const char *usual, struct arena *arena)
{
    struct str path = aws_variable(env, variable);
    struct str home = aws_variable(env, "HOME");

    if (path.len == 0)
        path = str_of(usual);
    if (!str_starts(path, STR("~/")))
        return arena_strdup(arena, path);
    if (home.len == 0)
        return NULL;
    return arena_printf(arena, "%.*s%.*s", STR_ARG(home),
                        STR_ARG(str_from(path, 1)))
        .ptr;
}

static bool load(const struct auth_env *env, const char *path,
                 struct arena *arena, struct ini *out, struct err *err)
{
    struct err why;
    struct buf text;
    bool ok;

    *out = (struct ini){0};
    if (!path || !env->read_file)
        return true;
    buf_init(&text, FILE_MOST);
    ok = env->read_file(env->arg, path, &text, &why);
    if (ok)
        ok = ini_parse(buf_str(&text), path, arena, out, err);
    else if (why.kind == ERR_CONFIG) /* is not there */
        ok = true;
    else
        (void)err_set(err, why.kind, "%s", why.text);
    if (text.data)
        wipe(text.data, text.len);
    buf_fini(&text);
    return ok;
}

bool aws_config_load(const struct auth_env *env, struct arena *arena,
                     struct aws_config *out, struct err *err)
{
    struct str name = aws_variable(env, "AWS_PROFILE");

    if (name.len == 0)
        name = aws_variable(env, "AWS_DEFAULT_PROFILE");
    out->chosen = name.len > 0;
    out->profile = out->chosen ? arena_str(arena, name) : STR("default");
    return load(env, file_path(env, "AWS_CONFIG_FILE", "~/.aws/config", arena),
                arena, &out->config, err) &&
           load(env,
                file_path(env, "AWS_SHARED_CREDENTIALS_FILE",
                          "~/.aws/credentials", arena),
                arena, &out->credentials, err);
}

/* The name in "profile NAME", or empty. */
static struct str after_profile(struct str section)
{
    if (!str_starts(section, STR("profile")) ||
        section.len == sizeof("profile") - 1)
        return STR_NONE;
    section = str_from(section, sizeof("profile") - 1);
    return section.ptr[0] == ' ' || section.ptr[0] == '\t' ? str_trim(section)
                                                           : STR_NONE;
}

static bool has_section(const struct ini *ini, struct str section)
{
    for (const struct ini_entry *e = ini->first; e; e = e->next)
        if (str_eq(e->section, section))
            return true;
    return false;
}

static bool has_profile_default(const struct ini *ini)
{
    for (const struct ini_entry *e = ini->first; e; e = e->next)
        if (str_eq(after_profile(e->section), STR("default")))
            return true;
    return false;
}

/* [profile default] makes [default] count for nothing. */
static bool is_of(const struct aws_config *c, const struct ini_entry *e,
                  struct str profile)
{
    if (str_eq(after_profile(e->section), profile))
        return true;
    return str_eq(profile, STR("default")) &&
           str_eq(e->section, STR("default")) &&
           !has_profile_default(&c->config);
}

bool aws_config_has(const struct aws_config *c, struct str profile)
{
    for (const struct ini_entry *e = c->config.first; e; e = e->next)
        if (is_of(c, e, profile))
            return true;
    return has_section(&c->credentials, profile);
}

struct str aws_config_get(const struct aws_config *c, struct str profile,
                          const char *key)
{
    struct str config = STR_NONE, credentials = STR_NONE;

    for (const struct ini_entry *e = c->config.first; e; e = e->next)
        if (str_eqi(e->name, str_of(key)) && is_of(c, e, profile))
            config = e->value;
    for (const struct ini_entry *e = c->credentials.first; e; e = e->next)
        if (str_eqi(e->name, str_of(key)) && str_eq(e->section, profile))
            credentials = e->value;
    return credentials.len > 0 ? credentials : config;
}
