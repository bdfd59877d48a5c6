/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points to requests and answers to verdicts, as files of
 * test/data/sinks/azure_monitor: x.points gives x.request, y.answer y.verdict.
 */
#include "agent/base/jsonr.h"
#include "agent/base/mem.h"
#include "agent/config/source.h"
#include "sinks/azure_monitor.h"
#include "sinks/sinks.h"
#include "test/lib/cloud.h"
#include "test/lib/files.h"
#include "test/lib/points.h"
#include "test/lib/unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#define SINK "azure_monitor"

static void open_cloud(struct cloud *c, const char *settings)
{
    cloud_open(c, SINK, settings);
}

static void test_points(void **state)
{
    cloud_renders(SINK, *state);
}

#define RESOURCE                                                           \
    "/subscriptions/s/resourceGroups/membrane-rg/providers/Microsoft.App/" \
    "containerApps/membrane-workers"
#define SETTINGS "{resource_id: " RESOURCE ", region: westus"

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
    for (size_t i = 0; i < v->bad_count; i++)
        buf_addf(out, " %zu", v->bad[i]);
    buf_addc(out, '\n');
    if (v->kind != VERDICT_ACCEPTED)
        buf_addf(out, "%s: %s\n", err_kind_name(v->err.kind), v->err.text);
}

static void test_answer(void **state)
{
    char path[256];
    struct http_header headers[16] = {0};
    struct http_response res = {.duration_ms = 20};
    const struct point *points[2];
    struct verdict v;
    struct cloud c;
    struct buf out;
    size_t len;
    char *text;

    (void)snprintf(path, sizeof(path), "sinks/" SINK "/%s.answer",
                   (char *)*state);
    text = files_read(path, &len);
    open_cloud(&c, SETTINGS "}");
    points[0] = points_new(&c.arena, "A");
    points[1] = points_new(&c.arena, "B");
    read_answer(text, len, &res, headers);
    c.type->judge(c.values, &res, &(struct batch){points, 2}, POINTS_NOW,
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
    struct azure_monitor_conf values = {0};
    struct conf *conf = conf_new();
    struct arena arena;
    struct err err = {0};

    arena_init(&arena, 4096);
    conf_read(conf, azure_monitor_sink.keys,
              conf_parse(conf, "settings", str_of(settings)), &values);
    assert_true(conf_good(conf));
    if (azure_monitor_sink.prepare(&values, &env, &arena, &err))
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

static void test_a_resource_that_cannot_carry_metrics_is_refused(void **state)
{
    (void)state;
    expect_refusal("{resource_id: /subscriptions/s, region: westus}",
                   "resource group, which cannot carry");
    expect_refusal("{resource_id: /subscriptions/s/resourceGroups/g, "
                   "region: westus}",
                   "resource group, which cannot carry");
    expect_refusal("{region: westus}", "resource_id: not set");
    expect_refusal("{resource_id: membrane-workers, region: westus}",
                   "az containerapp show");
    expect_refusal("{resource_id: /subscriptions/s/resourceGroups/g/providers/"
                   "Microsoft.App/containerApps, region: westus}",
                   "is not like /subscriptions/");
    expect_refusal("{resource_id: /subscriptions//resourceGroups/g/providers/"
                   "Microsoft.App/containerApps/n, region: westus}",
                   "is not like /subscriptions/");
    expect_refusal("{resource_id: /subscriptions/s/resourceGroups/g/providers/"
                   "Microsoft.App/containerApps/a b, region: westus}",
                   "holds what no resource id does");
}

static void test_what_cannot_work_is_refused_with_its_mend(void **state)
{
    (void)state;
    expect_refusal("{resource_id: " RESOURCE "}", "--query location");
    expect_refusal("{resource_id: " RESOURCE ", region: west/eu}",
                   "is not a region like westeurope");
    expect_refusal(SETTINGS ", endpoint: 'http://example.com'}",
                   "plain http is for loopback alone");
    expect_refusal(SETTINGS ", endpoint: 'https://example.com/?a=b'}",
                   "is not a url");
    expect_refusal(SETTINGS ", seed_next: true, format: json}", "use ndjson");
    expect_refusal(SETTINGS ", client_id: a, object_id: b}", "object_id");
    expect_refusal(SETTINGS ", namespace: ' '}", "is empty or blank");
}

static void test_container_apps_tell_the_region_by_their_domain(void **state)
{
    static const char *const variables[] = {
        "CONTAINER_APP_ENV_DNS_SUFFIX",
        "happy-sea-1a2b3c4d.northeurope.azurecontainerapps.io", NULL};
    char url[400] = "";
    struct err err = prepared("{resource_id: " RESOURCE "}", variables, url);

    (void)state;
    assert_string_equal(err.text, "");
    assert_string_equal(url, "https://northeurope.monitoring.azure.com" RESOURCE
                             "/metrics");
}

static void test_another_cloud_needs_its_endpoint(void **state)
{
    static const char *const variables[] = {
        "AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us/", NULL};
    char url[400] = "";
    struct err err = prepared(SETTINGS "}", variables, url);

    (void)state;
    assert_non_null(strstr(err.text, "endpoint: not set"));
    err = prepared(SETTINGS ", endpoint: 'https://m.example.us'}", variables,
                   url);
    assert_string_equal(err.text, "");
    assert_string_equal(url, "https://m.example.us" RESOURCE "/metrics");
}

/*
 * Bodies.
 */
static const struct point **many(struct arena *a, size_t count)
{
    const struct point **points = arena_array(a, count, sizeof(*points));
    char *long_text = arena_zalloc(a, AZURE_NAME + 1);

    memset(long_text, 'n', AZURE_NAME);
    for (size_t i = 0; i < count; i++) {
        struct point *p = points_new(a, "JobQueueLength");
        struct label *d = arena_array(a, 10, sizeof(*d));
        struct point_value *v = arena_array(a, 1, sizeof(*v));

        for (size_t k = 0; k < 10; k++)
            d[k] = (struct label){str_n(long_text, 10 + k), str_of(long_text)};
        v[0] = (struct point_value){(double)i, 1};
        p->dimensions = d;
        p->dimension_count = 10;
        p->values = v;
        p->value_count = 1;
        points[i] = p;
    }
    return points;
}

static void test_a_body_stays_below_a_megabyte_and_nothing_is_lost(void **state)
{
    struct cloud c;
    struct batch left;
    struct err err;
    size_t lines = 0, requests = 0;

    (void)state;
    open_cloud(&c, SETTINGS "}");
    left = (struct batch){many(&c.arena, 1000), 1000};
    for (; left.count > 0; requests++) {
        struct http_request req = {0};
        struct json_object *root;
        struct str rest, line;
        size_t taken, series = 0;

        assert_true(
            c.type->render(c.values, &left, &c.arena, &req, &taken, &err));
        assert_in_range(req.body.len, 1, 1000000);
        for (rest = req.body; str_next(&rest, '\n', &line) && line.len;
             lines++) {
            struct json_object *data, *base;

            assert_true(jsonr_parse(line, &root, &err));
            data = jsonr_get(root, "data");
            base = jsonr_get(data, "baseData");
            series += json_object_array_length(jsonr_get(base, "series"));
            json_object_put(root);
        }
        assert_int_equal(series, taken);
        left.points += taken;
        left.count -= taken;
    }
    assert_in_range(requests, 3, 6);
    assert_true(lines >= requests);
    cloud_close(&c);
}

static void test_the_token_is_carried_masked_and_the_body_zipped(void **state)
{
    const struct credentials creds = {.token = (char[]){"eyJ.token.x"}};
    struct http_request req = {0};
    struct cloud c;
    struct err err;
    size_t taken;

    (void)state;
    open_cloud(&c, SETTINGS "}");
    assert_true(c.type->render(c.values, &(struct batch){many(&c.arena, 1), 1},
                               &c.arena, &req, &taken, &err));
    assert_true(
        c.type->sign(c.values, &creds, POINTS_NOW, &c.arena, &req, &err));
    assert_int_equal((unsigned char)req.body.ptr[0], 0x1f);
    assert_true(str_eq(req.headers[1].name, STR("Authorization")));
    assert_true(str_eq(req.headers[1].value, STR("Bearer eyJ.token.x")));
    assert_true(req.headers[1].secret);
    assert_true(str_eq(req.headers[2].value, STR("gzip")));
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
        cmocka_unit_test(test_a_resource_that_cannot_carry_metrics_is_refused),
        cmocka_unit_test(test_what_cannot_work_is_refused_with_its_mend),
        cmocka_unit_test(test_container_apps_tell_the_region_by_their_domain),
        cmocka_unit_test(test_another_cloud_needs_its_endpoint),
        cmocka_unit_test(
            test_a_body_stays_below_a_megabyte_and_nothing_is_lost),
        cmocka_unit_test(test_the_token_is_carried_masked_and_the_body_zipped),
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
    failed = _cmocka_run_group_tests("azure_monitor", tests, n, NULL, NULL);
    free(tests);
    files_list_free(points, point_count);
    files_list_free(answers, answer_count);
    return failed;
}
