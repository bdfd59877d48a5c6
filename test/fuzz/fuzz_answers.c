/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a cloud, a proxy or a stranger may answer, to every sink's judge():
 * a verdict comes out that the outbox can act on.  Input as the .answer files
 * of test/data/sinks: status line, headers, an empty line, the body.
 */
#include "agent/base/jsonr.h"
#include "sinks/azure_monitor.h"
#include "sinks/cloudwatch.h"
#include "sinks/google_monitoring.h"

#include <json-c/json.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define POINTS  3
#define HEADERS 16
#define NOW     INT64_C(1767268800000)

static void need(bool truth)
{
    if (!truth)
        abort();
}

static void read_answer(struct str rest, struct http_response *res,
                        struct http_header headers[HEADERS])
{
    struct str line;
    int64_t status = 200;

    if (str_next(&rest, '\n', &line) &&
        str_int(str_from(line, sizeof("HTTP/1.1")), &status) && status > 0 &&
        status < 1000)
        res->status = (int)status;
    res->headers = headers;
    while (res->header_count < HEADERS && str_next(&rest, '\n', &line) &&
           line.len > 0) {
        size_t n = str_find(line, ':');

        headers[res->header_count].name = str_n(line.ptr, n);
        headers[res->header_count++].value = str_from(line, n + 1);
    }
    res->body = rest.ptr ? rest : STR_NONE;
}

static void check_verdict(const struct verdict *v)
{
    need(v->kind >= VERDICT_ACCEPTED && v->kind <= VERDICT_REJECTED);
    need(v->after_ms >= 0 && v->after_ms <= WHEN_HOUR);
    need((v->kind == VERDICT_PARTIAL) ==
         (v->bad_count + v->superseded_count + v->again_count > 0));
    for (size_t i = 0; i < v->superseded_count; i++)
        need(v->superseded[i] < POINTS);
    for (size_t i = 0; i < v->again_count; i++)
        need(v->again[i] < POINTS);
    for (size_t i = 0; i < v->bad_count; i++)
        need(v->bad[i] < POINTS && (i == 0 || v->bad[i] > v->bad[i - 1]));
    if (v->kind == VERDICT_ACCEPTED)
        return;
    need(v->err.kind != ERR_NONE && v->err.text[0]);
    for (const char *c = v->err.text; *c; c++)
        need((unsigned char)*c >= ' ');
}

/* One point of one datum, one of two, one of one again. */
static void make_points(struct point points[POINTS],
                        const struct point *sent[POINTS])
{
    static struct point_value values[CLOUDWATCH_VALUES + 1];

    for (size_t i = 0; i <= CLOUDWATCH_VALUES; i++)
        values[i] = (struct point_value){(double)i, 1};
    for (size_t i = 0; i < POINTS; i++) {
        points[i] = (struct point){.name = STR("JobsPerWorker"),
                                   .values = values,
                                   .value_count = i == 1 ? 151 : 1,
                                   .t_ms = NOW,
                                   .resolution = 60};
        sent[i] = &points[i];
    }
}

static void judge_all(const struct http_response *res)
{
    struct cloudwatch_conf cloudwatch = {.namespace = (char[]){"Membrane"}};
    struct azure_monitor_conf azure = {.resource_id =
                                           (char[]){"/subscriptions/s"},
                                       .region = (char[]){"westeurope"}};
    struct google_monitoring_conf google = {.project_id = STR("p-1")};
    struct point points[POINTS];
    const struct point *sent[POINTS];
    const struct batch batch = {sent, POINTS};
    struct arena arena;

    make_points(points, sent);
    arena_init(&arena, 4096);
    for (const struct sink_type *const *t = sink_types; *t; t++) {
        const void *conf = NULL;
        struct verdict v = {0};

        if (str_eqz(STR("cloudwatch"), (*t)->name))
            conf = &cloudwatch;
        else if (str_eqz(STR("azure_monitor"), (*t)->name))
            conf = &azure;
        else if (str_eqz(STR("google_monitoring"), (*t)->name))
            conf = &google;
        (*t)->judge(conf, res, &batch, NOW, &arena, &v);
        check_verdict(&v);
    }
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct http_header headers[HEADERS] = {0};
    struct http_response res = {.status = 200};
    struct str text = str_n((const char *)data, size);
    struct json_object *tree;

    if (jsonr_parse(text, &tree, NULL))
        json_object_put(tree);
    read_answer(text, &res, headers);
    judge_all(&res);
    return 0;
}
