/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An application that proves who it is to Microsoft Entra ID: by a secret, a
 * certificate, or a token of another issuer that the application trusts.
 * Microsoft identity platform, "OAuth 2.0 client credentials flow" and
 * "Certificate credentials"; variables: EnvironmentCredential and
 * WorkloadIdentityCredential of the SDKs.
 */
#include "agent/base/enc.h"
#include "agent/base/jsonw.h"
#include "agent/base/mem.h"
#include "auth/aws_keys.h"
#include "auth/entra.h"
#include "auth/entra_token.h"
#include "auth/jwt.h"

#define TENANT     "AZURE_TENANT_ID"
#define CLIENT     "AZURE_CLIENT_ID"
#define SECRET     "AZURE_CLIENT_SECRET"
#define CERT_FILE  "AZURE_CLIENT_CERTIFICATE_PATH"
#define CERT_WORD  "AZURE_CLIENT_CERTIFICATE_PASSWORD"
#define CERT_CHAIN "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN"
#define TOKEN_FILE "AZURE_FEDERATED_TOKEN_FILE"
#define AUTHORITY  "AZURE_AUTHORITY_HOST"

#define PUBLIC_AUTHORITY "https://login.microsoftonline.com"
#define BY_JWT           "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define ASSERTION_LIFE   INT64_C(600) /* seconds */
#define FILE_MAX         ((size_t)64 << 10)
#define TIMEOUT_MS       (15 * WHEN_SECOND)

/*
 * The form.
 */
static bool find_authority(const struct auth_env *env, struct arena *arena,
                           struct str *out, struct err *err)
{
    struct str url = auth_variable(env, AUTHORITY);
    struct http_url u;

    if (url.len == 0)
        url = STR(PUBLIC_AUTHORITY);
    if (!memmem(url.ptr, url.len, "://", 3))
        url = arena_printf(arena, "https://%.*s", STR_ARG(url));
    if (!http_url_parse(url, &u) || u.query.ptr)
        return err_set(err, ERR_CONFIG,
                       AUTHORITY ": \"%.*s\" is not a url like "
                                 "https://login.microsoftonline.us",
                       STR_ARG(http_url_shown(url, arena)));
    if (!str_eqi(u.scheme, STR("https")) && !http_url_is_loopback(&u))
        return err_set(err, ERR_CONFIG,
                       AUTHORITY ": \"%.*s\": plain http would show secrets; "
                                 "write https",
                       STR_ARG(http_url_shown(url, arena)));
    while (str_ends(url, STR("/")))
        url.len--;
    *out = url;
    return true;
}

/* An id or a domain of the tenant; it becomes a part of the path. */
static bool is_tenant(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                    "0123456789.-",
                    s.ptr[i]))
            return false;
    return s.len > 0 && s.len < 256;
}

static bool is_set(const struct auth_env *env, const char *name,
                   struct str *out, struct err *err)
{
    *out = auth_variable(env, name);
    return out->len > 0 || err_set(err, ERR_CONFIG,
                                   "%s is not set; set " TENANT " and " CLIENT
                                   " to those of the application",
                                   name);
}

void entra_form_add(struct entra_form *form, const char *name, struct str value)
{
    if (form->body.len > 0)
        buf_addc(&form->body, '&');
    buf_addz(&form->body, name);
    buf_addc(&form->body, '=');
    enc_percent(&form->body, value, "");
}

bool entra_form_begin(const struct auth_env *env, struct entra_form *form,
                      struct provide_out *out)
{
    struct str tenant = STR_NONE, authority = STR_NONE;
    struct str audience = auth_variable(env, ENTRA_AUDIENCE);

    if (!is_set(env, TENANT, &tenant, &out->err) ||
        !is_set(env, CLIENT, &form->client_id, &out->err) ||
        !find_authority(env, out->arena, &authority, &out->err))
        return false;
    if (!is_tenant(tenant))
        return err_set(&out->err, ERR_CONFIG,
                       TENANT ": is neither an id nor a domain name");
    if (audience.len == 0)
        audience = entra_audience(env, ENTRA_MONITOR);
    if (!str_ends(audience, STR("/.default")))
        audience = arena_printf(out->arena, "%.*s/.default", STR_ARG(audience));
    form->url = arena_printf(out->arena, "%.*s/%.*s/oauth2/v2.0/token",
                             STR_ARG(authority), STR_ARG(tenant));
    buf_init(&form->body, BUF_NO_LIMIT);
    entra_form_add(form, "client_id", form->client_id);
    entra_form_add(form, "scope", audience);
    entra_form_add(form, "grant_type", STR("client_credentials"));
    return true;
}

void entra_form_wipe(struct entra_form *form)
{
    wipe(form->body.data, form->body.len);
    buf_fini(&form->body);
}

enum provide entra_form_send(const struct auth_env *env,
                             struct entra_form *form, struct provide_out *out)
{
    out->ask = (struct http_request){
        .method = STR("POST"),
        .url = form->url,
        .body = arena_str(out->arena, buf_str(&form->body)),
        .timeout_ms = TIMEOUT_MS,
        .ca_file = auth_variable(env, ENTRA_CA_FILE)};
    http_set(&out->ask, STR("Content-Type"),
             STR("application/x-www-form-urlencoded"));
    http_set(&out->ask, STR("Accept"), STR("application/json"));
    entra_form_wipe(form);
    return PROVIDE_ASK;
}

static void add_assertion(struct entra_form *form, struct str jwt)
{
    entra_form_add(form, "client_assertion_type", STR(BY_JWT));
    entra_form_add(form, "client_assertion", jwt);
}

enum provide entra_authority_answer(const struct provider_type *type,
                                    const struct auth_env *env, struct now now,
                                    const struct http_response *res,
                                    const struct err *net,
                                    struct provide_out *out)
{
    if (net) {
        out->err = *net;
        return PROVIDE_RETRY;
    }
    if (res->status != 200)
        return entra_refused(env, res, now, out);
    return entra_token(res, now, type->name, out) ? PROVIDE_DONE
                                                  : PROVIDE_RETRY;
}

/*
 * By a secret.
 */
static enum provide start_secret(void *state, const struct auth_env *env,
                                 struct now now, struct provide_out *out)
{
    struct str secret = auth_variable(env, SECRET);
    struct entra_form form = {0};

    (void)state;
    (void)now;
    if (!entra_wanted(env, ENTRA_WAY_SECRET) || secret.len == 0)
        return PROVIDE_ABSENT;
    if (!entra_form_begin(env, &form, out))
        return PROVIDE_FAILED;
    entra_form_add(&form, "client_secret", secret);
    return entra_form_send(env, &form, out);
}

static enum provide answer_secret(void *state, const struct auth_env *env,
                                  struct now now,
                                  const struct http_response *res,
                                  const struct err *net,
                                  struct provide_out *out)
{
    (void)state;
    return entra_authority_answer(&entra_secret, env, now, res, net, out);
}

const struct provider_type entra_secret = {
    .name = "client secret",
    .start = start_secret,
    .answer = answer_secret,
};

/*
 * By a certificate: a token of our own that lives ten minutes.
 */
static bool read_key(const struct auth_env *env, struct str path,
                     struct arena *arena, struct crypto_key **out,
                     struct err *err)
{
    struct str word = auth_variable(env, CERT_WORD);
    char *z = arena_strdup(arena, path);
    struct crypto_key *key = NULL;
    struct buf file;
    bool ok;

    buf_init(&file, FILE_MAX);
    ok = env->read_file(env->arg, z, &file, err) &&
         (crypto_key_read(buf_str(&file), word, &key, err) ||
          err_wrap(err, "%s", z));
    wipe(file.data, file.len);
    buf_fini(&file);
    if (ok && crypto_key_certs(key) == 0)
        ok = err_set(err, ERR_CONFIG,
                     "%s: holds no certificate beside the private key", z);
    if (ok)
        *out = key;
    else
        crypto_key_free(key);
    return ok || err_wrap(err, CERT_FILE);
}

static bool sends_chain(const struct auth_env *env)
{
    struct str s = auth_variable(env, CERT_CHAIN);

    return str_eqz(s, "1") || str_eqi(s, STR("true"));
}

/* x5t#S256, and x5c where the chain is wanted (RFC 7515 section 4.1). */
static struct str header_of(const struct auth_env *env,
                            const struct crypto_key *key, struct arena *arena)
{
    unsigned char digest[CRYPTO_SHA256];
    struct str made;
    struct buf b;

    crypto_sha256(crypto_key_cert(key, 0), digest);
    buf_init(&b, BUF_NO_LIMIT);
    buf_addz(&b, "\"x5t#S256\":\"");
    enc_base64url(&b, digest, sizeof(digest));
    buf_addc(&b, '"');
    for (size_t i = 0; sends_chain(env) && i < crypto_key_certs(key); i++) {
        struct str der = crypto_key_cert(key, i);

        buf_addz(&b, i ? ",\"" : ",\"x5c\":[\"");
        enc_base64(&b, der.ptr, der.len);
        buf_addc(&b, '"');
    }
    if (sends_chain(env))
        buf_addc(&b, ']');
    made = arena_str(arena, buf_str(&b));
    buf_fini(&b);
    return made;
}

static struct str claims_of(const struct entra_form *form, int64_t wall_ms,
                            struct arena *arena)
{
    int64_t now = wall_ms / WHEN_SECOND;
    char id[CRYPTO_UUID];
    struct jsonw w;
    struct str made;
    struct buf b;

    crypto_uuid(id);
    buf_init(&b, BUF_NO_LIMIT);
    jsonw_init(&w, &b, 0);
    jsonw_object(&w);
    jsonw_key(&w, "aud");
    jsonw_text(&w, form->url);
    jsonw_key(&w, "iss");
    jsonw_text(&w, form->client_id);
    jsonw_key(&w, "sub");
    jsonw_text(&w, form->client_id);
    jsonw_key(&w, "jti");
    jsonw_textz(&w, id);
    jsonw_key(&w, "iat");
    jsonw_int(&w, now);
    jsonw_key(&w, "nbf");
    jsonw_int(&w, now);
    jsonw_key(&w, "exp");
    jsonw_int(&w, now + ASSERTION_LIFE);
    jsonw_object_end(&w);
    made = arena_str(arena, buf_str(&b));
    buf_fini(&b);
    return made;
}

static enum provide start_certificate(void *state, const struct auth_env *env,
                                      struct now now, struct provide_out *out)
{
    struct str path = auth_variable(env, CERT_FILE), assertion = STR_NONE;
    struct entra_form form = {0};
    struct crypto_key *key = NULL;
    struct jwt jwt = {.alg = CRYPTO_PS256};
    bool ok;

    (void)state;
    if (!entra_wanted(env, ENTRA_WAY_CERTIFICATE) || path.len == 0)
        return PROVIDE_ABSENT;
    /* Read at every fetch: it is renewed where it stands. */
    if (!read_key(env, path, out->arena, &key, &out->err))
        return PROVIDE_FAILED;
    ok = entra_form_begin(env, &form, out);
    if (ok) {
        jwt.header = header_of(env, key, out->arena);
        jwt.claims = claims_of(&form, now.wall_ms, out->arena);
        ok = jwt_sign(&jwt, key, out->arena, &assertion, &out->err);
        if (ok)
            add_assertion(&form, assertion);
        else
            entra_form_wipe(&form);
    }
    crypto_key_free(key);
    return ok ? entra_form_send(env, &form, out) : PROVIDE_FAILED;
}

static enum provide answer_certificate(void *state, const struct auth_env *env,
                                       struct now now,
                                       const struct http_response *res,
                                       const struct err *net,
                                       struct provide_out *out)
{
    (void)state;
    return entra_authority_answer(&entra_certificate, env, now, res, net, out);
}

const struct provider_type entra_certificate = {
    .name = "client certificate",
    .start = start_certificate,
    .answer = answer_certificate,
};

/*
 * By a token that stands in a file, as Kubernetes projects it.
 */
static enum provide start_workload(void *state, const struct auth_env *env,
                                   struct now now, struct provide_out *out)
{
    struct str file = auth_variable(env, TOKEN_FILE), jwt = STR_NONE;
    struct entra_form form = {0};

    (void)state;
    (void)now;
    if (!entra_wanted(env, ENTRA_WAY_WORKLOAD) || file.len == 0)
        return PROVIDE_ABSENT;
    /* Read at every fetch: it is renewed where it stands. */
    if (!aws_read_token(env, arena_strdup(out->arena, file), out->arena, &jwt,
                        &out->err)) {
        (void)err_wrap(&out->err, TOKEN_FILE);
        return PROVIDE_RETRY;
    }
    if (!entra_form_begin(env, &form, out))
        return PROVIDE_FAILED;
    add_assertion(&form, jwt);
    return entra_form_send(env, &form, out);
}

static enum provide answer_workload(void *state, const struct auth_env *env,
                                    struct now now,
                                    const struct http_response *res,
                                    const struct err *net,
                                    struct provide_out *out)
{
    (void)state;
    return entra_authority_answer(&entra_workload, env, now, res, net, out);
}

const struct provider_type entra_workload = {
    .name = "workload identity",
    .start = start_workload,
    .answer = answer_workload,
};
