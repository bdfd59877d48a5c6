/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/jsonr.h"
#include "agent/report/report.h"
#include "test/lib/unit.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>

static struct labels *labels_of(const char *name, const char *value)
{
    struct labels_builder b = {0};
    struct labels *l;

    labels_set(&b, str_of(name), str_of(value));
    l = labels_build(&b, NULL);
    labels_builder_fini(&b);
    return l;
}

static struct report_metric value(const char *name, double v)
{
    return (struct report_metric){.name = str_of(name),
                                  .has_value = true,
                                  .value = v,
                                  .unit = STR("Count"),
                                  .description = STR("What it is."),
                                  .expression = STR("x"),
                                  .complete = true};
}

static struct json_object *as_json(const struct report *r)
{
    struct json_object *o = NULL;
    struct buf out;
    struct err err;

    buf_init(&out, BUF_NO_LIMIT);
    report_json(r, &out);
    assert_true(jsonr_parse(buf_str(&out), &o, &err));
    buf_fini(&out);
    return o;
}

static struct json_object *first(struct json_object *o, const char *list)
{
    struct json_object *items = jsonr_get(o, list);

    assert_non_null(items);
    assert_true(json_object_array_length(items) > 0);
    return json_object_array_get_idx(items, 0);
}

static void test_a_missing_value_is_null_with_its_reason(void **state)
{
    struct report_metric m = {.name = STR("X"),
                              .reason = STR("target \"a\"\nis down"),
                              .unit = STR("Count")};
    struct report r = {.metrics = &m, .metric_count = 1};
    struct json_object *o = as_json(&r), *got = first(o, "metrics");

    (void)state;
    assert_null(jsonr_get(got, "value"));
    assert_true(json_object_object_get_ex(got, "value", NULL));
    assert_string_equal(json_object_get_string(jsonr_get(got, "reason")),
                        "target \"a\"\nis down");
    json_object_put(o);
}

static void test_every_key_of_the_contract_is_there(void **state)
{
    static const char *const keys[] = {
        "name",       "labels", "value",           "unit", "target", "complete",
        "expression", "inputs", "implied_replicas"};
    struct report_metric m = value("X", 7);
    struct report r = {.metrics = &m, .metric_count = 1};
    struct json_object *o = as_json(&r), *got = first(o, "metrics");

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        assert_true(json_object_object_get_ex(got, keys[i], NULL));
    assert_true(json_object_object_get_ex(o, "targets", NULL));
    assert_true(json_object_object_get_ex(o, "sinks", NULL));
    json_object_put(o);
}

static void test_a_secret_header_is_masked_in_every_form(void **state)
{
    struct http_request req = {.method = STR("POST"), .url = STR("http://x/")};
    struct report_sink sink = {
        .name = STR("s"), .requests = &req, .request_count = 1};
    struct report r = {.dry = true, .sinks = &sink, .sink_count = 1};
    const struct report_style style = {.requests = true};
    struct buf out;

    (void)state;
    http_set_secret(&req, STR("Authorization"), STR("hush-hush"));
    buf_init(&out, BUF_NO_LIMIT);
    report_json(&r, &out);
    report_table(&r, &style, &out);
    assert_null(strstr(buf_z(&out), "hush-hush"));
    assert_non_null(strstr(buf_z(&out), "Authorization"));
    buf_fini(&out);
}

static void test_the_exposition_turns_names_and_keeps_labels(void **state)
{
    struct labels *l = labels_of("queue", "a\"b\\\n\033");
    struct report_metric m[] = {value("JobsPerWorker", 7.5),
                                value("ScalebridgeDataAge", 0.25),
                                value("my.metric", 1)};
    struct report r = {.metrics = m, .metric_count = 3};
    struct buf out;

    (void)state;
    m[2].labels = l;
    buf_init(&out, BUF_NO_LIMIT);
    report_prometheus(&r, &out);
    assert_non_null(strstr(buf_z(&out), "\nscalebridge_jobs_per_worker 7.5\n"));
    assert_non_null(strstr(buf_z(&out), "\nscalebridge_data_age 0.25\n"));
    assert_non_null(strstr(buf_z(&out), "\nscalebridge_my_metric{queue="
                                        "\"a\\\"b\\\\\\n\033\"} 1\n"));
    assert_non_null(strstr(buf_z(&out), "# TYPE scalebridge_my_metric gauge"));
    buf_fini(&out);
    free(l);
}

static void test_the_table_groups_the_replicas_of_an_input(void **state)
{
    struct report_input in[9];
    struct report_metric m = value("X", 63);
    struct report r = {.metrics = &m, .metric_count = 1};
    const struct report_style style = {.color = false};
    struct buf out;

    (void)state;
    for (size_t i = 0; i < 9; i++)
        in[i] = (struct report_input){.name = STR("spaces"),
                                      .value = (double)i,
                                      .instance = STR("h:1"),
                                      .age_ms = (int64_t)i * 100};
    m.inputs = in;
    m.input_count = 9;
    buf_init(&out, BUF_NO_LIMIT);
    report_table(&r, &style, &out);
    assert_non_null(strstr(buf_z(&out), "spaces  0, 1, 2, 3, 4, 5 and 3 more  "
                                        "from 9 series, 0.8 s old"));
    assert_null(strchr(buf_z(&out), '\033'));
    buf_fini(&out);
}

static void test_colour_is_used_only_when_asked_for(void **state)
{
    struct report_target t = {.job = STR("api"), .url = STR("http://x/")};
    struct report r = {.targets = &t, .target_count = 1};
    const struct report_style style = {.color = true};
    struct buf out;

    (void)state;
    buf_init(&out, BUF_NO_LIMIT);
    report_table(&r, &style, &out);
    assert_non_null(strstr(buf_z(&out), "\033[31mdown\033[0m"));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_missing_value_is_null_with_its_reason),
        cmocka_unit_test(test_every_key_of_the_contract_is_there),
        cmocka_unit_test(test_a_secret_header_is_masked_in_every_form),
        cmocka_unit_test(test_the_exposition_turns_names_and_keeps_labels),
        cmocka_unit_test(test_the_table_groups_the_replicas_of_an_input),
        cmocka_unit_test(test_colour_is_used_only_when_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
