/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/aws.h"
#include "test/lib/files.h"
#include "test/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>

/* An environment as a list: "NAME=value", NULL at the end. */
static const char *variable(void *arg, const char *name)
{
    const char *const *v = arg;
    size_t n = strlen(name);

    for (; *v; v++)
        if (strncmp(*v, name, n) == 0 && (*v)[n] == '=')
            return (*v)[n + 1] ? *v + n + 1 : NULL;
    return NULL;
}

#define ENV(...)                              \
    (&(struct auth_env){.variable = variable, \
                        .arg = (void *)(const char *[]){__VA_ARGS__, NULL}})

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 4096);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static enum provide provide(const struct auth_env *env, struct provide_out *out)
{
    *out = (struct provide_out){.arena = &arena};
    return aws_providers[0]->start(NULL, env, (struct now){0}, out);
}

static void test_keys_come_from_the_environment(void **state)
{
    struct provide_out out;

    (void)state;
    assert_int_equal(
        provide(ENV("AWS_ACCESS_KEY_ID= AKID ", "AWS_SECRET_ACCESS_KEY=s/cr+t",
                    "AWS_SESSION_TOKEN=tok=="),
                &out),
        PROVIDE_DONE);
    assert_string_equal(out.creds.key_id, "AKID");
    assert_string_equal(out.creds.secret, "s/cr+t");
    assert_string_equal(out.creds.token, "tok==");
    assert_string_equal(out.creds.source, "environment");
    assert_int_equal(out.creds.expires_ms, 0);
    credentials_clear(&out.creds);
    assert_null(out.creds.secret);
}

static void test_no_keys_at_all_leave_the_turn_to_the_next(void **state)
{
    struct provide_out out;

    (void)state;
    assert_int_equal(provide(ENV("AWS_SESSION_TOKEN=t"), &out), PROVIDE_ABSENT);
    assert_int_equal(
        provide(ENV("AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY= "), &out),
        PROVIDE_ABSENT);
}

static void test_half_a_configuration_says_which_half_is_missing(void **state)
{
    struct provide_out out;

    (void)state;
    assert_int_equal(provide(ENV("AWS_ACCESS_KEY_ID=AKID"), &out),
                     PROVIDE_FAILED);
    assert_string_equal(out.err.text,
                        "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY "
                        "is not; set both, or neither");
    assert_int_equal(provide(ENV("AWS_SECRET_ACCESS_KEY=hush"), &out),
                     PROVIDE_FAILED);
    assert_null(strstr(out.err.text, "hush"));
}

static void test_a_key_with_a_line_feed_inside_is_refused_unseen(void **state)
{
    struct provide_out out;

    (void)state;
    assert_int_equal(provide(ENV("AWS_ACCESS_KEY_ID=AKID",
                                 "AWS_SECRET_ACCESS_KEY=hush\nx: y"),
                             &out),
                     PROVIDE_FAILED);
    assert_non_null(strstr(out.err.text, "AWS_SECRET_ACCESS_KEY"));
    assert_null(strstr(out.err.text, "hush"));
}

static void test_the_region_is_what_was_written_then_the_variables(void **state)
{
    struct str region;
    struct err err;

    (void)state;
    assert_true(
        aws_region(ENV("AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=us-east-1"),
                   STR("ap-southeast-2"), &arena, &region, &err));
    assert_true(str_eq(region, STR("ap-southeast-2")));
    assert_true(
        aws_region(ENV("AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=us-east-1"),
                   STR_NONE, &arena, &region, &err));
    assert_true(str_eq(region, STR("eu-west-1")));
    assert_true(aws_region(ENV("AWS_DEFAULT_REGION=us-east-1"), STR_NONE,
                           &arena, &region, &err));
    assert_true(str_eq(region, STR("us-east-1")));
    assert_false(aws_region(ENV("A=b"), STR_NONE, &arena, &region, &err));
    assert_string_equal(err.text, "region: not set; write it here or set "
                                  "AWS_REGION, for example eu-west-1");
}

static void test_what_could_not_be_in_a_host_name_is_no_region(void **state)
{
    static const char *const bad[] = {"eu",
                                      "eu-west",
                                      "EU-WEST-1",
                                      "eu-west-1.evil.com",
                                      "eu-west-1/x",
                                      "eu west 1",
                                      "-west-1",
                                      "eu--1",
                                      "eu-west-",
                                      "eu-west-1-more",
                                      "eu-west-1234",
                                      "aws-global",
                                      "1-2-3",
                                      "eu-west-1x",
                                      "eu-w\xc3\xa9st-1"};
    static const char *const good[] = {"eu-west-1",      "us-gov-west-1",
                                       "cn-northwest-1", "eusc-de-east-1",
                                       "us-isob-east-1", "ap-southeast-10"};
    struct str region;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (aws_region(ENV("A=b"), str_of(bad[i]), &arena, &region, &err))
            fail_msg("%s is taken for a region", bad[i]);
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        if (!aws_region(ENV("A=b"), str_of(good[i]), &arena, &region, &err))
            fail_msg("%s", err.text);
    assert_false(
        aws_region(ENV("AWS_REGION=Dublin"), STR_NONE, &arena, &region, &err));
    assert_string_equal(
        err.text, "AWS_REGION: \"Dublin\" is not a region like eu-west-1");
}

static bool endpoint(const struct auth_env *env, const char *written,
                     const char *region, struct str *out, struct err *err)
{
    const struct aws_endpoint want = {.configured = str_of(written),
                                      .region = str_of(region)};

    return aws_endpoint(env, &aws_cloudwatch, &want, &arena, out, err);
}

static const struct aws_service *service_called(struct str name)
{
    return str_eq(name, STR("ecs")) ? &aws_ecs : &aws_cloudwatch;
}

/* Lines of service, region, fips, dual-stack, URL, by botocore's own rules. */
static void test_every_partition_has_the_host_that_botocore_finds(void **state)
{
    char *text = files_read("aws/endpoints.txt", NULL);
    struct str rest = str_of(text), line;
    size_t count = 0;
    struct err err;

    (void)state;
    while (str_next(&rest, '\n', &line)) {
        struct aws_endpoint want = {0};
        struct str word[5], url;

        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        for (size_t i = 0; i < 5; i++)
            assert_true(str_next(&line, ' ', &word[i]));
        want.region = word[1];
        want.fips = str_eq(word[2], STR("fips"));
        want.dual_stack = str_eq(word[3], STR("dual"));
        assert_true(aws_endpoint(ENV("A=b"), service_called(word[0]), &want,
                                 &arena, &url, &err));
        assert_string_equal(
            arena_strdup(&arena, url),
            arena_printf(&arena, "%.*s/", STR_ARG(word[4])).ptr);
        count++;
    }
    assert_true(count > 200);
    free(text);
}

static void test_fips_and_dual_stack_may_come_from_the_environment(void **state)
{
    struct str url;
    struct err err;

    (void)state;
    assert_true(endpoint(
        ENV("AWS_USE_FIPS_ENDPOINT=true", "AWS_USE_DUALSTACK_ENDPOINT=True"),
        "", "us-east-1", &url, &err));
    assert_true(str_eq(url, STR("https://monitoring-fips.us-east-1.api.aws/")));
}

static void test_a_written_url_wins_then_the_service_then_all(void **state)
{
    const struct auth_env *env =
        ENV("AWS_ENDPOINT_URL_CLOUDWATCH=https://cw.example.com/base",
            "AWS_ENDPOINT_URL=https://all.example.com");
    struct str url;
    struct err err;

    (void)state;
    assert_true(
        endpoint(env, "https://own.example.com/", "us-east-1", &url, &err));
    assert_true(str_eq(url, STR("https://own.example.com/")));
    assert_true(endpoint(env, "", "us-east-1", &url, &err));
    assert_true(str_eq(url, STR("https://cw.example.com/base/")));
    assert_true(endpoint(ENV("AWS_ENDPOINT_URL=https://all.example.com"), "",
                         "us-east-1", &url, &err));
    assert_true(str_eq(url, STR("https://all.example.com/")));
    assert_true(endpoint(ENV("AWS_ENDPOINT_URL=https://all.example.com",
                             "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"),
                         "", "us-east-1", &url, &err));
    assert_true(
        str_eq(url, STR("https://monitoring.us-east-1.amazonaws.com/")));
}

static void test_plain_http_is_for_loopback_alone(void **state)
{
    static const char *const good[] = {
        "http://127.0.0.1:4566", "http://localhost:4566", "http://[::1]:4566/",
        "HTTP://127.1.2.3"};
    static const char *const bad[] = {"http://monitoring.example.com",
                                      "http://127.0.0.1.evil.com",
                                      "http://localhost.evil.com",
                                      "http://[::2]",
                                      "http://0x7f.1",
                                      "ftp://127.0.0.1",
                                      "127.0.0.1:4566",
                                      "https://user@example.com",
                                      "https://example.com/?a=b",
                                      "https://exa mple.com"};
    struct str url;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        if (!endpoint(ENV("A=b"), good[i], "us-east-1", &url, &err))
            fail_msg("%s", err.text);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (endpoint(ENV("A=b"), bad[i], "us-east-1", &url, &err))
            fail_msg("%s is taken", bad[i]);
    assert_false(endpoint(ENV("AWS_ENDPOINT_URL=http://cw.example.com"), "",
                          "us-east-1", &url, &err));
    assert_string_equal(
        err.text, "AWS_ENDPOINT_URL: \"http://cw.example.com\": plain http is "
                  "for loopback alone, as it would show credentials on the "
                  "wire; write https");
}

static void test_a_written_url_and_fips_exclude_each_other(void **state)
{
    struct str url;
    struct err err;

    (void)state;
    assert_false(endpoint(ENV("AWS_USE_FIPS_ENDPOINT=true"),
                          "https://cw.example.com", "us-east-1", &url, &err));
    assert_non_null(strstr(err.text, "fips"));
    assert_false(endpoint(ENV("AWS_USE_DUALSTACK_ENDPOINT=true",
                              "AWS_ENDPOINT_URL=https://cw.example.com"),
                          "", "us-east-1", &url, &err));
    assert_non_null(strstr(err.text, "AWS_ENDPOINT_URL"));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_keys_come_from_the_environment),
        T(test_no_keys_at_all_leave_the_turn_to_the_next),
        T(test_half_a_configuration_says_which_half_is_missing),
        T(test_a_key_with_a_line_feed_inside_is_refused_unseen),
        T(test_the_region_is_what_was_written_then_the_variables),
        T(test_what_could_not_be_in_a_host_name_is_no_region),
        T(test_every_partition_has_the_host_that_botocore_finds),
        T(test_fips_and_dual_stack_may_come_from_the_environment),
        T(test_a_written_url_wins_then_the_service_then_all),
        T(test_plain_http_is_for_loopback_alone),
        T(test_a_written_url_and_fips_exclude_each_other),
    };

    return cmocka_run_group_tests_name("aws", tests, NULL, NULL);
}
