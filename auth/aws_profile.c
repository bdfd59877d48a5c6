/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys by a profile of the shared files: written there, or of roles that are
 * assumed one after the other, beginning with what the last source_profile or
 * credential_source gives.  SDKs and Tools Reference Guide, "Assume role
 * credential provider"; which of several ways counts: as the SDKs do.
 */
#include "agent/base/mem.h"
#include "agent/io/words.h"
#include "auth/aws_answer.h"
#include "auth/aws_config.h"
#include "auth/aws_process.h"
#include "auth/aws_sts.h"

#include <stdio.h>

#define ROLES_MAX 8
#define SUB_STATE 1024 /* bytes of another provider's state */

static const char *const keys_in_file[] = {
    "aws_access_key_id", "aws_secret_access_key", "aws_session_token"};

/* Where the first keys come from. */
enum base { STATIC, OTHER, WEB_IDENTITY, PROCESS };

/* Texts live in the arena of the fetch. */
struct profile {
    struct str name, region;
    struct aws_role roles[ROLES_MAX]; /* the last one is assumed first */
    size_t role_count;
    struct str passed[ROLES_MAX + 1]; /* profiles on the way */
    size_t passed_count;
    enum base base;
    int64_t skew_ms; /* that STS's clock is ahead of ours */
    bool corrected;  /* `skew_ms` is measured */
    bool based;      /* `keys` are some already */
    bool absent;     /* the profile in force says nothing of keys */
    struct str token_file;
    char **argv; /* of credential_process */
    const struct provider_type *other;
    struct aws_keys keys;
    max_align_t other_state[SUB_STATE / sizeof(max_align_t)];
};

static bool lacks(struct err *err, struct str name, const char *what)
{
    return err_set(err, ERR_CONFIG, "profile %.*s: %s", STR_ARG(name), what);
}

/*
 * The way from the profile to the first keys.
 */
static bool static_keys(struct profile *p, const struct aws_config *c,
                        struct str name)
{
    p->keys.id = aws_config_get(c, name, keys_in_file[0]);
    p->keys.secret = aws_config_get(c, name, keys_in_file[1]);
    p->keys.token = aws_config_get(c, name, keys_in_file[2]);
    p->keys.expires_ms = 0;
    p->base = STATIC;
    return p->keys.id.len > 0 || p->keys.secret.len > 0;
}

static bool by_source(struct profile *p, struct str name, struct str source,
                      struct err *err)
{
    static const struct {
        const char *name;
        const struct provider_type *type;
    } sources[] = {{"Environment", &aws_environment},
                   {"EcsContainer", &aws_container},
                   {"Ec2InstanceMetadata", &aws_imds}};

    p->base = OTHER;
    for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++)
        if (str_eqz(source, sources[i].name)) {
            p->other = sources[i].type;
            return true;
        }
    return err_set(err, ERR_CONFIG,
                   "profile %.*s: credential_source \"%.*s\" is none of "
                   "Environment, EcsContainer, Ec2InstanceMetadata",
                   STR_ARG(name), STR_ARG(source));
}

static bool by_process(struct profile *p, struct str name, struct str command,
                       struct arena *arena, struct err *err)
{
    p->base = PROCESS;
    return words_split(command, arena, &p->argv, err) ||
           err_wrap(err, "profile %.*s: credential_process", STR_ARG(name));
}

/* Keys that no role comes with, or why there are none. */
static bool own_keys(struct profile *p, const struct aws_config *c,
                     struct str name, struct arena *arena, struct err *err)
{
    struct str command = aws_config_get(c, name, "credential_process");

    if (static_keys(p, c, name))
        return true;
    if (command.len > 0)
        return by_process(p, name, command, arena, err);
    if (aws_config_get(c, name, "sso_session").len > 0 ||
        aws_config_get(c, name, "sso_start_url").len > 0)
        return lacks(err, name,
                     "sso_* wants a person to sign in now and then, which "
                     "nobody does here; give a role to the machine instead");
    if (aws_config_get(c, name, "login_session").len > 0)
        return lacks(err, name,
                     "login_session wants a person to sign in now and then, "
                     "which nobody does here; give a role to the machine "
                     "instead");
    p->absent = p->role_count == 0;
    return lacks(err, name, "holds no credentials");
}

static bool add_role(struct profile *p, const struct aws_config *c,
                     struct str name, struct arena *arena, struct err *err)
{
    struct aws_role *role = &p->roles[p->role_count];

    if (p->role_count == ROLES_MAX)
        return lacks(err, name, "is one of too many source_profiles in a row");
    if (aws_config_get(c, name, "mfa_serial").len > 0)
        return lacks(err, name,
                     "mfa_serial wants a person with a device, and there is "
                     "none here; use a role that does not");
    role->arn = aws_config_get(c, name, "role_arn");
    role->session = aws_config_get(c, name, "role_session_name");
    role->external_id = aws_config_get(c, name, "external_id");
    role->duration = aws_config_get(c, name, "duration_seconds");
    p->role_count++;
    return aws_role_check(
        role, arena_printf(arena, "profile %.*s", STR_ARG(name)).ptr, err);
}

/* A role: true with `*next` where another profile is its source, or with
 * `*next` empty at the end of the way. */
static bool follow_role(struct profile *p, const struct aws_config *c,
                        struct str name, struct str *next, struct err *err)
{
    struct str from = aws_config_get(c, name, "source_profile");
    struct str source = aws_config_get(c, name, "credential_source");

    *next = STR_NONE;
    p->token_file = aws_config_get(c, name, "web_identity_token_file");
    if (from.len > 0 && source.len > 0)
        return lacks(err, name,
                     "source_profile and credential_source are both set; "
                     "leave out one of them");
    if (source.len > 0)
        return by_source(p, name, source, err);
    if (from.len == 0 && p->token_file.len > 0) {
        p->base = WEB_IDENTITY;
        return true;
    }
    if (from.len == 0)
        return lacks(err, name,
                     "role_arn is set, but not who assumes it; write "
                     "source_profile or credential_source");
    if (str_eq(from, name))
        return static_keys(p, c, name) ||
               lacks(err, name, "is its own source, but holds no keys");
    if (!aws_config_has(c, from))
        return err_set(err, ERR_CONFIG,
                       "profile %.*s: source_profile %.*s does not exist",
                       STR_ARG(name), STR_ARG(from));
    *next = from;
    return true;
}

static bool been_there(const struct profile *p, struct str name)
{
    for (size_t i = 0; i < p->passed_count; i++)
        if (str_eq(p->passed[i], name))
            return true;
    return false;
}

static bool find_way(struct profile *p, const struct aws_config *c,
                     struct arena *arena, struct err *err)
{
    struct str name = c->profile, next;

    do {
        if (been_there(p, name))
            return lacks(err, name, "is its own source, by way of others");
        p->passed[p->passed_count++] = name;
        if (p->role_count > 0 && static_keys(p, c, name))
            return true;
        if (aws_config_get(c, name, "role_arn").len == 0)
            return own_keys(p, c, name, arena, err);
        if (!add_role(p, c, name, arena, err) ||
            !follow_role(p, c, name, &next, err))
            return false;
        name = next;
    } while (name.len > 0);
    return true;
}

/*
 * Along the way.
 */
static enum provide assume(struct profile *p, const struct auth_env *env,
                           struct now now, struct provide_out *out)
{
    struct aws_sts what = {.region = p->region,
                           .role = &p->roles[--p->role_count],
                           .signer = &p->keys};

    if (!p->based &&
        !aws_read_token(env, arena_strdup(out->arena, p->token_file),
                        out->arena, &what.web_token, &out->err))
        return PROVIDE_RETRY;
    return aws_sts_ask(env, &what, now.wall_ms + p->skew_ms, out->arena,
                       &out->ask, &out->err)
               ? PROVIDE_ASK
               : PROVIDE_FAILED;
}

static enum provide go_on(struct profile *p, const struct auth_env *env,
                          struct now now, struct provide_out *out)
{
    char source[96];

    if (p->role_count > 0)
        return assume(p, env, now, out);
    (void)snprintf(source, sizeof(source), "profile %.*s", STR_ARG(p->name));
    return aws_keys_give(&p->keys, keys_in_file, source, &out->creds, &out->err)
               ? PROVIDE_DONE
               : PROVIDE_FAILED;
}

/* What the provider of credential_source said. */
static enum provide other_said(struct profile *p, const struct auth_env *env,
                               struct now now, enum provide what,
                               struct provide_out *out)
{
    struct credentials c = out->creds;

    if (what == PROVIDE_ABSENT)
        return provide_failed(out, PROVIDE_FAILED, ERR_CONFIG,
                              "credential_source: %s: is not configured",
                              p->other->name);
    if (what != PROVIDE_DONE)
        return what;
    p->keys =
        (struct aws_keys){.id = arena_str(out->arena, str_of(c.key_id)),
                          .secret = arena_str(out->arena, str_of(c.secret)),
                          .token = arena_str(out->arena, str_of(c.token)),
                          .expires_ms = c.expires_ms};
    p->based = true;
    credentials_clear(&out->creds);
    return go_on(p, env, now, out);
}

static enum provide begin(struct profile *p, const struct auth_env *env,
                          struct now now, struct provide_out *out)
{
    if (p->base == WEB_IDENTITY)
        return assume(p, env, now, out);
    if (p->base == OTHER)
        return other_said(p, env, now,
                          p->other->start(p->other_state, env, now, out), out);
    if (p->base == PROCESS) {
        out->run.argv = p->argv;
        return PROVIDE_RUN;
    }
    p->based = true;
    return go_on(p, env, now, out);
}

static enum provide no_profile(const struct aws_config *c,
                               struct provide_out *out)
{
    if (!c->chosen)
        return PROVIDE_ABSENT;
    return provide_failed(out, PROVIDE_FAILED, ERR_CONFIG,
                          "AWS_PROFILE: there is no profile %.*s in the shared "
                          "config and credentials files",
                          STR_ARG(c->profile));
}

static enum provide start(void *state, const struct auth_env *env,
                          struct now now, struct provide_out *out)
{
    struct profile *p = state;
    struct aws_config c;

    wipe(p, sizeof(*p));
    if (!aws_config_load(env, out->arena, &c, &out->err))
        return PROVIDE_FAILED;
    if (!aws_config_has(&c, c.profile))
        return no_profile(&c, out);
    if (!find_way(p, &c, out->arena, &out->err))
        return p->absent ? PROVIDE_ABSENT : PROVIDE_FAILED;
    p->name = c.profile;
    if (auth_variable(env, "AWS_REGION").len == 0 &&
        auth_variable(env, "AWS_DEFAULT_REGION").len == 0)
        p->region = aws_config_get(&c, c.profile, "region");
    return begin(p, env, now, out);
}

/* A signature of another time than the service's: once more by its Date. */
static bool off_by_clock(struct profile *p, const struct http_response *res,
                         struct now now)
{
    int64_t date;

    if (!p->based || p->corrected || res->status < 400 ||
        !aws_clock_off(res, now.wall_ms) ||
        !when_http_date_parse(http_get(res, STR("Date")), &date))
        return false;
    p->corrected = true;
    p->skew_ms = date - now.wall_ms;
    p->role_count++; /* it is the same one's turn */
    return true;
}

static enum provide answer(void *state, const struct auth_env *env,
                           struct now now, const struct http_response *res,
                           const struct err *net, struct provide_out *out)
{
    struct profile *p = state;
    enum provide what;

    if (p->base == OTHER && !p->based)
        return other_said(
            p, env, now,
            p->other->answer(p->other_state, env, now, res, net, out), out);
    if (!net && off_by_clock(p, res, now))
        return assume(p, env, now, out);
    what = aws_sts_keys(res, net, out, &p->keys);
    p->based = true;
    return what == PROVIDE_DONE ? go_on(p, env, now, out) : what;
}

static enum provide ended(void *state, const struct auth_env *env,
                          struct now now, const struct process_result *res,
                          const struct err *err, struct provide_out *out)
{
    struct profile *p = state;
    enum provide what = aws_process_keys(res, err, out, &p->keys);

    p->based = true;
    return what == PROVIDE_DONE ? go_on(p, env, now, out) : what;
}

const struct provider_type aws_profile = {
    .name = "profile",
    .state_size = sizeof(struct profile),
    .start = start,
    .answer = answer,
    .ended = ended,
};
