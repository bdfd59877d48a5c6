/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/ecs/ecs.h"
#include "agent/ecs/wire.h"
#include "test/lib/sim.h"
#include "test/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define URL      "https://ecs.eu-west-1.amazonaws.com/"
#define METADATA "http://169.254.170.2/v4/t"
#define CALLS    12
#define SERVICE(name, running)                                        \
    "{\"serviceName\":\"" name "\",\"status\":\"ACTIVE\","            \
    "\"desiredCount\":9,\"pendingCount\":1,\"runningCount\":" running \
    ",\"deployments\":[]}"

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

#define KEYS "AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY=secret"

static const char *const here[] = {KEYS, "AWS_REGION=eu-west-1", NULL};
static const char *const inside[] = {
    KEYS, "ECS_CONTAINER_METADATA_URI_V4=" METADATA, NULL};
static const char *const nowhere[] = {KEYS, NULL};

struct told {
    struct world *world;
    struct ecs_count_call call;
    size_t times;
    bool known;
    struct ecs_count count;
    struct err err;
    bool ends_others;
};

struct world {
    struct loop *loop;
    struct http *http;
    struct auth_env env;
    struct ecs *ecs;
    struct ecs_conf conf[CALLS];
    struct told told[CALLS];
    const struct sim_reply *replies; /* of the service, one after another */
    size_t reply_count, replied;
    struct ecs_tasks_call tasks;
    struct buf addresses; /* "10.0.0.1 " each, or the error */
    size_t tasks_told;
};

static char none[] = "", prod[] = "prod", other[] = "other";
static char names[CALLS][8];

static void quiet(void *arg, struct str line)
{
    (void)arg;
    (void)line;
}

static void set_env(struct world *w, const char *const *variables)
{
    ecs_free(w->ecs);
    w->env = (struct auth_env){.variable = variable,
                               .arg = (void *)(uintptr_t)variables};
    w->ecs = ecs_new(w->loop, w->http, &w->env);
}

static int set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));

    log_divert(quiet, NULL);
    w->loop = loop_new();
    w->http = http_new(w->loop, NULL);
    set_env(w, here);
    for (size_t i = 0; i < CALLS; i++) {
        snprintf(names[i], sizeof(names[i]), "s%zu", i);
        w->conf[i] = (struct ecs_conf){.cluster = prod,
                                       .service = names[i],
                                       .region = none,
                                       .endpoint = none};
        w->told[i].world = w;
    }
    buf_init(&w->addresses, 4096);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < CALLS; i++)
        ecs_count_cancel(&w->told[i].call);
    ecs_tasks_cancel(&w->tasks);
    ecs_free(w->ecs);
    http_free(w->http);
    loop_free(w->loop);
    buf_fini(&w->addresses);
    free(w);
    log_divert(NULL, NULL);
    return 0;
}

static void on_count(void *arg, const struct ecs_count *count,
                     const struct err *err)
{
    struct told *t = arg;

    t->times++;
    t->known = count != NULL;
    if (count)
        t->count = *count;
    else
        t->err = *err;
    for (size_t i = 0; t->ends_others && i < CALLS; i++)
        ecs_count_cancel(&t->world->told[i].call);
}

static void ask(struct world *w, size_t i)
{
    ecs_count_start(w->ecs, &w->told[i].call, &w->conf[i], 5000, on_count,
                    &w->told[i]);
}

static void reply_next(void *arg, const struct http_request *req,
                       struct sim_reply *reply)
{
    struct world *w = arg;

    (void)req;
    assert_true(w->replied < w->reply_count);
    *reply = w->replies[w->replied++];
    if (!reply->latency_ms)
        reply->latency_ms = 1;
}

static void serve(struct world *w, const struct sim_reply *replies,
                  size_t count)
{
    w->replies = replies;
    w->reply_count = count;
    w->replied = 0;
    sim_on_url(w->loop, STR(URL), reply_next, w);
}

#define SERVE(w, ...)                                        \
    static const struct sim_reply replies[] = {__VA_ARGS__}; \
    serve(w, replies, sizeof(replies) / sizeof(replies[0]))
#define GOOD(text)                                        \
    {                                                     \
        .status = 200, .body = { text, sizeof(text) - 1 } \
    }
#define BAD(code, text)                                    \
    {                                                      \
        .status = code, .body = { text, sizeof(text) - 1 } \
    }

static void assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        print_error("\"%s\" is not in \"%s\"\n", part, text);
    assert_non_null(strstr(text, part));
}

/*
 * Counts.
 */
static void test_a_count_is_asked_for_signed_and_read(void **state)
{
    struct world *w = *state;
    const struct sim_seen *seen;

    SERVE(w, GOOD("{\"services\":[" SERVICE("s0", "3") "],\"failures\":[]}"));
    ask(w, 0);
    assert_int_equal(w->told[0].times, 0);
    sim_run_for(w->loop, 10);
    assert_true(w->told[0].known);
    assert_int_equal(w->told[0].count.running, 3);
    assert_int_equal(w->told[0].count.desired, 9);
    assert_int_equal(w->told[0].count.pending, 1);
    seen = sim_request_last(w->loop);
    assert_true(str_eqz(seen->req->body,
                        "{\"cluster\":\"prod\",\"services\":[\"s0\"]}"));
    assert_true(str_eqz(sim_request_header(seen, STR("X-Amz-Target")),
                        "AmazonEC2ContainerServiceV20141113.DescribeServices"));
    assert_true(str_eqz(sim_request_header(seen, STR("Content-Type")),
                        "application/x-amz-json-1.1"));
    assert_true(str_starts(
        sim_request_header(seen, STR("Authorization")),
        STR("AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/ecs/")));
}

/* Answers every request with all twelve services. */
static void answer_all(void *arg, const struct http_request *req,
                       struct sim_reply *reply)
{
    static struct buf body;

    (void)arg;
    (void)req;
    buf_fini(&body);
    buf_init(&body, 8192);
    buf_addz(&body, "{\"services\":[");
    for (int i = 0; i < CALLS; i++)
        buf_addf(&body,
                 "%s{\"serviceName\":\"s%d\",\"status\":\"ACTIVE\","
                 "\"desiredCount\":1,\"pendingCount\":0,\"runningCount\":%d}",
                 i ? "," : "", i, i);
    buf_addz(&body, "]}");
    reply->body = arena_str(arg, buf_str(&body));
    buf_fini(&body);
}

static void test_ten_services_of_a_cluster_share_a_call(void **state)
{
    struct world *w = *state;
    struct arena arena;

    arena_init(&arena, 4096);
    sim_on_url(w->loop, STR(URL), answer_all, &arena);
    for (size_t i = 0; i < CALLS; i++)
        ask(w, i);
    sim_run_for(w->loop, 10);
    assert_int_equal(sim_request_count(w->loop), 2);
    assert_true(str_eqz(sim_request(w->loop, 0)->req->body,
                        "{\"cluster\":\"prod\",\"services\":[\"s0\",\"s1\","
                        "\"s2\",\"s3\",\"s4\",\"s5\",\"s6\",\"s7\",\"s8\","
                        "\"s9\"]}"));
    for (size_t i = 0; i < CALLS; i++) {
        assert_int_equal(w->told[i].times, 1);
        assert_int_equal(w->told[i].count.running, i);
    }
    arena_fini(&arena);
}

static void test_another_cluster_or_region_is_another_call(void **state)
{
    struct world *w = *state;
    struct arena arena;
    char us[] = "us-east-1";

    arena_init(&arena, 4096);
    sim_on_url(w->loop, STR("https://ecs."), answer_all, &arena);
    w->conf[1].cluster = other;
    w->conf[2].region = us;
    w->conf[3].service = names[0]; /* the same one once more */
    for (size_t i = 0; i < 4; i++)
        ask(w, i);
    sim_run_for(w->loop, 10);
    assert_int_equal(sim_request_count(w->loop), 3);
    assert_true(str_eqz(sim_request(w->loop, 0)->req->body,
                        "{\"cluster\":\"prod\",\"services\":[\"s0\"]}"));
    assert_true(str_starts(sim_request(w->loop, 2)->req->url,
                           STR("https://ecs.us-east-1.amazonaws.com/")));
    for (size_t i = 0; i < 4; i++)
        assert_true(w->told[i].known);
    arena_fini(&arena);
}

static void test_a_missing_service_is_unknown_and_not_zero(void **state)
{
    struct world *w = *state;

    SERVE(w, GOOD("{\"services\":[" SERVICE(
                 "s1", "2") "],\"failures\":[{\"arn\":\"arn:aws:ecs:eu-west-1:"
                            "1:service/prod/s0\",\"reason\":\"MISSING\"}]}"));
    ask(w, 0);
    ask(w, 1);
    sim_run_for(w->loop, 10);
    assert_false(w->told[0].known);
    assert_string_equal(w->told[0].err.text,
                        "ecs: there is no service s0 in cluster prod of "
                        "eu-west-1 (MISSING); look at cluster, service and "
                        "region");
    assert_int_equal(w->told[1].count.running, 2);
}

static void test_a_deleted_service_is_unknown_and_a_draining_one_counts(
    void **state)
{
    struct world *w = *state;

    SERVE(w, GOOD("{\"services\":[{\"serviceName\":\"s0\",\"status\":"
                  "\"INACTIVE\",\"desiredCount\":0,\"pendingCount\":0,"
                  "\"runningCount\":0},{\"serviceName\":\"s1\",\"status\":"
                  "\"DRAINING\",\"desiredCount\":0,\"pendingCount\":0,"
                  "\"runningCount\":2}]}"));
    ask(w, 0);
    ask(w, 1);
    sim_run_for(w->loop, 10);
    assert_false(w->told[0].known);
    assert_holds(w->told[0].err.text, "s0 of cluster prod is INACTIVE");
    assert_int_equal(w->told[1].count.running, 2);
    assert_true(w->told[1].count.draining);
}

static void test_the_primary_deployment_stands_apart(void **state)
{
    struct world *w = *state;

    SERVE(w, GOOD("{\"services\":[{\"serviceName\":\"s0\",\"status\":"
                  "\"ACTIVE\",\"desiredCount\":4,\"pendingCount\":0,"
                  "\"runningCount\":6,\"deployments\":[{\"status\":\"ACTIVE\","
                  "\"runningCount\":4,\"desiredCount\":0},{\"status\":"
                  "\"PRIMARY\",\"runningCount\":2,\"desiredCount\":4}]}]}"));
    ask(w, 0);
    sim_run_for(w->loop, 10);
    assert_int_equal(w->told[0].count.running, 6);
    assert_true(w->told[0].count.has_primary);
    assert_int_equal(w->told[0].count.primary_running, 2);
    assert_int_equal(w->told[0].count.primary_desired, 4);
}

static void test_answers_that_are_no_counts_are_refused(void **state)
{
    static const char *const bodies[] = {
        "",
        "[]",
        "{\"services\":",
        "<html>",
        "{\"services\":[{}]}",
        "{\"services\":[1,null,\"x\"]}",
        "{\"services\":[{\"serviceName\":\"s0\",\"status\":\"ACTIVE\","
        "\"desiredCount\":0,\"pendingCount\":0,\"runningCount\":-1}]}",
        "{\"services\":[{\"serviceName\":\"s0\",\"status\":\"ACTIVE\","
        "\"desiredCount\":0,\"pendingCount\":0,\"runningCount\":\"3\"}]}",
        "{\"services\":{},\"failures\":[7]}",
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        sim_serve(w->loop, STR(URL), 200, str_of(bodies[i]));
        ask(w, 0);
        sim_run_for(w->loop, 10);
        assert_int_equal(w->told[0].times, i + 1);
        assert_false(w->told[0].known);
        assert_holds(w->told[0].err.text, "ecs: ");
    }
}

/*
 * What goes wrong.
 */
#define THROTTLED \
    BAD(400,      \
        "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}")
#define ONE GOOD("{\"services\":[" SERVICE("s0", "3") "]}")

static void test_throttling_and_faults_are_tried_again_with_pauses(void **state)
{
    struct world *w = *state;
    int64_t first, last;

    SERVE(w, THROTTLED, BAD(500, "{\"__type\":\"ServerException\"}"), ONE);
    ask(w, 0);
    sim_run_for(w->loop, 5000);
    assert_true(w->told[0].known);
    assert_int_equal(sim_request_count(w->loop), 3);
    first = sim_request(w->loop, 0)->at.mono_ms;
    last = sim_request(w->loop, 2)->at.mono_ms;
    assert_true(last - first <= 500 + 200 + 10);
}

static void test_after_three_tries_the_reason_is_told(void **state)
{
    struct world *w = *state;

    SERVE(w, THROTTLED, THROTTLED, THROTTLED);
    ask(w, 0);
    sim_run_for(w->loop, 5000);
    assert_int_equal(w->told[0].times, 1);
    assert_int_equal(w->told[0].err.kind, ERR_LIMIT);
    assert_string_equal(w->told[0].err.text,
                        "ecs answered 400 ThrottlingException: Rate exceeded");
}

static void test_a_wait_that_the_service_asks_for_is_kept(void **state)
{
    static const struct sim_reply replies[] = {
        {.status = 503,
         .headers = {{{"Retry-After", 11}, {"2", 1}, false}},
         .header_count = 1},
        ONE,
    };
    struct world *w = *state;

    serve(w, replies, 2);
    ask(w, 0);
    sim_run_for(w->loop, 1900);
    assert_int_equal(sim_request_count(w->loop), 1);
    sim_run_for(w->loop, 300);
    assert_true(w->told[0].known);
}

static void test_a_black_hole_ends_at_the_deadline(void **state)
{
    struct world *w = *state;

    SERVE(w, {.status = 200, .never = true});
    ask(w, 0);
    sim_run_for(w->loop, 4990);
    assert_int_equal(w->told[0].times, 0);
    sim_run_for(w->loop, 20);
    assert_int_equal(w->told[0].times, 1);
    assert_int_equal(w->told[0].err.kind, ERR_TIMEOUT);
    assert_int_equal(sim_request_count(w->loop), 1);
}

#define EXPIRED BAD(400, "{\"__type\":\"ExpiredTokenException\"}")

static void test_expired_keys_are_renewed_once(void **state)
{
    struct world *w = *state;

    SERVE(w, EXPIRED, ONE, EXPIRED, EXPIRED);
    ask(w, 0);
    sim_run_for(w->loop, 1000);
    assert_true(w->told[0].known);
    ask(w, 0);
    sim_run_for(w->loop, 5000);
    assert_int_equal(sim_request_count(w->loop), 4);
    assert_false(w->told[0].known);
    assert_holds(w->told[0].err.text, "credentials are expired");
}

static void test_a_clock_that_is_off_is_corrected_for_good(void **state)
{
    static const struct http_header date = {
        {"Date", 4}, {"Thu, 01 Jan 2026 00:30:00 GMT", 29}, false};
    struct world *w = *state;
    struct sim_reply replies[3] = {
        BAD(400, "{\"__type\":\"InvalidSignatureException\"}"), ONE, ONE};

    for (size_t i = 0; i < 3; i++) {
        replies[i].headers[0] = date;
        replies[i].header_count = 1;
    }
    serve(w, replies, 3);
    ask(w, 0);
    sim_run_for(w->loop, 100);
    assert_true(w->told[0].known);
    ask(w, 0);
    sim_run_for(w->loop, 100);
    assert_int_equal(sim_request_count(w->loop), 3);
    for (size_t i = 1; i < 3; i++)
        assert_true(str_starts(
            sim_request_header(sim_request(w->loop, i), STR("X-Amz-Date")),
            STR("20260101T0030")));
}

static void test_a_missing_permission_is_named(void **state)
{
    struct world *w = *state;

    SERVE(w, BAD(400, "{\"__type\":\"AccessDeniedException\",\"message\":"
                      "\"User: x is not authorized\"}"));
    ask(w, 0);
    sim_run_for(w->loop, 1000);
    assert_string_equal(
        w->told[0].err.text,
        "ecs answered 400 AccessDeniedException: User: x is not authorized; "
        "grant this identity ecs:DescribeServices on "
        "arn:aws:ecs:eu-west-1:*:service/prod/s0");
}

static void test_a_call_can_end_at_any_time(void **state)
{
    struct world *w = *state;

    sim_serve(w->loop, STR(URL), 200,
              STR("{\"services\":[" SERVICE("s0", "3") "]}"));
    for (int64_t ms = 0; ms < 4; ms++) {
        ask(w, 0);
        ask(w, 1);
        sim_run_for(w->loop, ms);
        ecs_count_cancel(&w->told[0].call);
        ecs_count_cancel(&w->told[1].call);
        assert_int_equal(sim_running(w->loop), 0);
    }
}

static void test_whoever_is_told_may_end_the_others(void **state)
{
    struct world *w = *state;
    struct arena arena;

    arena_init(&arena, 4096);
    sim_on_url(w->loop, STR(URL), answer_all, &arena);
    w->told[0].ends_others = true;
    for (size_t i = 0; i < CALLS; i++)
        ask(w, i);
    sim_run_for(w->loop, 1000);
    assert_int_equal(w->told[0].times, 1);
    for (size_t i = 1; i < CALLS; i++)
        assert_int_equal(w->told[i].times, 0);
    arena_fini(&arena);
}

/*
 * Where we are.
 */
static void test_what_is_left_out_is_asked_of_the_task_once(void **state)
{
    struct world *w = *state;

    set_env(w, inside);
    sim_serve(w->loop, STR(METADATA "/task"), 200,
              STR("{\"Cluster\":\"prod\",\"ServiceName\":\"s0\",\"TaskARN\":"
                  "\"arn:aws:ecs:eu-west-1:1:task/prod/77\"}"));
    SERVE(w, ONE, ONE);
    w->conf[0] = (struct ecs_conf){
        .cluster = none, .service = none, .region = none, .endpoint = none};
    for (size_t i = 0; i < 2; i++) {
        ask(w, 0);
        sim_run_for(w->loop, 100);
        assert_int_equal(w->told[0].count.running, 3);
        w->told[0].known = false;
    }
    assert_int_equal(sim_request_count(w->loop), 3);
    assert_true(sim_request(w->loop, 0)->req->no_proxy);
    assert_true(str_eqz(sim_request(w->loop, 1)->req->body,
                        "{\"cluster\":\"prod\",\"services\":[\"s0\"]}"));
}

static void test_fargate_does_not_tell_the_service(void **state)
{
    struct world *w = *state;

    set_env(w, inside);
    sim_serve(w->loop, STR(METADATA "/task"), 200,
              STR("{\"Cluster\":\"arn:aws:ecs:eu-west-1:1:cluster/prod\","
                  "\"TaskARN\":\"arn:aws:ecs:eu-west-1:1:task/prod/77\"}"));
    w->conf[0] = (struct ecs_conf){
        .cluster = none, .service = none, .region = none, .endpoint = none};
    ask(w, 0);
    sim_run_for(w->loop, 100);
    assert_string_equal(
        w->told[0].err.text,
        "service: not set, and the task metadata endpoint does not tell it (on "
        "Fargate it never does); write ecs: {service: ...}");
}

static void test_metadata_that_fails_is_asked_for_again(void **state)
{
    struct world *w = *state;

    set_env(w, inside);
    w->conf[0].region = none;
    sim_serve(w->loop, STR(METADATA "/task"), 500, STR("busy"));
    ask(w, 0);
    sim_run_for(w->loop, 100);
    assert_string_equal(w->told[0].err.text,
                        "the task metadata endpoint: answered 500");
    sim_serve(w->loop, STR(METADATA "/task"), 200,
              STR("{\"TaskARN\":\"arn:aws:ecs:eu-west-1:1:task/prod/77\"}"));
    SERVE(w, ONE);
    ask(w, 0);
    sim_run_for(w->loop, 100);
    assert_true(w->told[0].known);
}

static void test_outside_of_a_task_nothing_can_be_found(void **state)
{
    struct world *w = *state;

    set_env(w, nowhere);
    ask(w, 0);
    sim_run_for(w->loop, 100);
    assert_holds(w->told[0].err.text, "ECS_CONTAINER_METADATA_URI_V4");
    assert_int_equal(sim_request_count(w->loop), 0);
}

static void test_an_arn_tells_cluster_and_region(void **state)
{
    struct world *w = *state;
    char arn[] = "arn:aws:ecs:us-east-1:1:service/prod/s0";

    set_env(w, here); /* AWS_REGION is another one */
    w->conf[0] = (struct ecs_conf){
        .cluster = none, .service = arn, .region = none, .endpoint = none};
    sim_serve(w->loop, STR("https://ecs.us-east-1.amazonaws.com/"), 200,
              STR("{\"services\":[" SERVICE("s0", "3") "]}"));
    ask(w, 0);
    sim_run_for(w->loop, 100);
    assert_int_equal(w->told[0].count.running, 3);
    assert_holds(sim_request_last(w->loop)->req->body.ptr,
                 "\"cluster\":\"prod\"");
}

/*
 * Tasks.
 */
static void on_tasks(void *arg, const struct ecs_tasks *tasks,
                     const struct err *err)
{
    struct world *w = arg;

    w->tasks_told++;
    buf_reset(&w->addresses);
    for (size_t i = 0; tasks && i < tasks->count; i++)
        buf_addf(&w->addresses, "%.*s ", STR_ARG(tasks->addresses[i]));
    if (err)
        buf_addz(&w->addresses, err->text);
}

static void find_tasks(struct world *w)
{
    ecs_tasks_start(w->ecs, &w->tasks, &w->conf[0], 10000, on_tasks, w);
    sim_run_for(w->loop, 10000);
}

#define TASK(id, last, desired, more)                                          \
    "{\"taskArn\":\"arn:aws:ecs:r:1:task/prod/" id "\",\"lastStatus\":\"" last \
    "\",\"desiredStatus\":\"" desired "\"" more "}"
#define AT(ip)                                                              \
    ",\"attachments\":[{\"type\":\"ElasticNetworkInterface\",\"details\":[" \
    "{\"name\":\"subnetId\",\"value\":\"x\"},"                              \
    "{\"name\":\"privateIPv4Address\",\"value\":\"" ip "\"}]}]"
#define WELL(is) ",\"healthStatus\":\"" is "\""
#define IN_CONTAINER(ip)                         \
    ",\"containers\":[{\"networkInterfaces\":[{" \
    "\"privateIpv4Address\":\"" ip "\"}]}]"
#define RUNS      TASK("a", "RUNNING", "RUNNING", AT("10.0.0.1"))
#define STARTS    TASK("b", "PENDING", "RUNNING", AT("10.0.0.2"))
#define STOPS     TASK("c", "RUNNING", "STOPPED", AT("10.0.0.3"))
#define SICK      TASK("d", "RUNNING", "RUNNING", WELL("UNHEALTHY") AT("10.0.0.4"))
#define BRIDGED   IN_CONTAINER("10.0.0.5")
#define WELL_TASK TASK("e", "RUNNING", "RUNNING", WELL("HEALTHY") BRIDGED)
#define ONE_GONE  "{\"arn\":\"f\",\"reason\":\"MISSING\"}"

static void test_addresses_are_those_of_tasks_that_run_and_are_well(
    void **state)
{
    struct world *w = *state;

    SERVE(w, GOOD("{\"taskArns\":[\"a\",\"b\"],\"nextToken\":\"more\"}"),
          GOOD("{\"taskArns\":[\"c\"]}"),
          GOOD("{\"tasks\":[" RUNS "," STARTS "," STOPS "," SICK "," WELL_TASK
               "],\"failures\":[" ONE_GONE "]}"));
    find_tasks(w);
    assert_string_equal(buf_z(&w->addresses), "10.0.0.1 10.0.0.5 ");
    assert_int_equal(w->tasks_told, 1);
    assert_true(str_eqz(sim_request(w->loop, 0)->req->body,
                        "{\"cluster\":\"prod\",\"serviceName\":\"s0\","
                        "\"desiredStatus\":\"RUNNING\",\"maxResults\":100}"));
    assert_holds(sim_request(w->loop, 1)->req->body.ptr,
                 "\"nextToken\":\"more\"");
    assert_true(
        str_eqz(sim_request(w->loop, 2)->req->body,
                "{\"cluster\":\"prod\",\"tasks\":[\"a\",\"b\",\"c\"]}"));
}

static void test_a_service_without_tasks_has_no_addresses(void **state)
{
    struct world *w = *state;

    SERVE(w, GOOD("{\"taskArns\":[]}"));
    find_tasks(w);
    assert_string_equal(buf_z(&w->addresses), "");
    assert_int_equal(w->tasks_told, 1);
}

static void test_running_tasks_without_an_address_are_a_fault(void **state)
{
    struct world *w = *state;

    SERVE(w, GOOD("{\"taskArns\":[\"a\"]}"),
          GOOD("{\"tasks\":[" TASK("a", "RUNNING", "RUNNING", "") "]}"));
    find_tasks(w);
    assert_holds(buf_z(&w->addresses), "network mode awsvpc");
}

static void list_for_ever(void *arg, const struct http_request *req,
                          struct sim_reply *reply)
{
    (void)arg;
    (void)req;
    reply->body = STR("{\"taskArns\":[\"a\"],\"nextToken\":\"again\"}");
}

static void test_a_list_that_turns_in_a_circle_ends(void **state)
{
    struct world *w = *state;

    sim_on_url(w->loop, STR(URL), list_for_ever, NULL);
    find_tasks(w);
    assert_holds(buf_z(&w->addresses), "does not end");
    assert_true(sim_request_count(w->loop) < 200);
}

static void test_a_missing_permission_of_tasks_is_named(void **state)
{
    struct world *w = *state;

    SERVE(w, GOOD("{\"taskArns\":[\"a\"]}"),
          BAD(400, "{\"__type\":\"AccessDeniedException\"}"));
    find_tasks(w);
    assert_holds(buf_z(&w->addresses), "ecs:ListTasks and ecs:DescribeTasks");
}

/*
 * Names.
 */
static void test_names_and_arns_are_taken_apart(void **state)
{
    struct str arn = STR("arn:aws-cn:ecs:cn-north-1:1:service/prod/s0");
    struct str old = STR("arn:aws:ecs:eu-west-1:1:service/s0");

    (void)state;
    assert_true(str_eqz(ecs_arn_region(arn), "cn-north-1"));
    assert_true(str_eqz(ecs_arn_cluster(arn), "prod"));
    assert_true(str_eqz(ecs_short_name(arn), "s0"));
    assert_int_equal(ecs_arn_cluster(old).len, 0);
    assert_true(str_eqz(ecs_short_name(old), "s0"));
    assert_true(str_eqz(ecs_short_name(STR("s0")), "s0"));
    assert_int_equal(ecs_arn_region(STR("s0")).len, 0);
    assert_int_equal(ecs_arn_region(STR("arn:aws")).len, 0);
    assert_int_equal(ecs_arn_cluster(STR("arn:")).len, 0);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_count_is_asked_for_signed_and_read),
        CASE(test_ten_services_of_a_cluster_share_a_call),
        CASE(test_another_cluster_or_region_is_another_call),
        CASE(test_a_missing_service_is_unknown_and_not_zero),
        CASE(test_a_deleted_service_is_unknown_and_a_draining_one_counts),
        CASE(test_the_primary_deployment_stands_apart),
        CASE(test_answers_that_are_no_counts_are_refused),
        CASE(test_throttling_and_faults_are_tried_again_with_pauses),
        CASE(test_after_three_tries_the_reason_is_told),
        CASE(test_a_wait_that_the_service_asks_for_is_kept),
        CASE(test_a_black_hole_ends_at_the_deadline),
        CASE(test_expired_keys_are_renewed_once),
        CASE(test_a_clock_that_is_off_is_corrected_for_good),
        CASE(test_a_missing_permission_is_named),
        CASE(test_a_call_can_end_at_any_time),
        CASE(test_whoever_is_told_may_end_the_others),
        CASE(test_what_is_left_out_is_asked_of_the_task_once),
        CASE(test_fargate_does_not_tell_the_service),
        CASE(test_metadata_that_fails_is_asked_for_again),
        CASE(test_outside_of_a_task_nothing_can_be_found),
        CASE(test_an_arn_tells_cluster_and_region),
        CASE(test_addresses_are_those_of_tasks_that_run_and_are_well),
        CASE(test_a_service_without_tasks_has_no_addresses),
        CASE(test_running_tasks_without_an_address_are_a_fault),
        CASE(test_a_list_that_turns_in_a_circle_ends),
        CASE(test_a_missing_permission_of_tasks_is_named),
        cmocka_unit_test(test_names_and_arns_are_taken_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
