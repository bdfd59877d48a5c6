/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/preset.h"

#include "agent/base/num.h"

#include <stddef.h>

/* clang-format off */
const struct conf_key preset_keys[] = {
    CONF_TEXT(preset_conf, preset, "membrane/2025-10",
              "Which version of Membrane the built-in metrics are for; none: "
              "there are no built-in metrics.", .flags = CONF_FILLED),
    CONF_NUM(preset_conf, jobs_per_worker, "5", 0.001, 1e6,
             "Jobs of the instant queue that one worker is meant to have."),
    CONF_NUM(preset_conf, queued_buffer, "0.3", 0, 10,
             "Queued tasks workers on top of those required, as a share."),
    CONF_NUM(preset_conf, capacity_rate, "0.45", 0.001, 1,
             "Share of the code runners' job spaces that is meant to be used."),
    CONF_NUM(preset_conf, utilization, "0.75", 0.001, 1,
             "Share of the instant workers that is meant to be busy."),
    CONF_END,
};

static const struct {
    const char *name;
    size_t at;
} parameters[] = {
    {"jobs_per_worker", offsetof(struct preset_conf, jobs_per_worker)},
    {"queued_buffer", offsetof(struct preset_conf, queued_buffer)},
    {"capacity_rate", offsetof(struct preset_conf, capacity_rate)},
    {"utilization", offsetof(struct preset_conf, utilization)},
};

/* What describes the queue or all workers is read from the one queue, so all
 * API replicas show the same; the rest is each pod's own. */
static const struct preset_figure figures_2025_10[] = {
    {"instant_tasks_jobs_active", "api", true},
    {"instant_tasks_jobs_waiting", "api", true},
    {"queued_tasks_workers", "api", true},
    {"queued_tasks_workers_required", "api", true},
    {"custom_code_runner_total_job_spaces", "custom-code-runner", false},
    {"custom_code_runner_remaining_job_spaces", "custom-code-runner", false},
    {"queued_tasks_worker_busy", "queued-tasks-worker", false},
    {NULL, NULL, false},
};

#define JOBS \
    "max(instant_tasks_jobs_active) + max(instant_tasks_jobs_waiting)"
#define INSTANT_WORKERS \
    "max(scalebridge_running_workers{service=\"instant-tasks-worker\"})"
#define QUEUED_REQUIRED \
    "max(queued_tasks_workers_required) * (1 + $queued_buffer)"
#define SPACES      "sum(custom_code_runner_total_job_spaces)"
#define SPACES_USED SPACES " - sum(custom_code_runner_remaining_job_spaces)"

static const struct preset_metric metrics_2025_10[] = {
    {
        .name = "JobsPerWorker",
        .expr = "(" JOBS ") / clamp_min(" INSTANT_WORKERS ", 1)",
        .formula = "(jobs active + jobs waiting) / max(running workers, 1)",
        .unit = "Count",
        .description = "Instant tasks, active and waiting, a running worker",
        .target = "$jobs_per_worker",
        .scaling = PRESET_RATIO,
        .running = INSTANT_WORKERS,
        .min_replicas = 2, .max_replicas = 20,
        .service = "instant-tasks-worker",
    }, {
        .name = "JobQueueLength",
        .expr = JOBS,
        .formula = "jobs active + jobs waiting",
        .unit = "Count",
        .description = "Instant tasks, active and waiting",
        .target = "$jobs_per_worker",
        .scaling = PRESET_TOTAL,
        .min_replicas = 2, .max_replicas = 20,
        .service = "instant-tasks-worker",
    }, {
        .name = "InstantTasksWorkersRequired",
        .expr = "ceil((" JOBS ") / $jobs_per_worker)",
        .formula = "ceil((jobs active + jobs waiting) / $jobs_per_worker)",
        .unit = "Count",
        .description = "Workers that the instant queue asks for",
        .target = "1",
        .scaling = PRESET_TOTAL,
        .min_replicas = 2, .max_replicas = 20,
        .service = "instant-tasks-worker",
    }, {
        .name = "InstantTasksUtilization",
        .expr = "max(instant_tasks_jobs_active) / clamp_min(" INSTANT_WORKERS
                ", 1)",
        .formula = "jobs active / max(running workers, 1)",
        .unit = "None",
        .description = "Share of the instant workers that is busy",
        .target = "$utilization",
        .scaling = PRESET_RATIO,
        .running = INSTANT_WORKERS,
        .min_replicas = 2, .max_replicas = 20,
        .service = "instant-tasks-worker",
    }, {
        .name = "QueuedTasksWorkersRequired",
        .expr = QUEUED_REQUIRED,
        .formula = "workers required * (1 + $queued_buffer)",
        .unit = "Count",
        .description = "Queued tasks workers required, with the buffer",
        .target = "1",
        .scaling = PRESET_TOTAL,
        .min_replicas = 2, .max_replicas = 50,
        .service = "queued-tasks-worker",
    }, {
        .name = "QueuedTasksWorkersRequiredPercent",
        .expr = "100 * " QUEUED_REQUIRED
                " / clamp_min(max(queued_tasks_workers), 1)",
        .formula = "100 * workers required * (1 + $queued_buffer) / "
                   "max(queued tasks workers, 1)",
        .unit = "Percent",
        .description = "Queued tasks workers required, with the buffer, in "
                       "percent of those running",
        .target = "100",
        .scaling = PRESET_RATIO,
        .running = "max(queued_tasks_workers)",
        .min_replicas = 2, .max_replicas = 50,
        .service = "queued-tasks-worker",
    }, {
        .name = "QueuedTasksWorkersBusyRatio",
        .expr = "avg(queued_tasks_worker_busy)",
        .formula = "busy workers / workers",
        .unit = "None",
        .description = "Share of the queued tasks workers that is busy",
        .min_replicas = -1, .max_replicas = -1,
        .service = "queued-tasks-worker",
    }, {
        .name = "CustomCodeRunnerCapacityRate",
        .expr = "(" SPACES_USED ") / " SPACES,
        .formula = "(job spaces - remaining job spaces) / job spaces",
        .unit = "None",
        .description = "Share of the code runners' job spaces that is used",
        .target = "$capacity_rate",
        .scaling = PRESET_RATIO,
        .running = "count(custom_code_runner_total_job_spaces)",
        .min_replicas = 2, .max_replicas = 20,
        .service = "custom-code-runner",
    }, {
        .name = "CustomCodeRunnerSpacesUsed",
        .expr = SPACES_USED,
        .formula = "job spaces - remaining job spaces",
        .unit = "Count",
        .description = "Job spaces of all code runners that are used",
        .min_replicas = -1, .max_replicas = -1,
        .service = "custom-code-runner",
    }, {
        .name = "CustomCodeRunnersRequired",
        .expr = "ceil((" SPACES_USED ") / ($capacity_rate * "
                "avg(custom_code_runner_total_job_spaces)))",
        .formula = "ceil(used job spaces / ($capacity_rate * job spaces of a "
                   "runner))",
        .unit = "Count",
        .description = "Code runners that the used job spaces ask for",
        .target = "1",
        .scaling = PRESET_TOTAL,
        .min_replicas = 2, .max_replicas = 20,
        .service = "custom-code-runner",
    }, {
        .name = "ScalebridgeDataAge",
        .formula = "now - when the oldest input of a scaling metric was read",
        .unit = "Seconds",
        .description = "Age of the oldest sample behind the scaling metrics",
        .min_replicas = -1, .max_replicas = -1,
    },
    {.name = NULL},
};

static const struct preset presets[] = {
    {"membrane/2025-10", figures_2025_10, metrics_2025_10},
    /* The charts of 2026 scale the instant workers on utilization in place of
     * jobs a worker; what the services show has not changed. */
    {"membrane/2026", figures_2025_10, metrics_2025_10},
};
/* clang-format on */

const struct preset *preset_at(size_t i)
{
    return i < sizeof(presets) / sizeof(presets[0]) ? &presets[i] : NULL;
}

const struct preset *preset_find(struct str name)
{
    const struct preset *p;

    for (size_t i = 0; (p = preset_at(i)); i++)
        if (str_eqz(name, p->name))
            return p;
    return NULL;
}

const struct preset_figure *preset_figure(const struct preset *p,
                                          struct str name)
{
    for (const struct preset_figure *f = p->figures; f->name; f++)
        if (str_eqz(name, f->name))
            return f;
    return NULL;
}

static bool add_parameter(const struct preset_conf *conf, struct str *rest,
                          struct buf *out)
{
    char text[NUM_MAX];
    double v;

    for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
        if (!str_starts(*rest, str_of(parameters[i].name)))
            continue;
        memcpy(&v, (const char *)conf + parameters[i].at, sizeof(v));
        buf_add(out, text, num_plain(v, text));
        *rest = str_from(*rest, strlen(parameters[i].name));
        return true;
    }
    return false;
}

void preset_expand(const struct preset_conf *conf, const char *text,
                   struct buf *out)
{
    struct str rest = str_of(text);

    while (rest.len > 0) {
        char c = rest.ptr[0];

        rest = str_from(rest, 1);
        if (c != '$' || !add_parameter(conf, &rest, out))
            buf_addc(out, c);
    }
}
