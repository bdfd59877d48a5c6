/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_query.c - instant queries in the shape of Prometheus' HTTP API.
 *
 * An expression reads either what is published, by the names of metrics or of
 * /metrics, or the series that the store keeps; never both.
 */
#include "agent/base/jsonw.h"
#include "agent/base/num.h"
#include "agent/promql/load.h"
#include "agent/promql/promql.h"
#include "agent/report/web.h"

#define MAX_SAMPLES 1000000

struct reads {
    bool metrics, series;
};

static void fail(struct web_reply *reply, int status, const char *type,
                 struct str text)
{
    struct jsonw w;

    reply->status = status;
    jsonw_init(&w, reply->body, 0);
    jsonw_object(&w);
    jsonw_key(&w, "status");
    jsonw_textz(&w, "error");
    jsonw_key(&w, "errorType");
    jsonw_textz(&w, type);
    jsonw_key(&w, "error");
    jsonw_text(&w, text);
    jsonw_object_end(&w);
}

static struct str selected(const struct promql_selector *s)
{
    for (size_t i = 0; i < s->matcher_count; i++)
        if (str_eq(s->matchers[i].name, LABEL_NAME) &&
            s->matchers[i].op == MATCH_EQ)
            return s->matchers[i].value;
    return STR_NONE;
}

static bool is_named(const struct report_metric *m, struct str name)
{
    struct buf other;
    bool same;

    buf_init(&other, BUF_NO_LIMIT);
    report_exposed_name(m->name, &other);
    same = str_eq(m->name, name) || str_eq(buf_str(&other), name);
    buf_fini(&other);
    return same;
}

static bool fresh(const struct report_metric *m)
{
    return m->has_value && !m->held && m->reason.len == 0;
}

/* False, and the reply is written: nothing to be trusted under this name. */
static bool check_name(const struct web *w, struct str name,
                       struct reads *reads, struct web_reply *reply)
{
    bool found = false;

    for (size_t i = 0; i < w->report->metric_count; i++) {
        const struct report_metric *m = &w->report->metrics[i];

        if (!is_named(m, name))
            continue;
        found = true;
        if (!fresh(m)) {
            fail(reply, 503, "unavailable",
                 m->reason.len ? m->reason : STR("no value is known"));
            return false;
        }
    }
    reads->metrics = reads->metrics || found;
    if (found)
        return true;
    reads->series = true;
    if (name.len > 0 && !str_starts(name, STR("scalebridge_")) &&
        w->held(w->held_arg, name))
        return true;
    fail(reply, 422, "execution",
         STR("a selector names no metric and no series that is kept; query "
             "the name of a metric, or what its expressions read"));
    return false;
}

static bool incomplete(struct str what, struct str why, struct web_reply *reply)
{
    struct buf text;

    buf_init(&text, BUF_NO_LIMIT);
    buf_addf(&text, "the series are incomplete: %.*s: %.*s", STR_ARG(what),
             STR_ARG(why));
    fail(reply, 503, "unavailable", buf_str(&text));
    buf_fini(&text);
    return false;
}

static bool check_targets(const struct web *w, struct web_reply *reply)
{
    for (size_t i = 0; i < w->job_count; i++)
        if (w->jobs[i].lacks.len > 0)
            return incomplete(w->jobs[i].name, w->jobs[i].lacks, reply);
    for (size_t i = 0; i < w->report->target_count; i++) {
        const struct report_target *t = &w->report->targets[i];

        if (!t->up)
            return incomplete(t->url, t->error, reply);
    }
    return true;
}

static bool check(const struct web *w, const struct promql *q,
                  struct reads *reads, struct web_reply *reply)
{
    const struct promql_selector *selectors;
    size_t n = promql_selectors(q, &selectors);

    for (size_t i = 0; i < n; i++)
        if (!check_name(w, selected(&selectors[i]), reads, reply))
            return false;
    if (reads->metrics && reads->series) {
        fail(reply, 422, "execution",
             STR("metrics and scraped series cannot be read in one "
                 "expression; make it a metric of the configuration"));
        return false;
    }
    return !reads->series || check_targets(w, reply);
}

static void add_row(const struct report_metric *m, struct str name,
                    struct buf *out)
{
    char value[NUM_MAX];

    buf_adds(out, name);
    if (m->labels)
        report_exposed_labels(m->labels, out);
    (void)num_json(m->value, value);
    buf_addf(out, " %s\n", value);
}

/* The fresh metrics under both of their names. */
static struct store *metrics_store(const struct web *w, struct err *err)
{
    struct load *load = load_new();
    struct store *store = NULL;
    struct buf text, name;

    buf_init(&text, BUF_NO_LIMIT);
    buf_init(&name, BUF_NO_LIMIT);
    for (size_t i = 0; i < w->report->metric_count; i++) {
        const struct report_metric *m = &w->report->metrics[i];

        if (!fresh(m))
            continue;
        buf_reset(&name);
        report_exposed_name(m->name, &name);
        add_row(m, buf_str(&name), &text);
        if (!str_eq(buf_str(&name), m->name))
            add_row(m, m->name, &text);
    }
    if (load_text(load, buf_str(&text), PARSE_PROMETHEUS, err))
        store = load_take(load, w->wall_ms);
    load_free(load);
    buf_fini(&name);
    buf_fini(&text);
    return store;
}

static void evaluate(const struct web *w, const struct promql *q,
                     const struct store *store, struct web_reply *reply)
{
    struct promql_result r;
    struct arena arena;
    struct err err;

    arena_init(&arena, (size_t)16 * 1024);
    if (promql_eval(q,
                    &(struct promql_eval){.store = store,
                                          .t_ms = w->wall_ms,
                                          .arena = &arena,
                                          .max_samples = MAX_SAMPLES},
                    &r, &err)) {
        if (!promql_ordered(q))
            promql_sort(&r);
        reply->status = 200;
        buf_addz(reply->body, "{\"status\":\"success\",\"data\":");
        promql_print_json(&r, w->wall_ms, reply->body);
        buf_addc(reply->body, '}');
    } else {
        fail(reply, 422, "execution", str_of(err.text));
    }
    arena_fini(&arena);
}

static void answer(const struct web *w, const struct promql *q,
                   struct web_reply *reply)
{
    struct reads reads = {.metrics = false};
    struct store *own;
    struct err err;

    if (!check(w, q, &reads, reply))
        return;
    if (reads.series) {
        evaluate(w, q, w->store, reply);
        return;
    }
    own = metrics_store(w, &err);
    if (own)
        evaluate(w, q, own, reply);
    else
        fail(reply, 500, "internal", str_of(err.text));
    store_free(own);
}

void web_query(const struct web *w, struct str params, struct web_reply *reply)
{
    struct promql_options options = {.experimental = false};
    struct promql_error error;
    struct promql *q = NULL;
    struct buf text;

    reply->content_type = STR("application/json");
    buf_init(&text, BUF_NO_LIMIT);
    if (web_stale(w, &text)) {
        fail(reply, 503, "unavailable", buf_str(&text));
    } else if (!web_param(params, "query", &text)) {
        fail(reply, 400, "bad_data",
             STR("invalid parameter \"query\": it is missing or wrongly "
                 "escaped"));
    } else {
        q = promql_parse(buf_str(&text), &options, &error);
        if (q)
            answer(w, q, reply);
        else
            fail(reply, 400, "bad_data", str_of(error.err.text));
    }
    promql_free(q);
    buf_fini(&text);
}
