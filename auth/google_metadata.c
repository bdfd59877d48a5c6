/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata server of Compute Engine, GKE and Cloud Run: "About VM metadata"
 * and gcp-metadata 8.1.4.  It hands out one token until about four minutes
 * before its end, so that asking earlier brings nothing new.
 */
#include "agent/base/enc.h"
#include "agent/base/mem.h"
#include "auth/google.h"
#include "auth/google_token.h"

#define HOST         "GCE_METADATA_HOST"
#define DETECTION    "METADATA_SERVER_DETECTION"
#define TIMEOUT_MS   (3 * WHEN_SECOND)
#define RENEW_BEFORE (225 * WHEN_SECOND)
/* When it gave a token that has less left than that. */
#define RENEW_SOON (10 * WHEN_SECOND)
#define PLACE_MAX  100

enum stage { PROJECT, REGION, ZONE, TOKEN };

struct metadata {
    enum stage stage;
    bool placed; /* project and location are known, for good */
    char project[PLACE_MAX + 1], location[PLACE_MAX + 1];
};

/* Without asking the network, which would be a delay wherever this is not
 * Google Cloud. */
static bool is_resident(const struct auth_env *env)
{
    static const char *const signs[] = {HOST,
                                        "GCE_METADATA_IP",
                                        "K_SERVICE",
                                        "CLOUD_RUN_JOB",
                                        "CLOUD_RUN_WORKER_POOL",
                                        "FUNCTION_NAME"};
    struct str how = google_setting(env, DETECTION);
    struct buf vendor;
    bool google;

    if (str_eqz(how, "none"))
        return false;
    if (str_eqz(how, "assume-present"))
        return true;
    for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
        if (google_setting(env, signs[i]).len > 0)
            return true;
    buf_init(&vendor, 4096);
    google = env->read_file(env->arg, "/sys/class/dmi/id/bios_vendor", &vendor,
                            NULL) &&
             str_starts(str_trim(buf_str(&vendor)), STR("Google"));
    buf_fini(&vendor);
    return google;
}

static bool base_url(const struct auth_env *env, struct arena *arena,
                     struct str *out, struct err *err)
{
    struct str host = google_setting(env, HOST);
    struct http_url u;

    if (host.len == 0)
        host = google_setting(env, "GCE_METADATA_IP");
    if (host.len == 0)
        host = STR("169.254.169.254");
    if (!str_starts(host, STR("http://")) && !str_starts(host, STR("https://")))
        host = arena_printf(arena, "http://%.*s", STR_ARG(host));
    while (str_ends(host, STR("/")))
        host.len--;
    *out = host;
    return (http_url_parse(host, &u) && !u.query.ptr) ||
           err_set(err, ERR_CONFIG,
                   HOST ": is not a host like metadata.google.internal");
}

/* Scopes stand with commas between them. */
static void add_query(const struct auth_env *env, struct buf *url)
{
    struct str audience = google_setting(env, GOOGLE_AUDIENCE);
    struct str rest = google_scope(env), one;
    const char *sep = "token?scopes=";

    if (audience.len > 0) {
        buf_addz(url, "identity?format=full&audience=");
        enc_percent(url, audience, "");
        return;
    }
    while (str_next(&rest, ' ', &one)) {
        if (one.len == 0)
            continue;
        buf_addz(url, sep);
        enc_percent(url, one, "");
        sep = ",";
    }
}

static enum provide ask(const struct metadata *m, const struct auth_env *env,
                        struct provide_out *out)
{
    static const char *const paths[] = {
        [PROJECT] = "project/project-id",
        [REGION] = "instance/region",
        [ZONE] = "instance/zone",
        [TOKEN] = "instance/service-accounts/default/",
    };
    struct str base = STR_NONE;
    struct buf url;

    if (!base_url(env, out->arena, &base, &out->err))
        return PROVIDE_FAILED;
    buf_init(&url, BUF_NO_LIMIT);
    buf_addf(&url, "%.*s/computeMetadata/v1/%s", STR_ARG(base),
             paths[m->stage]);
    if (m->stage == TOKEN)
        add_query(env, &url);
    out->ask =
        (struct http_request){.method = STR("GET"),
                              .url = arena_str(out->arena, buf_str(&url)),
                              .timeout_ms = TIMEOUT_MS,
                              .no_proxy = true};
    buf_fini(&url);
    http_set(&out->ask, STR("Metadata-Flavor"), STR("Google"));
    return PROVIDE_ASK;
}

static enum provide start(void *state, const struct auth_env *env,
                          struct now now, struct provide_out *out)
{
    struct metadata *m = state;

    (void)now;
    if (!is_resident(env))
        return PROVIDE_ABSENT;
    m->stage = google_setting(env, GOOGLE_PLACE).len > 0 && !m->placed ? PROJECT
                                                                       : TOKEN;
    return ask(m, env, out);
}

/* The last part of projects/N/zones/Z, or the whole of what has no slash. */
static bool keep(char to[PLACE_MAX + 1], struct str body)
{
    struct str s = str_trim(body);

    for (size_t i = s.len; i > 0; i--)
        if (s.ptr[i - 1] == '/') {
            s = str_from(s, i);
            break;
        }
    if (s.len == 0 || s.len > PLACE_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-.:", s.ptr[i]))
            return false;
    memcpy(to, s.ptr, s.len);
    to[s.len] = '\0';
    return true;
}

static enum provide placed(struct metadata *m, const struct auth_env *env,
                           const struct http_response *res,
                           struct provide_out *out)
{
    bool good = res->status == 200;

    if (m->stage == PROJECT) {
        if (!good || !keep(m->project, res->body))
            return provide_failed(out, PROVIDE_RETRY, ERR_INPUT,
                                  "it answered %d and no project; write the "
                                  "project in the settings",
                                  res->status);
        m->stage = REGION;
    } else if (good && keep(m->location, res->body)) {
        m->stage = TOKEN;
    } else { /* Compute Engine knows zones alone */
        m->stage = m->stage == REGION ? ZONE : TOKEN;
    }
    m->placed = m->stage == TOKEN;
    return ask(m, env, out);
}

static void set_place(const struct metadata *m, struct credentials *c)
{
    if (!m->placed)
        return;
    c->key_id = xstrndup(m->project, strlen(m->project));
    c->secret = xstrndup(m->location, strlen(m->location));
}

static enum provide take(const struct metadata *m, const struct auth_env *env,
                         const struct http_response *res, struct now now,
                         struct provide_out *out)
{
    struct credentials *c = &out->creds;

    if (google_setting(env, GOOGLE_AUDIENCE).len > 0) {
        /* The token alone, as text; its end is read from it. */
        struct http_response wrapped = *res;

        wrapped.body = arena_printf(out->arena, "{\"id_token\":\"%.*s\"}",
                                    STR_ARG(str_trim(res->body)));
        if (!google_token(&wrapped, now, google_metadata.name, out))
            return PROVIDE_RETRY;
    } else if (!google_token(res, now, google_metadata.name, out)) {
        return PROVIDE_RETRY;
    }
    set_place(m, c);
    c->renew_ms = c->expires_ms - RENEW_BEFORE;
    if (c->renew_ms < now.wall_ms + RENEW_SOON)
        c->renew_ms = now.wall_ms + RENEW_SOON;
    return PROVIDE_DONE;
}

static enum provide answer(void *state, const struct auth_env *env,
                           struct now now, const struct http_response *res,
                           const struct err *net, struct provide_out *out)
{
    struct metadata *m = state;
    const char *mend = NULL;

    if (net) {
        out->err = *net;
        return PROVIDE_RETRY;
    }
    if (!str_eqi(http_get(res, STR("Metadata-Flavor")), STR("Google")))
        return provide_failed(
            out, PROVIDE_RETRY, ERR_INPUT,
            "what answered %d is not Google's metadata server "
            "(no Metadata-Flavor); look at " HOST,
            res->status);
    if (m->stage != TOKEN)
        return placed(m, env, res, out);
    if (res->status == 200)
        return take(m, env, res, now, out);
    if (res->status == 404)
        mend = "give the instance a service account";
    if (res->status == 403)
        mend = "give the instance the access scope cloud-platform";
    return google_refused(res, now, mend, out);
}

const struct provider_type google_metadata = {
    .name = "metadata server",
    .state_size = sizeof(struct metadata),
    .start = start,
    .answer = answer,
};
