/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/jsonr.h"
#include "agent/base/mem.h"
#include "agent/base/when.h"
#include "auth/sigv4.h"
#include "test/lib/files.h"
#include "test/lib/unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * One case of test/data/sigv4: a request, who signs it when, and the text of
 * each stage, made by an independent program.
 */
struct sigv4_case {
    struct json_object *context;
    char *request;
    struct sigv4 s;
    struct http_request req;
    struct arena arena;
};

static char *read_file(const char *name, const char *file, size_t *len)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "sigv4/%s/%s", name, file);
    return files_read(path, len);
}

static void read_context(struct sigv4_case *c, const char *name)
{
    size_t len;
    char *text = read_file(name, "context.json", &len);
    struct err err;

    assert_true(jsonr_parse(str_n(text, len), &c->context, &err));
    free(text);
    c->s.key_id = jsonr_text_or(c->context, "key_id", STR_NONE);
    c->s.secret = jsonr_text_or(c->context, "secret", STR_NONE);
    c->s.token = jsonr_text_or(c->context, "token", STR_NONE);
    c->s.region = jsonr_text_or(c->context, "region", STR_NONE);
    c->s.service = jsonr_text_or(c->context, "service", STR_NONE);
    c->s.s3_path =
        json_object_get_boolean(json_object_object_get(c->context, "s3_path"));
    assert_true(when_rfc3339_parse(jsonr_text_or(c->context, "time", STR_NONE),
                                   &c->s.wall_ms));
}

/* Headers up to the empty line; a line that begins with a blank goes on. */
static void read_headers(struct sigv4_case *c, struct str *rest)
{
    struct str line;

    while (str_next(rest, '\n', &line) && line.len > 0) {
        struct http_header *h = &c->req.headers[c->req.header_count];

        if (line.ptr[0] == ' ') {
            h--;
            h->value.len = (size_t)(line.ptr + line.len - h->value.ptr);
            continue;
        }
        h->name = str_n(line.ptr, str_find(line, ':'));
        h->value = str_from(line, h->name.len + 1);
        c->req.header_count++;
    }
}

static void read_request(struct sigv4_case *c, const char *name)
{
    size_t len;
    struct str rest, line;

    c->request = read_file(name, "request.txt", &len);
    rest = str_n(c->request, len);
    assert_true(str_next(&rest, '\n', &line));
    c->req.method = str_n(line.ptr, str_find(line, ' '));
    c->req.url = str_from(line, c->req.method.len + 1);
    read_headers(c, &rest);
    c->req.body = rest.ptr ? rest : STR_NONE;
}

static void open_case(struct sigv4_case *c, const char *name)
{
    *c = (struct sigv4_case){0};
    arena_init(&c->arena, 4096);
    read_context(c, name);
    read_request(c, name);
}

static void close_case(struct sigv4_case *c)
{
    json_object_put(c->context);
    free(c->request);
    arena_fini(&c->arena);
}

static void check(const char *name, const char *file, const char *got)
{
    char *want = read_file(name, file, NULL);

    assert_string_equal(got, want);
    free(want);
}

/* Stage by stage, so that the one that is wrong has a name. */
static void test_case(void **state)
{
    const char *name = *state;
    struct sigv4_case c;
    struct buf canonical, names, text;
    char hex[SIGV4_HEX];
    struct err err;

    open_case(&c, name);
    buf_init(&canonical, BUF_NO_LIMIT);
    buf_init(&names, BUF_NO_LIMIT);
    buf_init(&text, BUF_NO_LIMIT);
    sigv4_stamp(&c.s, &c.arena, &c.req);
    assert_true(sigv4_canonical(&c.s, &c.req, &canonical, &names, &err));
    check(name, "canonical.txt", buf_z(&canonical));
    sigv4_string_to_sign(&c.s, buf_str(&canonical), &text);
    check(name, "string-to-sign.txt", buf_z(&text));
    sigv4_signature(&c.s, buf_str(&text), hex);
    buf_reset(&text);
    sigv4_authorization(&c.s, buf_str(&names), hex, &text);
    check(name, "authorization.txt", buf_z(&text));
    buf_fini(&canonical);
    buf_fini(&names);
    buf_fini(&text);
    close_case(&c);
}

static struct str header(const struct http_request *req, const char *name,
                         bool *secret)
{
    for (size_t i = 0; i < req->header_count; i++)
        if (str_eqi(req->headers[i].name, str_of(name))) {
            *secret = req->headers[i].secret;
            return req->headers[i].value;
        }
    return STR_NONE;
}

static void test_the_token_is_masked_and_signing_again_replaces(void **state)
{
    struct sigv4_case c;
    struct err err;
    bool secret = false;
    size_t count;

    (void)state;
    open_case(&c, "post-token-is-signed");
    assert_true(sigv4_sign(&c.s, &c.arena, &c.req, &err));
    count = c.req.header_count;
    assert_true(sigv4_sign(&c.s, &c.arena, &c.req, &err));
    assert_int_equal(c.req.header_count, count);
    (void)header(&c.req, "x-amz-security-token", &secret);
    assert_true(secret);
    secret = false;
    check("post-token-is-signed", "authorization.txt",
          arena_strdup(&c.arena, header(&c.req, "authorization", &secret)));
    assert_true(secret);
    close_case(&c);
}

static void test_a_bad_url_is_refused_not_signed(void **state)
{
    struct sigv4_case c;
    struct err err;

    (void)state;
    open_case(&c, "get-vanilla");
    c.req.url = STR("ftp://example.com/");
    assert_false(sigv4_sign(&c.s, &c.arena, &c.req, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    close_case(&c);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_the_token_is_masked_and_signing_again_replaces),
        cmocka_unit_test(test_a_bad_url_is_refused_not_signed),
    };
    char **names;
    size_t count = files_list("sigv4", "", &names), n = 0;
    struct CMUnitTest *tests = xcalloc(count + 2, sizeof(*tests));
    int failed;

    for (; n < 2; n++)
        tests[n] = others[n];
    for (size_t i = 0; i < count; i++)
        if (!strchr(names[i], '.')) /* make.py */
            tests[n++] = (struct CMUnitTest){.name = names[i],
                                             .test_func = test_case,
                                             .initial_state = names[i]};
    failed = _cmocka_run_group_tests("sigv4", tests, n, NULL, NULL);
    free(tests);
    files_list_free(names, count);
    return failed;
}
