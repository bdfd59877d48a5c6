/* SPDX-License-Identifier: Apache-2.0 */
#include "test/lib/aws_world.h"
#include "test/lib/unit.h"

#include <stdio.h>

#define RELATIVE "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/1-2"
#define FULL     "AWS_CONTAINER_CREDENTIALS_FULL_URI="
#define POD      FULL "http://169.254.170.23/v1/credentials"
#define FILE_AT  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/var/run/token"
#define ECS_URL  STR("http://169.254.170.2/v2/credentials/1-2")
#define EKS_URL  STR("http://169.254.170.23/v1/credentials")

#define KEYS                                                     \
    "{\"RoleArn\":\"arn:aws:iam::1:role/x\","                    \
    "\"AccessKeyId\":\"ASIA1\",\"SecretAccessKey\":\"hush\","    \
    "\"Token\":\"tok\",\"Expiration\":\"2026-01-01T06:00:00Z\"," \
    "\"AccountId\":\"1\"}"

static int setup(void **state)
{
    *state = aws_world_new();
    return 0;
}

static int teardown(void **state)
{
    aws_world_free(*state);
    return 0;
}

static void test_an_ecs_task_gets_the_keys_of_its_role(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, RELATIVE);
    sim_serve(w->loop, ECS_URL, 200, STR(KEYS));
    assert_true(aws_world_fetch(w));
    aws_world_assert_keys(w, "ASIA1", "tok");
    assert_string_equal(w->creds.secret, "hush");
    assert_string_equal(w->creds.source, "container endpoint");
    assert_int_equal(w->creds.expires_ms, SIM_WALL_START + 6 * WHEN_HOUR);
    assert_true(sim_request_last(w->loop)->req->no_proxy);
    assert_true(str_eq(sim_request_last(w->loop)->req->method, STR("GET")));
}

static void test_keys_of_the_environment_come_first(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, RELATIVE);
    aws_world_set(w, "AWS_ACCESS_KEY_ID=AKID");
    aws_world_set(w, "AWS_SECRET_ACCESS_KEY=s");
    assert_true(aws_world_fetch(w));
    aws_world_assert_keys(w, "AKID", NULL);
    assert_int_equal(sim_request_count(w->loop), 0);
}

static void test_the_relative_uri_wins_over_the_full_one(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, RELATIVE);
    aws_world_set(w, POD);
    sim_serve(w->loop, ECS_URL, 200, STR(KEYS));
    assert_true(aws_world_fetch(w));
}

static void test_a_relative_uri_cannot_choose_the_host(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=.evil.com/x");
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "\".evil.com/x\" is not a path");
    assert_int_equal(sim_request_count(w->loop), 0);
}

static void assert_host(struct aws_world *w, const char *full, bool good)
{
    size_t before = sim_request_count(w->loop);

    aws_world_set(w, full);
    (void)aws_world_fetch_anew(w);
    if ((sim_request_count(w->loop) > before) != good)
        fail_msg("%s is %s", full, good ? "refused" : "asked");
    if (!good)
        aws_world_assert_reason(w, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
}

static void test_plain_http_is_for_known_hosts_alone(void **state)
{
    static const char *const good[] = {
        FULL "http://127.0.0.1:8080/x", FULL "http://127.9.9.9/",
        FULL "http://localhost/x",      FULL "http://[::1]:1/x",
        FULL "http://169.254.170.2/x",  FULL "http://169.254.170.23/x",
        FULL "http://[fd00:ec2::23]/x", FULL "http://[fd00:ec2:0:0::0023]/x",
        FULL "https://example.com/x"};
    static const char *const bad[] = {
        FULL "http://example.com/x",     FULL "http://169.254.170.3/x",
        FULL "http://169.254.170.2.x/",  FULL "http://127.0.0.1.evil.com/x",
        FULL "http://[fd00:ec2::24]/x",  FULL "http://169.254.169.254/x",
        FULL "http://a@169.254.170.2/x", FULL "ftp://169.254.170.2/x",
        FULL "/v2/credentials"};
    struct aws_world *w = *state;

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_host(w, good[i], true);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_host(w, bad[i], false);
}

/* Answers with the Authorization that it got as the key's id. */
static void echo(void *arg, const struct http_request *req,
                 struct sim_reply *reply)
{
    static char body[256];
    struct str token = STR("none");

    (void)arg;
    for (size_t i = 0; i < req->header_count; i++)
        if (str_eq(req->headers[i].name, STR("Authorization"))) {
            assert_true(req->headers[i].secret);
            token = req->headers[i].value;
        }
    (void)snprintf(body, sizeof(body),
                   "{\"AccessKeyId\":\"%.*s\",\"SecretAccessKey\":\"s\"}",
                   STR_ARG(token));
    reply->body = str_of(body);
}

static void test_the_token_file_is_read_at_every_fetch(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, POD);
    aws_world_set(w, FILE_AT);
    aws_world_set(w, "AWS_CONTAINER_AUTHORIZATION_TOKEN=unused");
    sim_on_url(w->loop, EKS_URL, echo, NULL);
    aws_world_file(w, "/var/run/token", "first\n");
    assert_true(aws_world_fetch(w));
    aws_world_assert_keys(w, "first", NULL);
    assert_string_equal(w->creds.source, "EKS pod identity");
    assert_int_equal(w->creds.expires_ms, 0);
    aws_world_file(w, "/var/run/token", "second");
    assert_true(aws_world_fetch_anew(w));
    aws_world_assert_keys(w, "second", NULL);
}

static void test_a_token_may_stand_in_a_variable(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, POD);
    sim_on_url(w->loop, EKS_URL, echo, NULL);
    assert_true(aws_world_fetch(w));
    aws_world_assert_keys(w, "none", NULL);
    aws_world_set(w, "AWS_CONTAINER_AUTHORIZATION_TOKEN=given");
    assert_true(aws_world_fetch_anew(w));
    aws_world_assert_keys(w, "given", NULL);
}

static void test_a_token_cannot_add_a_header(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, POD);
    aws_world_set(w, "AWS_CONTAINER_AUTHORIZATION_TOKEN=hush\r\nX: y");
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "line feed");
    assert_null(strstr(w->err.text, "hush"));
    aws_world_set(w, FILE_AT);
    aws_world_file(w, "/var/run/token", "hush\r\nX: y\n");
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "/var/run/token: holds more than one line");
    assert_null(strstr(w->err.text, "hush"));
    assert_int_equal(sim_request_count(w->loop), 0);
}

static void test_a_missing_token_file_is_told_and_nobody_else_asked(
    void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, POD);
    aws_world_set(w, FILE_AT);
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "
                               "/var/run/token: No such file");
    assert_int_equal(sim_request_count(w->loop), 0);
}

/* Fails twice, by status or connection, then is well. */
static void ill_then_well(void *arg, const struct http_request *req,
                          struct sim_reply *reply)
{
    size_t *left = arg;

    (void)req;
    reply->body = STR(KEYS);
    if (*left == 0)
        return;
    if (*left == 1)
        reply->error = ERR_NETWORK;
    reply->status = 500;
    reply->body = STR("{\"code\":\"InternalServerError\"}");
    --*left;
}

static void test_an_endpoint_that_is_ill_for_a_moment_is_asked_again(
    void **state)
{
    struct aws_world *w = *state;
    size_t left = 2;

    aws_world_set(w, RELATIVE);
    sim_on_url(w->loop, ECS_URL, ill_then_well, &left);
    assert_true(aws_world_fetch(w));
    assert_int_equal(sim_request_count(w->loop), 3);
}

static void test_a_refusal_is_told_with_the_words_of_the_endpoint(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, RELATIVE);
    sim_serve(w->loop, ECS_URL, 400,
              STR("{\"code\":\"InvalidIdInRequest\",\"message\":\"Credentials "
                  "not found\"}"));
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "container endpoint: it answered 400 "
                               "InvalidIdInRequest: Credentials not found");
    assert_int_equal(sim_request_count(w->loop), 1);
}

static void test_answers_without_keys_are_no_keys(void **state)
{
    static const char *const bodies[] = {
        "",
        "{}",
        "[]",
        "<html>hush</html>",
        "{\"AccessKeyId\":\"A\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":7}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hush\\n\"}",
        ("{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hush\","
         "\"Expiration\":\"soon\"}"),
    };
    struct aws_world *w = *state;

    aws_world_set(w, RELATIVE);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        sim_serve(w->loop, ECS_URL, 200, str_of(bodies[i]));
        if (aws_world_fetch(w))
            fail_msg("keys out of %s", bodies[i]);
        aws_world_assert_reason(w, "container endpoint: ");
        assert_null(strstr(w->err.text, "hush"));
    }
}

static void test_a_silent_endpoint_does_not_hold_us_for_ever(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, RELATIVE);
    assert_false(aws_world_fetch(w)); /* nobody listens there */
    assert_int_equal(sim_request_count(w->loop), 3);
    assert_true(loop_now(w->loop).mono_ms - SIM_MONO_START < WHEN_MINUTE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_ecs_task_gets_the_keys_of_its_role),
        TEST(test_keys_of_the_environment_come_first),
        TEST(test_the_relative_uri_wins_over_the_full_one),
        TEST(test_a_relative_uri_cannot_choose_the_host),
        TEST(test_plain_http_is_for_known_hosts_alone),
        TEST(test_the_token_file_is_read_at_every_fetch),
        TEST(test_a_token_may_stand_in_a_variable),
        TEST(test_a_token_cannot_add_a_header),
        TEST(test_a_missing_token_file_is_told_and_nobody_else_asked),
        TEST(test_an_endpoint_that_is_ill_for_a_moment_is_asked_again),
        TEST(test_a_refusal_is_told_with_the_words_of_the_endpoint),
        TEST(test_answers_without_keys_are_no_keys),
        TEST(test_a_silent_endpoint_does_not_hold_us_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
