/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/jsonw.h"
#include "sinks/azure_monitor.h"

/*
 * The second that a point belongs to.  Rounded, so that an evaluation meant
 * for the first moment of a minute, whose timer came a little early, does not
 * miss that minute.
 */
static int64_t stamp(const struct point *p)
{
    return (p->t_ms + WHEN_SECOND / 2) / WHEN_SECOND * WHEN_SECOND;
}

/* Where a value of a minute's second half is also written to; else 0. */
static int64_t next_minute(int64_t t_ms)
{
    return t_ms % WHEN_MINUTE < WHEN_MINUTE / 2
               ? 0
               : (t_ms / WHEN_MINUTE + 1) * WHEN_MINUTE;
}

/* Of one evaluation, so that no series stands twice in a document. */
static bool one_document(const struct point *a, const struct point *b)
{
    if (!str_eq(a->name, b->name) || a->t_ms != b->t_ms ||
        a->dimension_count != b->dimension_count)
        return false;
    for (size_t i = 0; i < a->dimension_count; i++)
        if (!str_eq(a->dimensions[i].name, b->dimensions[i].name))
            return false;
    return true;
}

/* How many points, from the first on, belong to one document. */
static size_t group(const struct point *const *points, size_t count)
{
    size_t n = 1;

    while (n < count && one_document(points[0], points[n]))
        n++;
    return n;
}

struct statistics {
    double min, max, sum;
    int64_t count;
};

static void write_series(struct jsonw *w, const struct point *p,
                         const struct statistics *s)
{
    jsonw_object(w);
    if (p->dimension_count > 0) {
        jsonw_key(w, "dimValues");
        jsonw_array(w);
        for (size_t i = 0; i < p->dimension_count; i++)
            jsonw_text(w, p->dimensions[i].value);
        jsonw_array_end(w);
    }
    jsonw_key(w, "min");
    jsonw_num(w, s->min);
    jsonw_key(w, "max");
    jsonw_num(w, s->max);
    jsonw_key(w, "sum");
    jsonw_num(w, s->sum);
    jsonw_key(w, "count");
    jsonw_int(w, s->count);
    jsonw_object_end(w);
}

static struct statistics statistics_of(const struct point *p, bool seed)
{
    if (seed)
        return (struct statistics){p->newest, p->newest, p->newest, 1};
    return (struct statistics){point_min(p), point_max(p), point_sum(p),
                               (int64_t)point_count(p)};
}

static void write_names(struct jsonw *w, const struct azure_monitor_conf *c,
                        const struct point *p)
{
    jsonw_key(w, "metric");
    jsonw_text(w, p->name);
    jsonw_key(w, "namespace");
    jsonw_textz(w, c->namespace);
    if (p->dimension_count == 0)
        return;
    jsonw_key(w, "dimNames");
    jsonw_array(w);
    for (size_t i = 0; i < p->dimension_count; i++)
        jsonw_text(w, p->dimensions[i].name);
    jsonw_array_end(w);
}

static void write_document(struct buf *out, const struct azure_monitor_conf *c,
                           const struct point *const *points, size_t count,
                           int64_t t_ms)
{
    bool seed = t_ms != stamp(points[0]);
    char time[WHEN_TEXT];
    struct jsonw w;

    when_rfc3339(t_ms, time);
    jsonw_init(&w, out, 0);
    jsonw_object(&w);
    jsonw_key(&w, "time");
    jsonw_textz(&w, time);
    jsonw_key(&w, "data");
    jsonw_object(&w);
    jsonw_key(&w, "baseData");
    jsonw_object(&w);
    write_names(&w, c, points[0]);
    jsonw_key(&w, "series");
    jsonw_array(&w);
    for (size_t i = 0; i < count; i++) {
        const struct statistics s = statistics_of(points[i], seed);

        write_series(&w, points[i], &s);
    }
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    if (c->format == AZURE_NDJSON)
        buf_addc(out, '\n');
}

/* False, with nothing written, when that would be too much. */
static bool write_group(struct buf *out, const struct azure_monitor_conf *c,
                        const struct point *const *points, size_t count)
{
    int64_t t_ms = stamp(points[0]), next = next_minute(t_ms);
    size_t before = out->len;

    write_document(out, c, points, count, t_ms);
    if (c->seed_next && next)
        write_document(out, c, points, count, next);
    if (out->len <= AZURE_BODY)
        return true;
    out->len = before;
    return false;
}

static size_t write_points(struct buf *out, const struct azure_monitor_conf *c,
                           const struct batch *batch)
{
    size_t taken = 0;

    while (taken < batch->count) {
        const struct point *const *points = batch->points + taken;
        size_t n = group(points, batch->count - taken);

        while (n > 0 && !write_group(out, c, points, n))
            n /= 2;
        taken += n;
        if (n == 0 || c->format == AZURE_JSON)
            break;
    }
    return taken;
}

bool azure_render(const void *conf, const struct batch *batch,
                  struct arena *arena, struct http_request *req, size_t *taken,
                  struct err *err)
{
    const struct azure_monitor_conf *c = conf;
    struct buf body;

    buf_init(&body, BUF_NO_LIMIT);
    *taken = write_points(&body, c, batch);
    if (*taken > 0) {
        req->method = STR("POST");
        req->url = c->url;
        req->timeout_ms = c->timeout_ms;
        req->ca_file = str_of(c->ca_file);
        http_set(req, STR("Content-Type"),
                 c->format == AZURE_JSON ? STR("application/json")
                                         : STR("application/x-ndjson"));
        req->body = arena_str(arena, buf_str(&body));
    }
    buf_fini(&body);
    return *taken > 0 || err_set(err, ERR_LIMIT,
                                 "metric \"%.*s\": is more than one request to "
                                 "azure_monitor can hold",
                                 STR_ARG(batch->points[0]->name));
}
