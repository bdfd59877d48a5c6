/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/cloudwatch.h"
#include "test/lib/unit.h"

#include <stdlib.h>

/* An environment as a list: "NAME=value", NULL at the end. */
static const char *variable(void *arg, const char *name)
{
    const char *const *v = arg;
    size_t n = strlen(name);

    for (; *v; v++)
        if (strncmp(*v, name, n) == 0 && (*v)[n] == '=')
            return *v + n + 1;
    return NULL;
}

#define ENV(...)                              \
    (&(struct auth_env){.variable = variable, \
                        .arg = (void *)(const char *[]){__VA_ARGS__, NULL}})

struct prepared {
    struct conf *conf;
    struct cloudwatch_conf cloudwatch;
    struct arena arena;
    struct err err;
};

static int setup(void **state)
{
    static struct prepared p;

    p = (struct prepared){.conf = conf_new()};
    arena_init(&p.arena, 4096);
    conf_read(p.conf, sink_find(STR("cloudwatch"))->keys, NULL, &p.cloudwatch);
    assert_true(conf_good(p.conf));
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    struct prepared *p = *state;

    conf_free(p->conf);
    arena_fini(&p->arena);
    return 0;
}

static bool prepare(struct prepared *p, const struct auth_env *env)
{
    return sink_find(STR("cloudwatch"))
        ->prepare(&p->cloudwatch, env, &p->arena, &p->err);
}

static void test_every_sink_is_found_by_its_name_and_has_good_defaults(
    void **state)
{
    (void)state;
    for (const struct sink_type *const *t = sink_types; *t; t++) {
        struct conf *conf = conf_new();
        void *values = calloc(1, (*t)->conf_size);

        assert_ptr_equal(sink_find(str_of((*t)->name)), *t);
        assert_non_null((*t)->help);
        conf_read(conf, (*t)->keys, NULL, values);
        assert_int_equal(conf_fault_count(conf), 0);
        free(values);
        conf_free(conf);
    }
    assert_null(sink_find(STR("cloudwatc")));
}

static void test_a_region_in_the_environment_is_all_that_cloudwatch_needs(
    void **state)
{
    struct prepared *p = *state;

    assert_true(prepare(p, ENV("AWS_REGION=eu-west-1")));
    assert_true(str_eq(p->cloudwatch.url,
                       STR("https://monitoring.eu-west-1.amazonaws.com/")));
    assert_string_equal(p->cloudwatch.namespace, "Membrane");
    assert_true(p->cloudwatch.compress);
    assert_int_equal(p->cloudwatch.min_compression_size, 10240);
    assert_false(prepare(p, ENV("A=b")));
    assert_int_equal(p->err.kind, ERR_CONFIG);
}

static void test_the_sdks_variables_rule_compression_and_authorities(
    void **state)
{
    struct prepared *p = *state;

    assert_true(prepare(p, ENV("AWS_REGION=eu-west-1",
                               "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES=128",
                               "AWS_DISABLE_REQUEST_COMPRESSION=TRUE",
                               "AWS_CA_BUNDLE=/etc/ca.pem")));
    assert_int_equal(p->cloudwatch.min_compression_size, 128);
    assert_false(p->cloudwatch.compress);
    assert_true(str_eq(p->cloudwatch.authorities, STR("/etc/ca.pem")));
    p->cloudwatch.min_compression_size = 10240;
    assert_false(prepare(p, ENV("AWS_REGION=eu-west-1",
                                "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES=1k")));
    assert_string_equal(p->err.text,
                        "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES: \"1k\" is "
                        "not a number from 0 to 10485760");
}

static void test_what_the_configuration_says_comes_before_the_sdks_variables(
    void **state)
{
    struct prepared *p = *state;

    p->cloudwatch.min_compression_size = 500;
    p->cloudwatch.ca_file = (char[]){"/own.pem"};
    assert_true(prepare(p, ENV("AWS_REGION=eu-west-1",
                               "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES=128",
                               "AWS_CA_BUNDLE=/etc/ca.pem")));
    assert_int_equal(p->cloudwatch.min_compression_size, 500);
    assert_true(str_eq(p->cloudwatch.authorities, STR("/own.pem")));
}

static void test_namespaces_that_aws_refuses_are_refused_at_start(void **state)
{
    struct prepared *p = *state;
    char reserved[] = "AWS/ECS", colon[] = ":x", accent[] = "M\xc3\xa9mbrane";

    p->cloudwatch.namespace = reserved;
    assert_false(prepare(p, ENV("AWS_REGION=eu-west-1")));
    assert_string_equal(p->err.text,
                        "namespace: \"AWS/ECS\": names that begin with AWS/ "
                        "belong to AWS's own services; choose another");
    p->cloudwatch.namespace = colon;
    assert_false(prepare(p, ENV("AWS_REGION=eu-west-1")));
    p->cloudwatch.namespace = accent;
    assert_false(prepare(p, ENV("AWS_REGION=eu-west-1")));
}

static void test_a_metric_is_checked_before_it_is_ever_published(void **state)
{
    const struct sink_type *t = sink_find(STR("cloudwatch"));
    struct str dimensions[31] = {{"Environment", 11}};
    struct sink_metric m = {.name = STR("JobsPerWorker"),
                            .unit = STR("Count"),
                            .dimensions = dimensions,
                            .dimension_count = 1,
                            .resolution = 60};
    struct err err;

    (void)state;
    assert_true(t->check(NULL, &m, &err));
    m.resolution = 10;
    assert_false(t->check(NULL, &m, &err));
    assert_string_equal(err.text, "metric \"JobsPerWorker\": resolution 10 s; "
                                  "cloudwatch stores at 1s or 60s");
    m.resolution = 1;
    m.unit = STR("percent");
    assert_false(t->check(NULL, &m, &err));
    assert_string_equal(err.text,
                        "metric \"JobsPerWorker\": unit \"percent\" is not "
                        "one of CloudWatch's; did you mean Percent");
    m.unit = STR("Percent");
    dimensions[0] = STR(":Environment");
    assert_false(t->check(NULL, &m, &err));
    for (size_t i = 0; i < 31; i++)
        dimensions[i] = STR("d");
    m.dimension_count = 31;
    assert_false(t->check(NULL, &m, &err));
    assert_non_null(strstr(err.text, "31 dimensions"));
}

static const struct label dimensions[] = {{{"Environment", 11}, {"pr\"od", 5}}};
static const struct point_value values[] = {{5, 3}, {8.5, 1}};
static const struct point point = {.name = {"JobsPerWorker", 13},
                                   .unit = {"Count", 5},
                                   .dimensions = dimensions,
                                   .dimension_count = 1,
                                   .values = values,
                                   .value_count = 2,
                                   .newest = 8.5,
                                   .t_ms = 1767268800250,
                                   .resolution = 60};

static void render(struct arena *a, const char *name, struct http_request *req)
{
    const struct point *const points[] = {&point, &point};
    size_t taken = 0;
    struct err err;

    *req = (struct http_request){0};
    assert_true(
        sink_find(str_of(name))
            ->render(NULL, &(struct batch){points, 2}, a, req, &taken, &err));
    assert_int_equal(taken, 2);
    assert_int_equal(req->url.len, 0);
}

static void test_stdout_writes_one_object_a_line(void **state)
{
    struct prepared *p = *state;
    struct http_request req;

    render(&p->arena, "stdout", &req);
    assert_string_equal(
        arena_strdup(&p->arena, req.body),
        "{\"time\":\"2026-01-01T12:00:00.250Z\",\"name\":\"JobsPerWorker\","
        "\"dimensions\":{\"Environment\":\"pr\\\"od\"},\"value\":8.5,"
        "\"unit\":\"Count\",\"min\":5,\"max\":8.5,\"sum\":23.5,\"count\":4}\n"
        "{\"time\":\"2026-01-01T12:00:00.250Z\",\"name\":\"JobsPerWorker\","
        "\"dimensions\":{\"Environment\":\"pr\\\"od\"},\"value\":8.5,"
        "\"unit\":\"Count\",\"min\":5,\"max\":8.5,\"sum\":23.5,\"count\":4}\n");
}

static void test_none_takes_all_and_writes_nothing(void **state)
{
    struct prepared *p = *state;
    struct http_request req;

    render(&p->arena, "none", &req);
    assert_int_equal(req.body.len, 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_every_sink_is_found_by_its_name_and_has_good_defaults),
        T(test_a_region_in_the_environment_is_all_that_cloudwatch_needs),
        T(test_the_sdks_variables_rule_compression_and_authorities),
        T(test_what_the_configuration_says_comes_before_the_sdks_variables),
        T(test_namespaces_that_aws_refuses_are_refused_at_start),
        T(test_a_metric_is_checked_before_it_is_ever_published),
        T(test_stdout_writes_one_object_a_line),
        T(test_none_takes_all_and_writes_nothing),
    };

    return cmocka_run_group_tests_name("sinks", tests, NULL, NULL);
}
