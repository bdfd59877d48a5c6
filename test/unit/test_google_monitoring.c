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

static void test_answer(void **state)
{
    cloud_judges(SINK, *state, SETTINGS "}", cloud_same_points, 12);
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

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_what_cannot_work_is_refused_with_its_mend),
        cmocka_unit_test(test_project_and_universe_come_from_the_environment),
        cmocka_unit_test(test_a_request_holds_two_hundred_series),
        cmocka_unit_test(test_the_metadata_server_names_the_project),
    };

    return cloud_run(SINK, others, sizeof(others) / sizeof(*others),
                     test_points, test_answer);
}
