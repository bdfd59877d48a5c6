/* SPDX-License-Identifier: Apache-2.0 */
#include "test/lib/cloud.h"

#include "agent/base/jsonr.h"
#include "agent/base/mem.h"
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

static void read_answer(char *text, size_t len, struct http_response *res,
                        struct http_header headers[16])
{
    struct str rest = str_n(text, len), line;
    int64_t status;

    res->headers = headers;
    assert_true(str_next(&rest, '\n', &line));
    assert_true(str_int(str_from(line, sizeof("HTTP/1.1")), &status));
    res->status = (int)status;
    while (str_next(&rest, '\n', &line) && line.len > 0) {
        size_t n = str_find(line, ':');

        headers[res->header_count].name = str_n(line.ptr, n);
        headers[res->header_count++].value = str_trim(str_from(line, n + 1));
    }
    res->body = str_trim(rest);
}

static void print_list(struct buf *out, const char *what, const size_t *list,
                       size_t count)
{
    if (count > 0)
        buf_addf(out, " %s", what);
    for (size_t i = 0; i < count; i++)
        buf_addf(out, " %zu", list[i]);
}

static void print_verdict(const struct verdict *v, struct buf *out)
{
    static const char *const kinds[] = {
        "accepted", "retry", "reauth", "clock", "split", "partial", "rejected"};

    buf_addz(out, kinds[v->kind]);
    if (v->throttled)
        buf_addz(out, " throttled");
    if (v->denied)
        buf_addz(out, " denied");
    if (v->after_ms)
        buf_addf(out, " after %lld ms", (long long)v->after_ms);
    if (v->rest_delivered)
        buf_addz(out, " the rest is in");
    print_list(out, "bad", v->bad, v->bad_count);
    print_list(out, "superseded", v->superseded, v->superseded_count);
    print_list(out, "again", v->again, v->again_count);
    buf_addc(out, '\n');
    if (v->kind != VERDICT_ACCEPTED)
        buf_addf(out, "%s: %s\n", err_kind_name(v->err.kind), v->err.text);
}

void cloud_judges(const char *sink, const char *name, const char *settings,
                  cloud_points_fn *sent, size_t count)
{
    const struct point *points[CLOUD_POINTS];
    struct http_header headers[16] = {0};
    struct http_response res = {.duration_ms = 20};
    struct verdict v;
    struct cloud c;
    struct buf out;
    char path[256];
    size_t len;
    char *text;

    (void)snprintf(path, sizeof(path), "sinks/%s/%s.answer", sink, name);
    text = files_read(path, &len);
    cloud_open(&c, sink, settings);
    sent(&c.arena, points, count);
    read_answer(text, len, &res, headers);
    c.type->judge(c.values, &res, &(struct batch){points, count}, POINTS_NOW,
                  &c.arena, &v);
    buf_init(&out, BUF_NO_LIMIT);
    print_verdict(&v, &out);
    (void)snprintf(path, sizeof(path), "sinks/%s/%s.verdict", sink, name);
    assert_true(files_hold(path, buf_str(&out)));
    buf_fini(&out);
    free(text);
    cloud_close(&c);
}

void cloud_same_points(struct arena *a, const struct point **points,
                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        points[i] = points_new(a, "A");
}

static void add_cases(struct CMUnitTest *tests, size_t *n, char **names,
                      size_t count, CMUnitTestFunction fn)
{
    for (size_t i = 0; i < count; i++)
        tests[(*n)++] = (struct CMUnitTest){
            .name = names[i], .test_func = fn, .initial_state = names[i]};
}

int cloud_run(const char *sink, const struct CMUnitTest *others, size_t n,
              CMUnitTestFunction points_fn, CMUnitTestFunction answer_fn)
{
    char folder[64];
    char **points, **answers;
    size_t point_count, answer_count;
    struct CMUnitTest *tests;
    int failed;

    (void)snprintf(folder, sizeof(folder), "sinks/%s", sink);
    point_count = files_list(folder, ".points", &points);
    answer_count = files_list(folder, ".answer", &answers);
    tests = xcalloc(n + point_count + answer_count, sizeof(*tests));
    memcpy(tests, others, n * sizeof(*tests));
    add_cases(tests, &n, points, point_count, points_fn);
    add_cases(tests, &n, answers, answer_count, answer_fn);
    failed = _cmocka_run_group_tests(sink, tests, n, NULL, NULL);
    free(tests);
    files_list_free(points, point_count);
    files_list_free(answers, answer_count);
    return failed;
}
