/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/jsonw.h"
#include "sinks/google_monitoring.h"

/* Units of points in the Unified Code for Units of Measure; others are left
 * out, as a unit is never changed once it is set. */
static const struct {
    const char *unit, *ucum;
} units[] = {
    {"Count", "1"},           {"None", "1"},           {"Percent", "%"},
    {"Seconds", "s"},         {"Milliseconds", "ms"},  {"Microseconds", "us"},
    {"Bytes", "By"},          {"Kilobytes", "kBy"},    {"Megabytes", "MBy"},
    {"Gigabytes", "GBy"},     {"Terabytes", "TBy"},    {"Bits", "bit"},
    {"Bytes/Second", "By/s"}, {"Count/Second", "1/s"},
};

static void member(struct jsonw *w, const char *key, struct str value)
{
    jsonw_key(w, key);
    jsonw_text(w, value);
}

static void write_metric(struct jsonw *w,
                         const struct google_monitoring_conf *c,
                         const struct point *p, struct arena *arena)
{
    jsonw_key(w, "metric");
    jsonw_object(w);
    member(w, "type", google_metric_type(c, p->name, arena));
    if (p->dimension_count > 0) {
        jsonw_key(w, "labels");
        jsonw_object(w);
        for (size_t i = 0; i < p->dimension_count; i++) {
            jsonw_keys(w, p->dimensions[i].name);
            jsonw_text(w, p->dimensions[i].value);
        }
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
}

static void write_resource(struct jsonw *w,
                           const struct google_monitoring_conf *c,
                           const struct point *p)
{
    jsonw_key(w, "resource");
    jsonw_object(w);
    member(w, "type", str_of(c->resource->type));
    jsonw_key(w, "labels");
    jsonw_object(w);
    member(w, "project_id", c->project_id);
    for (const char *const *l = c->resource->labels; *l; l++)
        member(w, *l, google_resource_label(c, *l, p));
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static void write_point(struct jsonw *w, const struct point *p)
{
    char time[WHEN_TEXT];

    when_rfc3339(p->t_ms, time);
    jsonw_key(w, "points");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_key(w, "interval");
    jsonw_object(w);
    member(w, "endTime", str_of(time));
    jsonw_object_end(w);
    jsonw_key(w, "value");
    jsonw_object(w);
    jsonw_key(w, "doubleValue");
    jsonw_num(w, p->newest);
    jsonw_object_end(w);
    jsonw_object_end(w);
    jsonw_array_end(w);
}

static void write_series(struct jsonw *w,
                         const struct google_monitoring_conf *c,
                         const struct point *p, struct arena *arena)
{
    jsonw_object(w);
    write_metric(w, c, p, arena);
    write_resource(w, c, p);
    member(w, "metricKind", STR("GAUGE"));
    member(w, "valueType", STR("DOUBLE"));
    for (size_t i = 0; !c->prometheus && i < sizeof(units) / sizeof(*units);
         i++)
        if (str_eqz(p->unit, units[i].unit))
            member(w, "unit", str_of(units[i].ucum));
    if (!c->prometheus && p->description.len > 0)
        member(w, "description", p->description);
    write_point(w, p);
    jsonw_object_end(w);
}

static size_t write_points(struct buf *out,
                           const struct google_monitoring_conf *c,
                           const struct batch *batch, struct arena *arena)
{
    size_t n = 0;
    struct jsonw w;

    jsonw_init(&w, out, 0);
    jsonw_object(&w);
    jsonw_key(&w, "timeSeries");
    jsonw_array(&w);
    for (; n < batch->count && n < GOOGLE_SERIES; n++) {
        struct jsonw before = w;
        size_t len = out->len;

        write_series(&w, c, batch->points[n], arena);
        if (out->len <= GOOGLE_BODY || n == 0)
            continue;
        w = before;
        out->len = len;
        break;
    }
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return n;
}

bool google_render(const void *conf, const struct batch *batch,
                   struct arena *arena, struct http_request *req, size_t *taken,
                   struct err *err)
{
    const struct google_monitoring_conf *c = conf;
    struct buf body;

    (void)err;
    buf_init(&body, BUF_NO_LIMIT);
    *taken = write_points(&body, c, batch, arena);
    req->method = STR("POST");
    req->url = c->url;
    req->timeout_ms = c->timeout_ms;
    req->ca_file = str_of(c->ca_file);
    http_set(req, STR("Content-Type"), STR("application/json"));
    if (c->quota.len > 0)
        http_set(req, STR("x-goog-user-project"), c->quota);
    req->body = arena_str(arena, buf_str(&body));
    buf_fini(&body);
    return true;
}
