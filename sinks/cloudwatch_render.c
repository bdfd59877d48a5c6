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

static void write_point(struct jsonw *w, const struct point *p,
                        const struct point_value *v, size_t n)
{
    while (n > 0) {
        size_t some = n < CLOUDWATCH_VALUES ? n : CLOUDWATCH_VALUES;

        write_datum(w, p, v, some);
        v += some;
        n -= some;
    }
}

/* How many points went in; the one that would be too much is taken back. */
static size_t write_points(struct jsonw *w, const struct batch *batch,
                           struct arena *arena)
{
    size_t taken = 0, datums = 0;

    for (; taken < batch->count; taken++) {
        const struct point *p = batch->points[taken];
        const struct point_value *values;
        size_t n = cloudwatch_values(p, arena, &values);
        struct jsonw before = *w;
        size_t len = w->out->len;

        datums += cloudwatch_datums(n);
        if (datums > CLOUDWATCH_DATUMS)
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
    struct jsonw w;
    size_t n;

    buf_init(&body, BUF_NO_LIMIT);
    jsonw_init(&w, &body, 0);
    jsonw_object(&w);
    jsonw_key(&w, "Namespace");
    jsonw_textz(&w, c->namespace);
    jsonw_key(&w, "MetricData");
    jsonw_array(&w);
    n = write_points(&w, batch, arena);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
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
