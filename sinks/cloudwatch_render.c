/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/jsonw.h"
#include "sinks/cloudwatch.h"

/* AWS JSON 1.0 with the headers that botocore and the JavaScript SDK send;
 * the query mode asks for the codes of the older protocol in errors. */
#define TARGET "GraniteServiceVersion20100801.PutMetricData"

static void write_dimensions(struct jsonw *w, const struct point *p)
{
    if (p->dimension_count == 0)
        return;
    jsonw_key(w, "Dimensions");
    jsonw_array(w);
    for (size_t i = 0; i < p->dimension_count; i++) {
        jsonw_object(w);
        jsonw_key(w, "Name");
        jsonw_text(w, p->dimensions[i].name);
        jsonw_key(w, "Value");
        jsonw_text(w, p->dimensions[i].value);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void write_values(struct jsonw *w, const struct point_value *v, size_t n)
{
    if (n == 1 && v->count == 1) {
        jsonw_key(w, "Value");
        jsonw_num(w, v->value);
        return;
    }
    jsonw_key(w, "Values");
    jsonw_array(w);
    for (size_t i = 0; i < n; i++)
        jsonw_num(w, v[i].value);
    jsonw_array_end(w);
    jsonw_key(w, "Counts");
    jsonw_array(w);
    for (size_t i = 0; i < n; i++)
        jsonw_int(w, v[i].count);
    jsonw_array_end(w);
}

static void write_datum(struct jsonw *w, const struct point *p,
                        const struct point_value *v, size_t n)
{
    jsonw_object(w);
    jsonw_key(w, "MetricName");
    jsonw_text(w, p->name);
    write_dimensions(w, p);
    jsonw_key(w, "Timestamp");
    jsonw_int(w, p->t_ms / WHEN_SECOND);
    write_values(w, v, n);
    if (p->unit.len > 0) {
        jsonw_key(w, "Unit");
        jsonw_text(w, p->unit);
    }
    if (p->resolution == 1) {
        jsonw_key(w, "StorageResolution");
        jsonw_int(w, 1);
    }
    jsonw_object_end(w);
}

/* A body that grows datum by datum, in either protocol. */
struct writer {
    struct jsonw json;
    struct buf *out;
    bool query;
    size_t datums;
};

static void write_start(struct writer *w, const struct cloudwatch_conf *c)
{
    if (w->query) {
        cloudwatch_query_start(w->out, str_of(c->namespace));
        return;
    }
    jsonw_init(&w->json, w->out, 0);
    jsonw_object(&w->json);
    jsonw_key(&w->json, "Namespace");
    jsonw_textz(&w->json, c->namespace);
    jsonw_key(&w->json, "MetricData");
    jsonw_array(&w->json);
}

static void write_end(struct writer *w)
{
    if (w->query)
        return;
    jsonw_array_end(&w->json);
    jsonw_object_end(&w->json);
}

static void write_point(struct writer *w, const struct point *p,
                        const struct point_value *v, size_t n)
{
    while (n > 0) {
        size_t some = n < CLOUDWATCH_VALUES ? n : CLOUDWATCH_VALUES;

        w->datums++;
        if (w->query)
            cloudwatch_query_datum(w->out, w->datums, p, v, some);
        else
            write_datum(&w->json, p, v, some);
        v += some;
        n -= some;
    }
}

/* How many points went in; the one that would be too much is taken back. */
static size_t write_points(struct writer *w, const struct batch *batch,
                           struct arena *arena)
{
    size_t taken = 0;

    for (; taken < batch->count; taken++) {
        const struct point *p = batch->points[taken];
        const struct point_value *values;
        size_t n = cloudwatch_values(p, arena, &values), len = w->out->len;
        struct writer before = *w;

        if (w->datums + cloudwatch_datums(n) > CLOUDWATCH_DATUMS)
            break;
        write_point(w, p, values, n);
        if (w->out->len + sizeof("]}") > CLOUDWATCH_BODY) {
            *w = before;
            w->out->len = len;
            break;
        }
    }
    return taken;
}

static void set_headers(const struct cloudwatch_conf *c,
                        struct http_request *req)
{
    req->method = STR("POST");
    req->url = c->url;
    req->timeout_ms = c->timeout_ms;
    req->ca_file = c->authorities;
    if (c->protocol == CLOUDWATCH_QUERY) {
        http_set(req, STR("Content-Type"),
                 STR("application/x-www-form-urlencoded; charset=utf-8"));
        return;
    }
    http_set(req, STR("Content-Type"), STR("application/x-amz-json-1.0"));
    http_set(req, STR("X-Amz-Target"), STR(TARGET));
    http_set(req, STR("x-amzn-query-mode"), STR("true"));
}

bool cloudwatch_render(const void *conf, const struct batch *batch,
                       struct arena *arena, struct http_request *req,
                       size_t *taken, struct err *err)
{
    const struct cloudwatch_conf *c = conf;
    struct buf body;
    struct writer w = {.out = &body, .query = c->protocol == CLOUDWATCH_QUERY};
    size_t n;

    buf_init(&body, BUF_NO_LIMIT);
    write_start(&w, c);
    n = write_points(&w, batch, arena);
    write_end(&w);
    if (n > 0) {
        set_headers(c, req);
        req->body = arena_str(arena, buf_str(&body));
        *taken = n;
    }
    buf_fini(&body);
    return n > 0 ||
           err_set(err, ERR_LIMIT,
                   "metric \"%.*s\": has %zu values, more than one request "
                   "to cloudwatch can hold; publish more often",
                   STR_ARG(batch->points[0]->name),
                   batch->points[0]->value_count);
}
