/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/jsonw.h"
#include "sinks/sinks.h"

struct stdout_conf {
    bool nothing; /* no settings yet; a struct needs a member */
};

static const struct conf_key keys[] = {CONF_END};

static void write_dimensions(struct jsonw *w, const struct point *p)
{
    jsonw_key(w, "dimensions");
    jsonw_object(w);
    for (size_t i = 0; i < p->dimension_count; i++) {
        jsonw_keys(w, p->dimensions[i].name);
        jsonw_text(w, p->dimensions[i].value);
    }
    jsonw_object_end(w);
}

static void write_point(struct buf *out, const struct point *p)
{
    char time[WHEN_TEXT];
    struct jsonw w;

    when_rfc3339(p->t_ms, time);
    jsonw_init(&w, out, 0);
    jsonw_object(&w);
    jsonw_key(&w, "time");
    jsonw_textz(&w, time);
    jsonw_key(&w, "name");
    jsonw_text(&w, p->name);
    write_dimensions(&w, p);
    jsonw_key(&w, "value");
    jsonw_num(&w, p->newest);
    jsonw_key(&w, "unit");
    jsonw_text(&w, p->unit);
    jsonw_key(&w, "min");
    jsonw_num(&w, point_min(p));
    jsonw_key(&w, "max");
    jsonw_num(&w, point_max(p));
    jsonw_key(&w, "sum");
    jsonw_num(&w, point_sum(p));
    jsonw_key(&w, "count");
    jsonw_int(&w, (int64_t)point_count(p));
    jsonw_object_end(&w);
    buf_addc(out, '\n');
}

static bool render(const void *conf, const struct batch *batch,
                   struct arena *arena, struct http_request *req, size_t *taken,
                   struct err *err)
{
    struct buf lines;

    (void)conf;
    (void)err;
    buf_init(&lines, BUF_NO_LIMIT);
    for (size_t i = 0; i < batch->count; i++)
        write_point(&lines, batch->points[i]);
    req->body = arena_str(arena, buf_str(&lines));
    *taken = batch->count;
    buf_fini(&lines);
    return true;
}

const struct sink_type stdout_sink = {
    .name = "stdout",
    .help = "One JSON object a line for each point, on standard output.",
    .keys = keys,
    .conf_size = sizeof(struct stdout_conf),
    .render = render,
    .judge = sink_nobody_answers,
};
