/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/jsonw.h"
#include "agent/base/num.h"
#include "agent/base/when.h"
#include "agent/report/report.h"
#include "agent/report/web.h"

#include <stdlib.h>

#define MASK STR("(secret)")

static void keyed_text(struct jsonw *w, const char *key, struct str value)
{
    jsonw_key(w, key);
    jsonw_text(w, value);
}

static void labels_object(struct jsonw *w, const struct labels *labels)
{
    struct label pair;

    jsonw_object(w);
    if (labels) {
        struct labels_iter it = labels_iter(labels);

        while (labels_next(&it, &pair)) {
            if (str_eq(pair.name, LABEL_NAME))
                continue;
            jsonw_keys(w, pair.name);
            jsonw_text(w, pair.value);
        }
    }
    jsonw_object_end(w);
}

static void inputs_array(struct jsonw *w, const struct report_metric *m)
{
    jsonw_array(w);
    for (size_t i = 0; i < m->input_count; i++) {
        const struct report_input *in = &m->inputs[i];

        jsonw_object(w);
        keyed_text(w, "name", in->name);
        jsonw_key(w, "labels");
        labels_object(w, in->labels);
        jsonw_key(w, "value");
        jsonw_num(w, in->value);
        jsonw_key(w, "instance");
        if (in->instance.len)
            jsonw_text(w, in->instance);
        else
            jsonw_null(w);
        jsonw_key(w, "age_seconds");
        jsonw_num(w, (double)in->age_ms / 1000);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void metric_value(struct jsonw *w, const struct report_metric *m)
{
    jsonw_key(w, "value");
    if (m->has_value)
        jsonw_num(w, m->value);
    else
        jsonw_null(w);
    if (!m->has_value || m->reason.len)
        keyed_text(w, "reason", m->reason);
    keyed_text(w, "unit", m->unit);
    jsonw_key(w, "target");
    if (m->has_target)
        jsonw_num(w, m->target);
    else
        jsonw_null(w);
    jsonw_key(w, "complete");
    jsonw_bool(w, m->complete);
    jsonw_key(w, "held");
    jsonw_bool(w, m->held);
    jsonw_key(w, "off");
    jsonw_bool(w, m->off);
}

static void metric_object(struct jsonw *w, const struct report_metric *m)
{
    jsonw_object(w);
    keyed_text(w, "name", m->name);
    jsonw_key(w, "labels");
    labels_object(w, m->labels);
    metric_value(w, m);
    keyed_text(w, "description", m->description);
    keyed_text(w, "expression", m->expression);
    jsonw_key(w, "inputs");
    inputs_array(w, m);
    jsonw_key(w, "implied_replicas");
    if (m->has_replicas)
        jsonw_int(w, m->implied_replicas);
    else
        jsonw_null(w);
    jsonw_key(w, "doubts");
    jsonw_array(w);
    for (size_t i = 0; i < m->doubt_count; i++)
        jsonw_text(w, m->doubts[i]);
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void target_object(struct jsonw *w, const struct report_target *t)
{
    jsonw_object(w);
    keyed_text(w, "job", t->job);
    keyed_text(w, "url", t->url);
    jsonw_key(w, "up");
    jsonw_bool(w, t->up);
    jsonw_key(w, "error");
    if (t->error.len)
        jsonw_text(w, t->error);
    else
        jsonw_null(w);
    jsonw_key(w, "duration_seconds");
    jsonw_num(w, (double)t->duration_ms / 1000);
    jsonw_key(w, "samples");
    jsonw_int(w, (int64_t)t->samples);
    jsonw_object_end(w);
}

static void workers_object(struct jsonw *w, const struct report_workers *n)
{
    jsonw_object(w);
    keyed_text(w, "service", n->service);
    jsonw_key(w, "count");
    if (n->known)
        jsonw_num(w, n->count);
    else
        jsonw_null(w);
    if (n->known && n->has_desired) {
        jsonw_key(w, "desired");
        jsonw_num(w, n->desired);
    }
    keyed_text(w, "source", n->source);
    if (n->known) {
        jsonw_key(w, "age_seconds");
        jsonw_num(w, (double)n->age_ms / 1000);
    }
    if (n->reason.len)
        keyed_text(w, "reason", n->reason);
    jsonw_object_end(w);
}

static void request_object(struct jsonw *w, const struct http_request *q)
{
    jsonw_object(w);
    keyed_text(w, "method", q->method);
    keyed_text(w, "url", q->url);
    jsonw_key(w, "headers");
    jsonw_object(w);
    for (size_t i = 0; i < q->header_count; i++) {
        jsonw_keys(w, q->headers[i].name);
        jsonw_text(w, q->headers[i].secret ? MASK : q->headers[i].value);
    }
    jsonw_object_end(w);
    keyed_text(w, "body", q->body);
    jsonw_object_end(w);
}

static void sink_outcome(struct jsonw *w, const struct report_sink *s)
{
    jsonw_key(w, "sent");
    jsonw_bool(w, s->sent);
    if (!s->sent)
        return;
    jsonw_key(w, "accepted");
    jsonw_int(w, (int64_t)s->accepted);
    jsonw_key(w, "lost");
    jsonw_int(w, (int64_t)s->lost);
    jsonw_key(w, "error");
    if (s->error.len)
        jsonw_text(w, s->error);
    else
        jsonw_null(w);
}

static void sink_object(struct jsonw *w, const struct report_sink *s)
{
    jsonw_object(w);
    keyed_text(w, "name", s->name);
    jsonw_key(w, "requests");
    jsonw_array(w);
    for (size_t i = 0; i < s->request_count; i++)
        request_object(w, &s->requests[i]);
    jsonw_array_end(w);
    jsonw_key(w, "refused");
    jsonw_array(w);
    for (size_t i = 0; i < s->refused_count; i++) {
        jsonw_object(w);
        keyed_text(w, "metric", s->refused[i].metric);
        keyed_text(w, "reason", s->refused[i].reason);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    sink_outcome(w, s);
    jsonw_object_end(w);
}

#define ARRAY(w, key, items, count, print)                     \
    do {                                                       \
        jsonw_key((w), (key));                                 \
        jsonw_array(w);                                        \
        for (size_t array_i = 0; array_i < (count); array_i++) \
            print((w), &(items)[array_i]);                     \
        jsonw_array_end(w);                                    \
    } while (0)

void report_json(const struct report *r, struct buf *out)
{
    struct jsonw w;
    char when[WHEN_TEXT];

    when_rfc3339(r->wall_ms, when);
    jsonw_init(&w, out, 2);
    jsonw_object(&w);
    keyed_text(&w, "time", str_of(when));
    jsonw_key(&w, "dry_run");
    jsonw_bool(&w, r->dry);
    ARRAY(&w, "metrics", r->metrics, r->metric_count, metric_object);
    ARRAY(&w, "targets", r->targets, r->target_count, target_object);
    ARRAY(&w, "workers", r->workers, r->worker_count, workers_object);
    ARRAY(&w, "sinks", r->sinks, r->sink_count, sink_object);
    jsonw_key(&w, "notes");
    jsonw_array(&w);
    for (size_t i = 0; i < r->note_count; i++)
        jsonw_text(&w, r->notes[i]);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    buf_addc(out, '\n');
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static char snake_char(char c)
{
    if (is_upper(c))
        return (char)(c - 'A' + 'a');
    if (is_lower(c) || (c >= '0' && c <= '9'))
        return c;
    return '_';
}

/*
 * The exposition of report_prometheus(): names as published would be no
 * metric names of Prometheus' style, so they are turned: JobsPerWorker gives
 * scalebridge_jobs_per_worker.
 */
void report_exposed_name(struct str name, struct buf *out)
{
    buf_addz(out, "scalebridge_");
    if (str_starts(name, STR("Scalebridge")))
        name = str_from(name, strlen("Scalebridge"));
    for (size_t i = 0; i < name.len; i++) {
        if (is_upper(name.ptr[i]) && i > 0 && is_lower(name.ptr[i - 1]))
            buf_addc(out, '_');
        buf_addc(out, snake_char(name.ptr[i]));
    }
}

static void escape_help(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\')
            buf_addz(out, "\\\\");
        else if (text.ptr[i] == '\n')
            buf_addz(out, "\\n");
        else
            buf_addc(out, text.ptr[i]);
    }
}

/* The exposition knows three escapes, fewer than PromQL's printer writes. */
static void exposed_value(struct str text, struct buf *out)
{
    buf_addc(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '\n')
            buf_addz(out, "\\n");
        else if (c == '\\' || c == '"')
            buf_addf(out, "\\%c", c);
        else
            buf_addc(out, c);
    }
    buf_addc(out, '"');
}

void report_exposed_labels(const struct labels *labels, struct buf *out)
{
    struct labels_iter it = labels_iter(labels);
    const char *before = "{";
    struct label pair;

    while (labels_next(&it, &pair)) {
        if (str_eq(pair.name, LABEL_NAME))
            continue;
        buf_addz(out, before);
        buf_adds(out, pair.name);
        buf_addc(out, '=');
        exposed_value(pair.value, out);
        before = ", ";
    }
    if (*before != '{')
        buf_addc(out, '}');
}

void report_prometheus(const struct report *r, struct buf *out)
{
    char value[NUM_MAX];

    for (size_t i = 0; i < r->metric_count; i++) {
        const struct report_metric *m = &r->metrics[i];

        if (!m->has_value)
            continue;
        if (i == 0 || !str_eq(m->name, r->metrics[i - 1].name)) {
            buf_addz(out, "# HELP ");
            report_exposed_name(m->name, out);
            buf_addc(out, ' ');
            escape_help(m->description, out);
            buf_addz(out, "\n# TYPE ");
            report_exposed_name(m->name, out);
            buf_addz(out, " gauge\n");
        }
        report_exposed_name(m->name, out);
        if (m->labels)
            report_exposed_labels(m->labels, out);
        (void)num_json(m->value, value);
        buf_addf(out, " %s\n", value);
    }
}
