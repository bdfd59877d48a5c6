/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity of a machine that is connected by Azure Arc: the agent beside
 * us wants to see that we may read a file of its own, which it names.  "Azure
 * Arc: authenticate against Azure resources with managed identity"; limits of
 * the file: MSAL Go managedidentity.go.
 */
#include "agent/base/jsonr.h"
#include "agent/base/mem.h"
#include "auth/entra_token.h"

#include <json-c/json.h>

#define ENDPOINT  "IDENTITY_ENDPOINT"
#define IMDS      "IMDS_ENDPOINT"
#define AGENT     "/opt/azcmagent/bin/himds"
#define ARC_URL   "http://127.0.0.1:40342/metadata/identity/oauth2/token"
#define KEYS      "/var/opt/azcmagent/tokens/"
#define KEY_MAX   ((size_t)4096)
#define CHALLENGE "Basic realm="

struct arc {
    bool challenged;
};

/* Reading it would be a waste; that it is there is enough. */
static bool has_agent(const struct auth_env *env)
{
    struct err err = {0};
    struct buf b;
    bool there;

    buf_init(&b, 1);
    there = env->read_file(env->arg, AGENT, &b, &err) || err.kind != ERR_CONFIG;
    buf_fini(&b);
    return there;
}

static bool ask(const struct auth_env *env, struct provide_out *out)
{
    struct str url = auth_variable(env, ENDPOINT);

    if (url.len == 0)
        url = STR(ARC_URL);
    if (!entra_managed_ask(env, url, "2020-06-01", "msi_res_id", out))
        return err_wrap(&out->err, ENDPOINT);
    http_set(&out->ask, STR("Metadata"), STR("true"));
    return true;
}

static enum provide start(void *state, const struct auth_env *env,
                          struct now now, struct provide_out *out)
{
    struct arc *s = state;
    bool named = auth_variable(env, ENDPOINT).len > 0 &&
                 auth_variable(env, IMDS).len > 0;

    (void)now;
    *s = (struct arc){0};
    if (!entra_wanted(env, ENTRA_WAY_ARC) || (!named && !has_agent(env)))
        return PROVIDE_ABSENT;
    return ask(env, out) ? PROVIDE_ASK : PROVIDE_FAILED;
}

/*
 * The challenge.
 */
static bool is_key_file(struct str path)
{
    struct str name = str_from(path, sizeof(KEYS) - 1);

    return str_starts(path, STR(KEYS)) && str_ends(name, STR(".key")) &&
           name.len > 4 && name.len < 200 && auth_printable(name) &&
           str_find(name, '/') == name.len;
}

static bool read_key(const struct auth_env *env, const char *path,
                     struct arena *arena, struct str *out, struct err *err)
{
    struct buf file;
    struct str text;
    bool ok;

    buf_init(&file, (size_t)64 << 10);
    ok = env->read_file(env->arg, path, &file, err);
    text = str_trim(buf_str(&file));
    if (!ok && err->kind == ERR_DENIED)
        (void)err_set(err, ERR_DENIED,
                      "%s: cannot be read; put this user into the group himds",
                      path);
    else if (ok && file.len > KEY_MAX)
        ok = err_set(err, ERR_LIMIT, "%s: is larger than %zu bytes", path,
                     KEY_MAX);
    else if (ok && (text.len == 0 || !auth_printable(text)))
        ok = err_set(err, ERR_INPUT, "%s: holds no key", path);
    if (ok)
        *out = arena_printf(arena, "Basic %.*s", STR_ARG(text));
    wipe(file.data, file.len);
    buf_fini(&file);
    return ok;
}

static enum provide challenged(struct arc *s, const struct auth_env *env,
                               const struct http_response *res,
                               struct provide_out *out)
{
    struct str said = str_trim(http_get(res, STR("WWW-Authenticate")));
    struct str path, basic;

    if (!str_starts(said, STR(CHALLENGE)))
        return provide_failed(out, PROVIDE_FAILED, ERR_INPUT,
                              "it answered 401 and named no file of its own");
    path = str_from(said, sizeof(CHALLENGE) - 1);
    if (!is_key_file(path))
        return provide_failed(out, PROVIDE_FAILED, ERR_DENIED,
                              "it named a file that is not one of " KEYS
                              "*.key, which is not read");
    if (!read_key(env, arena_strdup(out->arena, path), out->arena, &basic,
                  &out->err))
        return PROVIDE_FAILED;
    if (!ask(env, out))
        return PROVIDE_FAILED;
    s->challenged = true;
    http_set_secret(&out->ask, STR("Authorization"), basic);
    return PROVIDE_ASK;
}

/* An agent of old passes over which identity was asked for. */
static bool is_meant(const struct auth_env *env, struct str body)
{
    static const struct {
        const char *setting, *member;
    } all[] = {{ENTRA_OBJECT_ID, "object_id"},
               {ENTRA_RESOURCE_ID, "msi_res_id"},
               {"AZURE_CLIENT_ID", "client_id"}};
    struct json_object *o;
    struct str want, have;
    bool ok = true;

    if (!jsonr_parse(body, &o, NULL))
        return true; /* told as what it is by who reads the token */
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        want = auth_variable(env, all[i].setting);
        have = jsonr_text_or(o, all[i].member, STR_NONE);
        if (want.len == 0)
            continue;
        ok = str_eqi(want, have);
        break;
    }
    json_object_put(o);
    return ok;
}

static enum provide answer(void *state, const struct auth_env *env,
                           struct now now, const struct http_response *res,
                           const struct err *net, struct provide_out *out)
{
    struct arc *s = state;

    if (net) {
        out->err = *net;
        return PROVIDE_RETRY;
    }
    if (res->status == 401 && !s->challenged)
        return challenged(s, env, res, out);
    if (res->status != 200)
        return entra_refused(env, res, now, out);
    if (!is_meant(env, res->body))
        return provide_failed(
            out, PROVIDE_FAILED, ERR_DENIED,
            "it gave the token of another identity than the "
            "one that is asked for; update the agent of Azure "
            "Arc, or leave out the identity");
    return entra_token(res, now, entra_arc.name, out) ? PROVIDE_DONE
                                                      : PROVIDE_RETRY;
}

const struct provider_type entra_arc = {
    .name = "azure arc",
    .state_size = sizeof(struct arc),
    .start = start,
    .answer = answer,
};
