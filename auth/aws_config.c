/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/aws_config.h"

#include "agent/base/mem.h"
#include "auth/aws_keys.h"

#define FILE_MOST ((size_t)64 << 10)

/* The path, or NULL where it is below a home that is not known. */
static const char *file_path(const struct auth_env *env, const char *variable,
                             const char *usual, struct arena *arena)
{
    struct str path = auth_variable(env, variable);
    struct str home = auth_variable(env, "HOME");

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
    struct str name = auth_variable(env, "AWS_PROFILE");

    if (name.len == 0)
        name = auth_variable(env, "AWS_DEFAULT_PROFILE");
    out->chosen = name.len > 0;
    out->profile = out->chosen ? arena_str(arena, name) : STR("default");
    return load(env, file_path(env, "AWS_CONFIG_FILE", "~/.aws/config", arena),
                arena, &out->config, err) &&
           load(env,
                file_path(env, "AWS_SHARED_CREDENTIALS_FILE",
                          "~/.aws/credentials", arena),
                arena, &out->credentials, err);
}

/* The name in "KIND NAME", or empty. */
static struct str name_in(struct str section, struct str kind)
{
    if (!str_starts(section, kind) || section.len == kind.len)
        return STR_NONE;
    section = str_from(section, kind.len);
    return section.ptr[0] == ' ' || section.ptr[0] == '\t' ? str_trim(section)
                                                           : STR_NONE;
}

static struct str after_profile(struct str section)
{
    return name_in(section, STR("profile"));
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

/* Properties that are indented below another one: lines behind its value. */
static struct str nested(struct str value, struct str key)
{
    struct str line, found = STR_NONE;

    if (!str_starts(value, STR("\n")))
        return STR_NONE;
    while (str_next(&value, '\n', &line)) {
        size_t at = str_find(line, '=');

        if (at < line.len && str_eqi(str_trim(str_n(line.ptr, at)), key))
            found = str_trim(str_from(line, at + 1));
    }
    return found;
}

struct str aws_config_endpoint(const struct aws_config *c, const char *service,
                               const char **from)
{
    struct str services = aws_config_get(c, c->profile, "services");
    struct str url = STR_NONE;

    *from = "endpoint_url of the services section";
    for (const struct ini_entry *e = c->config.first; e; e = e->next)
        if (services.len > 0 && str_eqi(e->name, str_of(service)) &&
            str_eq(name_in(e->section, STR("services")), services))
            url = nested(e->value, STR("endpoint_url"));
    if (url.len > 0)
        return url;
    *from = "endpoint_url of the profile";
    return aws_config_get(c, c->profile, "endpoint_url");
}
