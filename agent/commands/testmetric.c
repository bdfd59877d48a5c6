/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's own metrics in a unit test: its rules over a world made of the
 * test's series.
 *
 * A job of the settings has the targets that the series name in `instance`;
 * without any it has one that answers.  A target is down while its `up` is 0,
 * or while none of its series has a sample.  `up`, and the workers of services
 * that are fixed or counted from a job, are added where the test has none.
 */
#include "agent/base/mem.h"
#include "agent/base/num.h"
#include "agent/commands/testrun.h"
#include "agent/metric/sample.h"
#include "agent/settings/settings.h"

#include <math.h>
#include <stdlib.h>

#define LOOKBACK (5 * WHEN_MINUTE)
/* Where a test names no start: 0 would be "never" to the rules. */
#define START WHEN_DAY
/* Numbers are computed: nine digits must agree. */
#define NEARLY 1e-9

struct place { /* where a target is */
    struct str job, instance;
    bool up;
    int64_t good_ms; /* newest sample; 0: none yet */
};

struct run {
    const struct test_file *file;
    const struct test_group *group;
    const struct settings *settings;
    struct rules *rules;
    struct store *store;
    struct arena kept;  /* of the test */
    struct arena arena; /* of an evaluation */
    struct place *places;
    size_t place_count;
    int64_t start_ms, now_ms;
    struct rules_results results;
    struct buf *out;
    bool ok;
};

/* ---- targets ---- */

static const struct labels *labels_of(const struct run *run, size_t i)
{
    return run->group->input_series[i].parsed.labels;
}

static bool is_of(const struct run *run, size_t i, const struct place *p)
{
    const struct labels *l = labels_of(run, i);

    return str_eq(labels_get(l, LABEL_JOB), p->job) &&
           str_eq(labels_get(l, LABEL_INSTANCE), p->instance);
}

static bool is_known(const struct run *run, const struct place *p)
{
    for (size_t i = 0; i < run->place_count; i++)
        if (str_eq(run->places[i].job, p->job) &&
            str_eq(run->places[i].instance, p->instance))
            return true;
    return false;
}

static void find_places(struct run *run)
{
    const struct settings_scrape *scrape = &run->settings->values.scrape;
    size_t n = run->group->input_series_count;

    run->places =
        arena_array(&run->kept, n + scrape->jobs_count, sizeof(struct place));
    for (size_t j = 0; j < scrape->jobs_count; j++) {
        struct place p = {.job = str_of(scrape->jobs[j].name)};
        size_t before = run->place_count;

        for (size_t i = 0; i < n; i++) {
            p.instance = labels_get(labels_of(run, i), LABEL_INSTANCE);
            if (str_eq(labels_get(labels_of(run, i), LABEL_JOB), p.job) &&
                !is_known(run, &p))
                run->places[run->place_count++] = p;
        }
        p.instance = STR_NONE;
        if (run->place_count == before)
            run->places[run->place_count++] = p;
    }
}

static const struct sample *newest(const struct run *run,
                                   const struct labels *l)
{
    const struct series *se = store_find(run->store, l);
    const struct sample *s =
        se ? series_newest(se, run->now_ms - LOOKBACK, run->now_ms) : NULL;

    return s && !sample_is_stale(s->v) ? s : NULL;
}

/* Whether it answers, by its own series; one that has none does. */
static bool answers(struct run *run, struct place *p)
{
    bool any = false, fresh = false;

    for (size_t i = 0; i < run->group->input_series_count; i++) {
        const struct sample *s;

        if (!is_of(run, i, p))
            continue;
        any = true;
        s = newest(run, labels_of(run, i));
        if (s && str_eqz(labels_name(labels_of(run, i)), "up"))
            return s->v != 0;
        fresh = fresh || s;
    }
    return fresh || !any;
}

/* A series that the agent writes itself, unless the test has it. */
static void add_own(struct run *run, struct labels_builder *b, double v)
{
    const struct labels *l = labels_build(b, &run->arena);

    for (size_t i = 0; i < run->group->input_series_count; i++)
        if (labels_eq(labels_of(run, i), l))
            return;
    (void)series_append(store_series(run->store, l), run->now_ms, v);
}

static void look_at(struct run *run, struct place *p)
{
    struct labels_builder b = {0};

    p->up = answers(run, p);
    if (p->up)
        p->good_ms = run->now_ms;
    labels_set(&b, LABEL_NAME, STR("up"));
    labels_set(&b, LABEL_JOB, p->job);
    labels_set(&b, LABEL_INSTANCE, p->instance);
    add_own(run, &b, p->up);
    labels_builder_fini(&b);
}

/* ---- the world ---- */

static void describe_job(struct run *run, const struct settings_job *conf,
                         struct rule_job *out)
{
    struct rule_target *t =
        arena_array(&run->arena, run->place_count, sizeof(*t));

    *out = (struct rule_job){.name = str_of(conf->name),
                             .replicas = conf->replicas,
                             .targets = t,
                             .complete = true};
    for (size_t i = 0; i < run->place_count; i++) {
        const struct place *p = &run->places[i];

        if (!str_eqz(p->job, conf->name))
            continue;
        t[out->target_count++] = (struct rule_target){
            .url = p->instance.len ? p->instance : p->job,
            .instance = p->instance,
            .up = p->up,
            .good_ms = p->good_ms,
            .error = p->good_ms ? STR("down in this test") : STR_NONE,
        };
    }
}

static size_t count_up(const struct run *run, const char *job)
{
    size_t n = 0;

    for (size_t i = 0; i < run->place_count; i++)
        n += run->places[i].up && str_eqz(run->places[i].job, job);
    return n;
}

static void describe_service(struct run *run,
                             const struct settings_capacity *conf,
                             struct rule_service *out)
{
    const struct capacity_conf *from = &conf->source;
    struct labels_builder b = {0};
    const struct labels *l;

    labels_set(&b, LABEL_NAME, CAPACITY_SERIES);
    labels_set(&b, STR("service"), str_of(conf->service));
    l = labels_build(&b, &run->arena);
    if (from->fixed >= 0)
        add_own(run, &b, (double)from->fixed);
    else if (from->up[0])
        add_own(run, &b, (double)count_up(run, from->up));
    labels_builder_fini(&b);
    *out = (struct rule_service){.name = str_of(conf->service),
                                 .known = newest(run, l) != NULL,
                                 .reason = STR("the test has no sample of it")};
}

static void evaluate(struct run *run)
{
    const struct settings_values *v = &run->settings->values;
    struct rules_world w = {.store = run->store,
                            .t_ms = run->now_ms,
                            .job_count = v->scrape.jobs_count,
                            .service_count = v->capacity_count};
    struct rule_job *jobs =
        arena_array(&run->arena, w.job_count, sizeof(*jobs));
    struct rule_service *services =
        arena_array(&run->arena, w.service_count, sizeof(*services));
    struct records_told told;

    for (size_t i = 0; i < run->place_count; i++)
        look_at(run, &run->places[i]);
    for (size_t i = 0; i < w.job_count; i++)
        describe_job(run, &v->scrape.jobs[i], &jobs[i]);
    for (size_t i = 0; i < w.service_count; i++)
        describe_service(run, &v->capacity[i], &services[i]);
    w.jobs = jobs;
    w.services = services;
    rules_record(run->rules, &w, run->store,
                 run->file->values.evaluation_interval_ms, &run->arena, &told);
    rules_evaluate(run->rules, &w, &run->arena, &run->results);
}

/* ---- what is expected ---- */

static const struct rule_result *result_of(const struct run *run,
                                           const char *name)
{
    for (size_t i = 0; i < run->results.count; i++)
        if (str_eqz(run->results.results[i].info->name, name))
            return &run->results.results[i];
    return NULL;
}

static bool is_near(double expected, double got)
{
    return expected == got ||
           fabs(expected - got) <= NEARLY * fmax(fabs(expected), fabs(got));
}

static struct test_rows rows_of(const struct rule_result *r, struct arena *a)
{
    struct test_rows rows = {arena_array(a, r->row_count, sizeof(*rows.items)),
                             r->row_count};

    for (size_t i = 0; i < r->row_count; i++)
        rows.items[i] = (struct test_row){r->rows[i].labels ? r->rows[i].labels
                                                            : &labels_empty,
                                          r->rows[i].value};
    return rows;
}

static bool holds(struct str text, const char *part)
{
    size_t n = strlen(part);

    for (size_t i = 0; i + n <= text.len; i++)
        if (memcmp(text.ptr + i, part, n) == 0)
            return true;
    return n == 0;
}

static bool is_met(struct run *run, const struct test_metric *t,
                   const struct rule_result *r)
{
    struct test_rows expected, got;

    if (t->missing)
        return r->row_count == 0 && holds(r->reason, t->reason);
    if (t->value[0])
        return r->row_count == 1 && is_near(t->parsed, r->rows[0].value);
    expected =
        test_rows_expected(t->exp_samples, t->exp_samples_count, &run->arena);
    got = rows_of(r, &run->arena);
    return test_rows_equal(&expected, &got, is_near);
}

static void print_expected(struct run *run, const struct test_metric *t)
{
    struct test_rows rows;
    char number[NUM_MAX];

    if (t->missing) {
        buf_addf(run->out, "missing%s%s", t->reason[0] ? ": " : "", t->reason);
    } else if (t->value[0]) {
        (void)num_json(t->parsed, number);
        buf_addz(run->out, number);
    } else {
        rows = test_rows_expected(t->exp_samples, t->exp_samples_count,
                                  &run->arena);
        test_rows_print(&rows, run->out);
    }
}

static void print_got(struct run *run, const struct test_metric *t,
                      const struct rule_result *r)
{
    struct test_rows rows = rows_of(r, &run->arena);
    char number[NUM_MAX];

    if (r->row_count == 0) {
        buf_addz(run->out, "missing");
    } else if (t->value[0] && r->row_count == 1) {
        (void)num_json(r->rows[0].value, number);
        buf_addz(run->out, number);
    } else {
        test_rows_print(&rows, run->out);
    }
    if (r->reason.len)
        buf_addf(run->out, "%s%.*s", r->row_count ? "; " : ": ",
                 STR_ARG(r->reason));
}

static void check(struct run *run, const struct test_metric *t)
{
    const struct rule_result *r = result_of(run, t->metric);
    char time[WHEN_TEXT];

    if (r && is_met(run, t, r))
        return;
    run->ok = false;
    when_duration_format(t->eval_time_ms, time);
    test_print_name(run->group, run->out);
    buf_addf(run->out, "    metric: %s, time: %s,", t->metric, time);
    if (!r) {
        buf_addz(run->out, " err: the configuration has no such metric\n");
        return;
    }
    buf_addz(run->out, "\n        exp: ");
    print_expected(run, t);
    buf_addz(run->out, "\n        got: ");
    print_got(run, t, r);
    buf_addc(run->out, '\n');
}

/* ---- time ---- */

static int64_t last_time(const struct test_group *g)
{
    int64_t last = -1;

    for (size_t i = 0; i < g->metric_test_count; i++)
        if (g->metric_test[i].eval_time_ms > last)
            last = g->metric_test[i].eval_time_ms;
    return last;
}

static void run_all(struct run *run)
{
    const struct test_group *g = run->group;
    int64_t every = run->file->values.evaluation_interval_ms;
    int64_t end = last_time(g);
    struct test_feed feed;

    test_feed_init(&feed, g, run->store, run->start_ms);
    for (int64_t t = 0; t <= end; t += every) {
        arena_reset(&run->arena);
        run->now_ms = run->start_ms + t;
        test_feed_until(&feed, run->now_ms);
        evaluate(run);
        for (size_t i = 0; i < g->metric_test_count; i++)
            if (g->metric_test[i].eval_time_ms >= t &&
                g->metric_test[i].eval_time_ms < t + every)
                check(run, &g->metric_test[i]);
    }
    test_feed_fini(&feed);
}

/* With memories of their own: the settings' rules stay as they are. */
static struct rules *fresh_rules(const struct settings *s)
{
    const struct rules_options o = {
        .membrane = &s->values.membrane,
        .metrics = s->values.metrics,
        .metric_count = s->values.metrics_count,
        .groups = s->groups,
    };

    groups_forget(s->groups);
    return rules_new(&o);
}

bool test_run_metrics(const struct test_file *f, const struct test_group *g,
                      const struct settings *s, struct buf *out)
{
    const struct store_options all = {.retention_ms = INT64_MAX / 4};
    struct run run = {.file = f,
                      .group = g,
                      .settings = s,
                      .start_ms = g->start_ms > 0 ? g->start_ms : START,
                      .out = out,
                      .ok = true};

    if (g->metric_test_count == 0)
        return true;
    run.rules = fresh_rules(s);
    run.store = store_new(&all);
    arena_init(&run.kept, 4096);
    arena_init(&run.arena, 65536);
    find_places(&run);
    run_all(&run);
    arena_fini(&run.arena);
    arena_fini(&run.kept);
    store_free(run.store);
    rules_free(run.rules);
    return run.ok;
}
