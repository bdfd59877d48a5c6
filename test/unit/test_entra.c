/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/entra.h"
#include "test/lib/aws_world.h"
#include "test/lib/unit.h"

#include <stdio.h>

#define ENDPOINT "IDENTITY_ENDPOINT=http://localhost:42356/msi/token"
#define HEADER   "IDENTITY_HEADER=hush"
#define ACA_URL  STR("http://localhost:42356/msi/token")
#define IMDS_URL STR("http://169.254.169.254/metadata/identity/oauth2/token")
#define ARC_URL  STR("http://127.0.0.1:40342/metadata/identity/oauth2/token")
#define KEY_PATH "/var/opt/azcmagent/tokens/a-1.key"
#define TOKEN    "{\"access_token\":\"a.b.c\",\"expires_in\":\"3600\"}"

static int setup(void **state)
{
    *state = aws_world_of(entra_providers, entra_no_credentials);
    return 0;
}

static int teardown(void **state)
{
    aws_world_free(*state);
    return 0;
}

static void assert_token(struct aws_world *w, const char *source)
{
    if (!aws_world_fetch(w))
        fail_msg("no token: %s", w->err.text);
    assert_string_equal(w->creds.token, "a.b.c");
    assert_string_equal(w->creds.source, source);
}

static void assert_no_token(struct aws_world *w, const char *part)
{
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, part);
}

/* Answers in their turn, the last one again and again. */
struct turns {
    const struct turn {
        int status;
        const char *body, *header, *value;
    } * all;
    size_t at, count;
};

static void take_turn(void *arg, const struct http_request *req,
                      struct sim_reply *reply)
{
    struct turns *t = arg;
    const struct turn *now = &t->all[t->at];

    (void)req;
    if (t->at + 1 < t->count)
        t->at++;
    if (now->status == 0) {
        reply->error = ERR_NETWORK;
        return;
    }
    reply->status = now->status;
    reply->body = str_of(now->body);
    if (now->header)
        sim_reply_header(reply, str_of(now->header), str_of(now->value));
}

/* The moments between requests, in whole seconds: "2 6 14". */
static void assert_rests(struct aws_world *w, const char *want)
{
    char got[400] = "";
    size_t n = 0;

    for (size_t i = 1; i < sim_request_count(w->loop); i++)
        n += (size_t)snprintf(
            got + n, sizeof(got) - n, "%s%lld", n ? " " : "",
            (long long)((sim_request(w->loop, i)->at.mono_ms -
                         sim_request(w->loop, i - 1)->at.mono_ms) /
                        WHEN_SECOND));
    assert_string_equal(got, want);
}

/*
 * The identity endpoint.
 */
static void test_an_endpoint_that_does_not_listen_yet_gets_two_minutes(
    void **state)
{
    struct aws_world *w = *state;
    int64_t waited;

    aws_world_set(w, ENDPOINT);
    aws_world_set(w, HEADER);
    assert_no_token(w, "identity endpoint: ");
    waited = loop_now(w->loop).mono_ms - SIM_MONO_START;
    assert_in_range(waited, 2 * WHEN_MINUTE, 3 * WHEN_MINUTE);
    sim_serve(w->loop, ACA_URL, 200, STR(TOKEN));
    assert_token(w, "identity endpoint");
    assert_true(sim_request_last(w->loop)->req->no_proxy);
    assert_true(str_eqz(
        sim_request_header(sim_request_last(w->loop), STR("X-IDENTITY-HEADER")),
        "hush"));
}

static void test_an_endpoint_that_has_spoken_gets_no_such_patience(void **state)
{
    static const struct turn all[] = {{500, "", NULL, NULL}, {0}};
    struct turns t = {all, 0, 2};
    struct aws_world *w = *state;

    aws_world_set(w, ENDPOINT);
    aws_world_set(w, HEADER);
    sim_on_url(w->loop, ACA_URL, take_turn, &t);
    assert_no_token(w, "identity endpoint: ");
    assert_int_equal(sim_request_count(w->loop), 3);
}

static void test_the_endpoint_may_be_near_or_encrypted_alone(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, HEADER);
    aws_world_set(w, "IDENTITY_ENDPOINT=http://evil.example/msi/token");
    assert_no_token(w, "plain http is for loopback and link-local");
    aws_world_set(w, "IDENTITY_ENDPOINT=http://169.254.129.3:8081/msi/token");
    sim_serve(w->loop, STR("http://169.254.129.3:8081/msi/token?api-version="),
              200, STR(TOKEN));
    assert_token(w, "identity endpoint");
}

/*
 * The metadata service.
 */
static void test_imds_is_asked_five_times_with_its_own_rests(void **state)
{
    static const struct turn all[] = {{404, "", NULL, NULL},
                                      {429, "", NULL, NULL},
                                      {503, "", NULL, NULL},
                                      {500, "", NULL, NULL},
                                      {200, TOKEN, NULL, NULL}};
    struct turns t = {all, 0, 5};
    struct aws_world *w = *state;

    sim_on_url(w->loop, IMDS_URL, take_turn, &t);
    assert_token(w, "instance metadata");
    assert_int_equal(sim_request_count(w->loop), 5);
    assert_int_equal(w->told, 1);
    for (size_t i = 1; i < 5; i++) {
        static const int64_t least[] = {0, 2, 6, 14, 30};

        assert_true(sim_request(w->loop, i)->at.mono_ms -
                        sim_request(w->loop, i - 1)->at.mono_ms >=
                    least[i] * WHEN_SECOND);
    }
}

static void test_imds_that_is_updated_is_waited_for_seventy_seconds(
    void **state)
{
    static const struct turn all[] = {{410, "", NULL, NULL}};
    struct turns t = {all, 0, 1};
    struct aws_world *w = *state;
    int64_t waited;

    sim_on_url(w->loop, IMDS_URL, take_turn, &t);
    assert_no_token(w, "instance metadata: it answered 410");
    waited = loop_now(w->loop).mono_ms - SIM_MONO_START;
    assert_in_range(waited, 70 * WHEN_SECOND, 200 * WHEN_SECOND);
}

static void test_imds_that_refuses_is_not_asked_again(void **state)
{
    struct aws_world *w = *state;

    sim_serve(w->loop, IMDS_URL, 400,
              STR("{\"error\":\"invalid_request\",\"error_description\":"
                  "\"Identity not found\"}"));
    assert_no_token(w, "it answered 400 invalid_request: Identity not found; "
                       "assign a managed identity here");
    assert_int_equal(sim_request_count(w->loop), 1);
}

static void test_a_desktop_that_answers_for_imds_has_no_identity(void **state)
{
    struct aws_world *w = *state;

    sim_serve(w->loop, IMDS_URL, 403, STR("connecting: host is unreachable"));
    assert_no_token(w, "no Azure credentials");
}

static void test_retry_after_is_obeyed(void **state)
{
    static const struct turn all[] = {{429, "{}", "Retry-After", "40"},
                                      {200, TOKEN, NULL, NULL}};
    struct turns t = {all, 0, 2};
    struct aws_world *w = *state;

    aws_world_set(w, ENDPOINT);
    aws_world_set(w, HEADER);
    sim_on_url(w->loop, ACA_URL, take_turn, &t);
    assert_token(w, "identity endpoint");
    assert_rests(w, "40");
}

static void test_a_token_of_a_day_is_renewed_at_half_of_it(void **state)
{
    struct aws_world *w = *state;

    sim_serve(w->loop, IMDS_URL, 200,
              STR("{\"access_token\":\"a.b.c\",\"expires_in\":86400}"));
    assert_token(w, "instance metadata");
    sim_run_for(w->loop, 12 * WHEN_HOUR - WHEN_MINUTE);
    assert_int_equal(sim_request_count(w->loop), 1);
    sim_run_for(w->loop, 2 * WHEN_MINUTE);
    assert_int_equal(sim_request_count(w->loop), 2);
}

/*
 * Azure Arc.
 */
static void set_arc(struct aws_world *w)
{
    aws_world_set(w, "IDENTITY_ENDPOINT=http://127.0.0.1:40342/metadata/"
                     "identity/oauth2/token");
    aws_world_set(w, "IMDS_ENDPOINT=http://127.0.0.1:40342");
}

static void test_arc_is_answered_with_the_file_that_it_names(void **state)
{
    static const struct turn all[] = {
        {401, "", "WWW-Authenticate", "Basic realm=" KEY_PATH},
        {200, TOKEN, NULL, NULL}};
    struct turns t = {all, 0, 2};
    struct aws_world *w = *state;

    set_arc(w);
    aws_world_file(w, KEY_PATH, "c2VjcmV0\n");
    sim_on_url(w->loop, ARC_URL, take_turn, &t);
    assert_token(w, "azure arc");
    assert_int_equal(sim_request_count(w->loop), 2);
    assert_int_equal(
        sim_request_header(sim_request(w->loop, 0), STR("Authorization")).len,
        0);
    assert_true(str_eqz(
        sim_request_header(sim_request(w->loop, 1), STR("Authorization")),
        "Basic c2VjcmV0"));
}

static void test_an_agent_of_arc_is_found_by_its_program(void **state)
{
    struct aws_world *w = *state;

    aws_world_file(w, "/opt/azcmagent/bin/himds", NULL);
    sim_serve(w->loop, ARC_URL, 200, STR(TOKEN));
    assert_token(w, "azure arc");
}

static void test_arc_cannot_make_us_read_any_other_file(void **state)
{
    static const char *const bad[] = {
        "Basic realm=/etc/shadow",
        "Basic realm=/var/opt/azcmagent/tokens/../../../../etc/a.key",
        "Basic realm=/var/opt/azcmagent/tokens/a.txt",
        "Basic realm=/var/opt/azcmagent/tokens/.key",
        "Basic realm=/var/opt/azcmagent/tokens/deep/a.key",
        "Bearer x"};
    struct aws_world *w = *state;

    set_arc(w);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const struct turn all[] = {{401, "", "WWW-Authenticate", bad[i]}};
        struct turns t = {all, 0, 1};
        size_t before = sim_request_count(w->loop);

        aws_world_file(w, strchr(bad[i], '=') ? strchr(bad[i], '=') + 1 : "/x",
                       "stolen");
        sim_on_url(w->loop, ARC_URL, take_turn, &t);
        assert_no_token(w, "azure arc: it ");
        assert_int_equal(sim_request_count(w->loop), before + 1);
    }
}

static void test_a_key_of_arc_that_cannot_be_used_is_told(void **state)
{
    static const struct turn all[] = {
        {401, "", "WWW-Authenticate", "Basic realm=" KEY_PATH}};
    struct turns t = {all, 0, 1};
    struct aws_world *w = *state;
    char large[5000];

    set_arc(w);
    sim_on_url(w->loop, ARC_URL, take_turn, &t);
    aws_world_file(w, KEY_PATH, NULL);
    assert_no_token(w, "put this user into the group himds");
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    aws_world_file(w, KEY_PATH, large);
    assert_no_token(w, "is larger than 4096 bytes");
    aws_world_file(w, KEY_PATH, "x\ny");
    assert_no_token(w, "holds no key");
    aws_world_file(w, KEY_PATH, "good"); /* and still it is not content */
    assert_no_token(w, "azure arc: it answered 401");
}

static void test_an_arc_that_gives_another_identity_is_not_believed(
    void **state)
{
    struct aws_world *w = *state;

    set_arc(w);
    aws_world_set(w, "AZURE_CLIENT_ID=mine");
    sim_serve(w->loop, ARC_URL, 200, STR(TOKEN));
    assert_no_token(w, "the token of another identity");
    sim_serve(w->loop, ARC_URL, 200,
              STR("{\"access_token\":\"a.b.c\",\"client_id\":\"MINE\","
                  "\"expires_in\":60}"));
    assert_token(w, "azure arc");
}

/*
 * The authority.
 */
static void set_app(struct aws_world *w)
{
    aws_world_set(w, "AZURE_TENANT_ID=contoso.com");
    aws_world_set(w, "AZURE_CLIENT_ID=app");
    aws_world_set(w, "AZURE_CLIENT_SECRET=a&b=c");
}

static void test_each_cloud_has_its_authority_and_its_manager(void **state)
{
    static const struct {
        const char *variable, *url, *arm;
    } all[] = {
        {"AZURE_AUTHORITY_HOST=",
         "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token",
         "https://management.azure.com"},
        {"AZURE_AUTHORITY_HOST=https://login.microsoftonline.us/",
         "https://login.microsoftonline.us/contoso.com/oauth2/v2.0/token",
         "https://management.usgovcloudapi.net"},
        {"AZURE_AUTHORITY_HOST=login.chinacloudapi.cn",
         "https://login.chinacloudapi.cn/contoso.com/oauth2/v2.0/token",
         "https://management.chinacloudapi.cn"},
    };
    struct aws_world *w = *state;

    set_app(w);
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        aws_world_set(w, all[i].variable);
        sim_serve(w->loop, str_of(all[i].url), 200, STR(TOKEN));
        assert_true(aws_world_fetch_anew(w));
        assert_true(str_eqz(sim_request_last(w->loop)->req->url, all[i].url));
        assert_true(str_eqz(entra_arm_url(&w->env), all[i].arm));
    }
    assert_true(
        str_eqz(sim_request_last(w->loop)->req->body,
                "client_id=app&scope=https%3A%2F%2Fmonitoring.azure.com%2F%2F"
                ".default&grant_type=client_credentials&"
                "client_secret=a%26b%3Dc"));
}

static void test_what_is_half_configured_is_told_not_passed_over(void **state)
{
    struct aws_world *w = *state;

    sim_serve(w->loop, IMDS_URL, 200, STR(TOKEN));
    set_app(w);
    aws_world_set(w, "AZURE_TENANT_ID=");
    assert_no_token(w, "client secret: AZURE_TENANT_ID is not set");
    aws_world_set(w, "AZURE_TENANT_ID=../evil");
    assert_no_token(w, "AZURE_TENANT_ID: is neither an id nor a domain");
    aws_world_set(w, "AZURE_TENANT_ID=t");
    aws_world_set(w, "AZURE_AUTHORITY_HOST=http://login.example");
    assert_no_token(w, "plain http would show secrets");
    assert_int_equal(sim_request_count(w->loop), 0);
}

static void test_an_answer_that_is_no_token_is_told_without_its_body(
    void **state)
{
    static const char *const bodies[] = {
        "{\"access_token\":\"hush",
        "hush",
        "{\"access_token\":\"hu sh\"}",
        "{\"access_token\":\"hush\"}",
        "{\"access_token\":\"hush\",\"expires_on\":\"soon\"}",
        "{\"access_token\":\"hush\",\"expires_in\":1,\"token_type\":\"pop\"}"};
    struct aws_world *w = *state;

    set_app(w);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        sim_serve(w->loop, STR("https://login.microsoftonline.com/"), 200,
                  str_of(bodies[i]));
        assert_no_token(w, "client secret: ");
        assert_null(strstr(w->err.text, "hu"));
    }
}

static void test_a_secret_that_is_repeated_to_us_is_not_told(void **state)
{
    static const char *const bodies[] = {
        "{\"error\":\"a&b=c\",\"error_description\":\"bad a&b=c\"}",
        "{\"error\":\"x\",\"error_description\":\"client_assertion eyJh\"}",
        "<html>client_secret=a&b=c</html>"};
    struct aws_world *w = *state;

    set_app(w);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        sim_serve(w->loop, STR("https://login.microsoftonline.com/"), 401,
                  str_of(bodies[i]));
        assert_no_token(w, "client secret: it answered 401");
        assert_null(strstr(w->err.text, "a&b"));
        assert_null(strstr(w->err.text, "eyJ"));
    }
}

/*
 * Silence, and ends of connections, of each.
 */
static void be_silent(void *arg, const struct http_request *req,
                      struct sim_reply *reply)
{
    (void)arg;
    (void)req;
    reply->never = true;
}

static void cut_off(void *arg, const struct http_request *req,
                    struct sim_reply *reply)
{
    (void)arg;
    (void)req;
    reply->body = STR(TOKEN);
    reply->error = ERR_NETWORK;
    reply->cut_at = 20;
}

static void test_whoever_is_silent_or_cuts_off_is_told_in_bounded_time(
    void **state)
{
    static const struct {
        const char *off, *name, *url;
    } all[] = {
        {"AZURE_CLIENT_SECRET=", "client secret",
         "https://login.microsoftonline.com/"},
        {"IDENTITY_HEADER=", "identity endpoint", "http://127.0.0.1:40342/"},
        {"IDENTITY_ENDPOINT=", "azure arc", "http://127.0.0.1:40342/"},
        {"IMDS_ENDPOINT=", "instance metadata", "http://169.254.169.254/"},
    };
    struct aws_world *w = *state;

    set_app(w);
    set_arc(w);
    aws_world_set(w, HEADER);
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        int64_t began = loop_now(w->loop).mono_ms;

        sim_on_url(w->loop, str_of(all[i].url), be_silent, NULL);
        assert_no_token(w, all[i].name);
        assert_true(loop_now(w->loop).mono_ms - began < WHEN_MINUTE);
        sim_on_url(w->loop, str_of(all[i].url), cut_off, NULL);
        assert_no_token(w, all[i].name);
        sim_serve(w->loop, str_of(all[i].url), 200, STR(TOKEN));
        assert_token(w, all[i].name);
        lease_refused(w->lease);
        aws_world_set(w, all[i].off);
        aws_world_set(w, "AZURE_CLIENT_ID="); /* the others have no name */
    }
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_an_endpoint_that_does_not_listen_yet_gets_two_minutes),
        WITH(test_an_endpoint_that_has_spoken_gets_no_such_patience),
        WITH(test_the_endpoint_may_be_near_or_encrypted_alone),
        WITH(test_imds_is_asked_five_times_with_its_own_rests),
        WITH(test_imds_that_is_updated_is_waited_for_seventy_seconds),
        WITH(test_imds_that_refuses_is_not_asked_again),
        WITH(test_a_desktop_that_answers_for_imds_has_no_identity),
        WITH(test_retry_after_is_obeyed),
        WITH(test_a_token_of_a_day_is_renewed_at_half_of_it),
        WITH(test_arc_is_answered_with_the_file_that_it_names),
        WITH(test_an_agent_of_arc_is_found_by_its_program),
        WITH(test_arc_cannot_make_us_read_any_other_file),
        WITH(test_a_key_of_arc_that_cannot_be_used_is_told),
        WITH(test_an_arc_that_gives_another_identity_is_not_believed),
        WITH(test_each_cloud_has_its_authority_and_its_manager),
        WITH(test_what_is_half_configured_is_told_not_passed_over),
        WITH(test_an_answer_that_is_no_token_is_told_without_its_body),
        WITH(test_a_secret_that_is_repeated_to_us_is_not_told),
        WITH(test_whoever_is_silent_or_cuts_off_is_told_in_bounded_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
