/* SPDX-License-Identifier: Apache-2.0 */
/* Requests "METHOD PATH?QUERY AUTHORIZATION" against a small agent. */
#include "agent/report/web.h"

#include <stdlib.h>

#define TOKEN  STR("t")
#define HIDDEN STR("a metric that must not be a number")

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool held(void *arg, struct str name)
{
    (void)arg;
    return str_eqz(name, "jobs");
}

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void ask(const struct web *w, const struct web_request *req)
{
    struct buf body;
    struct web_reply reply = {.status = 200, .body = &body};

    buf_init(&body, BUF_NO_LIMIT);
    web_answer(w, req, &reply);
    check(reply.status >= 200 && reply.status < 600);
    check(reply.content_type.len > 0 && body.len > 0);
    /* Without the token there is health alone. */
    if (!str_eqi(req->authorization, STR("Bearer t")) && reply.status == 200 &&
        str_starts(req->authorization, STR("Bearer x")))
        check(str_eqz(req->path, "/healthz") || str_eqz(req->path, "/readyz"));
    buf_fini(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_n((const char *)data, size), target;
    struct report_metric metrics[] = {
        {.name = STR("JobsPerWorker"), .has_value = true, .value = 7},
        {.name = STR("Held"),
         .has_value = true,
         .held = true,
         .reason = HIDDEN},
    };
    struct report report = {
        .wall_ms = 1000000, .metrics = metrics, .metric_count = 2};
    struct store_options options = {.retention_ms = 300000, .max_series = 10};
    struct web_guard guard = {.peers = {{.wrong = 0}}};
    struct web w = {.token = TOKEN,
                    .guard = &guard,
                    .report = &report,
                    .held = held,
                    .version = STR("0"),
                    .wall_ms = 1000001,
                    .mono_ms = 100000,
                    .stale_ms = 1000};
    struct web_request req = {.peer = STR("127.0.0.1")};
    struct store *store = store_new(&options);
    size_t mark;

    w.store = store;
    if (str_next(&rest, ' ', &req.method) && str_next(&rest, ' ', &target)) {
        mark = str_find(target, '?');
        req.path = str_n(target.ptr, mark);
        req.query = str_from(target, mark < target.len ? mark + 1 : mark);
        req.body = req.query;
        req.authorization = rest;
        ask(&w, &req);
        req.authorization = STR("Bearer t");
        ask(&w, &req);
    }
    store_free(store);
    return 0;
}
