/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/membrane.h"

#include <math.h>

#define MINUTES_A_DAY 1440
#define RUNNER_SPACES 30

static const struct {
    const char *job, *path;
    int replicas;
} services[MEMBRANE_SERVICES] = {
    [MEMBRANE_API] = {"api", "/prometheus", MEMBRANE_API_REPLICAS},
    [MEMBRANE_CODE_RUNNER] = {"custom-code-runner", "/api/v2/prometheus",
                              MEMBRANE_RUNNERS},
    [MEMBRANE_QUEUED_WORKER] = {"queued-tasks-worker",
                                "/prometheus/queued-tasks",
                                MEMBRANE_QUEUED_WORKERS},
};

int membrane_replicas(enum membrane_service service)
{
    return services[service].replicas;
}

const char *membrane_path(enum membrane_service service)
{
    return services[service].path;
}

const char *membrane_job(enum membrane_service service)
{
    return services[service].job;
}

/* A number in [0, 1) that looks random and is always the same. */
static double noise(int minute, unsigned salt)
{
    uint64_t x = (uint64_t)(unsigned)minute * UINT64_C(0x9e3779b97f4a7c15);

    x ^= (uint64_t)salt << 32;
    x ^= x >> 29;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 32;
    return (double)(x >> 11) * 0x1p-53;
}

static double hill(double hour, double at, double width)
{
    double d = (hour - at) / width;

    return exp(-d * d);
}

/* Jobs that want a worker, on the average of this minute. */
static double demand(int minute)
{
    double hour = (double)minute / 60;

    return 3 + 26 * hill(hour, 2, 0.6) + 58 * hill(hour, 10.5, 1.7) +
           44 * hill(hour, 14.5, 1.9) + 9 * hill(hour, 19, 2.5);
}

static int clamp_int(double v, int low, int high)
{
    return v < low ? low : v > high ? high : (int)v;
}

/* Workers as they stand after following the demand of ten minutes ago. */
static int workers_for(int minute)
{
    int before = (minute + MINUTES_A_DAY - 10) % MINUTES_A_DAY;

    return clamp_int(ceil(demand(before) / 5), 2, 20);
}

struct membrane membrane_at(int minute_of_day)
{
    int minute =
        (minute_of_day % MINUTES_A_DAY + MINUTES_A_DAY) % MINUTES_A_DAY;
    double want = demand(minute) * (0.9 + 0.2 * noise(minute, 1));
    int jobs = (int)lround(want);
    struct membrane m = {
        .minute = minute,
        .instant_workers = workers_for(minute),
        .queued_workers = MEMBRANE_QUEUED_WORKERS,
        .runners = MEMBRANE_RUNNERS,
        .runner_spaces = RUNNER_SPACES,
    };

    m.jobs_active = jobs < m.instant_workers ? jobs : m.instant_workers;
    m.jobs_waiting = jobs - m.jobs_active;
    m.queued_required = clamp_int(ceil(want / 9), 1, 50);
    m.spaces_used = clamp_int(want * 1.1, 0, MEMBRANE_RUNNERS * RUNNER_SPACES);
    return m;
}

/*
 * The page.
 */
static void gauge(struct buf *out, const char *name, const char *help)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void own_gauge(struct buf *out, const char *name, const char *help,
                      int value)
{
    gauge(out, name, help);
    buf_addf(out, "%s %d\n", name, value);
}

static void api_page(const struct membrane *m, struct buf *out)
{
    own_gauge(out, "instant_tasks_jobs_active",
              "Jobs that instant tasks workers are processing.",
              m->jobs_active);
    own_gauge(out, "instant_tasks_jobs_waiting",
              "Jobs that wait in the instant tasks queue.", m->jobs_waiting);
    own_gauge(out, "queued_tasks_workers",
              "Queued tasks workers that are running.", m->queued_workers);
    own_gauge(out, "queued_tasks_workers_required",
              "Queued tasks workers that all queued tasks need.",
              m->queued_required);
}

/* What is in use, spread over the runners as evenly as it goes. */
static void runner_page(const struct membrane *m, int replica, struct buf *out)
{
    int used = m->spaces_used / m->runners +
               (replica < m->spaces_used % m->runners ? 1 : 0);

    own_gauge(out, "custom_code_runner_total_job_spaces",
              "Jobs that this runner can hold.", m->runner_spaces);
    own_gauge(out, "custom_code_runner_remaining_job_spaces",
              "Jobs that this runner could still take.",
              m->runner_spaces - used);
}

static void worker_page(const struct membrane *m, int replica, struct buf *out)
{
    own_gauge(out, "queued_tasks_worker_busy",
              "1 while this worker runs a task, else 0.",
              replica < m->queued_required ? 1 : 0);
}

/* What every Node.js service shows about itself: fixed values and labels are
 * enough for pages that look and weigh like real ones. */
static const struct {
    const char *name, *type, *help;
    const char *series[14]; /* "suffix and labels value", ends at NULL */
} process_metrics[] = {
    {"process_cpu_user_seconds_total",
     "counter",
     "CPU seconds in user mode.",
     {" 1264.217", NULL}},
    {"process_cpu_system_seconds_total",
     "counter",
     "CPU seconds in kernel mode.",
     {" 214.0931", NULL}},
    {"process_start_time_seconds",
     "gauge",
     "When the process started, in seconds since 1970.",
     {" 1764028801", NULL}},
    {"process_resident_memory_bytes",
     "gauge",
     "Resident memory in bytes.",
     {" 187392000", NULL}},
    {"process_virtual_memory_bytes",
     "gauge",
     "Virtual memory in bytes.",
     {" 1.1408793e+10", NULL}},
    {"process_open_fds", "gauge", "Open file descriptors.", {" 58", NULL}},
    {"process_max_fds",
     "gauge",
     "Limit on open file descriptors.",
     {" 1.048576e+06", NULL}},
    {"nodejs_eventloop_lag_seconds",
     "gauge",
     "Lag of the event loop.",
     {" 0.004127", NULL}},
    {"nodejs_eventloop_lag_p99_seconds",
     "gauge",
     "99th percentile of the event loop's lag.",
     {" 0.011526", NULL}},
    {"nodejs_active_handles",
     "gauge",
     "Active libuv handles by kind.",
     {"{type=\"Socket\"} 31", "{type=\"Server\"} 1", "{type=\"Pipe\"} 2",
      NULL}},
    {"nodejs_heap_size_total_bytes",
     "gauge",
     "Size of the heap.",
     {" 97185792", NULL}},
    {"nodejs_heap_size_used_bytes",
     "gauge",
     "Heap in use.",
     {" 83211904", NULL}},
    {"nodejs_heap_space_size_used_bytes",
     "gauge",
     "Heap in use by space.",
     {"{space=\"read_only\"} 0", "{space=\"new\"} 6012928",
      "{space=\"old\"} 68812800", "{space=\"code\"} 3145728",
      "{space=\"large_object\"} 5240448", NULL}},
    {"nodejs_version_info",
     "gauge",
     "The version of Node.js.",
     {"{version=\"v20.18.1\",major=\"20\",minor=\"18\",patch=\"1\"} 1", NULL}},
    {"nodejs_gc_duration_seconds",
     "histogram",
     "Duration of garbage collections by kind.",
     {"_bucket{le=\"0.001\",kind=\"minor\"} 5120",
      "_bucket{le=\"0.01\",kind=\"minor\"} 5803",
      "_bucket{le=\"0.1\",kind=\"minor\"} 5811",
      "_bucket{le=\"+Inf\",kind=\"minor\"} 5811", "_sum{kind=\"minor\"} 4.801",
      "_count{kind=\"minor\"} 5811", "_bucket{le=\"0.001\",kind=\"major\"} 3",
      "_bucket{le=\"0.01\",kind=\"major\"} 148",
      "_bucket{le=\"0.1\",kind=\"major\"} 160",
      "_bucket{le=\"+Inf\",kind=\"major\"} 160", "_sum{kind=\"major\"} 0.907",
      "_count{kind=\"major\"} 160", NULL}},
};

static void process_page(struct buf *out)
{
    size_t n = sizeof(process_metrics) / sizeof(process_metrics[0]);

    for (size_t i = 0; i < n; i++) {
        buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", process_metrics[i].name,
                 process_metrics[i].help, process_metrics[i].name,
                 process_metrics[i].type);
        for (size_t j = 0; process_metrics[i].series[j]; j++)
            buf_addf(out, "%s%s\n", process_metrics[i].name,
                     process_metrics[i].series[j]);
    }
}

void membrane_page(const struct membrane *m, enum membrane_service service,
                   int replica, struct buf *out)
{
    switch (service) {
    case MEMBRANE_API:
        api_page(m, out);
        break;
    case MEMBRANE_CODE_RUNNER:
        runner_page(m, replica, out);
        break;
    case MEMBRANE_QUEUED_WORKER:
    case MEMBRANE_SERVICES:
        worker_page(m, replica, out);
        break;
    }
    process_page(out);
}
