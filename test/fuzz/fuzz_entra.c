/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever Entra ID, an identity endpoint, a metadata service or the agent of
 * Azure Arc may answer: it ends after few steps, in a token that fits a header
 * and ends some time, or in an error of one line that does not show the
 * secrets.  Input: a byte that chooses, then answers with NULs in between: the
 * first byte is the status, up to a line feed a WWW-Authenticate, then a body.
 */
#include "auth/entra.h"
#include "auth/entra_token.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define STEPS 8

struct input {
    struct str rest;
    struct http_header header;
};

static void need(bool truth)
{
    if (!truth)
        abort();
}

static const char *variable(void *arg, const char *name)
{
    static const char *const all[][2] = {
        {"AZURE_TENANT_ID", "t"},
        {"AZURE_CLIENT_ID", "c"},
        {"AZURE_CLIENT_SECRET", "SeCrEt"},
        {"AZURE_FEDERATED_TOKEN_FILE", "/t"},
        {"IDENTITY_ENDPOINT", "http://127.0.0.1/msi"},
        {"IDENTITY_HEADER", "HuSh"},
        {"IMDS_ENDPOINT", "http://127.0.0.1"}};

    (void)arg;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (strcmp(all[i][0], name) == 0)
            return all[i][1];
    return NULL;
}

static bool read_file(void *arg, const char *path, struct buf *out,
                      struct err *err)
{
    static const char keys[] = "/var/opt/azcmagent/tokens/";

    (void)arg;
    (void)err;
    need(strcmp(path, "/t") == 0 ||
         (strncmp(path, keys, sizeof(keys) - 1) == 0 &&
          !strchr(path + sizeof(keys) - 1, '/')));
    buf_addz(out, "FiLe");
    return true;
}

static void check_end(enum provide what, struct provide_out *out)
{
    if (what == PROVIDE_DONE) {
        need(out->creds.token && out->creds.token[0] && out->creds.source[0]);
        need(auth_printable(str_of(out->creds.token)));
        need(out->creds.expires_ms > 0 && out->creds.renew_ms >= 0);
        need(!out->creds.renew_ms ||
             out->creds.renew_ms < out->creds.expires_ms);
        credentials_clear(&out->creds);
    } else if (what == PROVIDE_RETRY || what == PROVIDE_FAILED) {
        need(out->err.kind != ERR_NONE && out->err.text[0]);
        need(!strchr(out->err.text, '\n') && !strchr(out->err.text, '\r'));
        need(!strstr(out->err.text, "SeCrEt"));
        need(!strstr(out->err.text, "HuSh"));
        need(out->after_ms >= 0 && out->after_ms <= WHEN_HOUR);
    }
}

/* The next answer; a network failure when there are none any more. */
static const struct http_response *next(struct input *in,
                                        struct http_response *res)
{
    static const int statuses[] = {200, 200, 200, 400, 401, 401,
                                   403, 404, 410, 429, 500};
    struct str part, line = STR_NONE;

    if (!str_next(&in->rest, '\0', &part) || part.len == 0)
        return NULL;
    *res = (struct http_response){
        .status = statuses[(unsigned char)part.ptr[0] %
                           (sizeof(statuses) / sizeof(*statuses))]};
    part = str_from(part, 1);
    if (str_find(part, '\n') < part.len && str_next(&part, '\n', &line)) {
        in->header = (struct http_header){.name = STR("WWW-Authenticate"),
                                          .value = line};
        res->headers = &in->header;
        res->header_count = 1;
    }
    res->body = part;
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
        out = (struct provide_out){.arena = &arena};
        what = type->answer(state, &env, now, r, r ? NULL : &net, &out);
    }
    check_end(what, &out);
    arena_fini(&arena);
    free(state);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct arena arena;
    struct input in;
    struct str who;
    struct err err;
    size_t count = 0;

    if (size == 0)
        return 0;
    in = (struct input){.rest = str_n((const char *)data + 1, size - 1)};
    arena_init(&arena, 512);
    if (entra_who(in.rest, &arena, &who, &err))
        need(memchr(who.ptr, '\n', who.len) == NULL);
    arena_fini(&arena);
    while (entra_providers[count])
        count++;
    run(entra_providers[data[0] % count], &in);
    return 0;
}
