/* SPDX-License-Identifier: Apache-2.0 */
#include "test/lib/rules_world.h"

#include "agent/base/mem.h"
#include "test/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>

static char nothing[] = "";
static const char *const instances[WORLD_TARGETS] = {"a", "b", "c",
                                                     "d", "e", "f"};

void world_init(struct world *w)
{
    static char preset[] = "membrane/2025-10";

    *w = (struct world){
        .store = store_new(
            &(struct store_options){.retention_ms = 10 * WHEN_MINUTE}),
        .now_ms = INT64_C(1764000000000),
        .membrane = {.preset = preset,
                     .jobs_per_worker = 5,
                     .queued_buffer = 0.3,
                     .capacity_rate = 0.45,
                     .utilization = 0.75},
    };
    arena_init(&w->arena, 16384);
}

void world_fini(struct world *w)
{
    for (size_t i = 0; i < w->metric_count; i++) {
        free(w->metrics[i].name);
        free(w->metrics[i].expr);
    }
    rules_free(w->rules);
    groups_free(w->groups);
    store_free(w->store);
    arena_fini(&w->arena);
}

struct rule_conf *world_metric(struct world *w, const char *name,
                               const char *expr)
{
    struct rule_conf *m = &w->metrics[w->metric_count++];

    assert_true(w->metric_count <= WORLD_METRICS);
    *m = (struct rule_conf){
        .name = xstrdup(name),
        .expr = xstrdup(expr),
        .unit = nothing,
        .description = nothing,
        .running = nothing,
        .min_replicas = -1,
        .max_replicas = -1,
        .missing = {.hold_ms = 2 * WHEN_MINUTE, .value = nothing},
        .enabled = true,
    };
    return m;
}

static void note_fault(void *arg, const void *field, const struct err *err,
                       struct str quote)
{
    struct world *w = arg;

    if (w->fault[0])
        return;
    snprintf(w->fault, sizeof(w->fault), "%s\n%.*s", err->text, STR_ARG(quote));
    w->fault_field = field;
}

void world_rule_file(struct world *w, const char *text)
{
    struct conf *faults = conf_new();
    struct buf out;

    if (!w->groups)
        w->groups = groups_new();
    buf_init(&out, BUF_NO_LIMIT);
    if (!groups_read(w->groups, "rules.yml", str_of(text), faults)) {
        conf_faults_print(faults, &out);
        fail_msg("%s", buf_z(&out));
    }
    buf_fini(&out);
    conf_free(faults);
}

bool world_start(struct world *w)
{
    const struct rules_options options = {
        .membrane = &w->membrane,
        .metrics = w->metrics,
        .metric_count = w->metric_count,
        .groups = w->groups,
        .fault = note_fault,
        .arg = w,
    };

    w->rules = rules_new(&options);
    assert_int_equal(w->rules == NULL, w->fault[0] != '\0');
    return w->rules != NULL;
}

static size_t job_index(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->job_count; i++)
        if (str_eqz(w->jobs[i].name, name))
            return i;
    fail_msg("no job %s", name);
    return 0;
}

struct rule_job *world_job(struct world *w, const char *name, size_t n)
{
    size_t j = w->job_count++;
    struct rule_job *job = &w->jobs[j];

    assert_true(w->job_count <= WORLD_JOBS && n <= WORLD_TARGETS);
    *job = (struct rule_job){.name = str_of(name),
                             .targets = w->targets[j],
                             .target_count = n,
                             .complete = true};
    for (size_t i = 0; i < n; i++) {
        w->targets[j][i] = (struct rule_target){
            .url = str_of(instances[i]),
            .instance = str_of(instances[i]),
            .up = true,
            .good_ms = w->now_ms,
        };
    }
    return job;
}

struct rule_target *world_target(struct world *w, const char *job, size_t i)
{
    return &w->targets[job_index(w, job)][i];
}

static struct series *series_of(struct world *w, const char *name,
                                struct str job, const char *instance)
{
    struct labels_builder b = {0};
    struct labels *l;
    struct series *se;

    labels_set(&b, LABEL_NAME, str_of(name));
    labels_set(&b, LABEL_JOB, job);
    labels_set(&b, LABEL_INSTANCE, str_of(instance));
    l = labels_build(&b, NULL);
    se = store_series(w->store, l);
    labels_builder_fini(&b);
    free(l);
    return se;
}

struct stale {
    struct world *w;
    struct str job, instance;
};

static void end_series(void *arg, struct series *se)
{
    const struct stale *s = arg;
    const struct labels *l = series_labels(se);

    if (str_eq(labels_get(l, LABEL_JOB), s->job) &&
        str_eq(labels_get(l, LABEL_INSTANCE), s->instance))
        (void)series_append(se, s->w->now_ms, sample_stale());
}

void world_down(struct world *w, const char *job, size_t i, const char *error)
{
    struct rule_target *t = world_target(w, job, i);
    struct stale s = {w, str_of(job), t->instance};

    t->up = false;
    t->error = str_of(error);
    store_select(w->store, NULL, 0, end_series, &s);
}

void world_up(struct world *w, const char *job, size_t i)
{
    struct rule_target *t = world_target(w, job, i);

    t->up = true;
    t->error = STR_NONE;
    t->good_ms = w->now_ms;
}

void world_workers(struct world *w, double count)
{
    struct labels_builder b = {0};
    struct labels *l;

    if (w->service_count == 0)
        w->services[w->service_count++] =
            (struct rule_service){.name = STR("instant-tasks-worker")};
    w->services[0].known = true;
    labels_set(&b, LABEL_NAME, STR("scalebridge_running_workers"));
    labels_set(&b, STR("service"), STR("instant-tasks-worker"));
    l = labels_build(&b, NULL);
    assert_true(series_append(store_series(w->store, l), w->now_ms, count));
    labels_builder_fini(&b);
    free(l);
}

void world_set(struct world *w, const char *name, const char *job, size_t i,
               double v)
{
    struct series *se = series_of(w, name, str_of(job), instances[i]);

    assert_true(series_append(se, w->now_ms, v));
    world_target(w, job, i)->good_ms = w->now_ms;
}

void world_set_all(struct world *w, const char *name, const char *job, double v)
{
    const struct rule_job *j = &w->jobs[job_index(w, job)];

    for (size_t i = 0; i < j->target_count; i++)
        if (j->targets[i].up)
            world_set(w, name, job, i, v);
}

void world_api(struct world *w, double active, double waiting)
{
    world_set_all(w, "instant_tasks_jobs_active", "api", active);
    world_set_all(w, "instant_tasks_jobs_waiting", "api", waiting);
}

void world_membrane(struct world *w)
{
    world_job(w, "api", 2);
    world_job(w, "custom-code-runner", 2);
    world_job(w, "queued-tasks-worker", 2);
    world_workers(w, 6);
    world_api(w, 17, 25);
    world_set_all(w, "queued_tasks_workers", "api", 4);
    world_set_all(w, "queued_tasks_workers_required", "api", 10);
    world_set_all(w, "custom_code_runner_total_job_spaces",
                  "custom-code-runner", 10);
    world_set(w, "custom_code_runner_remaining_job_spaces",
              "custom-code-runner", 0, 4);
    world_set(w, "custom_code_runner_remaining_job_spaces",
              "custom-code-runner", 1, 7);
    world_set(w, "queued_tasks_worker_busy", "queued-tasks-worker", 0, 1);
    world_set(w, "queued_tasks_worker_busy", "queued-tasks-worker", 1, 0);
}

void world_pass(struct world *w, int64_t ms)
{
    w->now_ms += ms;
}

void world_evaluate(struct world *w)
{
    const struct rules_world world = {
        .store = w->store,
        .t_ms = w->now_ms,
        .jobs = w->jobs,
        .job_count = w->job_count,
        .services = w->services,
        .service_count = w->service_count,
        .once = w->once,
    };

    arena_reset(&w->arena);
    store_expire(w->store, w->now_ms);
    rules_record(w->rules, &world, w->store, 15 * WHEN_SECOND, &w->arena,
                 &w->recorded);
    rules_evaluate(w->rules, &world, &w->arena, &w->results);
}

const struct rule_result *world_result(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->results.count; i++)
        if (str_eqz(w->results.results[i].info->name, name))
            return &w->results.results[i];
    fail_msg("no rule %s", name);
    return NULL;
}

double world_value(const struct world *w, const char *name)
{
    const struct rule_result *r = world_result(w, name);

    if (r->row_count != 1)
        fail_msg("%s has %zu rows: %.*s", name, r->row_count,
                 STR_ARG(r->reason));
    return r->rows[0].value;
}

static bool holds(struct str text, const char *part)
{
    return memmem(text.ptr ? text.ptr : "", text.len, part, strlen(part)) !=
           NULL;
}

bool world_has_doubt(const struct world *w, const char *name, const char *part)
{
    const struct rule_result *r = world_result(w, name);

    for (size_t i = 0; i < r->doubt_count; i++)
        if (holds(r->doubts[i], part))
            return true;
    return false;
}

size_t world_events(const struct world *w, const char *name, const char *part)
{
    size_t n = 0;

    for (size_t i = 0; i < w->results.event_count; i++)
        n += str_eqz(w->results.events[i].rule, name) &&
             holds(w->results.events[i].text, part);
    return n;
}

void world_assert_reason(const struct world *w, const char *name,
                         const char *part)
{
    const struct rule_result *r = world_result(w, name);

    if (!holds(r->reason, part))
        fail_msg("reason of %s: %.*s", name, STR_ARG(r->reason));
}
