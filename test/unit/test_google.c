/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/google.h"
#include "test/lib/aws_world.h"
#include "test/lib/unit.h"

#define META       "http://169.254.169.254/computeMetadata/v1/"
#define META_TOKEN STR(META "instance/service-accounts/default/token?scopes=")
#define NAMED      "GOOGLE_APPLICATION_CREDENTIALS=/key.json"
#define TOKEN      "{\"access_token\":\"ya29.a\",\"expires_in\":3599}"
#define USER                                                               \
    "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":" \
    "\"hush\",\"refresh_token\":\"r/1\"}"
#define OAUTH STR("https://oauth2.googleapis.com/token")
#define STS   STR("https://sts.googleapis.com/v1/token")
#define IMPERSONATE                                                        \
    "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" \
    "w@p.iam.gserviceaccount.com:generateAccessToken"

static int setup(void **state)
{
    *state = aws_world_of(google_providers, google_no_credentials);
    return 0;
}

static int teardown(void **state)
{
    aws_world_free(*state);
    return 0;
}

static void assert_token(struct aws_world *w, const char *token,
                         const char *source)
{
    if (!aws_world_fetch(w))
        fail_msg("no token: %s", w->err.text);
    assert_string_equal(w->creds.token, token);
    assert_string_equal(w->creds.source, source);
}

static void assert_no_token(struct aws_world *w, const char *part)
{
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, part);
}

static bool holds(struct str s, const char *part)
{
    return s.len && memmem(s.ptr, s.len, part, strlen(part)) != NULL;
}

static char google_flavor[] = "Google";

static void serve_metadata(void *arg, const struct http_request *req,
                           struct sim_reply *reply)
{
    const char *flavor = arg;

    (void)req;
    reply->status = 200;
    reply->body = STR(TOKEN);
    if (flavor)
        sim_reply_header(reply, STR("Metadata-Flavor"), str_of(flavor));
}

/*
 * The metadata server.
 */
static void test_cloud_run_asks_its_metadata_server(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "CLOUD_RUN_WORKER_POOL=workers");
    sim_on_url(w->loop, META_TOKEN, serve_metadata, google_flavor);
    assert_token(w, "ya29.a", "metadata server");
    assert_true(sim_request_last(w->loop)->req->no_proxy);
    assert_true(str_eqz(
        sim_request_header(sim_request_last(w->loop), STR("Metadata-Flavor")),
        "Google"));
    assert_int_equal(w->creds.expires_ms - w->creds.renew_ms, 225000);
}

static void test_elsewhere_nobody_is_asked(void **state)
{
    struct aws_world *w = *state;

    assert_no_token(w, "no Google credentials");
    assert_int_equal(sim_request_count(w->loop), 0);
}

static void test_who_lacks_the_flavor_is_no_metadata_server(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "K_SERVICE=s");
    sim_on_url(w->loop, META_TOKEN, serve_metadata, NULL);
    assert_no_token(w, "is not Google's metadata server");
}

static void test_the_bios_tells_compute_engine(void **state)
{
    struct aws_world *w = *state;

    aws_world_file(w, "/sys/class/dmi/id/bios_vendor", "Google\n");
    sim_on_url(w->loop, META_TOKEN, serve_metadata, google_flavor);
    assert_token(w, "ya29.a", "metadata server");
}

/*
 * Files.
 */
static void test_a_person_is_refreshed(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, NAMED);
    aws_world_file(w, "/key.json", USER);
    sim_serve(w->loop, OAUTH, 200, STR(TOKEN));
    assert_token(w, "ya29.a", "credentials file");
    assert_true(str_eqz(sim_request_last(w->loop)->req->body,
                        "client_id=i&client_secret=hush&refresh_token=r%2F1&"
                        "grant_type=refresh_token"));
}

static void test_a_named_file_that_is_missing_is_told(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, NAMED);
    aws_world_set(w, "K_SERVICE=s");
    assert_no_token(w, "GOOGLE_APPLICATION_CREDENTIALS");
    assert_int_equal(sim_request_count(w->loop), 0);
}

static void test_the_file_of_gcloud_comes_before_the_metadata(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "CLOUDSDK_CONFIG=/g");
    aws_world_set(w, "K_SERVICE=s");
    aws_world_file(w, "/g/application_default_credentials.json", USER);
    sim_serve(w->loop, OAUTH, 200, STR(TOKEN));
    assert_token(w, "ya29.a", "credentials file");
}

static void test_a_refused_refresh_is_told_without_secrets(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, NAMED);
    aws_world_file(w, "/key.json", USER);
    sim_serve(w->loop, OAUTH, 400,
              STR("{\"error\":\"invalid_grant\",\"error_description\":\"Token "
                  "has been expired or revoked.\"}"));
    assert_no_token(w, "invalid_grant: Token has been expired or revoked");
    assert_null(strstr(w->err.text, "hush"));
}

static void test_secrets_go_to_google_alone(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, NAMED);
    aws_world_file(w, "/key.json",
                   "{\"type\":\"authorized_user\",\"client_id\":\"i\","
                   "\"client_secret\":\"hush\",\"refresh_token\":\"r\","
                   "\"token_uri\":\"https://googleapis.com.evil.example/t\"}");
    assert_no_token(w, "secrets would go there");
    assert_int_equal(sim_request_count(w->loop), 0);
}

static void test_a_federated_token_is_exchanged_and_acts_as_another(
    void **state)
{
    struct aws_world *w = *state;
    struct str sent;

    aws_world_set(w, NAMED);
    aws_world_file(
        w, "/key.json",
        "{\"type\":\"external_account\",\"audience\":\"//iam/p\","
        "\"subject_token_type\":\"urn:ietf:params:oauth:token-type:jwt\","
        "\"credential_source\":{\"file\":\"/t\",\"format\":{\"type\":"
        "\"json\",\"subject_token_field_name\":\"tok\"}},"
        "\"service_account_impersonation_url\":\"" IMPERSONATE "\"}");
    aws_world_file(w, "/t", "{\"tok\":\"a.b\"}");
    sim_serve(w->loop, STS, 200, STR(TOKEN));
    sim_serve(w->loop, STR(IMPERSONATE), 200,
              STR("{\"accessToken\":\"ya29.w\",\"expireTime\":"
                  "\"2030-01-01T00:00:00Z\"}"));
    assert_token(w, "ya29.w", "credentials file");
    sent = sim_request(w->loop, 0)->req->body;
    assert_true(holds(sent, "subject_token=a.b&"));
    assert_true(holds(sent, "scope=https%3A%2F%2Fwww.googleapis.com%2Fauth"
                            "%2Fcloud-platform&"));
    sent = sim_request(w->loop, 1)->req->body;
    assert_true(str_eqz(sent, "{\"scope\":[\"" GOOGLE_SCOPE_WRITE
                              "\"],\"lifetime\":\"3600s\"}"));
    assert_true(str_eqz(
        sim_request_header(sim_request(w->loop, 1), STR("Authorization")),
        "Bearer ya29.a"));
}

static void test_a_missing_impersonation_role_is_named(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, NAMED);
    aws_world_file(w, "/key.json",
                   "{\"type\":\"impersonated_service_account\","
                   "\"source_credentials\":" USER
                   ",\"service_account_impersonation_url\":\"" IMPERSONATE
                   "\"}");
    sim_serve(w->loop, OAUTH, 200, STR(TOKEN));
    sim_serve(w->loop, STR(IMPERSONATE), 403,
              STR("{\"error\":{\"code\":403,\"status\":\"PERMISSION_DENIED\","
                  "\"message\":\"no\"}}"));
    assert_no_token(w, "roles/iam.serviceAccountTokenCreator");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_cloud_run_asks_its_metadata_server),
        T(test_elsewhere_nobody_is_asked),
        T(test_who_lacks_the_flavor_is_no_metadata_server),
        T(test_the_bios_tells_compute_engine),
        T(test_a_person_is_refreshed),
        T(test_a_named_file_that_is_missing_is_told),
        T(test_the_file_of_gcloud_comes_before_the_metadata),
        T(test_a_refused_refresh_is_told_without_secrets),
        T(test_secrets_go_to_google_alone),
        T(test_a_federated_token_is_exchanged_and_acts_as_another),
        T(test_a_missing_impersonation_role_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
