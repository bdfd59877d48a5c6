/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/http.h"
#include "agent/io/listen.h"
#include "agent/io/ready.h"
#include "test/lib/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND INT64_C(1000)
#define CALLS  100

struct one {
    struct http_call call;
    struct world *world;
    int status;
    char body[512], type[64], allow[64], length[64];
    struct err err;
};

struct world {
    struct loop *loop;
    struct http *http;
    struct listener *listener;
    struct timer guard;
    bool late;
    size_t served, waiting;
    char url[128];
    struct one one[CALLS];
    struct ready *ready;
    char raw[1024]; /* what came back over a plain socket */
    size_t raw_len;
};

/* Says what it was asked. */
static void on_request(void *arg, const struct listen_request *req,
                       struct listen_reply *reply)
{
    struct world *w = arg;
    struct str seen = req->header(req, "x-test");

    w->served++;
    if (str_eqz(req->path, "/missing"))
        reply->status = 404;
    reply->content_type = STR("text/plain; charset=utf-8");
    buf_addf(&reply->body, "%.*s %.*s ? %.*s [%.*s]", STR_ARG(req->method),
             STR_ARG(req->path), STR_ARG(req->query), STR_ARG(seen));
}

static void on_guard(void *arg)
{
    struct world *w = arg;

    w->late = true;
    loop_stop(w->loop);
}

static void run(struct world *w)
{
    timer_arm(w->loop, &w->guard, loop_now(w->loop).mono_ms + 60 * SECOND,
              on_guard, w);
    loop_run(w->loop);
    timer_disarm(&w->guard);
    assert_false(w->late);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct err err;

    assert_non_null(w);
    w->loop = loop_new();
    w->http = http_new(w->loop, &(struct http_options){0});
    w->listener = listen_new(w->loop, STR("127.0.0.1:0"), on_request, w, &err);
    assert_non_null(w->listener);
    assert_int_not_equal(listen_port(w->listener), 0);
    for (size_t i = 0; i < CALLS; i++)
        w->one[i].world = w;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < CALLS; i++)
        http_cancel(&w->one[i].call);
    http_free(w->http);
    listen_free(w->listener);
    loop_free(w->loop);
    free(w);
    return 0;
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

    o->status = res->status;
    o->err = err ? *err : (struct err){0};
    copy_text(o->body, sizeof(o->body), res->body);
    copy_text(o->type, sizeof(o->type), http_get(res, STR("Content-Type")));
    copy_text(o->allow, sizeof(o->allow), http_get(res, STR("Allow")));
    copy_text(o->length, sizeof(o->length),
              http_get(res, STR("Content-Length")));
    if (--o->world->waiting == 0)
        loop_stop(o->world->loop);
}

static struct http_request request(struct world *w, const char *method,
                                   const char *path)
{
    struct http_request req = {.method = str_of(method),
                               .timeout_ms = 30 * SECOND,
                               .max_response = 500};

    (void)snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u%s",
                   (unsigned)listen_port(w->listener), path);
    req.url = str_of(w->url);
    return req;
}

static void begin(struct one *o, const struct http_request *req)
{
    const struct http_hooks hooks = {.done = on_done};

    o->world->waiting++;
    http_start(o->world->http, &o->call, req, &hooks, o);
}

static const struct one *fetch(struct world *w, const char *method,
                               const char *path)
{
    struct http_request req = request(w, method, path);

    http_set(&req, STR("X-Test"), STR("yes"));
    begin(&w->one[0], &req);
    run(w);
    return &w->one[0];
}

static void test_a_request_is_handed_over_undecoded(void **state)
{
    const struct one *o = fetch(*state, "GET", "/a%2Fb?c=%20d?e");

    assert_int_equal(o->status, 200);
    assert_string_equal(o->body, "GET /a%2Fb ? c=%20d?e [yes]");
    assert_string_equal(o->type, "text/plain; charset=utf-8");
    assert_string_equal(fetch(*state, "GET", "/")->body, "GET / ?  [yes]");
}

static void test_the_status_is_the_functions(void **state)
{
    assert_int_equal(fetch(*state, "GET", "/missing")->status, 404);
}

static void test_head_gets_the_length_alone(void **state)
{
    const struct one *o = fetch(*state, "HEAD", "/x");

    assert_int_equal(o->status, 200);
    assert_string_equal(o->body, "");
    assert_string_equal(o->length, "16"); /* HEAD /x ?  [yes] */
}

static void test_other_methods_are_refused(void **state)
{
    struct world *w = *state;
    const struct one *o = fetch(w, "DELETE", "/x");

    assert_int_equal(o->status, 405);
    assert_string_equal(o->allow, "GET, HEAD");
    assert_int_equal(w->served, 0);
}

static void test_a_body_is_refused_unread(void **state)
{
    struct world *w = *state;
    struct http_request req = request(w, "POST", "/x");

    req.body = STR("some body");
    begin(&w->one[0], &req);
    run(w);
    assert_int_equal(w->one[0].status, 405);
    assert_int_equal(w->served, 0);
}

static void test_many_requests_are_served_at_once(void **state)
{
    struct world *w = *state;
    struct http_request req = request(w, "GET", "/many");

    for (size_t i = 0; i < CALLS; i++)
        begin(&w->one[i], &req);
    run(w);
    for (size_t i = 0; i < CALLS; i++)
        assert_int_equal(w->one[i].status, 200);
    assert_int_equal(w->served, CALLS);
}

static void on_raw(void *arg, const struct ready_now *now)
{
    struct world *w = arg;
    ssize_t n =
        read(now->fd, w->raw + w->raw_len, sizeof(w->raw) - 1 - w->raw_len);

    if (n > 0) {
        w->raw_len += (size_t)n;
        w->raw[w->raw_len] = '\0';
        return;
    }
    ready_free(w->ready);
    w->ready = NULL;
    loop_stop(w->loop);
}

/* Sends bytes, and waits until the server has closed. */
static void send_raw(struct world *w, const char *bytes, size_t len)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(listen_port(w->listener)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(send(fd, bytes, len, 0), len);
    w->raw_len = 0;
    w->raw[0] = '\0';
    w->ready = ready_new(w->loop, fd, on_raw, w);
    assert_non_null(w->ready);
    assert_true(ready_want(w->ready, true, false));
    run(w);
    close(fd);
}

static void test_a_get_with_a_body_is_refused(void **state)
{
    static const char text[] =
        "GET /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nabc";
    struct world *w = *state;

    send_raw(w, text, sizeof(text) - 1);
    assert_memory_equal(w->raw, "HTTP/1.1 413 ", 13);
    assert_int_equal(w->served, 0);
}

static void test_what_is_not_http_is_hung_up_on(void **state)
{
    static const char junk[] = "\x16\x03\x01\x02\r\n\r\n";
    static const char no_host[] = "GET / HTTP/1.1\r\n\r\n";
    struct world *w = *state;

    send_raw(w, junk, sizeof(junk) - 1);
    send_raw(w, no_host, sizeof(no_host) - 1);
    assert_memory_equal(w->raw, "HTTP/1.1 400 ", 13);
    assert_int_equal(w->served, 0);
}

static void test_headers_are_bounded(void **state)
{
    static char text[20000] = "GET / HTTP/1.1\r\nHost: h\r\nX-Long: ";
    struct world *w = *state;
    size_t n = strlen(text);

    memset(text + n, 'x', sizeof(text) - n);
    send_raw(w, text, sizeof(text));
    assert_memory_equal(w->raw, "HTTP/1.1 4", 10);
    assert_int_equal(w->served, 0);
}

static void test_an_ipv6_address_is_taken(void **state)
{
    struct world *w = *state;
    struct err err;
    struct listener *six =
        listen_new(w->loop, STR("[::1]:0"), on_request, w, &err);

    if (!six) /* a machine without IPv6 */
        skip();
    assert_int_not_equal(listen_port(six), 0);
    listen_free(six);
}

static void test_bad_addresses_are_told(void **state)
{
    static const char *const bad[] = {"",
                                      ":",
                                      "9090",
                                      "localhost:9090",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      "[::1]",
                                      "[::1:80",
                                      "::1:80",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:-1",
                                      "[]:80"};
    struct world *w = *state;
    struct err err;
    char taken[64];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_null(listen_new(w->loop, str_of(bad[i]), on_request, w, &err));
        assert_int_equal(err.kind, ERR_CONFIG);
    }
    (void)snprintf(taken, sizeof(taken), "127.0.0.1:%u",
                   (unsigned)listen_port(w->listener));
    assert_null(listen_new(w->loop, str_of(taken), on_request, w, &err));
    assert_non_null(strstr(err.text, "choose another address or port"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_request_is_handed_over_undecoded),
        TEST(test_the_status_is_the_functions),
        TEST(test_head_gets_the_length_alone),
        TEST(test_other_methods_are_refused),
        TEST(test_a_body_is_refused_unread),
        TEST(test_many_requests_are_served_at_once),
        TEST(test_a_get_with_a_body_is_refused),
        TEST(test_what_is_not_http_is_hung_up_on),
        TEST(test_headers_are_bounded),
        TEST(test_an_ipv6_address_is_taken),
        TEST(test_bad_addresses_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
