/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Managed identities: of App Service and Container Apps, and of a virtual
 * machine.  "How to use managed identities for App Service", "Managed
 * identities in Azure Container Apps", "How to use managed identities on a VM
 * to acquire an access token" with its table of retries; Azure Arc is in
 * entra_arc.c.
 */
#include "agent/base/enc.h"
#include "auth/entra.h"
#include "auth/entra_token.h"

#include <stdio.h>

#define ENDPOINT   "IDENTITY_ENDPOINT"
#define HEADER     "IDENTITY_HEADER"
#define THUMBPRINT "IDENTITY_SERVER_THUMBPRINT"
#define IMDS_HOST  "AZURE_POD_IDENTITY_AUTHORITY_HOST"
#define IMDS_URL   "http://169.254.169.254"

/* The endpoint of a container app listens some time after its container runs:
 * microsoft/azure-container-apps issues 568, 864, 1448. */
#define START_LIMIT (2 * WHEN_MINUTE)
/* The metadata service is being updated while it answers 410. */
#define UPDATE_LIMIT (70 * WHEN_SECOND)
#define UPDATE_REST  (10 * WHEN_SECOND)
#define IMDS_TRIES   5
#define IMDS_TIMEOUT (3 * WHEN_SECOND)

/*
 * What they share.
 */
static bool near(const struct http_url *u)
{
    return str_eqi(u->scheme, STR("https")) || http_url_is_loopback(u) ||
           str_starts(u->host, STR("169.254."));
}

static void add(struct buf *url, const char *name, struct str value)
{
    buf_addf(url, "&%s=", name);
    enc_percent(url, value, "");
}

/* The service's name without the scope's suffix. */
static struct str resource_of(const struct auth_env *env)
{
    struct str s = auth_variable(env, ENTRA_AUDIENCE);

    if (s.len == 0)
        s = entra_audience(env, ENTRA_MONITOR);
    if (str_ends(s, STR("/.default")))
        s.len -= strlen("/.default");
    return s;
}

static void add_identity(const struct auth_env *env, const char *resource_id,
                         struct buf *url)
{
    struct str client = auth_variable(env, "AZURE_CLIENT_ID");
    struct str object = auth_variable(env, ENTRA_OBJECT_ID);
    struct str resource = auth_variable(env, ENTRA_RESOURCE_ID);

    if (object.len > 0)
        add(url, "object_id", object);
    else if (resource.len > 0)
        add(url, resource_id, resource);
    else if (client.len > 0)
        add(url, "client_id", client);
}

bool entra_managed_ask(const struct auth_env *env, struct str base,
                       const char *version, const char *resource_id,
                       struct provide_out *out)
{
    struct http_url u;
    struct buf url;

    if (!http_url_parse(base, &u))
        return err_set(&out->err, ERR_CONFIG, "\"%.*s\" is not a url",
                       STR_ARG(http_url_shown(base, out->arena)));
    if (!near(&u))
        return err_set(&out->err, ERR_CONFIG,
                       "\"%.*s\": plain http is for loopback and link-local "
                       "addresses alone, as the answer is a token",
                       STR_ARG(http_url_shown(base, out->arena)));
    buf_init(&url, BUF_NO_LIMIT);
    buf_addf(&url, "%.*s%sapi-version=%s", STR_ARG(base),
             u.query.ptr ? "&" : "?", version);
    add(&url, "resource", resource_of(env));
    add_identity(env, resource_id, &url);
    out->ask =
        (struct http_request){.method = STR("GET"),
                              .url = arena_str(out->arena, buf_str(&url)),
                              .no_proxy = true};
    buf_fini(&url);
    http_set(&out->ask, STR("Accept"), STR("application/json"));
    return true;
}

/* Without a name it is the system-assigned one that is asked for. */
static enum provide refused(const struct auth_env *env,
                            const struct http_response *res, struct now now,
                            struct provide_out *out)
{
    enum provide what = entra_refused(env, res, now, out);
    size_t n = strlen(out->err.text);
    bool named = auth_variable(env, "AZURE_CLIENT_ID").len > 0 ||
                 auth_variable(env, ENTRA_OBJECT_ID).len > 0 ||
                 auth_variable(env, ENTRA_RESOURCE_ID).len > 0;

    if (res->status == 400)
        (void)snprintf(out->err.text + n, sizeof(out->err.text) - n, "; %s",
                       named ? "the identity that is named is not assigned here"
                             : "assign a managed identity here, or name the "
                               "user-assigned one by AZURE_CLIENT_ID");
    return what;
}

/*
 * App Service, Functions and Container Apps.
 */
struct app_service {
    bool begun;
    int64_t began_ms; /* monotonic */
    bool spoken;      /* it has answered, ever */
};

static enum provide start_app(void *state, const struct auth_env *env,
                              struct now now, struct provide_out *out)
{
    struct str url = auth_variable(env, ENDPOINT);
    struct str header = auth_variable(env, HEADER);
    struct app_service *s = state;

    if (!entra_wanted(env, ENTRA_WAY_APP_SERVICE) || url.len == 0 ||
        header.len == 0)
        return PROVIDE_ABSENT;
    if (auth_variable(env, THUMBPRINT).len > 0)
        return provide_failed(
            out, PROVIDE_FAILED, ERR_CONFIG,
            "this is Service Fabric, whose identity cannot be "
            "used; set "
            "AZURE_CLIENT_SECRET or a "
            "certificate");
    if (!auth_printable(header))
        return provide_failed(out, PROVIDE_FAILED, ERR_CONFIG,
                              HEADER ": holds a blank or a character that no "
                                     "header has");
    if (!s->begun) {
        s->begun = true;
        s->began_ms = now.mono_ms;
    }
    if (!entra_managed_ask(env, url, "2019-08-01", "mi_res_id", out)) {
        (void)err_wrap(&out->err, ENDPOINT);
        return PROVIDE_FAILED;
    }
    http_set_secret(&out->ask, STR("X-IDENTITY-HEADER"),
                    arena_str(out->arena, header));
    return PROVIDE_ASK;
}

static enum provide answer_app(void *state, const struct auth_env *env,
                               struct now now, const struct http_response *res,
                               const struct err *net, struct provide_out *out)
{
    struct app_service *s = state;

    if (net) {
        out->err = *net;
        out->patient = !s->spoken && net->kind == ERR_NETWORK &&
                       now.mono_ms - s->began_ms < START_LIMIT;
        return PROVIDE_RETRY;
    }
    s->spoken = true;
    if (res->status != 200)
        return refused(env, res, now, out);
    return entra_token(res, now, entra_app_service.name, out) ? PROVIDE_DONE
                                                              : PROVIDE_RETRY;
}

const struct provider_type entra_app_service = {
    .name = "identity endpoint",
    .state_size = sizeof(struct app_service),
    .start = start_app,
    .answer = answer_app,
};

/*
 * A virtual machine's metadata service.
 */
struct imds {
    unsigned tries;   /* of this trouble */
    bool updating;    /* it answers 410 */
    int64_t since_ms; /* monotonic */
};

static enum provide start_imds(void *state, const struct auth_env *env,
                               struct now now, struct provide_out *out)
{
    struct str base = auth_variable(env, IMDS_HOST);

    (void)state;
    (void)now;
    if (!entra_wanted(env, ENTRA_WAY_IMDS))
        return PROVIDE_ABSENT;
    if (base.len == 0)
        base = STR(IMDS_URL);
    while (str_ends(base, STR("/")))
        base.len--;
    base = arena_printf(out->arena, "%.*s/metadata/identity/oauth2/token",
                        STR_ARG(base));
    if (!entra_managed_ask(env, base, "2018-02-01", "msi_res_id", out)) {
        (void)err_wrap(&out->err, IMDS_HOST);
        return PROVIDE_FAILED;
    }
    out->ask.timeout_ms = IMDS_TIMEOUT;
    http_set(&out->ask, STR("Metadata"), STR("true"));
    return PROVIDE_ASK;
}

/* Waits of 2, 6, 14 and 30 seconds between five tries; for an update those of
 * ten seconds, for seventy. */
static enum provide rest(struct imds *s, int status, struct now now,
                         struct provide_out *out)
{
    static const int64_t rests[IMDS_TRIES] = {2, 6, 14, 30, 0};
    int64_t wait = UPDATE_REST;

    if (status == 410) {
        if (!s->updating)
            s->since_ms = now.mono_ms;
        s->updating = true;
        out->patient = now.mono_ms - s->since_ms < UPDATE_LIMIT;
    } else {
        wait = rests[s->tries] * WHEN_SECOND;
        out->patient = ++s->tries < IMDS_TRIES;
    }
    if (!out->patient)
        *s = (struct imds){0};
    if (out->after_ms < wait)
        out->after_ms = wait;
    return PROVIDE_RETRY;
}

static bool is_elsewhere(const struct http_response *res)
{
    return res->status == 403 && res->body.len > 0 &&
           memmem(res->body.ptr, res->body.len, "unreachable", 11);
}

static enum provide answer_imds(void *state, const struct auth_env *env,
                                struct now now, const struct http_response *res,
                                const struct err *net, struct provide_out *out)
{
    struct imds *s = state;
    enum provide what;

    if (net)
        return provide_failed(out, PROVIDE_RETRY, net->kind,
                              "%s; where this is no virtual machine of Azure, "
                              "configure another credential",
                              net->text);
    if (is_elsewhere(res)) /* Docker Desktop's own answer to that address */
        return PROVIDE_ABSENT;
    if (res->status != 200) {
        what = refused(env, res, now, out);
        return what == PROVIDE_RETRY ? rest(s, res->status, now, out) : what;
    }
    *s = (struct imds){0};
    return entra_token(res, now, entra_imds.name, out) ? PROVIDE_DONE
                                                       : PROVIDE_RETRY;
}

const struct provider_type entra_imds = {
    .name = "instance metadata",
    .state_size = sizeof(struct imds),
    .start = start_imds,
    .answer = answer_imds,
};
