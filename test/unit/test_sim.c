/* SPDX-License-Identifier: Apache-2.0 */
#include "test/lib/sim.h"
#include "test/lib/unit.h"

#define URL    "http://api:5000/prometheus"
#define SECOND INT64_C(1000)

struct world {
    struct loop *loop;
    struct http *http;
    struct resolver *resolver;
    struct http_call call, other;
    struct resolve_call lookup;
    struct timer timer;
    size_t fired, done, heads, pieces, bytes;
    bool refuse_head, refuse_data, again;
    int status;
    char body[64];
    struct err err;
    struct resolve_record records[4];
    char address[4][32];
    size_t record_count;
};

static int setup(void **state)
{
    static struct world w;

    w = (struct world){.loop = loop_new()};
    w.http = http_new(w.loop, &(struct http_options){0});
    w.resolver = resolver_new(w.loop, STR_NONE, NULL);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    timer_disarm(&w->timer);
    http_cancel(&w->call);
    http_cancel(&w->other);
    resolve_cancel(&w->lookup);
    resolver_free(w->resolver);
    http_free(w->http);
    loop_free(w->loop);
    return 0;
}

static void on_tick(void *arg)
{
    struct world *w = arg;

    w->fired++;
    timer_arm(w->loop, &w->timer, loop_now(w->loop).mono_ms + SECOND, on_tick,
              w);
}

static void test_a_day_of_ticks_passes_at_once(void **state)
{
    struct world *w = *state;

    timer_arm(w->loop, &w->timer, SIM_MONO_START + SECOND, on_tick, w);
    sim_run_for(w->loop, WHEN_DAY);
    assert_int_equal(w->fired, 86400);
    assert_int_equal(loop_now(w->loop).mono_ms, SIM_MONO_START + WHEN_DAY);
    assert_int_equal(loop_now(w->loop).wall_ms, SIM_WALL_START + WHEN_DAY);
}

static void test_the_wall_clock_steps_alone(void **state)
{
    struct world *w = *state;

    sim_step_wall(w->loop, -WHEN_HOUR);
    sim_run_for(w->loop, SECOND);
    assert_int_equal(loop_now(w->loop).mono_ms, SIM_MONO_START + SECOND);
    assert_int_equal(loop_now(w->loop).wall_ms,
                     SIM_WALL_START - WHEN_HOUR + SECOND);
}

static void on_stop(void *arg)
{
    struct world *w = arg;

    w->fired++;
    loop_stop(w->loop);
}

static void test_running_ends_at_a_stop_or_with_nothing_left(void **state)
{
    struct world *w = *state;
    struct timer later = {0};

    loop_run(w->loop);
    timer_arm(w->loop, &w->timer, SIM_MONO_START + 5, on_stop, w);
    timer_arm(w->loop, &later, SIM_MONO_START + 9, on_stop, w);
    loop_run(w->loop);
    assert_int_equal(w->fired, 1);
    assert_int_equal(loop_now(w->loop).mono_ms, SIM_MONO_START + 5);
    loop_run(w->loop);
    assert_int_equal(w->fired, 2);
    assert_false(timer_armed(&later));
}

static void on_signal(void *arg, int signum)
{
    ((struct world *)arg)->fired += (size_t)signum;
}

static void test_a_signal_reaches_its_function(void **state)
{
    struct world *w = *state;

    loop_on_signal(w->loop, 15, on_signal, w);
    sim_signal(w->loop, 15);
    sim_signal(w->loop, 2);
    assert_int_equal(w->fired, 15);
}

static struct http_request get(const char *url)
{
    return (struct http_request){.method = STR("GET"),
                                 .url = str_of(url),
                                 .timeout_ms = 10 * SECOND,
                                 .max_response = 1000};
}

static bool on_head(void *arg, const struct http_response *res, struct err *err)
{
    struct world *w = arg;

    w->heads++;
    w->status = res->status;
    return !w->refuse_head || err_set(err, ERR_INPUT, "no such head");
}

static bool on_data(void *arg, struct str piece, struct err *err)
{
    struct world *w = arg;

    w->pieces++;
    w->bytes += piece.len;
    return !w->refuse_data || err_set(err, ERR_INPUT, "no such piece");
}

static void on_done(void *arg, const struct http_response *res,
                    const struct err *err);

static void start(struct world *w, const struct http_request *req, bool stream)
{
    const struct http_hooks hooks = {on_done, stream ? on_head : NULL,
                                     stream ? on_data : NULL};

    http_start(w->http, &w->call, req, &hooks, w);
}

static void on_done(void *arg, const struct http_response *res,
                    const struct err *err)
{
    struct world *w = arg;
    struct http_request req = get(URL);

    assert_false(http_running(&w->call));
    w->done++;
    w->err = err ? *err : (struct err){0};
    w->status = res->status;
    assert_true(res->body.len < sizeof(w->body));
    if (res->body.len > 0)
        memcpy(w->body, res->body.ptr, res->body.len);
    w->body[res->body.len] = '\0';
    if (w->again)
        start(w, &req, false);
    w->again = false;
}

static void test_an_answer_comes_later_and_once(void **state)
{
    struct world *w = *state;
    struct http_request req = get(URL);

    sim_serve(w->loop, STR("http://api:5000/"), 200, STR("jobs 5\n"));
    start(w, &req, false);
    assert_int_equal(w->done, 0);
    assert_true(http_running(&w->call));
    assert_int_equal(sim_running(w->loop), 1);
    loop_run(w->loop);
    assert_int_equal(w->done, 1);
    assert_int_equal(w->status, 200);
    assert_string_equal(w->body, "jobs 5\n");
    assert_int_equal(w->err.kind, ERR_NONE);
    assert_true(sim_request_last(w->loop)->ended);
}

static void answer_queue(void *arg, const struct http_request *req,
                         struct sim_reply *reply)
{
    int *failures = arg;

    (void)req;
    sim_reply_header(reply, STR("Retry-After"), STR("3"));
    reply->latency_ms = 250;
    reply->status = (*failures)-- > 0 ? 503 : 200;
}

static void test_a_script_sees_the_request_and_time_passes(void **state)
{
    struct world *w = *state;
    struct http_request req = get(URL);
    int failures = 1;

    http_set(&req, STR("Accept"), STR("text/plain"));
    sim_on_url(w->loop, STR("http://api"), answer_queue, &failures);
    start(w, &req, true);
    loop_run(w->loop);
    assert_int_equal(w->status, 503);
    assert_int_equal(w->heads, 1);
    assert_int_equal(loop_now(w->loop).mono_ms, SIM_MONO_START + 250);
    start(w, &req, false);
    loop_run(w->loop);
    assert_int_equal(w->status, 200);
    assert_int_equal(sim_request_count(w->loop), 2);
    assert_int_equal(sim_request(w->loop, 1)->at.mono_ms, SIM_MONO_START + 250);
    assert_true(
        str_eqz(sim_request_header(sim_request(w->loop, 0), STR("accept")),
                "text/plain"));
}

static void test_the_longest_prefix_answers(void **state)
{
    struct world *w = *state;
    struct http_request req = get(URL);

    sim_serve(w->loop, STR(URL), 201, STR_NONE);
    sim_serve(w->loop, STR("http://"), 404, STR_NONE);
    start(w, &req, false);
    loop_run(w->loop);
    assert_int_equal(w->status, 201);
}

static void answer_pieces(void *arg, const struct http_request *req,
                          struct sim_reply *reply)
{
    const struct sim_reply *wanted = arg;

    (void)req;
    *reply = *wanted;
}

static void test_a_body_streams_in_pieces(void **state)
{
    struct world *w = *state;
    struct http_request req = get(URL);
    struct sim_reply reply = {
        .status = 200, .body = STR("0123456789"), .piece = 4};

    sim_on_url(w->loop, STR("http://"), answer_pieces, &reply);
    start(w, &req, true);
    loop_run(w->loop);
    assert_int_equal(w->pieces, 3);
    assert_int_equal(w->bytes, 10);
    assert_string_equal(w->body, "");
    w->refuse_data = true;
    start(w, &req, true);
    loop_run(w->loop);
    assert_int_equal(w->pieces, 4);
    assert_string_equal(w->err.text, "no such piece");
    w->refuse_head = true;
    start(w, &req, true);
    loop_run(w->loop);
    assert_int_equal(w->pieces, 4);
    assert_string_equal(w->err.text, "no such head");
}

static void test_a_body_can_be_cut_off(void **state)
{
    struct world *w = *state;
    struct http_request req = get(URL "?secret");
    struct sim_reply reply = {.status = 200,
                              .body = STR("0123456789"),
                              .error = ERR_NETWORK,
                              .error_text = STR("cut off"),
                              .cut_at = 3};

    sim_on_url(w->loop, STR("http://"), answer_pieces, &reply);
    start(w, &req, true);
    loop_run(w->loop);
    assert_int_equal(w->heads, 1);
    assert_int_equal(w->bytes, 3);
    assert_int_equal(w->err.kind, ERR_NETWORK);
    assert_string_equal(w->err.text, URL ": cut off");
}

static void test_limits_are_kept(void **state)
{
    struct world *w = *state;
    struct http_request req = get(URL);
    struct sim_reply reply = {.status = 200, .body = STR("0123456789")};

    sim_on_url(w->loop, STR("http://"), answer_pieces, &reply);
    req.max_response = 9;
    start(w, &req, false);
    loop_run(w->loop);
    assert_int_equal(w->err.kind, ERR_LIMIT);
    reply.never = true;
    start(w, &req, false);
    loop_run(w->loop);
    assert_int_equal(w->err.kind, ERR_TIMEOUT);
    assert_int_equal(loop_now(w->loop).mono_ms, SIM_MONO_START + 10 * SECOND);
}

static void test_where_nobody_answers_the_connection_is_refused(void **state)
{
    struct world *w = *state;
    struct http_request req = get(URL);

    start(w, &req, false);
    loop_run(w->loop);
    assert_int_equal(w->err.kind, ERR_NETWORK);
    req.url = STR("gopher://api/");
    start(w, &req, false);
    loop_run(w->loop);
    assert_int_equal(w->err.kind, ERR_CONFIG);
}

static void test_a_cancelled_call_is_never_told(void **state)
{
    struct world *w = *state;
    struct http_request req = get(URL);

    sim_serve(w->loop, STR("http://"), 200, STR_NONE);
    start(w, &req, false);
    http_cancel(&w->call);
    http_cancel(&w->call);
    loop_run(w->loop);
    assert_int_equal(w->done, 0);
    assert_true(sim_request_last(w->loop)->cancelled);
    assert_int_equal(sim_running(w->loop), 0);
}

static void test_a_call_may_start_again_inside_done(void **state)
{
    struct world *w = *state;
    struct http_request req = get(URL);

    sim_serve(w->loop, STR("http://"), 200, STR_NONE);
    w->again = true;
    start(w, &req, false);
    loop_run(w->loop);
    assert_int_equal(w->done, 2);
}

static void test_the_nth_call_fails(void **state)
{
    struct world *w = *state;
    struct http_request req = get(URL);

    sim_serve(w->loop, STR("http://"), 200, STR_NONE);
    sim_fail_nth(w->loop, 2);
    for (size_t i = 1; i <= 3; i++) {
        start(w, &req, false);
        loop_run(w->loop);
        assert_int_equal(w->err.kind, i == 2 ? ERR_NETWORK : ERR_NONE);
        assert_int_equal(sim_failed(w->loop), i >= 2);
    }
}

static void on_records(void *arg, const struct resolve_answer *answer,
                       const struct err *err)
{
    struct world *w = arg;

    w->done++;
    w->err = err ? *err : (struct err){0};
    w->record_count = answer->count;
    for (size_t i = 0; i < answer->count && i < 4; i++) {
        struct str address = answer->records[i].address;

        w->records[i] = answer->records[i];
        assert_true(address.len < sizeof(w->address[i]));
        memcpy(w->address[i], address.ptr, address.len);
        w->address[i][address.len] = '\0';
    }
}

static void lookup(struct world *w, const char *name, enum resolve_type type)
{
    const struct resolve_question question = {str_of(name), type, 5 * SECOND};

    resolve_start(w->resolver, &w->lookup, &question, on_records, w);
    loop_run(w->loop);
}

static void test_names_resolve_sorted(void **state)
{
    const struct resolve_record srv[] = {{STR("b"), 2, 1000},
                                         {STR("b"), 1, 1000}};
    struct world *w = *state;

    sim_dns_addresses(w->loop, STR("api"), RESOLVE_A, "10.0.0.2,10.0.0.1");
    sim_dns(w->loop, STR("api"), RESOLVE_SRV, srv, 2);
    lookup(w, "API", RESOLVE_A);
    assert_int_equal(w->record_count, 2);
    assert_string_equal(w->address[0], "10.0.0.1");
    assert_int_equal(w->records[0].ttl_ms, 30 * SECOND);
    lookup(w, "api", RESOLVE_SRV);
    assert_int_equal(w->records[0].port, 1);
    assert_int_equal(w->records[1].port, 2);
    lookup(w, "api", RESOLVE_AAAA);
    assert_int_equal(w->record_count, 0);
    assert_int_equal(w->err.kind, ERR_NONE);
    assert_int_equal(sim_lookups(w->loop), 3);
}

static void test_dns_fails_as_told(void **state)
{
    struct world *w = *state;

    sim_dns_addresses(w->loop, STR("api"), RESOLVE_A, "10.0.0.2");
    sim_dns_fail(w->loop, STR("api"), RESOLVE_A, ERR_NETWORK);
    lookup(w, "api", RESOLVE_A);
    assert_int_equal(w->err.kind, ERR_NETWORK);
    sim_dns_addresses(w->loop, STR("api"), RESOLVE_A, "10.0.0.3");
    lookup(w, "api", RESOLVE_A);
    assert_int_equal(w->err.kind, ERR_NONE);
    assert_int_equal(w->record_count, 1);
    sim_dns_latency(w->loop, WHEN_MINUTE);
    lookup(w, "api", RESOLVE_A);
    assert_int_equal(w->err.kind, ERR_TIMEOUT);
    sim_fail_nth(w->loop, 1);
    sim_dns_latency(w->loop, 1);
    lookup(w, "api", RESOLVE_A);
    assert_int_equal(w->err.kind, ERR_NETWORK);
    assert_true(sim_failed(w->loop));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_day_of_ticks_passes_at_once),
        TEST(test_the_wall_clock_steps_alone),
        TEST(test_running_ends_at_a_stop_or_with_nothing_left),
        TEST(test_a_signal_reaches_its_function),
        TEST(test_an_answer_comes_later_and_once),
        TEST(test_a_script_sees_the_request_and_time_passes),
        TEST(test_the_longest_prefix_answers),
        TEST(test_a_body_streams_in_pieces),
        TEST(test_a_body_can_be_cut_off),
        TEST(test_limits_are_kept),
        TEST(test_where_nobody_answers_the_connection_is_refused),
        TEST(test_a_cancelled_call_is_never_told),
        TEST(test_a_call_may_start_again_inside_done),
        TEST(test_the_nth_call_fails),
        TEST(test_names_resolve_sorted),
        TEST(test_dns_fails_as_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
