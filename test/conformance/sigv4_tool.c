/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigv4_tool.c - signs requests for comparison with another signer.
 *
 * Reads one JSON object a line: {"method", "url", "headers": [[name, value]],
 * "body" (base64), "key_id", "secret", "token", "region", "service",
 * "time_ms"}; writes the value of Authorization a line.
 */
#include "agent/base/enc.h"
#include "agent/base/jsonr.h"
#include "auth/sigv4.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

static int broken(const char *what, const char *why)
{
    (void)fprintf(stderr, "sigv4_tool: %s: %s\n", what, why);
    return 1;
}

static struct str text(struct json_object *o, const char *key)
{
    return jsonr_text_or(o, key, STR_NONE);
}

static void read_headers(struct json_object *list, struct http_request *req)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *pair = json_object_array_get_idx(list, i);
        struct json_object *name = json_object_array_get_idx(pair, 0);
        struct json_object *value = json_object_array_get_idx(pair, 1);

        req->headers[req->header_count++] = (struct http_header){
            str_of(json_object_get_string(name)),
            str_n(json_object_get_string(value),
                  (size_t)json_object_get_string_len(value)),
            false};
    }
}

static struct str authorization(const struct http_request *req)
{
    return req->headers[req->header_count - 1].value;
}

static bool sign(struct json_object *o, struct err *err)
{
    struct sigv4 s = {.key_id = text(o, "key_id"),
                      .secret = text(o, "secret"),
                      .token = text(o, "token"),
                      .region = text(o, "region"),
                      .service = text(o, "service")};
    struct http_request req = {.method = text(o, "method"),
                               .url = text(o, "url")};
    struct arena arena;
    struct buf body;
    bool ok;

    arena_init(&arena, 4096);
    buf_init(&body, BUF_NO_LIMIT);
    read_headers(jsonr_get(o, "headers"), &req);
    ok = jsonr_int(o, "time_ms", &s.wall_ms, err) &&
         (dec_base64(&body, text(o, "body")) ||
          err_set(err, ERR_INPUT, "body: no base64"));
    req.body = buf_str(&body);
    ok = ok && sigv4_sign(&s, &arena, &req, err);
    if (ok)
        (void)printf("%.*s\n", STR_ARG(authorization(&req)));
    buf_fini(&body);
    arena_fini(&arena);
    return ok;
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int status = 0;

    while (status == 0 && (n = getline(&line, &cap, stdin)) > 0) {
        struct json_object *o;
        struct err err;

        if (!jsonr_parse(str_trim(str_n(line, (size_t)n)), &o, &err)) {
            status = broken(line, err.text);
            continue;
        }
        if (!sign(o, &err))
            status = broken(line, err.text);
        json_object_put(o);
    }
    free(line);
    return status;
}
