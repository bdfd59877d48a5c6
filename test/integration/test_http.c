/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/http.h"
#include "test/lib/child.h"
#include "test/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define SECOND INT64_C(1000)
#define CALLS  100

static struct child origin;

struct one {
    struct http_call call;
    struct world *world;
    size_t done, heads, pieces;
    int status;
    char body[4096];
    char header[64]; /* the value of `wanted` */
    const char *wanted;
    size_t header_count;
    struct err err;
    bool refuse_head, refuse_piece, again, cancel_others, chain;
};

struct world {
    struct loop *loop;
    struct http *http;
    struct timer guard;
    bool late;
    struct one one[CALLS];
    struct one *only; /* whose end ends the run; NULL: of all */
    char url[256], ca[1024];
};

static void begin(struct one *o, const struct http_request *req, bool stream);

static int start_origin(void **state)
{
    (void)state;
    unsetenv("http_proxy");
    unsetenv("https_proxy");
    unsetenv("HTTPS_PROXY");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    unsetenv("CURL_CA_BUNDLE");
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    return child_start(&origin, "origin.py") ? 0 : -1;
}

static int stop_origin(void **state)
{
    (void)state;
    child_stop(&origin);
    return 0;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->loop = loop_new();
    w->http = http_new(w->loop, &(struct http_options){0});
    for (size_t i = 0; i < CALLS; i++)
        w->one[i].world = w;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    unsetenv("http_proxy");
    unsetenv("https_proxy");
    unsetenv("no_proxy");
    unsetenv("SSL_CERT_FILE");
    for (size_t i = 0; i < CALLS; i++)
        http_cancel(&w->one[i].call);
    http_free(w->http);
    loop_free(w->loop);
    free(w);
    return 0;
}

static void on_guard(void *arg)
{
    struct world *w = arg;

    w->late = true;
    loop_stop(w->loop);
}

/* Until all that was started has ended. */
static void run(struct world *w)
{
    timer_arm(w->loop, &w->guard, loop_now(w->loop).mono_ms + 60 * SECOND,
              on_guard, w);
    loop_run(w->loop);
    timer_disarm(&w->guard);
    assert_false(w->late);
}

static void end_if_all_done(struct world *w)
{
    for (size_t i = 0; i < CALLS; i++)
        if (http_running(&w->one[i].call) &&
            (!w->only || w->only == &w->one[i]))
            return;
    timer_disarm(&w->guard);
    loop_stop(w->loop);
}

static struct http_request at(struct world *w, const char *scheme,
                              const char *port, const char *path)
{
    (void)snprintf(w->url, sizeof(w->url), "%s:%d%s", scheme,
                   child_number(&origin, port), path);
    return (struct http_request){.method = STR("GET"),
                                 .url = str_of(w->url),
                                 .timeout_ms = 30 * SECOND,
                                 .max_response = 2000};
}

static struct http_request get(struct world *w, const char *path)
{
    return at(w, "http://127.0.0.1", "plain", path);
}

static void copy_text(char *out, size_t size, struct str s)
{
    assert_true(s.len < size);
    if (s.len > 0)
        memcpy(out, s.ptr, s.len);
    out[s.len] = '\0';
}

static void on_done(void *arg, const struct http_response *res,
                    const struct err *err)
{
    struct one *o = arg;
    struct world *w = o->world;
    struct http_request req;

    assert_false(http_running(&o->call));
    o->done++;
    o->err = err ? *err : (struct err){0};
    o->status = res->status;
    o->header_count = res->header_count;
    if (res->body.len > 0)
        copy_text(o->body, sizeof(o->body), res->body);
    if (o->wanted)
        copy_text(o->header, sizeof(o->header),
                  http_get(res, str_of(o->wanted)));
    if (o->again) {
        o->again = false;
        req = get(w, "/hello");
        begin(o, &req, false);
    }
    for (size_t i = 0; o->cancel_others && i < CALLS; i++)
        http_cancel(&w->one[i].call);
    end_if_all_done(w);
}

static bool on_head(void *arg, const struct http_response *res, struct err *err)
{
    struct one *o = arg;

    o->heads++;
    o->status = res->status;
    o->header_count = res->header_count;
    for (size_t i = 1; o->cancel_others && i < CALLS; i++)
        http_cancel(&o->world->one[i].call);
    return !o->refuse_head || err_set(err, ERR_INPUT, "no such head");
}

static bool on_piece(void *arg, struct str piece, struct err *err)
{
    struct one *o = arg;
    size_t n = strlen(o->body);

    o->pieces++;
    copy_text(o->body + n, sizeof(o->body) - n, piece);
    return !o->refuse_piece || err_set(err, ERR_INPUT, "no such piece");
}

static void begin(struct one *o, const struct http_request *req, bool stream)
{
    const struct http_hooks hooks = {on_done, stream ? on_head : NULL,
                                     stream ? on_piece : NULL};

    http_start(o->world->http, &o->call, req, &hooks, o);
}

/* One call from start to end. */
static struct one *fetch(struct world *w, const struct http_request *req,
                         bool stream)
{
    struct one *o = &w->one[0];

    *o = (struct one){.world = w, .wanted = o->wanted};
    w->only = o;
    begin(o, req, stream);
    assert_int_equal(o->done, 0);
    run(w);
    w->only = NULL;
    assert_int_equal(o->done, 1);
    return o;
}

static void assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void assert_answered(const struct one *o, const char *body)
{
    assert_string_equal(o->err.text, "");
    assert_string_equal(o->body, body);
}

static void assert_failed(const struct one *o, enum err_kind kind,
                          const char *part)
{
    assert_string_equal(err_kind_name(o->err.kind), err_kind_name(kind));
    assert_holds(o->err.text, part);
    assert_null(strstr(o->err.text, "secret"));
    assert_int_equal(o->status, 0);
}

static void test_an_answer_arrives_with_its_headers(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/hello");
    struct one *o;

    w->one[0].wanted = "X-ONE";
    o = fetch(w, &req, false);
    assert_int_equal(o->err.kind, ERR_NONE);
    assert_int_equal(o->status, 200);
    assert_string_equal(o->body, "hello");
    assert_string_equal(o->header, "1");
    assert_int_equal(o->header_count, 4);
}

static void test_a_status_of_failure_is_an_answer(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/error");
    struct one *o;

    w->one[0].wanted = "retry-after";
    o = fetch(w, &req, false);
    assert_int_equal(o->err.kind, ERR_NONE);
    assert_int_equal(o->status, 503);
    assert_string_equal(o->header, "7");
    assert_string_equal(o->body, "sorry");
}

static void test_a_request_goes_out_as_it_was_written(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/a/../echo");
    struct one *o;

    assert_int_equal(fetch(w, &req, false)->status, 404); /* path as it is */
    req = get(w, "/echo?a=b%2Fc");
    req.method = STR("POST");
    req.body = STR("a=1\n\001");
    http_set(&req, STR("X-Amz-Target"), STR("Service.Action"));
    http_set(&req, STR("X-Empty"), STR(""));
    o = fetch(w, &req, false);
    assert_holds(o->body, "POST /echo?a=b%2Fc HTTP/1.1\n");
    assert_holds(o->body, "\nX-Amz-Target: Service.Action\n");
    assert_holds(o->body, "\nX-Empty:\n");
    assert_holds(o->body, "\nUser-Agent: scalebridge/");
    assert_holds(o->body, "\nContent-Length: 5\n");
    assert_holds(o->body, "\n\na=1\n\001");
    assert_null(strstr(o->body, "Expect"));
    assert_null(strstr(o->body, "Content-Type"));
    assert_null(strstr(o->body, "Accept-Encoding"));
}

static void test_an_empty_put_says_so(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/echo");
    struct one *o;

    req.method = STR("PUT");
    o = fetch(w, &req, false);
    assert_holds(o->body, "PUT /echo HTTP/1.1\n");
    assert_holds(o->body, "\nContent-Length: 0\n");
}

static void test_head_asks_for_no_body(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/hello");
    struct one *o;

    req.method = STR("HEAD");
    o = fetch(w, &req, false);
    assert_int_equal(o->status, 200);
    assert_string_equal(o->body, "");
}

static void test_a_header_cannot_smuggle_another(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/hello?secret");

    http_set(&req, STR("X-A"), STR("1\r\nX-B: 2"));
    assert_failed(fetch(w, &req, false), ERR_CONFIG,
                  "header number 1 cannot be sent");
}

static void test_a_bad_url_is_told_by_done(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/");

    req.url = STR("ftp://me:secret@host/x?secret");
    assert_failed(fetch(w, &req, false), ERR_CONFIG,
                  "ftp://host/x: not an absolute URL");
    req.url = STR("");
    assert_failed(fetch(w, &req, false), ERR_CONFIG, "empty URL: not an");
}

static void test_a_redirect_is_not_followed(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/redirect");
    struct one *o;

    w->one[0].wanted = "location";
    o = fetch(w, &req, false);
    assert_int_equal(o->status, 302);
    assert_string_equal(o->header, "/hello");
    assert_string_equal(o->body, "moved");
}

static void test_a_chunked_body_arrives_without_its_trailer(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/chunked");
    struct one *o;

    w->one[0].wanted = "x-late";
    o = fetch(w, &req, false);
    assert_string_equal(o->body, "abcdefg");
    assert_string_equal(o->header, "");
}

static void test_interim_answers_are_passed_over(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/interim");
    struct one *o;

    w->one[0].wanted = "x-early";
    o = fetch(w, &req, true);
    assert_int_equal(o->heads, 1);
    assert_int_equal(o->status, 200);
    assert_int_equal(o->header_count, 2);
    assert_string_equal(o->header, "");
    assert_string_equal(o->body, "final");
}

static void test_hooks_stream_and_may_refuse(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/hello");
    struct one *o = fetch(w, &req, true);

    assert_int_equal(o->heads, 1);
    assert_true(o->pieces > 0);
    assert_string_equal(o->body, "hello");
    *o = (struct one){.world = w, .refuse_head = true};
    begin(o, &req, true);
    run(w);
    assert_int_equal(o->pieces, 0);
    assert_string_equal(o->err.text, "no such head");
    *o = (struct one){.world = w, .refuse_piece = true};
    begin(o, &req, true);
    run(w);
    assert_int_equal(o->done, 1);
    assert_string_equal(o->err.text, "no such piece");
}

static void test_a_body_over_the_limit_is_an_error(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/big?2000");

    assert_int_equal(strlen(fetch(w, &req, false)->body), 2000);
    req = get(w, "/big?2001");
    assert_failed(fetch(w, &req, false), ERR_LIMIT,
                  "/big: the body is larger than the limit of 2000 bytes");
    req = get(w, "/endless");
    assert_failed(fetch(w, &req, false), ERR_LIMIT, "2000 bytes");
}

static void test_headers_are_bounded(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/many-headers?127");

    assert_int_equal(fetch(w, &req, false)->header_count, 128);
    req = get(w, "/many-headers?128");
    assert_failed(fetch(w, &req, false), ERR_LIMIT, "more than 128 headers");
    req = get(w, "/long-headers");
    assert_failed(fetch(w, &req, false), ERR_LIMIT, "headers are over 65536");
}

static void test_a_silent_server_meets_the_deadline(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/never?secret");

    req.timeout_ms = 100;
    assert_failed(fetch(w, &req, false), ERR_TIMEOUT,
                  "/never: no answer after 100ms");
    req = get(w, "/half");
    req.timeout_ms = 100;
    assert_failed(fetch(w, &req, false), ERR_TIMEOUT,
                  "the body was not complete after 100ms");
    req = at(w, "https://127.0.0.1", "mute", "/");
    req.timeout_ms = 100;
    assert_failed(fetch(w, &req, false), ERR_TIMEOUT,
                  "no connection after 100ms");
}

static void test_a_lost_connection_is_an_error(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/cut");

    assert_failed(fetch(w, &req, false), ERR_NETWORK,
                  "closed after 10 bytes of the body");
    req = get(w, "/cut-chunk");
    assert_failed(fetch(w, &req, false), ERR_NETWORK,
                  "closed after 5 bytes of the body");
    req = get(w, "/close");
    assert_failed(fetch(w, &req, false), ERR_NETWORK,
                  "/close: the connection was closed before an answer");
    req = get(w, "/garbage");
    assert_failed(fetch(w, &req, false), ERR_INPUT, "/garbage: ");
}

static void test_a_refused_connection_says_what_to_check(void **state)
{
    struct world *w = *state;
    struct http_request req = at(w, "http://127.0.0.1", "closed", "/?secret");

    assert_failed(fetch(w, &req, false), ERR_NETWORK,
                  "/: connection refused; does the service run");
}

static void trust(struct world *w, struct http_request *req, const char *key)
{
    req->ca_file = str_of(child_value(&origin, key, w->ca, sizeof(w->ca)));
}

static void test_tls_is_verified_against_the_ca_file(void **state)
{
    struct world *w = *state;
    struct http_request req = at(w, "https://127.0.0.1", "tls", "/hello");

    assert_failed(fetch(w, &req, false), ERR_NETWORK,
                  "its certificate is not trusted");
    trust(w, &req, "ca");
    assert_answered(fetch(w, &req, false), "hello");
    /* A connection is reused only by who trusts the same authorities. */
    trust(w, &req, "other_ca");
    assert_failed(fetch(w, &req, false), ERR_NETWORK,
                  "name the authority that signed it with a CA file");
    req.ca_file = STR("/nonexistent/ca.pem");
    assert_failed(fetch(w, &req, false), ERR_CONFIG,
                  "its CA file cannot be read");
}

static void test_a_certificate_for_another_host_is_refused(void **state)
{
    struct world *w = *state;
    struct http_request req = at(w, "https://127.0.0.1", "elsewhere", "/");

    trust(w, &req, "ca");
    assert_failed(fetch(w, &req, false), ERR_NETWORK,
                  "its certificate is for another host");
}

static void test_the_ca_file_may_stand_in_the_environment(void **state)
{
    struct world *w = *state;
    struct http_request req = at(w, "https://127.0.0.1", "tls", "/hello");

    http_free(w->http);
    setenv("SSL_CERT_FILE", child_value(&origin, "ca", w->ca, sizeof(w->ca)),
           1);
    w->http = http_new(w->loop, &(struct http_options){0});
    assert_answered(fetch(w, &req, false), "hello");
}

static int connections(struct world *w)
{
    struct http_request req = get(w, "/connections");

    return (int)strtol(fetch(w, &req, false)->body, NULL, 10);
}

static void test_a_connection_is_used_again(void **state)
{
    struct world *w = *state;
    struct http_request req;
    int before = connections(w);

    for (int i = 0; i < 5; i++) {
        req = get(w, "/hello");
        assert_int_equal(fetch(w, &req, false)->status, 200);
    }
    assert_int_equal(connections(w), before);
}

static void test_many_calls_run_at_once(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/hello");

    for (size_t i = 0; i < CALLS; i++)
        begin(&w->one[i], &req, i % 2 == 0);
    run(w);
    for (size_t i = 0; i < CALLS; i++) {
        assert_int_equal(w->one[i].done, 1);
        assert_int_equal(w->one[i].status, 200);
        assert_string_equal(w->one[i].body, "hello");
    }
}

static void test_a_cancelled_call_is_never_told(void **state)
{
    struct world *w = *state;
    struct http_request never = get(w, "/never"), req;

    begin(&w->one[1], &never, false);
    req = get(w, "/hello");
    fetch(w, &req, false);
    assert_true(http_running(&w->one[1].call));
    http_cancel(&w->one[1].call);
    http_cancel(&w->one[1].call);
    assert_false(http_running(&w->one[1].call));
    begin(&w->one[1], &req, false);
    http_cancel(&w->one[1].call); /* before it began */
    fetch(w, &req, false);
    assert_int_equal(w->one[1].done, 0);
}

static void test_done_may_cancel_all_other_calls(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/hello");
    size_t done = 0;

    for (size_t i = 0; i < CALLS; i++) {
        w->one[i].cancel_others = true;
        begin(&w->one[i], &req, false);
    }
    run(w);
    for (size_t i = 0; i < CALLS; i++)
        done += w->one[i].done;
    assert_int_equal(done, 1);
}

static void test_a_hook_may_cancel_other_calls(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/hello"), never;

    w->one[0].cancel_others = true;
    begin(&w->one[0], &req, true);
    never = get(w, "/never");
    for (size_t i = 1; i < CALLS; i++)
        begin(&w->one[i], &never, true);
    run(w);
    assert_string_equal(w->one[0].body, "hello");
    for (size_t i = 1; i < CALLS; i++)
        assert_int_equal(w->one[i].done, 0);
}

static void test_a_call_may_start_again_inside_done(void **state)
{
    struct world *w = *state;
    struct http_request req = get(w, "/cut");

    w->one[0].again = true;
    begin(&w->one[0], &req, false);
    run(w);
    assert_int_equal(w->one[0].done, 2);
    assert_string_equal(w->one[0].body, "hello");
}

static void use_proxy(struct world *w, const char *variable)
{
    char proxy[64];

    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d",
                   child_number(&origin, "plain"));
    setenv(variable, proxy, 1);
    (void)w;
}

/* 127.1 is loopback for the system, but not by its letters. */
static void test_a_proxy_is_used_as_the_variables_say(void **state)
{
    struct world *w = *state;
    struct http_request req = at(w, "http://127.1", "plain", "/hello");

    use_proxy(w, "http_proxy");
    assert_holds(fetch(w, &req, false)->body, "proxied http://127.");
    req.no_proxy = true;
    assert_answered(fetch(w, &req, false), "hello");
    req.no_proxy = false;
    setenv("no_proxy", "127.0.0.1", 1);
    assert_answered(fetch(w, &req, false), "hello");
    unsetenv("no_proxy");
    req = at(w, "http://127.0.0.1", "plain", "/hello");
    assert_answered(fetch(w, &req, false), "hello");
}

static void test_tls_goes_through_a_proxy_in_a_tunnel(void **state)
{
    struct world *w = *state;
    struct http_request req = at(w, "https://127.1", "tls", "/hello");
    struct one *o;

    trust(w, &req, "ca");
    use_proxy(w, "https_proxy");
    w->one[0].wanted = "x-proxy";
    o = fetch(w, &req, true);
    assert_string_equal(o->err.text, "");
    assert_string_equal(o->body, "hello");
    assert_int_equal(o->heads, 1);
    assert_string_equal(o->header, "");
    req.url = STR("https://refused.test/?secret");
    assert_failed(fetch(w, &req, false), ERR_NETWORK,
                  "the proxy refused the connection with status 403");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_answer_arrives_with_its_headers),
        TEST(test_a_status_of_failure_is_an_answer),
        TEST(test_a_request_goes_out_as_it_was_written),
        TEST(test_an_empty_put_says_so),
        TEST(test_head_asks_for_no_body),
        TEST(test_a_header_cannot_smuggle_another),
        TEST(test_a_bad_url_is_told_by_done),
        TEST(test_a_redirect_is_not_followed),
        TEST(test_a_chunked_body_arrives_without_its_trailer),
        TEST(test_interim_answers_are_passed_over),
        TEST(test_hooks_stream_and_may_refuse),
        TEST(test_a_body_over_the_limit_is_an_error),
        TEST(test_headers_are_bounded),
        TEST(test_a_silent_server_meets_the_deadline),
        TEST(test_a_lost_connection_is_an_error),
        TEST(test_a_refused_connection_says_what_to_check),
        TEST(test_tls_is_verified_against_the_ca_file),
        TEST(test_a_certificate_for_another_host_is_refused),
        TEST(test_the_ca_file_may_stand_in_the_environment),
        TEST(test_a_connection_is_used_again),
        TEST(test_many_calls_run_at_once),
        TEST(test_a_cancelled_call_is_never_told),
        TEST(test_done_may_cancel_all_other_calls),
        TEST(test_a_hook_may_cancel_other_calls),
        TEST(test_a_call_may_start_again_inside_done),
        TEST(test_a_proxy_is_used_as_the_variables_say),
        TEST(test_tls_goes_through_a_proxy_in_a_tunnel),
    };

    return cmocka_run_group_tests(tests, start_origin, stop_origin);
}
