/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever stands in the shared config file and is answered by whoever gives
 * keys, to every provider: it ends after few steps, in keys that fit a header
 * or in an error of one line.  Input: a byte that chooses, then a file, a NUL,
 * and answers with NULs in between, of which the first byte is the status.
 */
#include "auth/aws.h"
#include "auth/aws_keys.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define STEPS 32

struct input {
    unsigned char choice;
    struct str file, rest;
};

static void need(bool truth)
{
    if (!truth)
        abort();
}

static const char *variable(void *arg, const char *name)
{
    static const char *const all[][2] = {
        {"HOME", "/h"},
        {"AWS_REGION", "eu-west-1"},
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/c"},
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/t"},
        {"AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x"},
        {"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"},
        {"AWS_PROFILE", "a"}};
    const struct input *in = arg;

    if (strcmp(name, "AWS_PROFILE") == 0 && in->choice & 0x80)
        return NULL;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (strcmp(all[i][0], name) == 0)
            return all[i][1];
    return NULL;
}

static bool read_file(void *arg, const char *path, struct buf *out,
                      struct err *err)
{
    const struct input *in = arg;

    if (strcmp(path, "/t") == 0)
        buf_addz(out, "token");
    else if (strcmp(path, "/h/.aws/config") == 0)
        buf_adds(out, in->file);
    else
        return err_set(err, ERR_CONFIG, "%s: is not there", path);
    return true;
}

static void check_end(enum provide what, struct provide_out *out)
{
    if (what == PROVIDE_DONE) {
        need(out->creds.key_id && out->creds.secret && out->creds.source[0]);
        need(auth_printable(str_of(out->creds.key_id)));
        need(auth_printable(str_of(out->creds.secret)));
        need(auth_printable(str_of(out->creds.token)));
        credentials_clear(&out->creds);
    } else if (what == PROVIDE_RETRY || what == PROVIDE_FAILED) {
        need(out->err.kind != ERR_NONE && out->err.text[0]);
        need(!strchr(out->err.text, '\n'));
    }
}

/* The next answer; a network failure when there are none any more. */
static const struct http_response *next(struct input *in,
                                        struct http_response *res)
{
    static const int statuses[] = {200, 200, 200, 200, 400, 401, 403, 404, 500};
    struct str part;

    if (!str_next(&in->rest, '\0', &part) || part.len == 0)
        return NULL;
    *res = (struct http_response){
        .status = statuses[(unsigned char)part.ptr[0] %
                           (sizeof(statuses) / sizeof(*statuses))],
        .body = str_from(part, 1)};
    return res;
}

static void run(const struct provider_type *type, struct input *in)
{
    const struct auth_env env = {variable, read_file, in};
    const struct err net = {ERR_NETWORK, "no connection"};
    const struct now now = {WHEN_HOUR, INT64_C(1767225600000)};
    struct arena arena;
    struct provide_out out = {.arena = &arena};
    struct http_response res;
    void *state = calloc(1, type->state_size + 1);
    enum provide what;

    need(state != NULL);
    arena_init(&arena, 1024);
    what = type->start(state, &env, now, &out);
    for (size_t i = 0; what == PROVIDE_ASK; i++) {
        const struct http_response *r = next(in, &res);
        struct http_url u;

        need(i < STEPS && http_url_parse(out.ask.url, &u));
        what = type->answer(state, &env, now, r, r ? NULL : &net, &out);
    }
    check_end(what, &out);
    arena_fini(&arena);
    free(state);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct str all = str_n((const char *)data, size);
    struct input in = {0};
    size_t count = 0;

    if (size == 0)
        return 0;
    in.choice = data[0];
    all = str_from(all, 1);
    if (!str_next(&all, '\0', &in.file))
        in.file = STR_NONE;
    in.rest = all;
    while (aws_providers[count])
        count++;
    run(aws_providers[(in.choice & 0x7f) % count], &in);
    return 0;
}
