/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/policy_ecs_make.h"

void policy_make_note(struct policy_maker *m, struct str text)
{
    m->plan->notes[m->plan->note_count++] = text;
}

/* ---- sub-minute ---- */

/* Each step lifts to the upper end of its band; the last is a leap, after
 * which the alarm looks again. */
static const struct {
    double excess; /* in targets above the target */
    int64_t percent;
} bands[] = {{0, 25}, {0.25, 50}, {0.5, 100}, {1, 200}, {2, 300}};
#define BANDS (sizeof(bands) / sizeof(*bands))

static const char fast_why[] =
    "The sub-minute way: target tracking reads 60 s periods of a customized "
    "metric, three in a row, and has no setting for that; an own alarm on "
    "periods of seconds can call a step scaling policy. Target tracking stays "
    "for scaling in; the larger of both counts.";

/* The shortest period in which there is always a point; 0: none. */
static int64_t fast_period(const struct settings *s)
{
    int64_t ms = s->values.publish.interval_ms;

    for (size_t i = 0; i < s->values.scrape.jobs_count; i++)
        if (s->values.scrape.jobs[i].scrape.interval_ms > ms)
            ms = s->values.scrape.jobs[i].scrape.interval_ms;
    if (ms <= 10 * WHEN_SECOND)
        return 10;
    return ms <= 30 * WHEN_SECOND ? 30 : 0;
}

static const struct policy_step *fast_steps(struct arena *a, double target)
{
    struct policy_step *steps = arena_array(a, BANDS, sizeof(*steps));

    for (size_t i = 0; i < BANDS; i++)
        steps[i] =
            (struct policy_step){bands[i].excess * target, bands[i].percent};
    return steps;
}

static struct str alarm_name(const struct policy_maker *m,
                             const struct policy_service *v, struct str what)
{
    struct str path = str_from(v->resource, sizeof("service/") - 1);
    size_t slash = str_find(path, '/');

    return arena_printf(m->arena, "scalebridge-%.*s-%.*s-%.*s", (int)slash,
                        path.ptr, STR_ARG(str_from(path, slash + 1)),
                        STR_ARG(what));
}

static bool fast_enough(const struct policy_maker *m,
                        const struct rule_info *info, struct err *err)
{
    if (info->resolution != 1)
        return err_set(err, ERR_CONFIG,
                       "--high-resolution: metric \"%.*s\" is stored once a "
                       "minute, so that an alarm of 10 s would lack data; "
                       "write resolution: 1 for this metric",
                       STR_ARG(info->name));
    if (!fast_period(m->all.settings))
        return err_set(err, ERR_CONFIG,
                       "--high-resolution: metric \"%.*s\" comes too seldom "
                       "for an alarm of 10 s (or 30 s); set "
                       "publish.interval and scrape.interval to 10s",
                       STR_ARG(info->name));
    return true;
}

bool policy_make_fast(struct policy_maker *m, const struct rule_info *info,
                      const struct policy_metric *metric,
                      struct policy_service *v, struct err *err)
{
    struct str name =
        arena_printf(m->arena, "%.*s-high-resolution", STR_ARG(info->name));

    if (!m->ask->metric.len && info->resolution != 1) {
        policy_make_note(m, arena_printf(m->arena,
                                         "%.*s is stored once a minute and "
                                         "stays without an alarm of seconds",
                                         STR_ARG(info->name)));
        return true;
    }
    if (!fast_enough(m, info, err))
        return false;
    m->fast = true;
    v->scalings[v->scaling_count++] = (struct policy_scaling){
        .name = name,
        .why = STR(fast_why),
        .adjustment = "PercentChangeInCapacity",
        .steps = fast_steps(m->arena, info->target),
        .step_count = BANDS,
        .least_one = true,
        .cooldown = POLICY_OUT_COOLDOWN,
        .alarm = {.name = alarm_name(m, v, name),
                  .description =
                      arena_printf(m->arena, "%.*s is above its target of %g",
                                   STR_ARG(info->name), info->target),
                  .metrics = metric,
                  .metric_count = 1,
                  .statistic = "Average",
                  .comparison = "GreaterThanThreshold",
                  .missing = "notBreaching",
                  .threshold = info->target,
                  .period = fast_period(m->all.settings),
                  .evaluations = 3},
    };
    return true;
}

/* ---- from zero ---- */

/*
 * Target tracking multiplies the tasks that run, and zero stays zero.  The
 * demand alone must not call a step: while there are jobs, which is always in
 * a busy hour, the alarm would call it again and again.  So jobs count only
 * while at most one worker runs, for then the ratio equals the total and with
 * two it is half of it.  (Whether one is busy does not help: a job that was
 * begun by a worker that is gone looks active for ever.)
 */
static const struct from_zero {
    const char *service;
    const char *ids[2], *metrics[2]; /* the first is the demand */
    const char *expression;
} from_zeros[] = {
    {"instant-tasks-worker",
     {"jobs", "ratio"},
     {"JobQueueLength", "JobsPerWorker"},
     "IF(ratio > 0.75 * jobs, jobs, 0)"},
    {"queued-tasks-worker",
     {"jobs", "ratio"},
     {"QueuedTasksWorkersRequired", "QueuedTasksWorkersRequiredPercent"},
     "IF(ratio > 75 * jobs, jobs, 0)"},
};

static const struct policy_step one_more[] = {{0, 1}};

static const struct from_zero *from_zero_of(struct str service)
{
    for (size_t i = 0; i < sizeof(from_zeros) / sizeof(*from_zeros); i++)
        if (str_eqz(service, from_zeros[i].service))
            return &from_zeros[i];
    return NULL;
}

static bool from_zero_metric(struct policy_maker *m, const char *id,
                             const char *name, struct policy_metric *out,
                             struct err *err)
{
    const struct settings_metric *x;

    if (!policy_ecs_find(&m->all, str_of(name), &x, err) ||
        !policy_ecs_published(m->all.settings, x->info, m->ask->dimensions,
                              m->arena, out, err))
        return err_wrap(err, "--min 0");
    out->id = id;
    if (x->info->builtin)
        return true;
    return err_set(err, ERR_CONFIG,
                   "--min 0: the alarm for the first worker compares the "
                   "built-in metrics, and \"%s\" has an expr of your own; "
                   "give that another name, or keep --min 1",
                   name);
}

static void add_from_zero(struct policy_maker *m, const struct from_zero *z,
                          const struct policy_metric *metrics,
                          struct policy_service *v)
{
    struct arena *a = m->arena;

    v->scalings[v->scaling_count++] = (struct policy_scaling){
        .name = STR("from-zero"),
        .why = arena_printf(
            a,
            "From 0 to 1: target tracking multiplies what runs, and 0 stays 0. "
            "The step is called while %s >= 1 and none or one runs; the agent "
            "itself must run elsewhere than in this service.",
            z->metrics[0]),
        .adjustment = "ChangeInCapacity",
        .steps = one_more,
        .step_count = 1,
        .cooldown = POLICY_IN_COOLDOWN,
        .alarm = {.name = alarm_name(m, v, STR("from-zero")),
                  .description = arena_printf(
                      a, "%s >= 1 and no worker to take it", z->metrics[0]),
                  .metrics = metrics,
                  .metric_count = 2,
                  .expression = z->expression,
                  .statistic = "Average",
                  .comparison = "GreaterThanOrEqualToThreshold",
                  .missing = "notBreaching",
                  .threshold = 1,
                  .period = 60,
                  .evaluations = 1},
    };
}

bool policy_make_from_zero(struct policy_maker *m, struct policy_service *v,
                           struct err *err)
{
    const struct from_zero *z = from_zero_of(v->name);
    struct policy_metric *metrics = arena_array(m->arena, 2, sizeof(*metrics));

    if (!z)
        return err_set(err, ERR_CONFIG,
                       "--min 0: while no task of %.*s runs nobody tells its "
                       "demand, so that nothing would start the first; keep "
                       "--min 1 or more (with --metric it holds for that "
                       "service alone)",
                       STR_ARG(v->name));
    for (size_t i = 0; i < 2; i++)
        if (!from_zero_metric(m, z->ids[i], z->metrics[i], &metrics[i], err))
            return false;
    add_from_zero(m, z, metrics, v);
    return true;
}

/* ---- blind ---- */

#define AGE STR("ScalebridgeDataAge")

/* Beyond the longest hold time no scaling metric is published any more. */
static double age_limit(const struct policy_maker *m)
{
    int64_t ms = 2 * WHEN_MINUTE;

    for (size_t i = 0; i < m->all.count; i++) {
        const struct rule_info *info = m->all.items[i].info;

        if (info->scaling == PRESET_RATIO && info->hold_ms > ms)
            ms = info->hold_ms;
    }
    return (double)ms / WHEN_SECOND;
}

bool policy_make_age(struct policy_maker *m, struct err *err)
{
    struct policy_metric *metric = arena_zalloc(m->arena, sizeof(*metric));
    const struct settings_metric *x;

    if (!policy_ecs_find(&m->all, AGE, &x, err)) {
        policy_make_note(m, arena_printf(m->arena,
                                         "no alarm tells when scaling is "
                                         "blind: %s",
                                         err->text));
        return true;
    }
    if (!policy_ecs_published(m->all.settings, x->info, m->ask->dimensions,
                              m->arena, metric, err))
        return false;
    m->plan->age = (struct policy_alarm){
        .name = arena_printf(m->arena, "scalebridge-%.*s-data-age",
                             STR_ARG(m->plan->cluster)),
        .description = STR("Scaling is blind: scalebridge reads nothing "
                           "fresh, or does not publish (add alarm actions to "
                           "be told)"),
        .metrics = metric,
        .metric_count = 1,
        .statistic = "Maximum",
        .comparison = "GreaterThanThreshold",
        .missing = "breaching",
        .threshold = age_limit(m),
        .period = 60,
        .evaluations = 3,
    };
    return true;
}
