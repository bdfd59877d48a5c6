/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/actuate/actuator.h"
#include "agent/base/jsonr.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "auth/google.h"
#include "auth/lease.h"
#include "test/lib/sim.h"
#include "test/lib/unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#define BASE "https://run.googleapis.com/v2/projects/p/locations/us-east1/"
#define POOL BASE "workerPools/w"
#define OPERATION                                                             \
    "https://run.googleapis.com/v2/projects/p/locations/us-east1/operations/" \
    "o1"

/* Cloud Run itself, as far as one worker pool goes. */
struct pool {
    int64_t count;
    unsigned version; /* its etag */
    int64_t next;     /* what the running operation will set */
    unsigned polls;   /* before the operation ends */
    int refuse_get, refuse_patch;
    bool conflict, fails, reconciling, lost;
    unsigned gets, patches, dry, operations;
    char text[512];
};

struct world {
    struct loop *loop;
    struct http *http;
    struct lease *lease;
    struct cloudrun *cloudrun;
    struct actuator *actuator;
    struct actuate_conf conf;
    struct cloudrun_conf at;
    struct pool pool;
    struct actuate_told told;
    size_t times;
    int token_status;
    char text[512];
};

static char none[] = "", p[] = "p", region[] = "us-east1", w_[] = "w",
            name[] = "workers", metric[] = "WorkersRequired", busy[] = "Jobs";

static void quiet(void *arg, struct str line)
{
    (void)arg;
    (void)line;
}

static const char *variable(void *arg, const char *which)
{
    (void)arg;
    return strcmp(which, "GCE_METADATA_HOST") == 0 ? "metadata.google.internal"
                                                   : NULL;
}

static bool no_file(void *arg, const char *path, struct buf *out,
                    struct err *err)
{
    (void)arg;
    (void)out;
    return err_set(err, ERR_CONFIG, "%s: there is no such file", path);
}

static const struct auth_env env = {.variable = variable, .read_file = no_file};

#define METADATA "http://metadata.google.internal/computeMetadata/v1/"

/* ---- the pool ---- */

static void say(struct pool *q, struct sim_reply *reply, int status,
                const char *text)
{
    (void)q;
    reply->status = status;
    reply->body = str_of(text);
}

static void on_get(struct pool *q, struct sim_reply *reply)
{
    q->gets++;
    if (q->refuse_get) {
        say(q, reply, q->refuse_get, "{\"error\":{\"message\":\"no\"}}");
        return;
    }
    snprintf(q->text, sizeof(q->text),
             "{\"etag\":\"e%u\",\"reconciling\":%s,\"scaling\":"
             "{\"manualInstanceCount\":%d}}",
             q->version, q->reconciling ? "true" : "false", (int)q->count);
    say(q, reply, 200, q->text);
}

static void take(struct pool *q, const struct http_request *req)
{
    struct json_object *o = NULL;
    char etag[16];

    snprintf(etag, sizeof(etag), "e%u", q->version);
    assert_true(jsonr_parse(req->body, &o, NULL));
    assert_true(str_eqz(jsonr_text_or(o, "etag", STR_NONE), etag));
    assert_true(jsonr_int(jsonr_get(o, "scaling"), "manualInstanceCount",
                          &q->next, NULL));
    json_object_put(o);
}

static void finish(struct pool *q)
{
    q->count = q->next;
    q->version++;
}

static void on_patch(struct pool *q, const struct http_request *req,
                     struct sim_reply *reply)
{
    struct http_url url;

    q->patches++;
    assert_true(http_url_parse(req->url, &url));
    take(q, req);
    if (q->conflict) {
        say(q, reply, 409, "{\"error\":{\"message\":\"etag mismatch\"}}");
    } else if (q->refuse_patch) {
        say(q, reply, q->refuse_patch, "{\"error\":{\"message\":\"no\"}}");
    } else if (str_eqz(url.query, "updateMask=scaling.manualInstanceCount&"
                                  "validateOnly=true")) {
        q->dry++;
        say(q, reply, 200, "{\"done\":true}");
    } else if (q->lost) {
        finish(q);
        reply->never = true;
    } else {
        assert_true(
            str_eqz(url.query, "updateMask=scaling.manualInstanceCount"));
        say(q, reply, 200,
            "{\"name\":\"projects/p/locations/us-east1/operations/o1\"}");
    }
}

static void on_pool(void *arg, const struct http_request *req,
                    struct sim_reply *reply)
{
    if (str_eqz(req->method, "PATCH"))
        on_patch(arg, req, reply);
    else
        on_get(arg, reply);
}

static void on_operation(void *arg, const struct http_request *req,
                         struct sim_reply *reply)
{
    struct pool *q = arg;

    (void)req;
    q->operations++;
    if (q->polls > 0) {
        q->polls--;
        say(q, reply, 200,
            "{\"name\":\"projects/p/locations/us-east1/operations/o1\"}");
    } else if (q->fails) {
        say(q, reply, 200,
            "{\"name\":\"projects/p/locations/us-east1/operations/o1\","
            "\"done\":true,\"error\":{\"code\":8,\"message\":"
            "\"CpuAllocPerProjectRegion\"}}");
    } else {
        finish(q);
        say(q, reply, 200, "{\"done\":true,\"response\":{}}");
    }
}

/* ---- the world ---- */

static void on_told(void *arg, const struct actuate_told *told)
{
    struct world *w = arg;

    w->times++;
    w->told = *told;
    snprintf(w->text, sizeof(w->text), "%.*s", STR_ARG(told->text));
}

static void start(struct world *w)
{
    struct actuator_options o = {.loop = w->loop,
                                 .cloudrun = w->cloudrun,
                                 .conf = &w->conf,
                                 .told = on_told,
                                 .arg = w};

    actuator_free(w->actuator);
    w->actuator = actuator_new(&o);
}

static void on_token(void *arg, const struct http_request *req,
                     struct sim_reply *reply)
{
    const struct world *w = arg;

    (void)req;
    sim_reply_header(reply, STR("Metadata-Flavor"), STR("Google"));
    reply->status = w->token_status;
    reply->body = STR("{\"access_token\":\"t0ken\",\"expires_in\":3599,"
                      "\"token_type\":\"Bearer\"}");
}

static int set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));
    struct lease_options lease = {.providers = google_providers,
                                  .env = &env,
                                  .mend = google_no_credentials};
    struct cloudrun_options run = {.env = &env};

    log_divert(quiet, NULL);
    w->loop = loop_new();
    w->http = http_new(w->loop, NULL);
    w->lease = lease_new(w->loop, w->http, &lease);
    run.loop = w->loop;
    run.http = w->http;
    run.lease = w->lease;
    w->cloudrun = cloudrun_new(&run);
    w->at = (struct cloudrun_conf){p, region, none, w_, none, none};
    w->conf = (struct actuate_conf){
        .name = name,
        .metric = metric,
        .busy = none,
        .cloud_run = &w->at,
        .min = 1,
        .max = 50,
        .up = {0, 4, 100, 15000},
        .down = {300000, 0, 100, 15000},
        .interval_ms = 15000,
        .yield_ms = 300000,
        .timeout_ms = 60000,
    };
    w->pool.count = 2;
    w->token_status = 200;
    sim_on_url(w->loop, STR(METADATA "instance/service-accounts/default/token"),
               on_token, w);
    sim_on_url(w->loop, STR(POOL), on_pool, &w->pool);
    sim_on_url(w->loop, STR(OPERATION), on_operation, &w->pool);
    start(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    actuator_free(w->actuator);
    cloudrun_free(w->cloudrun);
    lease_free(w->lease);
    http_free(w->http);
    loop_free(w->loop);
    free(w);
    log_divert(NULL, NULL);
    return 0;
}

/* As the agent does: fed after every evaluation, each 5 s. */
static void live(struct world *w, int64_t seconds, double required)
{
    const struct actuate_reading r = {.known = true, .required = required};

    for (int64_t s = 0; s < seconds; s += 5) {
        actuator_feed(w->actuator, &r);
        sim_run_for(w->loop, 5000);
    }
}

static void assert_said(const struct world *w, const char *part)
{
    if (!strstr(w->text, part))
        print_error("\"%s\" is not in \"%s\"\n", part, w->text);
    assert_non_null(strstr(w->text, part));
}

static void test_the_count_follows_what_is_required(void **state)
{
    struct world *w = *state;

    live(w, 60, 10);
    assert_int_equal(w->pool.count, 10);
    assert_int_equal(w->pool.patches, 2); /* 2 to 6 to 10, by steps */
    live(w, 270, 3);
    assert_int_equal(w->pool.count, 10);
    live(w, 80, 3);
    assert_int_equal(w->pool.count, 3);
    assert_true(w->told.decided);
    assert_said(w, "3 required, 3 now: keep 3");
}

static void test_one_request_is_in_flight_while_a_change_is_made(void **state)
{
    struct world *w = *state;

    w->pool.polls = 10;
    live(w, 20, 4);
    assert_int_equal(w->pool.patches, 1);
    assert_int_equal(w->pool.gets, 1);
    assert_true(sim_running(w->loop) <= 1);
    live(w, 30, 4);
    assert_int_equal(w->pool.count, 4);
    assert_int_equal(w->pool.patches, 1);
}

static void test_incomplete_inputs_change_nothing(void **state)
{
    struct world *w = *state;
    struct actuate_reading r = {.why = STR("1 of 2 targets did not answer")};

    live(w, 15, 2);
    for (int i = 0; i < 100; i++) {
        actuator_feed(w->actuator, &r);
        sim_run_for(w->loop, 5000);
    }
    assert_int_equal(w->pool.patches, 0);
    assert_false(w->told.decided);
    assert_said(w, "did not answer");
}

static void test_a_dry_run_asks_google_and_changes_nothing(void **state)
{
    struct world *w = *state;

    w->conf.dry_run = true;
    live(w, 30, 9);
    assert_int_equal(w->pool.count, 2);
    assert_int_equal(w->pool.patches, w->pool.dry);
    assert_true(w->pool.dry > 0);
    assert_said(w, "9 required, 2 now: set 6, as far as the step limit");
}

static void test_who_else_changes_the_count_is_given_way(void **state)
{
    struct world *w = *state;

    live(w, 30, 2);
    w->pool.count = 20;
    w->pool.version++;
    live(w, 295, 30);
    assert_int_equal(w->pool.count, 20);
    assert_int_equal(w->pool.patches, 0);
    assert_said(w, "somebody else changed the count");
    live(w, 60, 30);
    assert_int_equal(w->pool.count, 30);
}

static void test_a_conflict_is_somebody_else_too(void **state)
{
    struct world *w = *state;

    w->pool.conflict = true;
    live(w, 20, 5);
    assert_int_equal(w->pool.patches, 1);
    assert_said(w, "somebody else");
    live(w, 250, 5);
    assert_int_equal(w->pool.patches, 1);
    w->pool.conflict = false;
    live(w, 60, 5);
    assert_int_equal(w->pool.count, 5);
}

static void test_trouble_slows_it_down_and_is_told(void **state)
{
    struct world *w = *state;

    w->pool.refuse_get = 429;
    live(w, 3600, 5);
    assert_true(w->pool.gets < 60); /* 240 without backing off */
    assert_said(w, "429");
    w->pool.refuse_get = 0;
    live(w, 900, 5);
    assert_int_equal(w->pool.count, 5);
}

static void test_a_missing_role_is_named(void **state)
{
    struct world *w = *state;

    w->pool.refuse_patch = 403;
    live(w, 15, 5);
    assert_said(w, "roles/run.developer");
    assert_said(w, "roles/iam.serviceAccountUser");
}

static void test_a_refused_token_is_renewed_once(void **state)
{
    struct world *w = *state;

    w->pool.refuse_get = 401;
    live(w, 10, 5);
    assert_int_equal(w->pool.gets, 2);
    assert_false(w->told.decided);
    assert_true(str_eqz(
        sim_request_header(sim_request_last(w->loop), STR("Authorization")),
        "Bearer t0ken"));
}

static void test_an_operation_that_fails_tells_why(void **state)
{
    struct world *w = *state;

    w->pool.fails = true;
    live(w, 15, 5);
    assert_int_equal(w->pool.count, 2);
    assert_said(w, "CpuAllocPerProjectRegion");
}

/* The answer was lost and the change was made: it is ours all the same. */
static void test_a_lost_answer_is_not_somebody_else(void **state)
{
    struct world *w = *state;

    live(w, 15, 2);
    w->pool.lost = true;
    live(w, 70, 5);
    assert_int_equal(w->pool.count, 5);
    w->pool.lost = false;
    live(w, 60, 5);
    assert_true(w->told.decided);
    assert_said(w, "5 required, 5 now: keep 5");
}

static void test_a_change_that_is_being_made_is_waited_for(void **state)
{
    struct world *w = *state;

    w->pool.reconciling = true;
    live(w, 60, 5);
    assert_int_equal(w->pool.patches, 0);
    assert_said(w, "still being made");
}

static void test_a_busy_floor_that_is_not_known_lowers_nothing(void **state)
{
    struct world *w = *state;

    w->conf.busy = busy;
    w->conf.down.window_ms = 0;
    start(w);
    live(w, 30, 1);
    assert_int_equal(w->pool.count, 2);
    assert_said(w, "not known");
}

static void test_a_service_must_scale_by_hand(void **state)
{
    struct world *w = *state;

    w->at.worker_pool = none;
    w->at.service = w_;
    sim_serve(w->loop, STR(BASE "services/w"), 200,
              STR("{\"etag\":\"e\",\"scaling\":{\"minInstanceCount\":1}}"));
    live(w, 15, 5);
    assert_said(w, "gcloud run services update w --region us-east1");
    assert_int_equal(w->pool.patches, 0);
}

static void test_what_is_left_out_is_asked_of_the_metadata_server(void **state)
{
    struct world *w = *state;

    w->at.project = none;
    w->at.location = none;
    sim_serve(w->loop, STR(METADATA "project/project-id"), 200, STR("p"));
    sim_serve(w->loop, STR(METADATA "instance/region"), 200,
              STR("projects/123/regions/us-east1"));
    live(w, 30, 4);
    assert_int_equal(w->pool.count, 4);
}

static void test_without_a_token_the_mend_is_told(void **state)
{
    struct world *w = *state;

    w->token_status = 404;
    live(w, 30, 4);
    assert_int_equal(w->pool.gets, 0);
    assert_said(w, "service account");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
        TEST(test_the_count_follows_what_is_required),
        TEST(test_one_request_is_in_flight_while_a_change_is_made),
        TEST(test_incomplete_inputs_change_nothing),
        TEST(test_a_dry_run_asks_google_and_changes_nothing),
        TEST(test_who_else_changes_the_count_is_given_way),
        TEST(test_a_conflict_is_somebody_else_too),
        TEST(test_trouble_slows_it_down_and_is_told),
        TEST(test_a_missing_role_is_named),
        TEST(test_a_refused_token_is_renewed_once),
        TEST(test_an_operation_that_fails_tells_why),
        TEST(test_a_lost_answer_is_not_somebody_else),
        TEST(test_a_change_that_is_being_made_is_waited_for),
        TEST(test_a_busy_floor_that_is_not_known_lowers_nothing),
        TEST(test_a_service_must_scale_by_hand),
        TEST(test_without_a_token_the_mend_is_told),
        TEST(test_what_is_left_out_is_asked_of_the_metadata_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
