/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ecs/wire.h"

#include "agent/base/jsonr.h"
#include "agent/base/jsonw.h"

#include <json-c/json.h>

/*
 * Names: arn:PARTITION:ecs:REGION:ACCOUNT:RESOURCE/...
 */
struct str ecs_arn_region(struct str text)
{
    struct str rest = text, part;

    if (!str_starts(text, STR("arn:")))
        return STR_NONE;
    for (int i = 0; str_next(&rest, ':', &part); i++)
        if (i == 3)
            return part;
    return STR_NONE;
}

struct str ecs_short_name(struct str text)
{
    size_t at;

    while ((at = str_find(text, '/')) < text.len)
        text = str_from(text, at + 1);
    return text;
}

struct str ecs_arn_cluster(struct str text)
{
    size_t at = str_find(text, '/');
    struct str resource = str_n(text.ptr, at);
    struct str rest = str_from(text, at + 1);
    size_t slash = str_find(rest, '/');

    if (!str_starts(text, STR("arn:")) ||
        !str_ends(resource, STR(":service")) || slash == rest.len)
        return STR_NONE;
    return str_n(rest.ptr, slash);
}

/*
 * Questions.
 */
static void begin(struct jsonw *w, struct buf *out, struct str cluster)
{
    buf_init(out, BUF_NO_LIMIT);
    jsonw_init(w, out, 0);
    jsonw_object(w);
    jsonw_key(w, "cluster");
    jsonw_text(w, cluster);
}

static struct str end(struct jsonw *w, struct buf *out, struct arena *arena)
{
    struct str text;

    jsonw_object_end(w);
    text = arena_str(arena, buf_str(out));
    buf_fini(out);
    return text;
}

static void add_texts(struct jsonw *w, const char *key, const struct str *texts,
                      size_t count)
{
    jsonw_key(w, key);
    jsonw_array(w);
    for (size_t i = 0; i < count; i++)
        jsonw_text(w, texts[i]);
    jsonw_array_end(w);
}

struct str ecs_write_services(struct str cluster, const struct str *services,
                              size_t count, struct arena *arena)
{
    struct jsonw w;
    struct buf out;

    begin(&w, &out, cluster);
    add_texts(&w, "services", services, count);
    return end(&w, &out, arena);
}

struct str ecs_write_list(struct str cluster, struct str service,
                          struct str next_token, struct arena *arena)
{
    struct jsonw w;
    struct buf out;

    begin(&w, &out, cluster);
    jsonw_key(&w, "serviceName");
    jsonw_text(&w, service);
    jsonw_key(&w, "desiredStatus");
    jsonw_textz(&w, "RUNNING");
    jsonw_key(&w, "maxResults");
    jsonw_int(&w, ECS_TASKS_MAX);
    if (next_token.len > 0) {
        jsonw_key(&w, "nextToken");
        jsonw_text(&w, next_token);
    }
    return end(&w, &out, arena);
}

struct str ecs_write_tasks(struct str cluster, const struct str *arns,
                           size_t count, struct arena *arena)
{
    struct jsonw w;
    struct buf out;

    begin(&w, &out, cluster);
    add_texts(&w, "tasks", arns, count);
    return end(&w, &out, arena);
}

/*
 * Answers.
 */
static bool parse(struct str body, struct json_object **out, struct err *err)
{
    if (!jsonr_parse(body, out, err))
        return false;
    if (json_object_is_type(*out, json_type_object))
        return true;
    json_object_put(*out);
    return err_set(err, ERR_INPUT, "the answer is no object");
}

/* The array called `key`, or NULL with a length of 0. */
static struct json_object *array(struct json_object *o, const char *key,
                                 size_t *count)
{
    struct json_object *a = jsonr_get(o, key);

    if (a && !json_object_is_type(a, json_type_array))
        a = NULL;
    *count = a ? json_object_array_length(a) : 0;
    return a;
}

static struct str text(struct json_object *o, const char *key,
                       struct arena *arena)
{
    return arena_str(arena, jsonr_text_or(o, key, STR_NONE));
}

static bool counted(struct json_object *o, const char *key, int64_t *out,
                    struct err *err)
{
    if (!jsonr_int(o, key, out, err))
        return false;
    if (*out < 0)
        return err_set(err, ERR_INPUT, "%s: %lld is no count", key,
                       (long long)*out);
    return true;
}

static bool read_primary(struct json_object *service, struct ecs_count *out,
                         struct err *err)
{
    size_t n;
    struct json_object *all = array(service, "deployments", &n);

    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_object_array_get_idx(all, i);

        if (!str_eqz(jsonr_text_or(o, "status", STR_NONE), "PRIMARY"))
            continue;
        out->has_primary = true;
        return counted(o, "runningCount", &out->primary_running, err) &&
               counted(o, "desiredCount", &out->primary_desired, err);
    }
    return true;
}

static bool read_service(struct json_object *o, struct arena *arena,
                         struct ecs_service *out, struct err *err)
{
    struct str name, status;

    if (!jsonr_text(o, "serviceName", &name, err) ||
        !jsonr_text(o, "status", &status, err) ||
        !counted(o, "runningCount", &out->count.running, err) ||
        !counted(o, "desiredCount", &out->count.desired, err) ||
        !counted(o, "pendingCount", &out->count.pending, err) ||
        !read_primary(o, &out->count, err))
        return false;
    out->name = arena_str(arena, name);
    out->inactive = str_eqz(status, "INACTIVE");
    out->count.draining = str_eqz(status, "DRAINING");
    return true;
}

static void read_failures(struct json_object *o, struct arena *arena,
                          struct ecs_services *out)
{
    struct json_object *all = array(o, "failures", &out->failure_count);

    out->failures =
        arena_array(arena, out->failure_count + 1, sizeof(*out->failures));
    for (size_t i = 0; i < out->failure_count; i++) {
        struct json_object *f = json_object_array_get_idx(all, i);

        out->failures[i] = (struct ecs_failure){
            .name = ecs_short_name(text(f, "arn", arena)),
            .reason = text(f, "reason", arena),
            .detail = text(f, "detail", arena),
        };
    }
}

bool ecs_read_services(struct str body, struct arena *arena,
                       struct ecs_services *out, struct err *err)
{
    struct json_object *o, *all;
    bool ok = true;

    *out = (struct ecs_services){0};
    if (!parse(body, &o, err))
        return false;
    all = array(o, "services", &out->count);
    out->services = arena_array(arena, out->count + 1, sizeof(*out->services));
    for (size_t i = 0; ok && i < out->count; i++)
        ok = read_service(json_object_array_get_idx(all, i), arena,
                          &out->services[i], err);
    read_failures(o, arena, out);
    json_object_put(o);
    return ok;
}

bool ecs_read_page(struct str body, struct arena *arena, struct ecs_page *out,
                   struct err *err)
{
    struct json_object *o, *all;

    *out = (struct ecs_page){0};
    if (!parse(body, &o, err))
        return false;
    all = array(o, "taskArns", &out->count);
    out->arns = arena_array(arena, out->count + 1, sizeof(*out->arns));
    for (size_t i = 0; i < out->count; i++) {
        const char *z =
            json_object_get_string(json_object_array_get_idx(all, i));

        out->arns[i] = arena_str(arena, str_of(z));
    }
    out->next = text(o, "nextToken", arena);
    json_object_put(o);
    if (!all)
        return err_set(err, ERR_INPUT, "taskArns: is missing");
    return true;
}

/* In a list of {name, value} the value of that name. */
static struct str detail(struct json_object *o, const char *name)
{
    size_t n;
    struct json_object *all = array(o, "details", &n);

    for (size_t i = 0; i < n; i++) {
        struct json_object *d = json_object_array_get_idx(all, i);

        if (str_eqz(jsonr_text_or(d, "name", STR_NONE), name))
            return jsonr_text_or(d, "value", STR_NONE);
    }
    return STR_NONE;
}

/* Tasks of network mode awsvpc have an interface of their own: it stands
 * among the attachments, and once more with each container. */
static struct str address_of(struct json_object *task)
{
    size_t n, m;
    struct json_object *all = array(task, "attachments", &n);
    struct str address = STR_NONE;

    for (size_t i = 0; address.len == 0 && i < n; i++)
        address =
            detail(json_object_array_get_idx(all, i), "privateIPv4Address");
    all = array(task, "containers", &n);
    for (size_t i = 0; address.len == 0 && i < n; i++) {
        struct json_object *nics =
            array(json_object_array_get_idx(all, i), "networkInterfaces", &m);

        for (size_t k = 0; address.len == 0 && k < m; k++)
            address = jsonr_text_or(json_object_array_get_idx(nics, k),
                                    "privateIpv4Address", STR_NONE);
    }
    return address;
}

static bool is_address(struct str s)
{
    struct str rest = s, part;
    size_t parts = 0;
    int64_t n;

    while (str_next(&rest, '.', &part)) {
        if (part.len == 0 || part.len > 3 || part.ptr[0] < '0' ||
            part.ptr[0] > '9' || !str_int(part, &n) || n > 255)
            return false;
        parts++;
    }
    return parts == 4;
}

static bool read_task(struct json_object *o, struct arena *arena,
                      struct ecs_task *out, struct err *err)
{
    struct str arn, last, desired, address = address_of(o);

    if (!jsonr_text(o, "taskArn", &arn, err) ||
        !jsonr_text(o, "lastStatus", &last, err) ||
        !jsonr_text(o, "desiredStatus", &desired, err))
        return false;
    *out = (struct ecs_task){
        .id = arena_str(arena, ecs_short_name(arn)),
        .wanted =
            str_eqz(last, "RUNNING") && str_eqz(desired, "RUNNING") &&
            !str_eqz(jsonr_text_or(o, "healthStatus", STR_NONE), "UNHEALTHY"),
    };
    if (is_address(address))
        out->address = arena_str(arena, address);
    return true;
}

bool ecs_read_tasks(struct str body, struct arena *arena, struct ecs_task **out,
                    size_t *count, struct err *err)
{
    struct json_object *o, *all;
    bool ok = true;

    if (!parse(body, &o, err))
        return false;
    all = array(o, "tasks", count);
    *out = arena_array(arena, *count + 1, sizeof(**out));
    for (size_t i = 0; ok && i < *count; i++)
        ok = read_task(json_object_array_get_idx(all, i), arena, &(*out)[i],
                       err);
    json_object_put(o);
    return ok;
}

bool ecs_read_metadata(struct str body, struct arena *arena,
                       struct ecs_metadata *out, struct err *err)
{
    struct json_object *o;

    if (!parse(body, &o, err))
        return false;
    *out = (struct ecs_metadata){
        .cluster = text(o, "Cluster", arena),
        .service = text(o, "ServiceName", arena),
        .region = ecs_arn_region(text(o, "TaskARN", arena)),
    };
    json_object_put(o);
    return true;
}
