/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/num.h"
#include "agent/base/when.h"
#include "agent/report/report.h"

#include <stdio.h>

#define BOLD  "\033[1m"
#define RED   "\033[31m"
#define GREEN "\033[32m"
#define AMBER "\033[33m"
#define PLAIN "\033[0m"

/* Values of one metric shown before "and N more". */
#define SHOWN_VALUES 6

struct page {
    struct buf *out;
    const struct report_style *style;
};

static void paint(struct page *p, const char *color)
{
    if (p->style->color)
        buf_addz(p->out, color);
}

static void heading(struct page *p, const char *text)
{
    buf_addc(p->out, '\n');
    paint(p, BOLD);
    buf_addz(p->out, text);
    paint(p, PLAIN);
    buf_addc(p->out, '\n');
}

static void add_number(struct buf *out, double v)
{
    char text[NUM_MAX];

    (void)num_general(v, text);
    buf_addz(out, text);
}

/* Values are read by people: four decimals say enough. */
static void add_rounded(struct buf *out, double v)
{
    char text[64];
    size_t n;

    if (v >= 1e15 || v <= -1e15) {
        add_number(out, v);
        return;
    }
    n = (size_t)snprintf(text, sizeof(text), "%.4f", v);
    while (n > 0 && text[n - 1] == '0')
        n--;
    if (n > 0 && text[n - 1] == '.')
        n--;
    buf_add(out, text, n);
}

static void add_wrapped(struct page *p, const char *color, struct str text)
{
    paint(p, color);
    buf_adds(p->out, text);
    paint(p, PLAIN);
}

static void pad(struct buf *out, size_t from, size_t width)
{
    for (size_t used = out->len - from; used < width; used++)
        buf_addc(out, ' ');
    buf_addz(out, "  ");
}

/*
 * Targets and worker counts.
 */
static size_t widest_job(const struct report *r)
{
    size_t w = 0;

    for (size_t i = 0; i < r->target_count; i++)
        if (r->targets[i].job.len > w)
            w = r->targets[i].job.len;
    return w;
}

static void target_line(struct page *p, const struct report_target *t,
                        size_t width)
{
    size_t from;

    buf_addz(p->out, "  ");
    from = p->out->len;
    buf_adds(p->out, t->job);
    pad(p->out, from, width);
    buf_adds(p->out, t->url);
    buf_addz(p->out, "  ");
    if (t->up) {
        add_wrapped(p, GREEN, STR("up"));
        buf_addf(p->out, "  %llu samples in %lld ms\n",
                 (unsigned long long)t->samples, (long long)t->duration_ms);
    } else {
        add_wrapped(p, RED, STR("down"));
        buf_addf(p->out, "  %.*s\n", STR_ARG(t->error));
    }
}

static void targets_part(struct page *p, const struct report *r)
{
    size_t width = widest_job(r), up = 0;
    char title[64];

    for (size_t i = 0; i < r->target_count; i++)
        up += r->targets[i].up;
    (void)snprintf(title, sizeof(title), "TARGETS (%zu of %zu up)", up,
                   r->target_count);
    heading(p, title);
    for (size_t i = 0; i < r->target_count; i++)
        target_line(p, &r->targets[i], width);
}

static void workers_part(struct page *p, const struct report *r)
{
    if (r->worker_count == 0)
        return;
    heading(p, "RUNNING WORKERS");
    for (size_t i = 0; i < r->worker_count; i++) {
        const struct report_workers *n = &r->workers[i];

        buf_addf(p->out, "  %.*s  ", STR_ARG(n->service));
        if (n->known)
            add_number(p->out, n->count);
        else
            add_wrapped(p, RED, STR("unknown"));
        if (n->known && n->has_desired) {
            buf_addz(p->out, " of ");
            add_number(p->out, n->desired);
            buf_addz(p->out, " desired");
        }
        buf_addf(p->out, "  (%.*s)", STR_ARG(n->source));
        if (n->known && n->reason.len)
            buf_addf(p->out, " read %lld s ago, since:",
                     (long long)(n->age_ms / WHEN_SECOND));
        if (n->reason.len)
            buf_addf(p->out, " %.*s", STR_ARG(n->reason));
        buf_addc(p->out, '\n');
    }
}

/*
 * Metrics.
 */
static void replicas(struct page *p, const struct report_metric *m)
{
    if (m->has_target) {
        buf_addz(p->out, "  target ");
        add_number(p->out, m->target);
    }
    if (!m->has_replicas)
        return;
    buf_addf(p->out, " -> %lld replicas", (long long)m->implied_replicas);
    if (m->max_replicas)
        buf_addf(p->out, " [%lld..%lld]", (long long)m->min_replicas,
                 (long long)m->max_replicas);
}

static void metric_head(struct page *p, const struct report_metric *m)
{
    buf_addz(p->out, "  ");
    add_wrapped(p, BOLD, m->name);
    if (m->labels && m->labels->count)
        labels_print(m->labels, p->out);
    if (m->has_value) {
        buf_addz(p->out, " = ");
        add_rounded(p->out, m->value);
        if (!str_eq(m->unit, STR("None")))
            buf_addf(p->out, " %.*s", STR_ARG(m->unit));
        replicas(p, m);
    } else {
        buf_addz(p->out, ": ");
        add_wrapped(p, RED, STR("no value"));
    }
    buf_addc(p->out, '\n');
    if (m->reason.len) {
        buf_addz(p->out, "      ");
        add_wrapped(p, m->has_value ? AMBER : RED, m->reason);
        buf_addc(p->out, '\n');
    }
}

/* The inputs of one name on one line: values, from how many, how old. */
static size_t input_line(struct page *p, const struct report_metric *m,
                         size_t from)
{
    struct str name = m->inputs[from].name;
    int64_t oldest = 0;
    size_t n = 0;

    buf_addf(p->out, "      %.*s  ", STR_ARG(name));
    for (; from + n < m->input_count && str_eq(m->inputs[from + n].name, name);
         n++) {
        const struct report_input *in = &m->inputs[from + n];

        if (in->age_ms > oldest)
            oldest = in->age_ms;
        if (n < SHOWN_VALUES) {
            buf_addz(p->out, n ? ", " : "");
            add_number(p->out, in->value);
        }
    }
    if (n > SHOWN_VALUES)
        buf_addf(p->out, " and %zu more", n - SHOWN_VALUES);
    if (n == 1 && m->inputs[from].instance.len)
        buf_addf(p->out, "  from %.*s", STR_ARG(m->inputs[from].instance));
    else if (n > 1)
        buf_addf(p->out, "  from %zu series", n);
    buf_addf(p->out, ", %.1f s old\n", (double)oldest / 1000);
    return from + n;
}

static void metric_part(struct page *p, const struct report_metric *m)
{
    metric_head(p, m);
    if (m->off)
        return;
    buf_addf(p->out, "      %.*s\n", STR_ARG(m->expression));
    for (size_t i = 0; i < m->input_count;)
        i = input_line(p, m, i);
    for (size_t i = 0; i < m->doubt_count; i++) {
        buf_addz(p->out, "      ");
        add_wrapped(p, AMBER, STR("note: "));
        buf_addf(p->out, "%.*s\n", STR_ARG(m->doubts[i]));
    }
}

static void off_part(struct page *p, const struct report *r)
{
    bool any = false;

    for (size_t i = 0; i < r->metric_count; i++) {
        if (!r->metrics[i].off)
            continue;
        if (!any)
            heading(p, "OFF (what they need is not configured)");
        any = true;
        buf_addf(p->out, "  %.*s: %.*s\n", STR_ARG(r->metrics[i].name),
                 STR_ARG(r->metrics[i].reason));
    }
}

static void metrics_part(struct page *p, const struct report *r)
{
    heading(p, "METRICS");
    for (size_t i = 0; i < r->metric_count; i++)
        if (!r->metrics[i].off)
            metric_part(p, &r->metrics[i]);
    off_part(p, r);
}

/*
 * Sinks.
 */
static void request_lines(struct page *p, const struct http_request *q)
{
    if (q->url.len == 0) { /* lines, just as they would be written */
        buf_adds(p->out, q->body);
        return;
    }
    buf_addf(p->out, "    %.*s %.*s  (%zu bytes)\n", STR_ARG(q->method),
             STR_ARG(q->url), q->body.len);
    if (!p->style->requests)
        return;
    for (size_t i = 0; i < q->header_count; i++)
        buf_addf(p->out, "    %.*s: %.*s\n", STR_ARG(q->headers[i].name),
                 STR_ARG(q->headers[i].secret ? STR("(secret)")
                                              : q->headers[i].value));
    buf_addf(p->out, "\n%.*s\n", STR_ARG(q->body));
}

static void sink_head(struct page *p, const struct report_sink *s)
{
    buf_addz(p->out, "  ");
    add_wrapped(p, BOLD, s->name);
    if (!s->sent) {
        buf_addf(p->out, ": would send %zu request%s\n", s->request_count,
                 s->request_count == 1 ? "" : "s");
        return;
    }
    buf_addf(p->out, ": %llu point%s accepted", (unsigned long long)s->accepted,
             s->accepted == 1 ? "" : "s");
    if (s->lost) {
        buf_addz(p->out, ", ");
        paint(p, RED);
        buf_addf(p->out, "%llu not delivered", (unsigned long long)s->lost);
        paint(p, PLAIN);
    }
    buf_addc(p->out, '\n');
    if (s->error.len)
        buf_addf(p->out, "    %.*s\n", STR_ARG(s->error));
}

static void sinks_part(struct page *p, const struct report *r)
{
    heading(p, "SINKS");
    for (size_t i = 0; i < r->sink_count; i++) {
        const struct report_sink *s = &r->sinks[i];

        sink_head(p, s);
        for (size_t j = 0; j < s->request_count; j++)
            request_lines(p, &s->requests[j]);
        for (size_t j = 0; j < s->refused_count; j++)
            buf_addf(p->out, "    not sent: %.*s: %.*s\n",
                     STR_ARG(s->refused[j].metric),
                     STR_ARG(s->refused[j].reason));
    }
}

static void title(struct page *p, const struct report *r)
{
    char when[WHEN_TEXT];

    when_rfc3339(r->wall_ms, when);
    paint(p, BOLD);
    buf_addf(p->out, "scalebridge at %s", when);
    paint(p, PLAIN);
    buf_addz(p->out, r->dry ? ": dry run, nothing was sent\n" : "\n");
    if (r->origin.len)
        buf_addf(p->out, "%.*s\n", STR_ARG(r->origin));
}

static void summary(struct page *p, const struct report *r)
{
    size_t have = 0, lack = 0;

    for (size_t i = 0; i < r->metric_count; i++) {
        have += r->metrics[i].has_value;
        lack += !r->metrics[i].has_value && !r->metrics[i].off;
    }
    buf_addf(p->out, "\n%zu value%s", have, have == 1 ? "" : "s");
    if (lack) {
        buf_addz(p->out, ", ");
        paint(p, RED);
        buf_addf(p->out, "%zu metric%s without a value", lack,
                 lack == 1 ? "" : "s");
        paint(p, PLAIN);
    }
    buf_addc(p->out, '\n');
}

void report_table(const struct report *r, const struct report_style *style,
                  struct buf *out)
{
    struct page p = {.out = out, .style = style};

    title(&p, r);
    targets_part(&p, r);
    workers_part(&p, r);
    metrics_part(&p, r);
    if (r->sink_count)
        sinks_part(&p, r);
    for (size_t i = 0; i < r->note_count; i++)
        buf_addf(out, "\nnote: %.*s\n", STR_ARG(r->notes[i]));
    summary(&p, r);
}
