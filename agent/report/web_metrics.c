/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_metrics.c - the agent's own figures and every fresh metric, as
 * Prometheus text 0.0.4 or OpenMetrics 1.0.
 *
 * The two differ here in the names of counters' TYPE and HELP lines (without
 * _total in OpenMetrics) and in the # EOF.
 */
#include "agent/base/mem.h"
#include "agent/base/num.h"
#include "agent/report/web.h"

#include <stdlib.h>

struct page {
    struct buf *out;
    bool openmetrics;
};

static void head(struct page *p, const char *name, bool counter,
                 const char *help)
{
    const char *total = counter && !p->openmetrics ? "_total" : "";

    buf_addf(p->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, total, help,
             name, total, counter ? "counter" : "gauge");
}

static void number(struct page *p, double v)
{
    char text[NUM_MAX];

    (void)num_json(v, text);
    buf_addf(p->out, " %s\n", text);
}

static void quoted(struct page *p, struct str text)
{
    buf_addc(p->out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n')
            buf_addz(p->out, "\\n");
        else if (text.ptr[i] == '\\' || text.ptr[i] == '"')
            buf_addf(p->out, "\\%c", text.ptr[i]);
        else
            buf_addc(p->out, text.ptr[i]);
    }
    buf_addc(p->out, '"');
}

static void row(struct page *p, const char *name, const char *label,
                struct str value, double v)
{
    buf_addz(p->out, name);
    if (label) {
        buf_addf(p->out, "{%s=", label);
        quoted(p, value);
        buf_addc(p->out, '}');
    }
    number(p, v);
}

static void process(struct page *p, const struct web *w)
{
    head(p, "scalebridge_build_info", false,
         "The version that runs; always 1.");
    row(p, "scalebridge_build_info", "version", w->version, 1);
    head(p, "scalebridge_start_time_seconds", false,
         "When the agent started, in seconds since 1970.");
    row(p, "scalebridge_start_time_seconds", NULL, STR_NONE,
        (double)w->started_ms / 1000);
    head(p, "scalebridge_evaluations", true, "Evaluations of all metrics.");
    row(p, "scalebridge_evaluations_total", NULL, STR_NONE,
        (double)w->evaluations);
}

static void jobs(struct page *p, const struct web *w)
{
    head(p, "scalebridge_scrapes", true, "Scrapes that ended, by job.");
    for (size_t i = 0; i < w->job_count; i++)
        row(p, "scalebridge_scrapes_total", "job", w->jobs[i].name,
            (double)w->jobs[i].scrapes);
    head(p, "scalebridge_scrape_failures", true, "Scrapes that failed.");
    for (size_t i = 0; i < w->job_count; i++)
        row(p, "scalebridge_scrape_failures_total", "job", w->jobs[i].name,
            (double)w->jobs[i].failures);
    head(p, "scalebridge_scrape_samples", true, "Samples that were kept.");
    for (size_t i = 0; i < w->job_count; i++)
        row(p, "scalebridge_scrape_samples_total", "job", w->jobs[i].name,
            (double)w->jobs[i].samples);
}

static void targets(struct page *p, const struct web *w)
{
    head(p, "scalebridge_target_up", false,
         "Whether the target's last scrape succeeded.");
    for (size_t i = 0; i < w->report->target_count; i++) {
        const struct report_target *t = &w->report->targets[i];

        buf_addz(p->out, "scalebridge_target_up{job=");
        quoted(p, t->job);
        buf_addz(p->out, ",url=");
        quoted(p, t->url);
        buf_addc(p->out, '}');
        number(p, t->up ? 1 : 0);
    }
}

static void points(struct page *p, const struct web *w)
{
    head(p, "scalebridge_sink_points", true,
         "Points that left a sink's queue, by how they ended.");
    for (size_t i = 0; i < w->sink_count; i++) {
        const struct web_sink *s = &w->sinks[i];

        for (size_t k = 0; k < s->ended_count; k++) {
            buf_addz(p->out, "scalebridge_sink_points_total{sink=");
            quoted(p, s->name);
            buf_addz(p->out, ",verdict=");
            quoted(p, s->ended[k].name);
            buf_addc(p->out, '}');
            number(p, (double)s->ended[k].count);
        }
    }
}

/* One family with a row for each sink. */
struct sink_family {
    const char *name, *help;
    double (*get)(const struct web *w, const struct web_sink *s);
    bool counter;
};

static double get_requests(const struct web *w, const struct web_sink *s)
{
    (void)w;
    return (double)s->requests;
}

static double get_failures(const struct web *w, const struct web_sink *s)
{
    (void)w;
    return (double)s->failures;
}

static double get_throttled(const struct web *w, const struct web_sink *s)
{
    (void)w;
    return (double)s->throttled;
}

static double get_queued(const struct web *w, const struct web_sink *s)
{
    (void)w;
    return (double)s->queued;
}

static double get_bytes(const struct web *w, const struct web_sink *s)
{
    (void)w;
    return (double)s->queued_bytes;
}

static double get_age(const struct web *w, const struct web_sink *s)
{
    if (s->oldest_ms == 0 || w->wall_ms < s->oldest_ms)
        return 0;
    return (double)(w->wall_ms - s->oldest_ms) / 1000;
}

static double get_healthy(const struct web *w, const struct web_sink *s)
{
    (void)w;
    return s->healthy ? 1 : 0;
}

static double get_accept(const struct web *w, const struct web_sink *s)
{
    (void)w;
    return (double)s->last_accept_ms / 1000;
}

static const struct sink_family sink_families[] = {
    {"scalebridge_sink_requests", "Requests that were sent.", get_requests,
     true},
    {"scalebridge_sink_request_failures", "Requests that ended in a retry.",
     get_failures, true},
    {"scalebridge_sink_throttled", "Requests that the cloud throttled.",
     get_throttled, true},
    {"scalebridge_sink_queue_points", "Points that wait.", get_queued, false},
    {"scalebridge_sink_queue_bytes", "Memory of the points that wait.",
     get_bytes, false},
    {"scalebridge_sink_queue_age_seconds", "Age of the oldest waiting point.",
     get_age, false},
    {"scalebridge_sink_healthy", "Whether the last request was accepted.",
     get_healthy, false},
    {"scalebridge_sink_last_accept_time_seconds",
     "When the cloud last accepted points; 0: not yet.", get_accept, false},
    {NULL, NULL, NULL, false},
};

static void sinks(struct page *p, const struct web *w)
{
    points(p, w);
    for (const struct sink_family *f = sink_families; f->name; f++) {
        head(p, f->name, f->counter, f->help);
        for (size_t i = 0; i < w->sink_count; i++) {
            buf_addf(p->out, "%s%s{sink=", f->name, f->counter ? "_total" : "");
            quoted(p, w->sinks[i].name);
            buf_addc(p->out, '}');
            number(p, f->get(w, &w->sinks[i]));
        }
    }
}

static void states(struct page *p, const struct web *w)
{
    head(p, "scalebridge_metric_fresh", false,
         "Whether the metric has a value that can be trusted now.");
    for (size_t i = 0; i < w->report->metric_count; i++) {
        const struct report_metric *m = &w->report->metrics[i];

        if (!m->off && (i == 0 || !str_eq(m->name, m[-1].name)))
            row(p, "scalebridge_metric_fresh", "metric", m->name,
                m->has_value && !m->held ? 1 : 0);
    }
}

/* A metric that cannot be trusted is absent, not 0. */
static void metrics(struct page *p, const struct web *w)
{
    struct report_metric *fresh =
        xcalloc(w->report->metric_count + 1, sizeof(*fresh));
    struct report only = {.metrics = fresh};

    for (size_t i = 0; i < w->report->metric_count; i++) {
        const struct report_metric *m = &w->report->metrics[i];

        if (m->has_value && !m->held && m->reason.len == 0)
            fresh[only.metric_count++] = *m;
    }
    report_prometheus(&only, p->out);
    free(fresh);
}

void web_metrics(const struct web *w, bool openmetrics, struct buf *out)
{
    struct page p = {.out = out, .openmetrics = openmetrics};
    struct buf why;

    process(&p, w);
    jobs(&p, w);
    targets(&p, w);
    sinks(&p, w);
    states(&p, w);
    buf_init(&why, BUF_NO_LIMIT);
    if (!web_stale(w, &why))
        metrics(&p, w);
    buf_fini(&why);
    if (openmetrics)
        buf_addz(out, "# EOF\n");
}
