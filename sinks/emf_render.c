/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/jsonw.h"
#include "sinks/cloudwatch.h"
#include "sinks/emf.h"

/* What an event can hold of one point: a value stands as often as counted. */
struct piece {
    const struct point *point;
    const double *values;
    size_t count;
    bool written;
};

struct pieces {
    struct piece *all;
    size_t count;
};

/*
 * Cutting points to pieces.
 */
static size_t piece_count(const struct point *p)
{
    return (size_t)((point_count(p) + EMF_VALUES - 1) / EMF_VALUES);
}

static const double *spread(const struct point *p, struct arena *arena)
{
    const struct point_value *v;
    size_t n = cloudwatch_values(p, arena, &v), k = 0;
    double *out = arena_array(arena, (size_t)point_count(p), sizeof(*out));

    for (size_t i = 0; i < n; i++)
        for (uint32_t c = 0; c < v[i].count; c++)
            out[k++] = v[i].value;
    return out;
}

static void cut(const struct point *p, struct arena *arena, struct pieces *to)
{
    size_t left = (size_t)point_count(p);
    const double *values = spread(p, arena);

    while (left > 0) {
        size_t n = left < EMF_VALUES ? left : EMF_VALUES;

        to->all[to->count++] =
            (struct piece){.point = p, .values = values, .count = n};
        values += n;
        left -= n;
    }
}

static struct pieces cut_all(const struct batch *batch, struct arena *arena)
{
    struct pieces out = {0};
    size_t most = 0;

    for (size_t i = 0; i < batch->count; i++)
        most += piece_count(batch->points[i]);
    out.all = arena_array(arena, most, sizeof(*out.all));
    for (size_t i = 0; i < batch->count; i++)
        cut(batch->points[i], arena, &out);
    return out;
}

/*
 * One event.  Its metrics are declared in front of their values, so the two
 * grow apart and are put together at the end.
 */
struct event {
    struct buf head, declared, members;
    struct jsonw head_json, declared_json, members_json;
    const struct point *first;
    struct str names[EMF_METRICS];
    size_t count;
};

/* What closes the brackets of head and the list of the declared. */
#define TAIL "]}]},"

static void event_init(struct event *e)
{
    *e = (struct event){0};
    buf_init(&e->head, BUF_NO_LIMIT);
    buf_init(&e->declared, BUF_NO_LIMIT);
    buf_init(&e->members, BUF_NO_LIMIT);
}

static void event_fini(struct event *e)
{
    buf_fini(&e->head);
    buf_fini(&e->declared);
    buf_fini(&e->members);
}

/* Up to the list of metrics: {"_aws":{...,"Metrics": */
static void start_head(struct event *e, struct str namespace)
{
    struct jsonw *w = &e->head_json;

    jsonw_init(w, &e->head, 0);
    jsonw_object(w);
    jsonw_key(w, "_aws");
    jsonw_object(w);
    jsonw_key(w, "Timestamp");
    jsonw_int(w, e->first->t_ms);
    jsonw_key(w, "CloudWatchMetrics");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_key(w, "Namespace");
    jsonw_text(w, namespace);
    jsonw_key(w, "Dimensions");
    jsonw_array(w);
    jsonw_array(w);
    for (size_t i = 0; i < e->first->dimension_count; i++)
        jsonw_text(w, e->first->dimensions[i].name);
    jsonw_array_end(w);
    jsonw_array_end(w);
    jsonw_key(w, "Metrics");
}

static void start_event(struct event *e, const struct point *first,
                        struct str namespace)
{
    buf_reset(&e->head);
    buf_reset(&e->declared);
    buf_reset(&e->members);
    e->count = 0;
    e->first = first;
    start_head(e, namespace);
    jsonw_init(&e->declared_json, &e->declared, 0);
    jsonw_array(&e->declared_json);
    jsonw_init(&e->members_json, &e->members, 0);
    jsonw_object(&e->members_json);
    for (size_t i = 0; i < first->dimension_count; i++) {
        jsonw_keys(&e->members_json, first->dimensions[i].name);
        jsonw_text(&e->members_json, first->dimensions[i].value);
    }
}

static void declare(struct jsonw *w, const struct point *p)
{
    jsonw_object(w);
    jsonw_key(w, "Name");
    jsonw_text(w, p->name);
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

static void write_values(struct jsonw *w, const struct piece *piece)
{
    jsonw_keys(w, piece->point->name);
    if (piece->count == 1) {
        jsonw_num(w, piece->values[0]);
        return;
    }
    jsonw_array(w);
    for (size_t i = 0; i < piece->count; i++)
        jsonw_num(w, piece->values[i]);
    jsonw_array_end(w);
}

static bool same_dimensions(const struct point *a, const struct point *b)
{
    if (a->dimension_count != b->dimension_count)
        return false;
    for (size_t i = 0; i < a->dimension_count; i++)
        if (!str_eq(a->dimensions[i].name, b->dimensions[i].name) ||
            !str_eq(a->dimensions[i].value, b->dimensions[i].value))
            return false;
    return true;
}

static bool belongs(const struct event *e, const struct point *p)
{
    if (p->t_ms != e->first->t_ms || p->resolution != e->first->resolution ||
        !same_dimensions(p, e->first))
        return false;
    for (size_t i = 0; i < e->count; i++)
        if (str_eq(e->names[i], p->name))
            return false;
    return true;
}

static size_t line_length(const struct event *e)
{
    return e->head.len + e->declared.len + e->members.len + sizeof(TAIL "}\n");
}

/* False, and as if nothing had been, when the line would be too long. */
static bool take(struct event *e, struct piece *piece)
{
    struct jsonw declared = e->declared_json, members = e->members_json;
    size_t declared_len = e->declared.len, members_len = e->members.len;

    declare(&e->declared_json, piece->point);
    write_values(&e->members_json, piece);
    if (e->count > 0 && line_length(e) > EMF_LINE) {
        e->declared_json = declared;
        e->members_json = members;
        e->declared.len = declared_len;
        e->members.len = members_len;
        return false;
    }
    e->names[e->count++] = piece->point->name;
    piece->written = true;
    return true;
}

static void end_event(struct event *e, struct buf *lines)
{
    jsonw_object_end(&e->members_json);
    buf_adds(lines, buf_str(&e->head));
    buf_adds(lines, buf_str(&e->declared));
    buf_addz(lines, TAIL);
    buf_adds(lines, str_from(buf_str(&e->members), 1)); /* one object now */
    buf_addc(lines, '\n');
}

/* With the piece at `from` all that may stand beside it. */
static void write_event(struct event *e, const struct pieces *pieces,
                        size_t from, struct str namespace, struct buf *lines)
{
    start_event(e, pieces->all[from].point, namespace);
    for (size_t i = from; i < pieces->count && e->count < EMF_METRICS; i++) {
        struct piece *piece = &pieces->all[i];

        if (!piece->written && belongs(e, piece->point) && !take(e, piece))
            break;
    }
    end_event(e, lines);
}

bool emf_render(const void *conf, const struct batch *batch,
                struct arena *arena, struct http_request *req, size_t *taken,
                struct err *err)
{
    const struct emf_conf *c = conf;
    struct pieces pieces = cut_all(batch, arena);
    struct event event;
    struct buf lines;

    (void)err;
    event_init(&event);
    buf_init(&lines, BUF_NO_LIMIT);
    for (size_t i = 0; i < pieces.count; i++)
        if (!pieces.all[i].written)
            write_event(&event, &pieces, i, str_of(c->namespace), &lines);
    req->body = arena_str(arena, buf_str(&lines));
    *taken = batch->count;
    buf_fini(&lines);
    event_fini(&event);
    return true;
}
