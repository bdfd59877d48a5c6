/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/google.h"

#include "agent/base/jsonr.h"
#include "agent/base/mem.h"
#include "auth/google_token.h"

#include <json-c/json.h>

#define FILE_MAX   ((size_t)64 << 10)
#define WELL_KNOWN "application_default_credentials.json"
#define NAMED      "GOOGLE_APPLICATION_CREDENTIALS"

const struct provider_type *const google_providers[] = {&google_file,
                                                        &google_metadata, NULL};
const char google_no_credentials[] =
    "no Google credentials: run as a service account on Google Cloud (where "
    "its metadata server is not recognised, set GCE_METADATA_HOST to "
    "metadata.google.internal), or set " NAMED " to a credentials file";

const struct auth_env *google_env(const struct auth_env *under,
                                  const struct google_options *o,
                                  struct arena *arena)
{
    const struct auth_value values[] = {
        {GOOGLE_SCOPE, o->scope},
        {GOOGLE_AUDIENCE, o->audience},
        {GOOGLE_CREDENTIALS, o->credentials},
        {GOOGLE_CA_FILE, o->ca_file},
        {GOOGLE_PLACE, o->place ? STR("1") : STR_NONE},
        {GOOGLE_EXCHANGE, o->exchange ? STR("1") : STR_NONE}};

    return auth_overlay(under, values, sizeof(values) / sizeof(*values), arena);
}

/*
 * The file.
 */
static bool parse_file(const struct auth_env *env, const char *path,
                       struct json_object **out, struct err *err)
{
    struct json_object *o = NULL;
    struct buf text;
    bool ok;

    buf_init(&text, FILE_MAX);
    ok = env->read_file(env->arg, path, &text, err);
    /* The parser's own words could show a piece of a key. */
    if (ok && (!jsonr_parse(buf_str(&text), &o, NULL) ||
               !json_object_is_type(o, json_type_object))) {
        json_object_put(o);
        ok = err_set(err, ERR_INPUT, "%s: is not a JSON object", path);
    }
    wipe(text.data, text.len);
    buf_fini(&text);
    if (ok)
        *out = o;
    return ok;
}

static struct str well_known(const struct auth_env *env, struct arena *arena)
{
    struct str folder = google_setting(env, "CLOUDSDK_CONFIG");

    if (folder.len > 0)
        return arena_printf(arena, "%.*s/" WELL_KNOWN, STR_ARG(folder));
    folder = google_setting(env, "HOME");
    if (folder.len == 0)
        return STR_NONE;
    return arena_printf(arena, "%.*s/.config/gcloud/" WELL_KNOWN,
                        STR_ARG(folder));
}

bool google_file_read(const struct auth_env *env, struct arena *arena,
                      struct json_object **out, const char **path,
                      struct err *err)
{
    struct str named = google_setting(env, GOOGLE_CREDENTIALS);

    if (named.len == 0)
        named = google_setting(env, NAMED);
    if (named.len > 0) {
        *path = arena_strdup(arena, named);
        return parse_file(env, *path, out, err) || err_wrap(err, NAMED);
    }
    named = well_known(env, arena);
    *err = (struct err){0};
    if (named.len == 0)
        return false;
    *path = arena_strdup(arena, named);
    if (parse_file(env, *path, out, err))
        return true;
    if (err->kind == ERR_CONFIG) /* it is not there */
        *err = (struct err){0};
    return false;
}

bool google_universe_ok(struct str *universe, struct err *err)
{
    if (universe->len == 0)
        *universe = STR("googleapis.com");
    for (size_t i = 0; i < universe->len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789.-", universe->ptr[i]))
            return err_set(err, ERR_CONFIG,
                           "universe domain \"%.*s\" is not a domain name",
                           STR_ARG(*universe));
    return true;
}

bool google_url_ok(struct str url, struct str universe, const char *what,
                   struct err *err)
{
    struct http_url u;

    if (!http_url_parse(url, &u))
        return err_set(err, ERR_CONFIG, "%s: is not a url", what);
    if (http_url_is_loopback(&u))
        return true;
    if (str_eqi(u.scheme, STR("https"))) {
        struct str domain = u.host;

        while (domain.len > universe.len &&
               !(domain.ptr[0] == '.' && domain.len == universe.len + 1))
            domain = str_from(domain, 1);
        if (domain.len == universe.len + 1 &&
            str_eqi(str_from(domain, 1), universe))
            return true;
    }
    return err_set(err, ERR_CONFIG,
                   "%s: leads to %.*s, which is not https within %.*s: "
                   "secrets would go there",
                   what, STR_ARG(u.host), STR_ARG(universe));
}

/*
 * What is known without asking.
 */
static struct str first_set(const struct auth_env *env, const char *a,
                            const char *b)
{
    struct str s = google_setting(env, a);

    return s.len ? s : google_setting(env, b);
}

static struct str who_of(struct json_object *file, struct arena *arena)
{
    struct str type = jsonr_text_or(file, "type", STR_NONE);
    struct str mail = jsonr_text_or(file, "client_email", STR_NONE);
    struct str url =
        jsonr_text_or(file, "service_account_impersonation_url", STR_NONE);

    if (mail.len > 0 && mail.len < 256)
        return arena_printf(arena, "service account %.*s", STR_ARG(mail));
    if (url.len > 0 && url.len < 512)
        return arena_printf(arena, "%.*s as %.*s", STR_ARG(type),
                            STR_ARG(http_url_shown(url, arena)));
    return arena_str(arena, type);
}

bool google_facts_read(const struct auth_env *env, struct arena *arena,
                       struct google_facts *out, struct err *err)
{
    struct json_object *file = NULL;
    const char *path;
    struct err none = {0};

    *out = (struct google_facts){
        .project = first_set(env, "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"),
        .quota_project = google_setting(env, "GOOGLE_CLOUD_QUOTA_PROJECT"),
        .universe = google_setting(env, "GOOGLE_CLOUD_UNIVERSE_DOMAIN")};
    if (google_file_read(env, arena, &file, &path, &none)) {
        if (out->project.len == 0)
            out->project = jsonr_text_or(file, "project_id", STR_NONE);
        if (out->quota_project.len == 0)
            out->quota_project =
                jsonr_text_or(file, "quota_project_id", STR_NONE);
        if (out->universe.len == 0)
            out->universe = jsonr_text_or(file, "universe_domain", STR_NONE);
        out->who = who_of(file, arena);
    }
    out->project = arena_str(arena, out->project);
    out->quota_project = arena_str(arena, out->quota_project);
    out->universe = arena_str(arena, out->universe);
    json_object_put(file);
    return google_universe_ok(&out->universe, err);
}
