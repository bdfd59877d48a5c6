/* SPDX-License-Identifier: Apache-2.0 */
/* container_app_wire.c - what Azure Resource Manager answers; pure. */
#include "agent/base/jsonr.h"
#include "agent/capacity/container_app.h"

#include <json-c/json.h>

/* ARM's own names of revisions and replicas: what fits a path as it is. */
static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return s.len > 0 && s.len <= 128;
}

static bool values(struct str body, struct json_object **root,
                   struct json_object **all, struct err *err)
{
    if (!jsonr_parse(body, root, err))
        return false;
    *all = jsonr_get(*root, "value");
    if (json_object_is_type(*all, json_type_array))
        return true;
    json_object_put(*root);
    return err_set(err, ERR_INPUT, "value: is no list");
}

static bool is_true(struct json_object *o, const char *key)
{
    struct json_object *v = jsonr_get(o, key);

    return json_object_is_type(v, json_type_boolean) &&
           json_object_get_boolean(v);
}

static bool add_revision(struct json_object *o, struct arena *arena,
                         struct container_app_revisions *out, struct err *err)
{
    struct json_object *active =
        jsonr_get(jsonr_get(o, "properties"), "active");
    struct str name;

    if (!jsonr_text(o, "name", &name, err))
        return false;
    if (!json_object_is_type(active, json_type_boolean))
        return err_set(err, ERR_INPUT, "properties.active: is missing");
    if (!json_object_get_boolean(active))
        return true;
    if (!is_name(name))
        return err_set(err, ERR_INPUT, "name: is no name of a revision");
    if (out->count == CONTAINER_APP_REVISIONS)
        return err_set(err, ERR_LIMIT, "more than %d revisions are active",
                       CONTAINER_APP_REVISIONS);
    out->active[out->count++] = arena_str(arena, name);
    return true;
}

bool container_app_read_revisions(struct str body, struct arena *arena,
                                  struct container_app_revisions *out,
                                  struct err *err)
{
    struct json_object *root, *all;
    bool ok = true;

    if (!values(body, &root, &all, err))
        return false;
    for (size_t i = 0; ok && i < json_object_array_length(all); i++)
        ok = add_revision(json_object_array_get_idx(all, i), arena, out, err);
    out->next = arena_str(arena, jsonr_text_or(root, "nextLink", STR_NONE));
    json_object_put(root);
    return ok;
}

/* A replica that was killed stands in the list for minutes: its containers
 * tell. */
static bool ready(struct json_object *properties)
{
    struct json_object *all = jsonr_get(properties, "containers");
    size_t n = json_object_is_type(all, json_type_array)
                   ? json_object_array_length(all)
                   : 0;

    if (str_eqz(jsonr_text_or(properties, "runningState", STR_NONE),
                "NotRunning"))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_true(json_object_array_get_idx(all, i), "ready"))
            return false;
    return n > 0;
}

bool container_app_read_replicas(struct str body,
                                 struct container_app_count *out,
                                 struct err *err)
{
    struct json_object *root, *all;

    if (!values(body, &root, &all, err))
        return false;
    for (size_t i = 0; i < json_object_array_length(all); i++)
        out->ready +=
            ready(jsonr_get(json_object_array_get_idx(all, i), "properties"));
    out->replicas += (int64_t)json_object_array_length(all);
    json_object_put(root);
    return true;
}
