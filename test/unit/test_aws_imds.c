/* SPDX-License-Identifier: Apache-2.0 */
#include "test/lib/aws_world.h"
#include "test/lib/unit.h"

#include <stdio.h>

#define BASE  "http://169.254.169.254"
#define TOKEN STR(BASE "/latest/api/token")
#define ROLES STR(BASE "/latest/meta-data/iam/security-credentials/")
#define ROLE  STR(BASE "/latest/meta-data/iam/security-credentials/worker")

/* A metadata service: answers as it should, once asked as it should be. */
struct service {
    int status;       /* of the token; 0: as it should */
    size_t tokens;    /* handed out; the newest alone is good */
    size_t keys;      /* the same */
    const char *role; /* NULL: none */
    const char *answer;
    char token[32], body[256];
};

static struct service service;

static struct str header(const struct http_request *req, const char *name)
{
    for (size_t i = 0; i < req->header_count; i++)
        if (str_eqz(req->headers[i].name, name))
            return req->headers[i].value;
    return STR_NONE;
}

static void on_token(void *arg, const struct http_request *req,
                     struct sim_reply *reply)
{
    struct service *s = arg;

    assert_true(str_eq(req->method, STR("PUT")));
    assert_true(str_eq(header(req, "x-aws-ec2-metadata-token-ttl-seconds"),
                       STR("21600")));
    assert_true(req->no_proxy);
    if (s->status) {
        reply->status = s->status;
        return;
    }
    (void)snprintf(s->token, sizeof(s->token), "token-%zu==", ++s->tokens);
    reply->body = str_of(s->token);
}

static bool good_token(const struct service *s, const struct http_request *req,
                       struct sim_reply *reply)
{
    assert_true(str_eq(req->method, STR("GET")));
    assert_true(req->no_proxy);
    if (str_eqz(header(req, "x-aws-ec2-metadata-token"), s->token))
        return true;
    reply->status = 401;
    return false;
}

static void on_roles(void *arg, const struct http_request *req,
                     struct sim_reply *reply)
{
    struct service *s = arg;

    if (!good_token(s, req, reply))
        return;
    reply->status = s->role ? 200 : 404;
    reply->body = str_of(s->role);
}

static void on_keys(void *arg, const struct http_request *req,
                    struct sim_reply *reply)
{
    struct service *s = arg;

    if (!good_token(s, req, reply))
        return;
    (void)snprintf(s->body, sizeof(s->body),
                   "{\"Code\":\"Success\",\"Type\":\"AWS-HMAC\","
                   "\"AccessKeyId\":\"ASIA%zu\",\"SecretAccessKey\":\"hush\","
                   "\"Token\":\"tok\",\"Expiration\":\"%s\"}",
                   ++s->keys, "2026-01-01T06:00:00Z");
    reply->body = str_of(s->answer ? s->answer : s->body);
}

static int setup(void **state)
{
    struct aws_world *w = aws_world_new();

    service = (struct service){.role = "worker\n"};
    aws_world_set(w, "AWS_EC2_METADATA_DISABLED=");
    sim_on_url(w->loop, TOKEN, on_token, &service);
    sim_on_url(w->loop, ROLES, on_roles, &service);
    sim_on_url(w->loop, ROLE, on_keys, &service);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    aws_world_free(*state);
    return 0;
}

static void test_an_instance_gets_the_keys_of_its_role(void **state)
{
    struct aws_world *w = *state;

    assert_true(aws_world_fetch(w));
    aws_world_assert_keys(w, "ASIA1", "tok");
    assert_string_equal(w->creds.source, "instance metadata");
    assert_int_equal(w->creds.expires_ms, SIM_WALL_START + 6 * WHEN_HOUR);
    assert_int_equal(sim_request_count(w->loop), 3);
}

static void test_a_token_serves_until_it_is_old(void **state)
{
    struct aws_world *w = *state;

    assert_true(aws_world_fetch(w));
    assert_true(aws_world_fetch_anew(w));
    aws_world_assert_keys(w, "ASIA2", "tok");
    assert_int_equal(service.tokens, 1);
    sim_run_for(w->loop, 6 * WHEN_HOUR);
    assert_true(aws_world_fetch_anew(w));
    assert_int_equal(service.tokens, 2);
}

static void test_a_token_that_is_refused_is_fetched_anew_once(void **state)
{
    struct aws_world *w = *state;

    assert_true(aws_world_fetch(w));
    (void)snprintf(service.token, sizeof(service.token), "rebooted");
    assert_true(aws_world_fetch_anew(w));
    aws_world_assert_keys(w, "ASIA2", "tok");
    assert_int_equal(service.tokens, 2);
}

static void test_switched_off_it_is_not_asked(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "AWS_EC2_METADATA_DISABLED=True");
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "no AWS credentials");
    assert_int_equal(sim_request_count(w->loop), 0);
}

static void test_version_1_alone_is_refused(void **state)
{
    struct aws_world *w = *state;

    service.status = 404;
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "version 1 alone");
    assert_int_equal(sim_request_count(w->loop), 1);
    service.status = 405;
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "version 1 alone");
    service.status = 403;
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "switched off for this instance");
    service.status = 400;
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "answered 400");
    service.status = 503;
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "answered 503");
    assert_int_equal(sim_request_count(w->loop), 4 + 3);
}

static void never(void *arg, const struct http_request *req,
                  struct sim_reply *reply)
{
    (void)arg;
    (void)req;
    reply->never = true;
}

static void test_silence_is_explained_by_the_hop_limit(void **state)
{
    struct aws_world *w = *state;
    int64_t start = loop_now(w->loop).mono_ms;

    sim_on_url(w->loop, TOKEN, never, NULL);
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "--http-put-response-hop-limit 2");
    assert_true(loop_now(w->loop).mono_ms - start >= 3 * WHEN_SECOND);
    assert_true(loop_now(w->loop).mono_ms - start < 10 * WHEN_SECOND);
}

static void test_where_there_is_no_such_service_other_ways_are_named(
    void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:9/");
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "where this is not EC2, configure other");
    assert_null(strstr(w->err.text, "hop-limit"));
    assert_true(str_eq(sim_request_last(w->loop)->req->url,
                       STR("http://127.0.0.1:9/latest/api/token")));
}

static void test_the_service_has_an_address_of_ipv6(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=ipv6");
    assert_false(aws_world_fetch(w));
    assert_true(str_eq(sim_request_last(w->loop)->req->url,
                       STR("http://[fd00:ec2::254]/latest/api/token")));
    aws_world_set(w, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv5");
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "\"IPv5\" is none of IPv4, IPv6");
}

static void test_settings_that_cannot_be_meant_are_told(void **state)
{
    static const char *const bad[] = {
        "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://example.com",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT=169.254.169.254",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://[fd00:ec3::254]"};
    struct aws_world *w = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        aws_world_set(w, bad[i]);
        assert_false(aws_world_fetch(w));
        aws_world_assert_reason(w, "AWS_EC2_METADATA_SERVICE_ENDPOINT: ");
    }
    aws_world_set(w, "AWS_EC2_METADATA_SERVICE_ENDPOINT=");
    aws_world_set(w, "AWS_METADATA_SERVICE_TIMEOUT=1h");
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "AWS_METADATA_SERVICE_TIMEOUT: \"1h\"");
    assert_int_equal(sim_request_count(w->loop), 0);
}

static void test_an_instance_without_a_role_says_so(void **state)
{
    struct aws_world *w = *state;

    service.role = NULL;
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "the instance has no role");
    service.role = "";
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "the instance has no role");
    service.role = "../../user-data";
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "no name of a role");
}

static void test_a_role_that_is_broken_is_told_in_its_words(void **state)
{
    struct aws_world *w = *state;

    service.answer = "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":"
                     "\"EC2 cannot assume the role\"}";
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(
        w, "AssumeRoleUnauthorizedAccess: EC2 cannot assume the role");
    service.answer = "<html>";
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "instance metadata: ");
}

static void test_keys_that_are_over_already_are_used_nevertheless(void **state)
{
    struct aws_world *w = *state;

    service.answer = "{\"Code\":\"Success\",\"AccessKeyId\":\"OLD\","
                     "\"SecretAccessKey\":\"s\",\"Token\":\"t\","
                     "\"Expiration\":\"2025-12-31T23:00:00Z\"}";
    assert_true(aws_world_fetch(w));
    aws_world_assert_keys(w, "OLD", "t");
    sim_run_for(w->loop, WHEN_MINUTE);
    assert_true(lease_current(w->lease) != NULL);
    service.answer = NULL;
    sim_run_for(w->loop, 25 * WHEN_MINUTE); /* and asked for again */
    assert_true(aws_world_fetch(w));
    assert_string_not_equal(w->creds.key_id, "OLD");
}

static void test_attempts_are_made_at_once_as_many_as_are_wished(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "AWS_METADATA_SERVICE_NUM_ATTEMPTS=3");
    service.status = 503;
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "it answered 503 to the question for a token");
    assert_int_equal(sim_request_count(w->loop), 9); /* and three rests */
    aws_world_set(w, "AWS_METADATA_SERVICE_NUM_ATTEMPTS=many");
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(
        w, "NUM_ATTEMPTS: \"many\" is not a number of attempts from 1 to 60");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_attempts_are_made_at_once_as_many_as_are_wished),
        TEST(test_an_instance_gets_the_keys_of_its_role),
        TEST(test_a_token_serves_until_it_is_old),
        TEST(test_a_token_that_is_refused_is_fetched_anew_once),
        TEST(test_switched_off_it_is_not_asked),
        TEST(test_version_1_alone_is_refused),
        TEST(test_silence_is_explained_by_the_hop_limit),
        TEST(test_where_there_is_no_such_service_other_ways_are_named),
        TEST(test_the_service_has_an_address_of_ipv6),
        TEST(test_settings_that_cannot_be_meant_are_told),
        TEST(test_an_instance_without_a_role_says_so),
        TEST(test_a_role_that_is_broken_is_told_in_its_words),
        TEST(test_keys_that_are_over_already_are_used_nevertheless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
