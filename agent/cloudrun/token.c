/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.c - the token of the service account that this container or machine
 * runs as, from the metadata server.
 *
 * (Google Cloud, "Access tokens of the metadata server": a cached token is
 * repeated until shortly before its end, so that it is not renewed earlier.)
 */
#include "agent/base/jsonr.h"
#include "agent/base/mem.h"
#include "agent/cloudrun/inside.h"

#include <json-c/json.h>
#include <stdio.h>

#define PATH      "/computeMetadata/v1/instance/service-accounts/default/token"
#define TOKEN_MAX 16384

const char cloudrun_no_credentials[] =
    "run on Cloud Run, GKE or Compute Engine, or set GCE_METADATA_HOST";

static enum provide start(void *state, const struct auth_env *env,
                          struct now now, struct provide_out *out)
{
    const char *host = env->variable(env->arg, "GCE_METADATA_HOST");

    (void)state;
    (void)now;
    out->ask = (struct http_request){.method = STR("GET"),
                                     .timeout_ms = 3 * WHEN_SECOND,
                                     .max_response = TOKEN_MAX,
                                     .no_proxy = true};
    out->ask.url =
        arena_printf(out->arena, "http://%s" PATH,
                     host && host[0] ? host : CLOUDRUN_METADATA_HOST);
    http_set(&out->ask, STR("Metadata-Flavor"), STR("Google"));
    return PROVIDE_ASK;
}

static bool read_token(struct str body, struct now now, struct credentials *out,
                       struct err *err)
{
    struct json_object *o;
    struct str token;
    int64_t seconds;
    bool ok;

    if (!jsonr_parse(body, &o, err))
        return false;
    ok = jsonr_text(o, "access_token", &token, err) &&
         jsonr_int(o, "expires_in", &seconds, err);
    if (ok && (seconds < 0 || seconds > WHEN_DAY))
        ok = err_set(err, ERR_INPUT, "expires_in is no sensible time");
    if (ok) {
        out->token = xstrndup(token.ptr, token.len);
        out->expires_ms = now.wall_ms + seconds * WHEN_SECOND;
        snprintf(out->source, sizeof(out->source), "Google metadata server");
    }
    json_object_put(o);
    return ok;
}

static enum provide answer(void *state, const struct auth_env *env,
                           struct now now, const struct http_response *res,
                           const struct err *net, struct provide_out *out)
{
    (void)state;
    (void)env;
    if (net) {
        out->err = *net;
        (void)err_wrap(&out->err, "google: no metadata server");
        return PROVIDE_RETRY;
    }
    if (res->status == 200 &&
        read_token(res->body, now, &out->creds, &out->err))
        return PROVIDE_DONE;
    if (res->status == 200)
        (void)err_wrap(&out->err, "google: metadata server's token");
    else
        (void)err_set(&out->err, ERR_DENIED,
                      "google: the metadata server gives no token (status "
                      "%d); give this service, instance or pod a service "
                      "account",
                      res->status);
    return res->status >= 500 || res->status == 429 ? PROVIDE_RETRY
                                                    : PROVIDE_FAILED;
}

static const struct provider_type metadata = {
    .name = "Google metadata server",
    .state_size = 1,
    .start = start,
    .answer = answer,
};

const struct provider_type *const cloudrun_providers[] = {&metadata, NULL};
