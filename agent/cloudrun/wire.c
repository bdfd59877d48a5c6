/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.c - requests and answers of the Cloud Run Admin API as text.
 */
#include "agent/base/jsonr.h"
#include "agent/base/jsonw.h"
#include "agent/cloudrun/inside.h"

#include <json-c/json.h>

#define WHAT(p) ((p)->pool ? "worker pool" : "service")
/* gcloud's own words for the two. */
#define GROUP(p) ((p)->pool ? "worker-pools" : "services")
/* Longer texts of Google's are cut in an error. */
#define MESSAGE_MAX 300

struct str cloudrun_url(const struct cloudrun_place *p, struct arena *a)
{
    return arena_printf(a, "%.*s/v2/projects/%.*s/locations/%.*s/%s/%.*s",
                        STR_ARG(p->base), STR_ARG(p->project),
                        STR_ARG(p->location),
                        p->pool ? "workerPools" : "services", STR_ARG(p->name));
}

struct str cloudrun_patch_url(const struct cloudrun_place *p, bool dry,
                              struct arena *a)
{
    struct str url = cloudrun_url(p, a);

    return arena_printf(a, "%.*s?updateMask=scaling.manualInstanceCount%s",
                        STR_ARG(url), dry ? "&validateOnly=true" : "");
}

struct str cloudrun_patch_body(const struct cloudrun_place *p, int64_t count,
                               struct str etag, struct arena *a)
{
    struct buf b;
    struct jsonw w;
    struct str body;

    (void)p;
    buf_init(&b, 4096);
    jsonw_init(&w, &b, 0);
    jsonw_object(&w);
    jsonw_key(&w, "etag");
    jsonw_text(&w, etag);
    jsonw_key(&w, "scaling");
    jsonw_object(&w);
    jsonw_key(&w, "manualInstanceCount");
    jsonw_int(&w, count);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    body = arena_str(a, buf_str(&b));
    buf_fini(&b);
    return body;
}

/* ---- answers ---- */

static bool refuse_automatic(const struct cloudrun_place *p, struct err *err)
{
    return err_set(err, ERR_CONFIG,
                   "cloud_run: service %.*s scales by itself, by requests; set "
                   "it to manual first: gcloud run services update %.*s "
                   "--region %.*s --scaling 1",
                   STR_ARG(p->name), STR_ARG(p->name), STR_ARG(p->location));
}

static bool refuse_unset(const struct cloudrun_place *p, struct err *err)
{
    return err_set(err, ERR_CONFIG,
                   "cloud_run: %s %.*s has no manual instance count yet; set "
                   "one: gcloud run %s update %.*s --region %.*s --scaling 1",
                   WHAT(p), STR_ARG(p->name), GROUP(p), STR_ARG(p->name),
                   STR_ARG(p->location));
}

static bool read_count(struct json_object *o, const struct cloudrun_place *p,
                       int64_t *count, struct err *err)
{
    struct json_object *scaling = jsonr_get(o, "scaling");
    struct str mode = jsonr_text_or(scaling, "scalingMode", STR_NONE);

    if (!p->pool && !str_eqz(mode, "MANUAL"))
        return refuse_automatic(p, err);
    if (!jsonr_get(scaling, "manualInstanceCount"))
        return refuse_unset(p, err);
    if (!jsonr_int(scaling, "manualInstanceCount", count, err))
        return err_wrap(err, "cloud_run: scaling");
    return (*count >= 0 && *count <= INT32_MAX) ||
           err_set(err, ERR_INPUT,
                   "cloud_run: manualInstanceCount is no count");
}

bool cloudrun_read_state(struct str body, const struct cloudrun_place *p,
                         struct arena *a, struct cloudrun_state *out,
                         struct err *err)
{
    struct json_object *o, *r;
    bool ok;

    if (!jsonr_parse(body, &o, err))
        return err_wrap(err, "cloud_run: the answer");
    *out = (struct cloudrun_state){0};
    ok = read_count(o, p, &out->count, err);
    out->etag = arena_str(a, jsonr_text_or(o, "etag", STR_NONE));
    r = jsonr_get(o, "reconciling");
    out->reconciling = r && json_object_get_boolean(r);
    json_object_put(o);
    return ok;
}

/* google.rpc.Code: 10 ABORTED, 9 FAILED_PRECONDITION; 8 RESOURCE_EXHAUSTED,
 * 7 PERMISSION_DENIED. */
static bool operation_failed(struct json_object *e, bool *changed,
                             struct err *err)
{
    int64_t code;
    struct str text = jsonr_text_or(e, "message", STR("no reason was given"));

    if (!jsonr_int(e, "code", &code, NULL))
        code = 0;
    *changed = code == 10;
    if (text.len > MESSAGE_MAX)
        text.len = MESSAGE_MAX;
    return err_set(err,
                   code == 8   ? ERR_LIMIT
                   : code == 7 ? ERR_DENIED
                               : ERR_INPUT,
                   "cloud_run: the change failed: %.*s", STR_ARG(text));
}

bool cloudrun_read_operation(struct str body, struct arena *a, struct str *name,
                             bool *done, bool *changed, struct err *err)
{
    struct json_object *o, *d, *e;
    bool ok = true;

    if (!jsonr_parse(body, &o, err))
        return err_wrap(err, "cloud_run: the operation");
    d = jsonr_get(o, "done");
    e = jsonr_get(o, "error");
    *name = arena_str(a, jsonr_text_or(o, "name", STR_NONE));
    *done = d && json_object_get_boolean(d);
    if (e)
        ok = operation_failed(e, changed, err);
    else if (!*done && !str_starts(*name, STR("projects/")))
        ok = err_set(err, ERR_INPUT,
                     "cloud_run: the answer is no operation that can be "
                     "followed");
    json_object_put(o);
    return ok;
}

static struct str message_of(struct str body, struct arena *a)
{
    struct json_object *o;
    struct str text = STR("no reason was given");

    if (!jsonr_parse(body, &o, NULL))
        return text;
    text = arena_str(a, jsonr_text_or(jsonr_get(o, "error"), "message", text));
    json_object_put(o);
    if (text.len > MESSAGE_MAX)
        text.len = MESSAGE_MAX;
    return text;
}

static bool refuse_rights(const struct cloudrun_place *p, bool write,
                          struct str text, struct err *err)
{
    return err_set(err, ERR_DENIED,
                   "cloud_run: %s %.*s in %.*s: %.*s; grant %s",
                   write ? "setting" : "reading", STR_ARG(p->name),
                   STR_ARG(p->project), STR_ARG(text),
                   write ? "roles/run.developer on it, and "
                           "roles/iam.serviceAccountUser on the service "
                           "account that it runs as"
                         : "roles/run.viewer on it");
}

static enum err_kind kind_of(int status)
{
    if (status == 401)
        return ERR_DENIED;
    if (status == 429)
        return ERR_LIMIT;
    return status >= 500 || status == 408 ? ERR_NETWORK : ERR_INPUT;
}

bool cloudrun_refused(const struct http_response *res,
                      const struct cloudrun_place *p, bool write,
                      struct arena *a, bool *changed, struct err *err)
{
    struct str text = message_of(res->body, a);

    *changed = res->status == 409 || res->status == 412;
    if (res->status == 403)
        return refuse_rights(p, write, text, err);
    if (res->status == 404)
        return err_set(err, ERR_CONFIG,
                       "cloud_run: there is no %s %.*s in %.*s of project "
                       "%.*s; look at project, location and name",
                       WHAT(p), STR_ARG(p->name), STR_ARG(p->location),
                       STR_ARG(p->project));
    return err_set(err, kind_of(res->status), "cloud_run: status %d: %.*s",
                   res->status, STR_ARG(text));
}
