/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points to requests and answers to verdicts, as files of
 * test/data/sinks/google_monitoring: x.points gives x.request, y.answer
 * y.verdict.
 */
#include "agent/base/jsonr.h"
#include "agent/base/mem.h"
#include "agent/config/source.h"
#include "sinks/google_monitoring.h"
#include "sinks/sinks.h"
#include "test/lib/cloud.h"
#include "test/lib/files.h"
#include "test/lib/points.h"
#include "test/lib/unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#define SINK "google_monitoring"

static void open_cloud(struct cloud *c, const char *settings)
{
    cloud_open(c, SINK, settings);
}

static void test_points(void **state)
{
    cloud_renders(SINK, *state);
}

#define SETTINGS "{project: membrane-1"

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

static void test_answer(void **state)
{
    char path[256];
    struct http_header headers[16] = {0};
    struct http_response res = {.duration_ms = 20};
    const struct point *points[12];
    struct verdict v;
    struct cloud c;
    struct buf out;
    size_t len;
    char *text;

    (void)snprintf(path, sizeof(path), "sinks/" SINK "/%s.answer",
                   (char *)*state);
    text = files_read(path, &len);
    open_cloud(&c, SETTINGS "}");
    for (size_t i = 0; i < 12; i++)
        points[i] = points_new(&c.arena, "A");
    read_answer(text, len, &res, headers);
    c.type->judge(c.values, &res, &(struct batch){points, 12}, POINTS_NOW,
                  &c.arena, &v);
    buf_init(&out, BUF_NO_LIMIT);
    print_verdict(&v, &out);
    (void)snprintf(path, sizeof(path), "sinks/" SINK "/%s.verdict",
                   (char *)*state);
    assert_true(files_hold(path, buf_str(&out)));
    buf_fini(&out);
    free(text);
    cloud_close(&c);
}

/*
 * Settings.
 */
struct pairs {
    const char *const *pairs; /* name, value, NULL */
};

static const char *look_up(void *arg, const char *name)
{
    const struct pairs *p = arg;

    for (size_t i = 0; p->pairs[i]; i += 2)
        if (strcmp(p->pairs[i], name) == 0)
            return p->pairs[i + 1];
    return NULL;
}

/* Empty where the settings are fine; then the URL stands in `url`. */
static struct err prepared(const char *settings, const char *const *variables,
                           char url[400])
{
    struct pairs pairs = {variables};
    const struct auth_env env = {.variable = look_up, .arg = &pairs};
    struct google_monitoring_conf values = {0};
    struct conf *conf = conf_new();
    struct arena arena;
    struct err err = {0};

    arena_init(&arena, 4096);
    conf_read(conf, google_monitoring_sink.keys,
              conf_parse(conf, "settings", str_of(settings)), &values);
    assert_true(conf_good(conf));
    if (google_monitoring_sink.prepare(&values, &env, &arena, &err))
        (void)snprintf(url, 400, "%.*s", STR_ARG(values.url));
    conf_free(conf);
    arena_fini(&arena);
    return err;
}

static const char *const nothing[] = {NULL};

static void expect_refusal(const char *settings, const char *want)
{
    char url[400];
    struct err err = prepared(settings, nothing, url);

    if (!strstr(err.text, want))
        fail_msg("%s: \"%s\" does not say \"%s\"", settings, err.text, want);
}

static void test_what_cannot_work_is_refused_with_its_mend(void **state)
{
    (void)state;
    expect_refusal(SETTINGS ", resource_type: cloud_run_worker_pool}",
                   "use generic_task");
    expect_refusal(SETTINGS ", resource_type: cloud_run_revision}",
                   "only its own services");
    expect_refusal(SETTINGS ", resource_type: house}", "is none of");
    expect_refusal(SETTINGS ", resource_type: gce_instance}",
                   "resource_labels: instance_id: not set");
    expect_refusal(SETTINGS ", resource_type: prometheus_target}",
                   "set prometheus");
    expect_refusal(SETTINGS ", prefix: run.googleapis.com/x}", "prefix: ");
    expect_refusal("{project: a b}", "is not the id");
    expect_refusal(SETTINGS ", endpoint: 'http://example.com'}",
                   "plain http is for loopback alone");
}

static void test_project_and_universe_come_from_the_environment(void **state)
{
    static const char *const variables[] = {"GOOGLE_CLOUD_PROJECT", "p-2",
                                            "GOOGLE_CLOUD_UNIVERSE_DOMAIN",
                                            "s3nsapis.fr", NULL};
    char url[400] = "";
    struct err err = prepared("{}", variables, url);

    (void)state;
    assert_string_equal(err.text, "");
    assert_string_equal(
        url, "https://monitoring.s3nsapis.fr/v3/projects/p-2/timeSeries");
}

static const struct point **many(struct arena *a, size_t count)
{
    const struct point **points = arena_array(a, count, sizeof(*points));

    for (size_t i = 0; i < count; i++)
        points[i] = points_new(a, "JobQueueLength");
    return points;
}

static void test_a_request_holds_two_hundred_series(void **state)
{
    struct http_request req = {0};
    struct json_object *root;
    struct cloud c;
    struct err err;
    size_t taken;

    (void)state;
    open_cloud(&c, SETTINGS "}");
    assert_true(c.type->render(c.values,
                               &(struct batch){many(&c.arena, 450), 450},
                               &c.arena, &req, &taken, &err));
    assert_int_equal(taken, 200);
    assert_true(jsonr_parse(req.body, &root, &err));
    assert_int_equal(json_object_array_length(jsonr_get(root, "timeSeries")),
                     200);
    json_object_put(root);
    cloud_close(&c);
}

static bool holds(struct str s, const char *part)
{
    return memmem(s.ptr, s.len, part, strlen(part)) != NULL;
}

static void test_the_metadata_server_names_the_project(void **state)
{
    const struct credentials known = {.token = (char[]){"ya29.x"},
                                      .key_id = (char[]){"p-9"},
                                      .secret = (char[]){"us-east1"}};
    const struct credentials unknown = {.token = (char[]){"ya29.x"}};
    struct http_request req = {0}, copy;
    struct cloud c;
    struct err err;
    size_t taken;

    (void)state;
    open_cloud(&c, "{}");
    assert_true(c.type->render(c.values, &(struct batch){many(&c.arena, 1), 1},
                               &c.arena, &req, &taken, &err));
    copy = req;
    assert_true(
        c.type->sign(c.values, &known, POINTS_NOW, &c.arena, &req, &err));
    assert_true(str_eqz(
        req.url,
        "https://monitoring.googleapis.com/v3/projects/p-9/timeSeries"));
    assert_true(holds(req.body, "\"project_id\":\"p-9\""));
    assert_true(holds(req.body, "\"location\":\"us-east1\""));
    assert_true(str_eqz(req.headers[1].value, "Bearer ya29.x"));
    assert_true(req.headers[1].secret);
    assert_false(
        c.type->sign(c.values, &unknown, POINTS_NOW, &c.arena, &copy, &err));
    assert_non_null(strstr(err.text, "GOOGLE_CLOUD_PROJECT"));
    cloud_close(&c);
}

static void add_cases(struct CMUnitTest *tests, size_t *n, char **names,
                      size_t count, CMUnitTestFunction fn)
{
    for (size_t i = 0; i < count; i++)
        tests[(*n)++] = (struct CMUnitTest){
            .name = names[i], .test_func = fn, .initial_state = names[i]};
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_what_cannot_work_is_refused_with_its_mend),
        cmocka_unit_test(test_project_and_universe_come_from_the_environment),
        cmocka_unit_test(test_a_request_holds_two_hundred_series),
        cmocka_unit_test(test_the_metadata_server_names_the_project),
    };
    char **points, **answers;
    size_t point_count = files_list("sinks/" SINK, ".points", &points);
    size_t answer_count = files_list("sinks/" SINK, ".answer", &answers);
    size_t n = sizeof(others) / sizeof(*others);
    struct CMUnitTest *tests =
        xcalloc(n + point_count + answer_count, sizeof(*tests));
    int failed;

    memcpy(tests, others, sizeof(others));
    add_cases(tests, &n, points, point_count, test_points);
    add_cases(tests, &n, answers, answer_count, test_answer);
    failed = _cmocka_run_group_tests("google_monitoring", tests, n, NULL, NULL);
    free(tests);
    files_list_free(points, point_count);
    files_list_free(answers, answer_count);
    return failed;
}
