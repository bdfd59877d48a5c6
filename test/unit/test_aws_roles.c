/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/enc.h"
#include "test/lib/aws_world.h"
#include "test/lib/unit.h"

#include <stdio.h>

#define STS        STR("https://sts.eu-west-1.amazonaws.com/")
#define CONFIG     "/home/u/.aws/config"
#define SECRETS    "/home/u/.aws/credentials"
#define TOKEN_PATH "/var/run/oidc"
#define ARN        "arn:aws:iam::123456789012:role/"

/* Gives KEY1, KEY2 ... and remembers what it was asked. */
struct sts {
    int status; /* 0: as it should */
    const char *answer;
    size_t count;
    char body[1024], asked[8][1024], signer[8][32];
};

static struct sts sts;

/* The access key in "Credential=KEY/", or "" when it is not signed. */
static void note_signer(const struct http_request *req, char out[32])
{
    out[0] = '\0';
    for (size_t i = 0; i < req->header_count; i++)
        if (str_eq(req->headers[i].name, STR("Authorization")))
            (void)sscanf(req->headers[i].value.ptr,
                         "AWS4-HMAC-SHA256 Credential=%31[^/]", out);
}

static void on_sts(void *arg, const struct http_request *req,
                   struct sim_reply *reply)
{
    struct sts *s = arg;
    size_t i = s->count++;

    assert_true(i < 8 && req->body.len < sizeof(s->asked[i]));
    assert_true(str_eq(req->method, STR("POST")));
    (void)snprintf(s->asked[i], sizeof(s->asked[i]), "%.*s",
                   STR_ARG(req->body));
    note_signer(req, s->signer[i]);
    (void)snprintf(
        s->body, sizeof(s->body),
        "<R xmlns=\"x\"><X><AssumedRoleUser><Arn>a</Arn></AssumedRoleUser>"
        "<Credentials><AccessKeyId>KEY%zu</AccessKeyId><SecretAccessKey>s&amp;"
        "t</SecretAccessKey>\n<SessionToken>tok%zu</SessionToken><Expiration>"
        "2026-01-01T01:00:00Z</Expiration></Credentials></X></R>",
        i + 1, i + 1);
    if (s->status)
        reply->status = s->status;
    reply->body = str_of(s->answer ? s->answer : s->body);
}

static int setup(void **state)
{
    struct aws_world *w = aws_world_new();

    sts = (struct sts){0};
    aws_world_set(w, "AWS_REGION=eu-west-1");
    aws_world_set(w, "HOME=/home/u");
    sim_on_url(w->loop, STR("https://sts."), on_sts, &sts);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    aws_world_free(*state);
    return 0;
}

static void assert_asked(size_t i, const char *part)
{
    assert_true(i < sts.count);
    if (!strstr(sts.asked[i], part))
        fail_msg("\"%s\" is not in: %s", part, sts.asked[i]);
}

/*
 * Web identity.
 */
static void web_identity(struct aws_world *w)
{
    aws_world_set(w, "AWS_WEB_IDENTITY_TOKEN_FILE=" TOKEN_PATH);
    aws_world_set(w, "AWS_ROLE_ARN=" ARN "x/y");
    aws_world_file(w, TOKEN_PATH, "ey.J+h/b=\n");
}

static void test_a_token_of_a_provider_gives_the_keys_of_a_role(void **state)
{
    struct aws_world *w = *state;

    web_identity(w);
    assert_true(aws_world_fetch(w));
    aws_world_assert_keys(w, "KEY1", "tok1");
    assert_string_equal(w->creds.secret, "s&t");
    assert_string_equal(w->creds.source, "web identity");
    assert_int_equal(w->creds.expires_ms, SIM_WALL_START + WHEN_HOUR);
    assert_string_equal(
        sts.asked[0],
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws"
        "%3Aiam%3A%3A123456789012%3Arole%2Fx%2Fy&RoleSessionName=scalebridge&"
        "WebIdentityToken=ey.J%2Bh%2Fb%3D");
    assert_string_equal(sts.signer[0], "");
    assert_true(str_eq(sim_request_last(w->loop)->req->url, STS));
    aws_world_set(w, "AWS_ROLE_SESSION_NAME=me@x");
    aws_world_file(w, TOKEN_PATH, "renewed");
    assert_true(aws_world_fetch_anew(w));
    assert_asked(1, "RoleSessionName=me%40x&WebIdentityToken=renewed");
}

static void test_half_a_web_identity_names_the_other_half(void **state)
{
    struct aws_world *w = *state;

    web_identity(w);
    aws_world_set(w, "AWS_ROLE_ARN=");
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "AWS_WEB_IDENTITY_TOKEN_FILE is set, but "
                               "AWS_ROLE_ARN is not");
    aws_world_set(w, "AWS_ROLE_ARN=x");
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "AWS_ROLE_ARN: \"x\" is not a role");
    aws_world_set(w, "AWS_ROLE_ARN=" ARN "x");
    aws_world_file(w, TOKEN_PATH, "");
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, TOKEN_PATH ": is empty");
    assert_int_equal(sts.count, 0);
}

static void test_a_refusal_of_sts_is_told_and_the_container_not_asked(
    void **state)
{
    struct aws_world *w = *state;

    web_identity(w);
    aws_world_set(w, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x");
    sts.status = 403;
    sts.answer = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied"
                 "</Code><Message>Not authorized to perform "
                 "sts:AssumeRoleWithWebIdentity</Message></Error>"
                 "</ErrorResponse>";
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "web identity: sts answered 403 AccessDenied: "
                               "Not authorized");
    assert_int_equal(sim_request_count(w->loop), 1);
}

static void test_a_token_that_is_over_is_read_again(void **state)
{
    static const char *const codes[] = {
        "<E><Error><Code>ExpiredTokenException</Code></Error></E>",
        "<E><Error><Code>InvalidIdentityToken</Code></Error></E>",
        "<E><Error><Code>IDPCommunicationError</Code></Error></E>",
        "<E><Error><Code>Throttling</Code></Error></E>"};
    struct aws_world *w = *state;

    web_identity(w);
    sts.status = 400;
    for (size_t i = 0; i < 4; i++) {
        sts.count = 0;
        sts.answer = codes[i];
        assert_false(aws_world_fetch(w));
        assert_int_equal(sts.count, 3);
    }
}

static void test_an_answer_that_is_not_of_sts_gives_no_keys(void **state)
{
    static const char *const bodies[] = {
        "", "<html>hush</html>", "{}",
        "<AccessKeyId>A</AccessKeyId><SecretAccessKey>B</SecretAccessKey>",
        ("<AccessKeyId>A</AccessKeyId><SecretAccessKey>B</SecretAccessKey>"
         "<SessionToken>C</SessionToken><Expiration>x</Expiration>")};
    struct aws_world *w = *state;

    web_identity(w);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        sts.count = 0;
        sts.answer = bodies[i];
        assert_false(aws_world_fetch(w));
        aws_world_assert_reason(w, "sts answered 200, but no keys");
    }
}

static void test_without_a_region_the_partition_has_one(void **state)
{
    struct aws_world *w = *state;

    web_identity(w);
    aws_world_set(w, "AWS_REGION=");
    assert_true(aws_world_fetch(w));
    assert_true(str_eq(sim_request_last(w->loop)->req->url,
                       STR("https://sts.us-east-1.amazonaws.com/")));
    aws_world_set(w, "AWS_ROLE_ARN=arn:aws-cn:iam::123456789012:role/x");
    assert_true(aws_world_fetch_anew(w));
    assert_true(str_eq(sim_request_last(w->loop)->req->url,
                       STR("https://sts.cn-north-1.amazonaws.com.cn/")));
}

/*
 * Profiles.
 */
static void test_the_default_profile_needs_no_variable(void **state)
{
    struct aws_world *w = *state;

    aws_world_file(w, SECRETS,
                   "[default]\naws_access_key_id = AK\n"
                   "aws_secret_access_key = hush\n");
    assert_true(aws_world_fetch(w));
    aws_world_assert_keys(w, "AK", NULL);
    assert_string_equal(w->creds.source, "profile default");
}

static void test_the_credentials_file_wins_over_the_config_file(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "AWS_PROFILE=p");
    aws_world_file(w, CONFIG,
                   "[p]\naws_access_key_id=NO\naws_secret_access_key=no\n"
                   "[profile p]\naws_access_key_id=A\naws_secret_access_key=b\n"
                   "AWS_SESSION_TOKEN = t\n");
    assert_true(aws_world_fetch(w));
    aws_world_assert_keys(w, "A", "t");
    aws_world_file(w, SECRETS,
                   "[profile p]\naws_access_key_id=NO\n[p]\n"
                   "aws_access_key_id=B\naws_secret_access_key=c\n");
    assert_true(aws_world_fetch_anew(w));
    aws_world_assert_keys(w, "B", "t");
}

static void test_files_may_stand_elsewhere(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "AWS_SHARED_CREDENTIALS_FILE=~/keys");
    aws_world_set(w, "AWS_CONFIG_FILE=/etc/aws");
    aws_world_file(w, "/home/u/keys",
                   "[default]\naws_access_key_id=A\naws_secret_access_key=b\n");
    aws_world_file(w, "/etc/aws",
                   "[default]\naws_session_token=no\n[profile default]\n"
                   "region=eu-west-3\n");
    assert_true(aws_world_fetch(w));
    aws_world_assert_keys(w, "A", NULL);
}

static void test_no_profile_leaves_the_turn_to_the_container(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x");
    sim_serve(w->loop, STR("http://169.254.170.2/x"), 200,
              STR("{\"AccessKeyId\":\"C\",\"SecretAccessKey\":\"s\"}"));
    assert_true(aws_world_fetch(w));
    aws_world_assert_keys(w, "C", NULL);
    aws_world_file(w, CONFIG, "[default]\nregion = eu-west-1\n");
    assert_true(aws_world_fetch_anew(w));
    aws_world_assert_keys(w, "C", NULL);
    aws_world_set(w, "AWS_PROFILE=typo");
    assert_false(aws_world_fetch_anew(w));
    aws_world_assert_reason(w, "AWS_PROFILE: there is no profile typo");
}

static void test_a_role_is_assumed_with_all_that_is_written(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "AWS_PROFILE=r");
    aws_world_file(w, CONFIG,
                   "[profile r]\nrole_arn = " ARN "r\nsource_profile = s\n"
                   "external_id = e/1\nrole_session_name = me\n"
                   "duration_seconds = 900\n");
    aws_world_file(w, SECRETS,
                   "[s]\naws_access_key_id=S\naws_secret_access_key=x\n");
    assert_true(aws_world_fetch(w));
    aws_world_assert_keys(w, "KEY1", "tok1");
    assert_string_equal(w->creds.source, "profile r");
    assert_string_equal(
        sts.asked[0],
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A"
        "123456789012%3Arole%2Fr&RoleSessionName=me&ExternalId=e%2F1&"
        "DurationSeconds=900");
    assert_string_equal(sts.signer[0], "S");
}

static void test_roles_are_assumed_one_by_another(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "AWS_PROFILE=a");
    aws_world_file(w, CONFIG,
                   "[profile a]\nrole_arn = " ARN "aa\nsource_profile = b\n"
                   "[profile b]\nrole_arn = " ARN "bb\nsource_profile = c\n"
                   "[profile c]\nrole_arn = " ARN "cc\nsource_profile = c\n"
                   "aws_access_key_id=C\naws_secret_access_key=x\n");
    assert_true(aws_world_fetch(w));
    aws_world_assert_keys(w, "KEY2", "tok2");
    assert_asked(0, "role%2Fbb"); /* a source's own keys come first */
    assert_asked(1, "role%2Faa");
    assert_string_equal(sts.signer[0], "C");
    assert_string_equal(sts.signer[1], "KEY1");
    aws_world_set(w, "AWS_PROFILE=c");
    assert_true(aws_world_fetch_anew(w));
    assert_asked(2, "role%2Fcc");
    assert_string_equal(sts.signer[2], "C");
}

static void test_a_role_may_be_assumed_by_what_the_machine_is(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "AWS_PROFILE=a");
    aws_world_set(w, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x");
    sim_serve(w->loop, STR("http://169.254.170.2/x"), 200,
              STR("{\"AccessKeyId\":\"C\",\"SecretAccessKey\":\"s\"}"));
    aws_world_file(w, CONFIG,
                   "[profile a]\nrole_arn = " ARN "aa\n"
                   "credential_source = EcsContainer\n");
    assert_true(aws_world_fetch(w));
    assert_string_equal(sts.signer[0], "C");
    aws_world_file(w, CONFIG,
                   "[profile a]\nrole_arn = " ARN "aa\n"
                   "credential_source = Environment\n");
    assert_false(aws_world_fetch_anew(w));
    aws_world_assert_reason(w, "credential_source: environment: is not");
    aws_world_file(w, CONFIG,
                   "[profile a]\nrole_arn = " ARN "aa\n"
                   "credential_source = Moon\n");
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, "credential_source \"Moon\" is none of");
}

static void test_a_role_may_be_assumed_by_the_instance(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "AWS_PROFILE=a");
    aws_world_set(w, "AWS_EC2_METADATA_DISABLED=");
    sim_serve(w->loop, STR("http://169.254.169.254/latest/api/token"), 200,
              STR("session"));
    sim_serve(w->loop,
              STR("http://169.254.169.254/latest/meta-data/iam/"
                  "security-credentials/"),
              200, STR("worker"));
    sim_serve(w->loop,
              STR("http://169.254.169.254/latest/meta-data/iam/"
                  "security-credentials/worker"),
              200,
              STR("{\"Code\":\"Success\",\"AccessKeyId\":\"I\","
                  "\"SecretAccessKey\":\"s\",\"Token\":\"t\"}"));
    aws_world_file(w, CONFIG,
                   "[profile a]\nrole_arn = " ARN "aa\n"
                   "credential_source = Ec2InstanceMetadata\n");
    assert_true(aws_world_fetch(w));
    aws_world_assert_keys(w, "KEY1", "tok1");
    assert_string_equal(sts.signer[0], "I");
    assert_true(aws_world_fetch_anew(w));
    assert_int_equal(sim_request_count(w->loop), 8);
}

static void test_a_profile_may_name_a_token_file(void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "AWS_PROFILE=a");
    aws_world_file(w, TOKEN_PATH, "jwt");
    aws_world_file(w, CONFIG,
                   "[profile a]\nrole_arn = " ARN "aa\nsource_profile = b\n"
                   "[profile b]\nrole_arn = " ARN "bb\n"
                   "web_identity_token_file = " TOKEN_PATH "\n");
    assert_true(aws_world_fetch(w));
    assert_asked(0, "WebIdentityToken=jwt");
    assert_string_equal(sts.signer[0], "");
    assert_string_equal(sts.signer[1], "KEY1");
}

static void assert_refused(struct aws_world *w, const char *config,
                           const char *part)
{
    aws_world_file(w, CONFIG, config);
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, part);
    assert_int_equal(sim_request_count(w->loop), 0);
}

static void test_profiles_that_cannot_work_say_why(void **state)
{
    static const char *const cases[][2] = {
        {"[profile a]\naws_access_key_id=A\n", "aws_secret_access_key is not"},
        {"[profile a]\nrole_arn=" ARN "a\n", "but not who assumes it"},
        {"[profile a]\nrole_arn=" ARN "a\nsource_profile=x\n"
         "credential_source=Environment\n",
         "both set"},
        {"[profile a]\nrole_arn=" ARN "a\nsource_profile=x\n",
         "source_profile x does not exist"},
        {"[profile a]\nrole_arn=" ARN "a\nsource_profile=a\n",
         "is its own source, but holds no keys"},
        {"[profile a]\nrole_arn=" ARN "a\nsource_profile=b\n"
         "[profile b]\nrole_arn=" ARN "a\nsource_profile=a\n",
         "profile a: is its own source, by way of others"},
        {"[profile a]\nrole_arn=" ARN "a\nsource_profile=b\n"
         "[profile b]\nregion=eu-west-1\n",
         "profile b: holds no credentials"},
        {"[profile a]\nrole_arn=x\nsource_profile=b\n", "is not a role"},
        {"[profile a]\nrole_arn=" ARN "a\nsource_profile=b\n"
         "duration_seconds=1\n",
         "from 900 to 43200"},
        {"[profile a]\nrole_arn=" ARN "a\nsource_profile=b\n"
         "role_session_name=a b\n",
         "session name \"a b\""},
        {"[profile a]\nrole_arn=" ARN "a\nsource_profile=b\n"
         "mfa_serial=arn:x\n",
         "wants a person with a device"},
        {"[profile a]\nsso_session=s\n", "wants a person to sign in"},
        {"[profile a]\nlogin_session=s\n", "wants a person to sign in"},
        {"[profile a]\nhush\n", CONFIG ":2: neither"},
    };
    struct aws_world *w = *state;

    aws_world_set(w, "AWS_PROFILE=a");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_refused(w, cases[i][0], cases[i][1]);
    assert_refused(w, NULL, "Permission denied");
}

/*
 * credential_process.
 */
struct program {
    struct sim_run run;
    size_t count;
    char words[200]; /* "one|two|" */
};

static void play(void *arg, const struct process_request *req,
                 struct sim_run *run)
{
    struct program *p = arg;
    struct buf words;

    buf_init(&words, sizeof(p->words) - 1);
    for (char *const *w = req->argv; *w; w++)
        buf_addf(&words, "%s|", *w);
    (void)snprintf(p->words, sizeof(p->words), "%s", buf_z(&words));
    buf_fini(&words);
    p->count++;
    *run = p->run;
}

#define PRINTED                                                           \
    "{\"Version\":1,\"AccessKeyId\":\"AP\",\"SecretAccessKey\":\"hush\"," \
    "\"SessionToken\":\"t\",\"Expiration\":\"2026-01-01T06:00:00Z\"}"

static void test_a_program_gives_the_keys(void **state)
{
    struct aws_world *w = *state;
    struct program p = {.run.result.output = STR(PRINTED "\n")};

    sim_on_run(w->loop, play, &p);
    aws_world_file(w, CONFIG,
                   "[default]\ncredential_process = /opt/a\\ b --x \"y z\"\n");
    assert_true(aws_world_fetch(w));
    aws_world_assert_keys(w, "AP", "t");
    assert_string_equal(w->creds.source, "profile default");
    assert_int_equal(w->creds.expires_ms, SIM_WALL_START + 6 * WHEN_HOUR);
    assert_string_equal(p.words, "/opt/a b|--x|y z|");
    sim_run_for(w->loop, 6 * WHEN_HOUR); /* ahead of the end, once more */
    assert_true(p.count > 1);
}

static void test_a_program_gives_the_keys_that_assume_a_role(void **state)
{
    struct aws_world *w = *state;
    struct program p = {.run.result.output = STR(PRINTED)};

    sim_on_run(w->loop, play, &p);
    aws_world_set(w, "AWS_PROFILE=a");
    aws_world_file(w, CONFIG,
                   "[profile a]\nrole_arn = " ARN "aa\nsource_profile = b\n"
                   "[profile b]\ncredential_process = give\n");
    assert_true(aws_world_fetch(w));
    assert_string_equal(w->creds.source, "profile a");
    assert_int_equal(p.count, 1);
}

static void assert_program_fails(struct aws_world *w, struct program *p,
                                 const char *part, size_t tries)
{
    p->count = 0;
    assert_false(aws_world_fetch(w));
    aws_world_assert_reason(w, part);
    assert_null(strstr(w->err.text, "hush"));
    assert_int_equal(p->count, tries);
}

static void test_a_program_that_fails_is_told_without_its_output(void **state)
{
    static const struct {
        const char *output, *part;
    } cases[] = {
        {"", "what it printed: json: the text is empty"},
        {"hush", "what it printed: json: "},
        {"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hush\"}",
         "what it printed: Version: is not 1"},
        {"{\"Version\":\"1\",\"SecretAccessKey\":\"hush\"}",
         "Version: is not 1"},
        {"{\"Version\":1,\"SecretAccessKey\":\"hush\"}", "AccessKeyId"},
        {"{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hush\","
         "\"Expiration\":\"soon\"}",
         "Expiration: is no time"},
    };
    struct aws_world *w = *state;
    struct program p = {.run.result.output = STR("hush")};

    sim_on_run(w->loop, play, &p);
    aws_world_file(w, CONFIG, "[default]\ncredential_process=give hush\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        p.run.result.output = str_of(cases[i].output);
        assert_program_fails(w, &p, cases[i].part, 3);
    }
    p.run.result.complaint = STR("sign in\nagain\n");
    p.run.result.status = 7;
    assert_program_fails(w, &p, "ended with status 7: sign in again", 3);
    p.run.result.signal = 9;
    assert_program_fails(w, &p, "was ended by signal 9", 3);
    p.run.error = ERR_TIMEOUT;
    assert_program_fails(w, &p, "profile: credential_process: simul", 3);
    p.run.error = ERR_CONFIG; /* will not be there in a second either */
    assert_program_fails(w, &p, "profile: credential_process: simul", 1);
    aws_world_file(w, CONFIG, "[default]\ncredential_process=give 'hush\n");
    assert_program_fails(w, &p, "credential_process: a ' has no other", 0);
}

static void test_the_region_of_the_profile_is_the_last_resort(void **state)
{
    struct aws_world *w = *state;
    struct arena arena;
    struct str region;
    struct err err;

    arena_init(&arena, 1024);
    aws_world_file(w, CONFIG, "[default]\nregion = ap-southeast-2\n");
    assert_true(aws_region(&w->env, STR_NONE, &arena, &region, &err));
    assert_true(str_eq(region, STR("eu-west-1")));
    aws_world_set(w, "AWS_REGION=");
    assert_true(aws_region(&w->env, STR_NONE, &arena, &region, &err));
    assert_true(str_eq(region, STR("ap-southeast-2")));
    aws_world_file(w, CONFIG, "[default]\nregion = evil.com\n");
    assert_false(aws_region(&w->env, STR_NONE, &arena, &region, &err));
    assert_non_null(strstr(err.text, "region of the profile: \"evil.com\""));
    arena_fini(&arena);
}

static void assert_url(struct aws_world *w, const struct aws_service *service,
                       const char *url)
{
    const struct aws_endpoint want = {.region = STR("eu-west-1")};
    struct arena arena;
    struct str got;
    struct err err;

    arena_init(&arena, 1024);
    if (!aws_endpoint(&w->env, service, &want, &arena, &got, &err))
        got = str_of(err.text);
    assert_string_equal(arena_strdup(&arena, got), url);
    arena_fini(&arena);
}

#define RULE_CW "https://monitoring.eu-west-1.amazonaws.com/"

static void test_the_profile_names_endpoints_of_all_or_of_a_service(
    void **state)
{
    struct aws_world *w = *state;

    aws_world_set(w, "AWS_PROFILE=a");
    aws_world_file(
        w, CONFIG,
        "[services s]\nsts =\n  endpoint_url = https://sts.local\n"
        "cloudwatch =\n  other = x\n  endpoint_url = https://cw.local"
        "\n[profile a]\nservices = s\n"
        "endpoint_url = https://all.local/\n"
        "[profile b]\nendpoint_url = https://b.local\n"
        "ignore_configured_endpoint_urls = true\n"
        "[profile c]\nservices = none\n"
        "[profile d]\nendpoint_url = http://d.local\n");
    assert_url(w, &aws_cloudwatch, "https://cw.local/");
    assert_url(w, &aws_ecs, "https://all.local/");
    aws_world_set(w, "AWS_ENDPOINT_URL=https://env.local");
    assert_url(w, &aws_cloudwatch, "https://env.local/");
    aws_world_set(w, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true");
    assert_url(w, &aws_cloudwatch, RULE_CW);
    aws_world_set(w, "AWS_ENDPOINT_URL=");
    assert_url(w, &aws_cloudwatch, RULE_CW);
    aws_world_set(w, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=");
    aws_world_set(w, "AWS_PROFILE=b");
    assert_url(w, &aws_cloudwatch, RULE_CW);
    aws_world_set(w, "AWS_PROFILE=c");
    assert_url(w, &aws_cloudwatch, RULE_CW);
    aws_world_set(w, "AWS_PROFILE=d");
    assert_url(w, &aws_cloudwatch,
               "endpoint_url of the profile: \"http://d.local\": plain http is "
               "for loopback alone, as it would show credentials on the wire; "
               "write https");
}

static void test_a_home_that_is_not_ours_names_no_endpoint(void **state)
{
    struct aws_world *w = *state;

    aws_world_file(w, CONFIG, NULL);
    assert_url(w, &aws_cloudwatch, RULE_CW);
    aws_world_set(w, "AWS_PROFILE=a");
    assert_url(w, &aws_cloudwatch, CONFIG ": Permission denied");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_token_of_a_provider_gives_the_keys_of_a_role),
        TEST(test_half_a_web_identity_names_the_other_half),
        TEST(test_a_refusal_of_sts_is_told_and_the_container_not_asked),
        TEST(test_a_token_that_is_over_is_read_again),
        TEST(test_an_answer_that_is_not_of_sts_gives_no_keys),
        TEST(test_without_a_region_the_partition_has_one),
        TEST(test_the_default_profile_needs_no_variable),
        TEST(test_the_credentials_file_wins_over_the_config_file),
        TEST(test_files_may_stand_elsewhere),
        TEST(test_no_profile_leaves_the_turn_to_the_container),
        TEST(test_a_role_is_assumed_with_all_that_is_written),
        TEST(test_roles_are_assumed_one_by_another),
        TEST(test_a_role_may_be_assumed_by_what_the_machine_is),
        TEST(test_a_role_may_be_assumed_by_the_instance),
        TEST(test_a_profile_may_name_a_token_file),
        TEST(test_profiles_that_cannot_work_say_why),
        TEST(test_a_program_gives_the_keys),
        TEST(test_a_program_gives_the_keys_that_assume_a_role),
        TEST(test_a_program_that_fails_is_told_without_its_output),
        TEST(test_the_profile_names_endpoints_of_all_or_of_a_service),
        TEST(test_a_home_that_is_not_ours_names_no_endpoint),
        TEST(test_the_region_of_the_profile_is_the_last_resort),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
