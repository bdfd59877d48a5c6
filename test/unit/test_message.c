/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/message.h"
#include "test/lib/unit.h"

static void assert_str(struct str got, const char *want)
{
    char text[512];

    assert_true(got.len < sizeof(text));
    if (got.len > 0)
        memcpy(text, got.ptr, got.len);
    text[got.len] = '\0';
    assert_string_equal(text, want);
}

static void test_setting_a_header_again_replaces_it(void **state)
{
    struct http_request req = {0};

    (void)state;
    http_set(&req, STR("Accept"), STR("text/plain"));
    http_set_secret(&req, STR("Authorization"), STR("Bearer x"));
    http_set(&req, STR("ACCEPT"), STR("*/*"));
    assert_int_equal(req.header_count, 2);
    assert_str(req.headers[0].value, "*/*");
    assert_false(req.headers[0].secret);
    assert_true(req.headers[1].secret);
}

static void test_the_first_header_of_a_name_is_found_in_any_case(void **state)
{
    const struct http_header headers[] = {
        {STR("content-type"), STR("text/plain"), false},
        {STR("Content-Type"), STR("text/html"), false},
    };
    const struct http_response res = {.headers = headers, .header_count = 2};

    (void)state;
    assert_str(http_get(&res, STR("Content-TYPE")), "text/plain");
    assert_str(http_get(&res, STR("Content")), "");
}

static void test_a_copy_owns_all_its_bytes(void **state)
{
    char url[] = "http://h/p", name[] = "A", value[] = "1", body[] = "b";
    char ca[] = "/ca.pem";
    struct http_request req = {.method = STR("POST"),
                               .url = str_of(url),
                               .body = str_of(body),
                               .ca_file = str_of(ca),
                               .timeout_ms = 7,
                               .no_proxy = true};
    struct http_request *copy;
    struct arena a;

    (void)state;
    arena_init(&a, 256);
    http_set_secret(&req, str_of(name), str_of(value));
    copy = http_request_copy(&req, &a);
    url[0] = name[0] = value[0] = body[0] = ca[0] = 'X';
    assert_str(copy->url, "http://h/p");
    assert_str(copy->body, "b");
    assert_str(copy->ca_file, "/ca.pem");
    assert_str(copy->headers[0].name, "A");
    assert_str(copy->headers[0].value, "1");
    assert_true(copy->headers[0].secret);
    assert_true(copy->no_proxy);
    assert_int_equal(copy->timeout_ms, 7);
    arena_fini(&a);
}

static void test_a_url_comes_apart(void **state)
{
    struct http_url u;

    (void)state;
    assert_true(
        http_url_parse(STR("http://api-service:5000/prometheus?a=b?c"), &u));
    assert_str(u.scheme, "http");
    assert_str(u.host, "api-service");
    assert_str(u.port, "5000");
    assert_str(u.path, "/prometheus");
    assert_str(u.query, "a=b?c");
}

static void test_a_url_needs_no_port_path_or_query(void **state)
{
    struct http_url u;

    (void)state;
    assert_true(http_url_parse(STR("HTTPS://Example.test"), &u));
    assert_str(u.scheme, "HTTPS");
    assert_str(u.host, "Example.test");
    assert_str(u.port, "");
    assert_str(u.path, "");
    assert_null(u.query.ptr);
    assert_true(http_url_parse(STR("http://h?"), &u));
    assert_non_null(u.query.ptr);
    assert_true(http_url_parse(STR("http://h/a#b?c"), &u));
    assert_str(u.path, "/a");
    assert_null(u.query.ptr);
}

static void test_an_ipv6_host_keeps_its_brackets(void **state)
{
    struct http_url u;

    (void)state;
    assert_true(http_url_parse(STR("http://[fd00::1]:80/x"), &u));
    assert_str(u.host, "[fd00::1]");
    assert_str(u.port, "80");
    assert_true(http_url_parse(STR("http://[::1]"), &u));
    assert_str(u.host, "[::1]");
}

static void test_what_is_no_http_url_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "http",
        "http:",
        "http:/h",
        "http://",
        "http:///p",
        "://h",
        "h/p",
        "/p",
        "ftp://h/",
        "file:///etc/passwd",
        "httpx://h/",
        " http://h/",
        "http://h /",
        "http://h/ p",
        "http://h/\n",
        "http://h/\xc3\xa4",
        "http://u@h/",
        "http://u:p@h/",
        "http://@h/",
        "http://h:/",
        "http://h:0/",
        "http://h:65536/",
        "http://h:+80/",
        "http://h:8a/",
        "http://h:80:80/",
        "http://[::1/",
        "http://::1/",
        "http://[::1]x/",
        "http://[::1%25lo]/",
        "http://[h]/",
        "http://[]/",
        "http://.h/",
        "http://h\\@evil/",
        "http://h%41/",
        "http://h/\x7f",
        "http://h,i/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct http_url u = {.scheme = STR("untouched")};

        if (http_url_parse(str_of(bad[i]), &u))
            fail_msg("\"%s\" was taken", bad[i]);
        assert_str(u.scheme, "untouched");
    }
    assert_false(
        http_url_parse(str_n("http://h\0/", 10), &(struct http_url){0}));
}

static void test_loopback_is_judged_by_the_letters(void **state)
{
    static const char *const loopback[] = {
        "http://localhost/",
        "http://LOCALHOST:1/",
        "http://127.0.0.1/",
        "http://127.255.0.9:5000/",
        "http://[::1]:1/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::ffff:127.0.0.1]/",
    };
    static const char *const other[] = {
        "http://127.0.0.1.evil.test/",
        "http://localhost.evil.test/",
        "http://10.0.0.1/",
        "http://[fd00::1]/",
        "http://127.1/",
        "http://[::ffff:10.0.0.1]/",
        "http://128.0.0.1/",
        "http://[::]/",
    };
    struct http_url u;

    (void)state;
    for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++) {
        assert_true(http_url_parse(str_of(loopback[i]), &u));
        assert_true(http_url_is_loopback(&u));
    }
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        assert_true(http_url_parse(str_of(other[i]), &u));
        assert_false(http_url_is_loopback(&u));
    }
}

static void test_a_shown_url_holds_no_secret(void **state)
{
    static const char *const cases[][2] = {
        {"http://h:80/p?key=secret", "http://h:80/p"},
        {"https://h/p#secret", "https://h/p"},
        {"http://me:secret@h/p?q", "http://h/p"},
        {"http://secret@evil@h/p", "http://h/p"},
        {"me:secret@h/p", "h/p"},
        {"secret@x://me@h/p", "h/p"},
        {"secret@", ""},
        {"", ""},
        {"http://h/\n\xc3", "http://h/??"},
    };
    struct arena a;

    (void)state;
    arena_init(&a, 256);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_str(http_url_shown(str_of(cases[i][0]), &a), cases[i][1]);
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setting_a_header_again_replaces_it),
        cmocka_unit_test(test_the_first_header_of_a_name_is_found_in_any_case),
        cmocka_unit_test(test_a_copy_owns_all_its_bytes),
        cmocka_unit_test(test_a_url_comes_apart),
        cmocka_unit_test(test_a_url_needs_no_port_path_or_query),
        cmocka_unit_test(test_an_ipv6_host_keeps_its_brackets),
        cmocka_unit_test(test_what_is_no_http_url_is_refused),
        cmocka_unit_test(test_a_shown_url_holds_no_secret),
        cmocka_unit_test(test_loopback_is_judged_by_the_letters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
