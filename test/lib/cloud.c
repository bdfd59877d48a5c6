/* SPDX-License-Identifier: Apache-2.0 */
#include "test/lib/cloud.h"

#include "agent/base/jsonr.h"
#include "agent/config/source.h"
#include "test/lib/files.h"
#include "test/lib/points.h"
#include "test/lib/unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

static const char *no_variable(void *arg, const char *name)
{
    (void)arg;
    (void)name;
    return NULL;
}

static const struct auth_env bare_env = {.variable = no_variable};

void cloud_open(struct cloud *c, const char *sink, const char *settings)
{
    struct conf_node *root;
    struct err err;

    *c = (struct cloud){.type = sink_find(str_of(sink))};
    assert_non_null(c->type);
    arena_init(&c->arena, 4096);
    c->values = arena_zalloc(&c->arena, c->type->conf_size);
    c->conf = conf_new();
    root = conf_parse(c->conf, "settings", str_of(settings));
    conf_read(c->conf, c->type->keys, root, c->values);
    assert_true(conf_good(c->conf));
    if (!c->type->prepare(c->values, &bare_env, &c->arena, &err))
        fail_msg("%s", err.text);
}

void cloud_close(struct cloud *c)
{
    conf_free(c->conf);
    arena_fini(&c->arena);
}

static void print_request(const struct http_request *req, struct buf *out)
{
    buf_addf(out, "%.*s %.*s\n", STR_ARG(req->method), STR_ARG(req->url));
    for (size_t i = 0; i < req->header_count; i++)
        buf_addf(out, "%.*s: %.*s\n", STR_ARG(req->headers[i].name),
                 STR_ARG(req->headers[i].value));
    buf_addf(out, "\n%.*s\n", STR_ARG(req->body));
}

static size_t admit(struct cloud *c, struct json_object *list,
                    const struct point **points, struct buf *out)
{
    size_t n = 0;
    struct err err;

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct point *p =
            points_read(&c->arena, json_object_array_get_idx(list, i));

        if (c->type->admit(c->values, p, &err))
            points[n++] = p;
        else
            buf_addf(out, "refused: %s\n", err.text);
    }
    return n;
}

static void render_all(struct cloud *c, struct json_object *list,
                       struct buf *out)
{
    const struct point *points[64];
    struct batch left = {points, admit(c, list, points, out)};
    struct err err;

    while (left.count > 0) {
        struct http_request req = {0};
        size_t taken;

        assert_true(
            c->type->render(c->values, &left, &c->arena, &req, &taken, &err));
        print_request(&req, out);
        left.points += taken;
        left.count -= taken;
    }
}

void cloud_renders(const char *sink, const char *name)
{
    char path[256];
    struct json_object *root;
    struct cloud c;
    struct buf out;
    struct err err;
    size_t len;
    char *text;

    (void)snprintf(path, sizeof(path), "sinks/%s/%s.points", sink, name);
    text = files_read(path, &len);
    if (!jsonr_parse(str_n(text, len), &root, &err))
        fail_msg("%s: %s", path, err.text);
    cloud_open(&c, sink,
               json_object_to_json_string(jsonr_get(root, "settings")));
    buf_init(&out, BUF_NO_LIMIT);
    render_all(&c, jsonr_get(root, "points"), &out);
    (void)snprintf(path, sizeof(path), "sinks/%s/%s.request", sink, name);
    assert_true(files_hold(path, buf_str(&out)));
    buf_fini(&out);
    json_object_put(root);
    free(text);
    cloud_close(&c);
}
