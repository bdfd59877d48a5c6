/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A credentials file, by its type: a service account's key (AIP-4111,
 * AIP-4112), a person's refresh token (authorized_user), a token of somebody
 * else (external_account, AIP-4117), and a service account that one of these
 * may act as.  A file is read anew at every fetch: it is replaced where it
 * stands.
 */
#include "agent/base/enc.h"
#include "agent/base/jsonr.h"
#include "agent/base/jsonw.h"
#include "agent/base/mem.h"
#include "auth/google.h"
#include "auth/google_token.h"
#include "auth/jwt.h"

#include <json-c/json.h>

#define TIMEOUT_MS (15 * WHEN_SECOND)
#define LIFE       INT64_C(3600) /* seconds */
#define BY_JWT     "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define EXCHANGE   "urn:ietf:params:oauth:grant-type:token-exchange"
#define ACCESS     "urn:ietf:params:oauth:token-type:access_token"

enum stage {
    SUBJECT,     /* somebody else's token */
    TOKEN,       /* Google's own */
    IMPERSONATE, /* that of the service account it acts as */
};

struct file_state {
    enum stage stage;
};

/* One fetch: the file and what follows from it. */
struct plan {
    const struct auth_env *env;
    struct json_object *file;
    const char *path;
    struct str universe;
    struct now now;
    struct provide_out *out;
};

static struct str text(struct json_object *o, const char *key)
{
    return str_trim(jsonr_text_or(o, key, STR_NONE));
}

static bool must_text(const struct plan *p, struct json_object *o,
                      const char *key, struct str *out)
{
    *out = text(o, key);
    return out->len > 0 ||
           err_set(&p->out->err, ERR_CONFIG, "%s: holds no %s", p->path, key);
}

/*
 * Requests.
 */
static void add(struct buf *form, const char *name, struct str value)
{
    if (form->len > 0)
        buf_addc(form, '&');
    buf_addf(form, "%s=", name);
    enc_percent(form, value, "");
}

static enum provide post(const struct plan *p, struct str url, const char *what,
                         const char *type, struct buf *body)
{
    bool ok = google_url_ok(url, p->universe, what, &p->out->err) ||
              err_wrap(&p->out->err, "%s", p->path);

    if (ok) {
        p->out->ask = (struct http_request){
            .method = STR("POST"),
            .url = arena_str(p->out->arena, url),
            .body = arena_str(p->out->arena, buf_str(body)),
            .timeout_ms = TIMEOUT_MS,
            .ca_file = google_setting(p->env, GOOGLE_CA_FILE)};
        http_set(&p->out->ask, STR("Content-Type"), str_of(type));
        http_set(&p->out->ask, STR("Accept"), STR("application/json"));
    }
    wipe(body->data, body->len);
    buf_fini(body);
    return ok ? PROVIDE_ASK : PROVIDE_FAILED;
}

static enum provide post_form(const struct plan *p, struct str url,
                              const char *what, struct buf *form)
{
    return post(p, url, what, "application/x-www-form-urlencoded", form);
}

static bool acts_as(struct json_object *file)
{
    return text(file, "service_account_impersonation_url").len > 0;
}

/* Of the token that this file's own identity gets. */
static struct str scope_of(const struct plan *p)
{
    return acts_as(p->file) ? STR(GOOGLE_SCOPE_CLOUD) : google_scope(p->env);
}

/*
 * A service account's key.
 */
static void claim(struct jsonw *w, const char *key, struct str value)
{
    jsonw_key(w, key);
    jsonw_text(w, value);
}

static bool sign(const struct plan *p, struct json_object *key, struct str aud,
                 struct str *token)
{
    struct str mail, pem, id = text(key, "private_key_id");
    struct str audience = google_setting(p->env, GOOGLE_AUDIENCE);
    struct jwt jwt = {.alg = CRYPTO_RS256};
    struct crypto_key *rsa;
    int64_t now = p->now.wall_ms / WHEN_SECOND;
    struct buf b;
    struct jsonw w;
    bool ok;

    if (!must_text(p, key, "client_email", &mail) ||
        !must_text(p, key, "private_key", &pem))
        return false;
    if (!crypto_key_read(pem, STR_NONE, &rsa, &p->out->err))
        return err_wrap(&p->out->err, "%s: private_key", p->path);
    buf_init(&b, BUF_NO_LIMIT);
    jsonw_init(&w, &b, 0);
    jsonw_text(&w, id);
    jwt.header = id.len ? arena_printf(p->out->arena, "\"kid\":%.*s",
                                       STR_ARG(buf_str(&b)))
                        : STR_NONE;
    buf_reset(&b);
    jsonw_init(&w, &b, 0);
    jsonw_object(&w);
    claim(&w, "iss", mail);
    claim(&w, "sub", mail);
    if (aud.len > 0)
        claim(&w, "aud", aud);
    if (audience.len > 0 && aud.len > 0 && !acts_as(p->file))
        claim(&w, "target_audience", audience);
    else
        claim(&w, "scope", scope_of(p));
    jsonw_key(&w, "iat");
    jsonw_int(&w, now);
    jsonw_key(&w, "exp");
    jsonw_int(&w, now + LIFE);
    jsonw_object_end(&w);
    jwt.claims = buf_str(&b);
    ok = jwt_sign(&jwt, rsa, p->out->arena, token, &p->out->err) ||
         err_wrap(&p->out->err, "%s", p->path);
    buf_fini(&b);
    crypto_key_free(rsa);
    return ok;
}

static enum provide exchange_key(const struct plan *p, struct json_object *key)
{
    struct str url = text(key, "token_uri"), jwt = STR_NONE;
    struct buf form;

    if (url.len == 0)
        url = STR("https://oauth2.googleapis.com/token");
    if (!sign(p, key, url, &jwt))
        return PROVIDE_FAILED;
    buf_init(&form, BUF_NO_LIMIT);
    add(&form, "grant_type", STR(BY_JWT));
    add(&form, "assertion", jwt);
    return post_form(p, url, "token_uri", &form);
}

static enum provide impersonate(const struct plan *p, struct str token);

static enum provide by_key(const struct plan *p, struct json_object *key)
{
    bool as_other = acts_as(p->file);
    struct str jwt = STR_NONE;

    if (google_setting(p->env, GOOGLE_EXCHANGE).len > 0 ||
        (google_setting(p->env, GOOGLE_AUDIENCE).len > 0 && !as_other))
        return exchange_key(p, key);
    if (!sign(p, key, STR_NONE, &jwt))
        return PROVIDE_FAILED;
    if (as_other)
        return impersonate(p, jwt);
    google_token_set(jwt, p->now.wall_ms + LIFE * WHEN_SECOND,
                     "service account key", p->out);
    return PROVIDE_DONE;
}

/*
 * A person.
 */
static enum provide by_user(const struct plan *p, struct json_object *user)
{
    struct str id, secret, refresh, url = text(user, "token_uri");
    struct buf form;

    if (!must_text(p, user, "client_id", &id) ||
        !must_text(p, user, "client_secret", &secret) ||
        !must_text(p, user, "refresh_token", &refresh))
        return PROVIDE_FAILED;
    if (url.len == 0)
        url = STR("https://oauth2.googleapis.com/token");
    buf_init(&form, BUF_NO_LIMIT);
    add(&form, "client_id", id);
    add(&form, "client_secret", secret);
    add(&form, "refresh_token", refresh);
    add(&form, "grant_type", STR("refresh_token"));
    return post_form(p, url, "token_uri", &form);
}

/*
 * Somebody else's token.
 */
static enum provide exchange(const struct plan *p, struct str subject)
{
    struct str audience, type, url = text(p->file, "token_url");
    struct str id = text(p->file, "client_id"), basic = STR_NONE;
    struct str secret = text(p->file, "client_secret");
    struct buf form;
    enum provide what;

    if (!must_text(p, p->file, "audience", &audience) ||
        !must_text(p, p->file, "subject_token_type", &type))
        return PROVIDE_FAILED;
    if (url.len == 0)
        url = arena_printf(p->out->arena, "https://sts.%.*s/v1/token",
                           STR_ARG(p->universe));
    buf_init(&form, BUF_NO_LIMIT);
    if (id.len > 0) {
        struct str both = arena_printf(p->out->arena, "%.*s:%.*s", STR_ARG(id),
                                       STR_ARG(secret));

        buf_addz(&form, "Basic ");
        enc_base64(&form, both.ptr, both.len);
        basic = arena_str(p->out->arena, buf_str(&form));
        buf_reset(&form);
    }
    add(&form, "grant_type", STR(EXCHANGE));
    add(&form, "audience", audience);
    add(&form, "scope", scope_of(p));
    add(&form, "requested_token_type", STR(ACCESS));
    add(&form, "subject_token", subject);
    add(&form, "subject_token_type", type);
    what = post_form(p, url, "token_url", &form);
    if (what == PROVIDE_ASK && basic.len > 0)
        http_set_secret(&p->out->ask, STR("Authorization"), basic);
    return what;
}

/* A subject token as text, or a member of JSON, as `format` says. */
static bool subject_of(const struct plan *p, struct str body, struct str *out)
{
    struct json_object *source = jsonr_get(p->file, "credential_source");
    struct json_object *format = jsonr_get(source, "format"), *o;
    struct str field = text(format, "subject_token_field_name");

    *out = str_trim(body);
    if (str_eqz(text(format, "type"), "json")) {
        if (field.len == 0)
            field = STR("access_token");
        if (!jsonr_parse(body, &o, NULL))
            return err_set(&p->out->err, ERR_INPUT,
                           "credential_source: what it gives is no JSON");
        *out = arena_str(p->out->arena,
                         text(o, arena_strdup(p->out->arena, field)));
        json_object_put(o);
    }
    return out->len > 0 || err_set(&p->out->err, ERR_INPUT,
                                   "credential_source: gives no token");
}

static enum provide subject_file(const struct plan *p, struct str path)
{
    struct str subject = STR_NONE;
    enum provide what = PROVIDE_RETRY;
    struct buf body;

    buf_init(&body, (size_t)64 << 10);
    if (p->env->read_file(p->env->arg, arena_strdup(p->out->arena, path), &body,
                          &p->out->err) &&
        subject_of(p, buf_str(&body), &subject))
        what = exchange(p, subject);
    wipe(body.data, body.len);
    buf_fini(&body);
    return what;
}

static bool set_headers(const struct plan *p, struct json_object *headers)
{
    struct json_object_iterator at, end;

    if (!json_object_is_type(headers, json_type_object))
        return true;
    at = json_object_iter_begin(headers);
    end = json_object_iter_end(headers);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        const char *name = json_object_iter_peek_name(&at);
        struct str value = text(headers, name);

        if (p->out->ask.header_count + 4 > HTTP_HEADERS_MAX)
            return err_set(&p->out->err, ERR_CONFIG,
                           "%s: credential_source has too many headers",
                           p->path);
        http_set_secret(&p->out->ask, arena_str(p->out->arena, str_of(name)),
                        arena_str(p->out->arena, value));
    }
    return true;
}

static enum provide subject_url(const struct plan *p, struct file_state *s,
                                struct str url)
{
    struct http_url u;

    if (!http_url_parse(url, &u) ||
        !(str_eqi(u.scheme, STR("https")) || http_url_is_loopback(&u) ||
          str_starts(u.host, STR("169.254."))))
        return provide_failed(p->out, PROVIDE_FAILED, ERR_CONFIG,
                              "%s: credential_source: plain http is for "
                              "loopback and link-local addresses alone",
                              p->path);
    p->out->ask =
        (struct http_request){.method = STR("GET"),
                              .url = arena_str(p->out->arena, url),
                              .timeout_ms = TIMEOUT_MS,
                              .no_proxy = !str_eqi(u.scheme, STR("https"))};
    if (!set_headers(
            p, jsonr_get(jsonr_get(p->file, "credential_source"), "headers")))
        return PROVIDE_FAILED;
    s->stage = SUBJECT;
    return PROVIDE_ASK;
}

static enum provide by_other(const struct plan *p, struct file_state *s)
{
    struct json_object *source = jsonr_get(p->file, "credential_source");
    struct str file = text(source, "file"), url = text(source, "url");

    if (jsonr_get(source, "environment_id") || jsonr_get(source, "executable"))
        return provide_failed(p->out, PROVIDE_FAILED, ERR_CONFIG,
                              "%s: credential_source: keys of AWS and "
                              "executables are not supported yet; use a file "
                              "or url",
                              p->path);
    if (file.len > 0)
        return subject_file(p, file);
    if (url.len > 0)
        return subject_url(p, s, url);
    return provide_failed(p->out, PROVIDE_FAILED, ERR_CONFIG,
                          "%s: credential_source: names neither file nor url",
                          p->path);
}

/*
 * A service account that it acts as: "Create short-lived credentials".
 */
static void write_list(struct jsonw *w, struct str rest)
{
    struct str one;

    jsonw_key(w, "scope");
    jsonw_array(w);
    while (str_next(&rest, ' ', &one))
        if (one.len > 0)
            jsonw_text(w, one);
    jsonw_array_end(w);
    jsonw_key(w, "lifetime");
    jsonw_textz(w, "3600s");
}

static void write_delegates(struct jsonw *w, struct json_object *list)
{
    if (!json_object_is_type(list, json_type_array))
        return;
    jsonw_key(w, "delegates");
    jsonw_array(w);
    for (size_t i = 0; i < json_object_array_length(list); i++)
        jsonw_textz(w,
                    json_object_get_string(json_object_array_get_idx(list, i)));
    jsonw_array_end(w);
}

static enum provide impersonate(const struct plan *p, struct str token)
{
    struct str url = text(p->file, "service_account_impersonation_url");
    struct str audience = google_setting(p->env, GOOGLE_AUDIENCE);
    struct str bearer =
        arena_printf(p->out->arena, "Bearer %.*s", STR_ARG(token));
    enum provide what;
    struct buf body;
    struct jsonw w;

    if (audience.len > 0 && str_ends(url, STR(":generateAccessToken"))) {
        url.len -= strlen(":generateAccessToken");
        url = arena_printf(p->out->arena, "%.*s:generateIdToken", STR_ARG(url));
    }
    buf_init(&body, BUF_NO_LIMIT);
    jsonw_init(&w, &body, 0);
    jsonw_object(&w);
    write_delegates(&w, jsonr_get(p->file, "delegates"));
    if (audience.len > 0) {
        claim(&w, "audience", audience);
        jsonw_key(&w, "includeEmail");
        jsonw_bool(&w, true);
    } else {
        write_list(&w, google_scope(p->env));
    }
    jsonw_object_end(&w);
    what = post(p, url, "service_account_impersonation_url", "application/json",
                &body);
    if (what == PROVIDE_ASK)
        http_set_secret(&p->out->ask, STR("Authorization"), bearer);
    return what;
}

/*
 * Which it is.
 */
static enum provide by_type(const struct plan *p, struct file_state *s)
{
    struct json_object *own = p->file;
    struct str type = text(own, "type");

    s->stage = TOKEN;
    if (str_eqz(type, "external_account"))
        return by_other(p, s);
    if (str_eqz(type, "impersonated_service_account")) {
        own = jsonr_get(own, "source_credentials");
        type = text(own, "type");
        if (!acts_as(p->file))
            return provide_failed(p->out, PROVIDE_FAILED, ERR_CONFIG,
                                  "%s: holds no "
                                  "service_account_impersonation_url",
                                  p->path);
    }
    if (str_eqz(type, "service_account")) {
        enum provide what = by_key(p, own);

        if (acts_as(p->file) &&
            google_setting(p->env, GOOGLE_EXCHANGE).len == 0)
            s->stage = IMPERSONATE;
        return what;
    }
    if (str_eqz(type, "authorized_user"))
        return by_user(p, own);
    return provide_failed(p->out, PROVIDE_FAILED, ERR_CONFIG,
                          "%s: type \"%.*s\" is none of service_account, "
                          "authorized_user, external_account, "
                          "impersonated_service_account",
                          p->path, (int)(type.len < 60 ? type.len : 60),
                          type.len ? type.ptr : "");
}

static bool open_plan(struct plan *p)
{
    struct err err = {0};

    if (!google_file_read(p->env, p->out->arena, &p->file, &p->path, &err)) {
        p->out->err = err;
        return false;
    }
    p->universe = google_setting(p->env, "GOOGLE_CLOUD_UNIVERSE_DOMAIN");
    if (p->universe.len == 0)
        p->universe =
            arena_str(p->out->arena, text(p->file, "universe_domain"));
    if (google_universe_ok(&p->universe, &p->out->err))
        return true;
    json_object_put(p->file);
    return false;
}

static enum provide start(void *state, const struct auth_env *env,
                          struct now now, struct provide_out *out)
{
    struct plan p = {.env = env, .now = now, .out = out};
    enum provide what;

    if (!open_plan(&p))
        return out->err.kind == ERR_NONE ? PROVIDE_ABSENT : PROVIDE_FAILED;
    what = by_type(&p, state);
    json_object_put(p.file);
    return what;
}

static enum provide go_on(const struct plan *p, struct file_state *s,
                          const struct http_response *res)
{
    struct str subject = STR_NONE;
    enum provide what;

    if (s->stage == SUBJECT) {
        s->stage = TOKEN;
        return subject_of(p, res->body, &subject) ? exchange(p, subject)
                                                  : PROVIDE_RETRY;
    }
    if (!google_token(res, p->now, google_file.name, p->out))
        return PROVIDE_RETRY;
    if (s->stage == IMPERSONATE || !acts_as(p->file))
        return PROVIDE_DONE;
    s->stage = IMPERSONATE;
    what = impersonate(p, str_of(p->out->creds.token));
    credentials_clear(&p->out->creds);
    return what;
}

static enum provide answer(void *state, const struct auth_env *env,
                           struct now now, const struct http_response *res,
                           const struct err *net, struct provide_out *out)
{
    struct plan p = {.env = env, .now = now, .out = out};
    struct file_state *s = state;
    enum provide what;

    if (net) {
        out->err = *net;
        return PROVIDE_RETRY;
    }
    if (res->status != 200)
        return google_refused(
            res, now,
            s->stage == IMPERSONATE
                ? "grant the role roles/iam.serviceAccountTokenCreator on "
                  "that service account (a workload identity pool: "
                  "roles/iam.workloadIdentityUser)"
                : NULL,
            out);
    if (!open_plan(&p))
        return PROVIDE_RETRY;
    what = go_on(&p, s, res);
    json_object_put(p.file);
    return what;
}

const struct provider_type google_file = {
    .name = "credentials file",
    .state_size = sizeof(struct file_state),
    .start = start,
    .answer = answer,
};
