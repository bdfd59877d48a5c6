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

static void test_answer(void **state)
{
    cloud_judges(SINK, *state, SETTINGS "}", cloud_same_points, 2);
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

    return cloud_run(SINK, others, sizeof(others) / sizeof(*others),
                     test_points, test_answer);
}
