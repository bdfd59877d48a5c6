/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An hour of the whole agent on injected time, with what reads its metrics on
 * Azure: KEDA's azure-monitor scaler, which takes the newest bucket of a minute
 * and to which an empty one is an error (pkg/scalers/azure_monitor_scaler.go),
 * and the HPA behind it, which changes nothing within a tenth of the target
 * and shrinks to the most that it wanted within five minutes.
 */
#include "agent/base/jsonr.h"
#include "agent/base/log.h"
#include "agent/commands/run.h"
#include "agent/served.h"
#include "test/lib/sim.h"
#include "test/lib/unit.h"

#include <json-c/json.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define API "http://api:5000/"
#define RESOURCE                                                               \
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.App/containerApps/" \
    "w"
#define MINUTES 60
#define POSTS   4096
#define TARGET  5
#define RECENT  20 /* recommendations of five minutes, every 15 s */

struct posted {
    int64_t stamp_ms, visible_ms;
    double sum, max;
    int64_t count;
};

struct world {
    struct loop *loop;
    int64_t latency_ms;   /* of Azure, from an accepted post to a reader */
    int64_t blind_ms;     /* readers do not look so early in a minute */
    unsigned fault_every; /* so many posts, one is answered 503; 0: none */
    unsigned requests;
    struct posted posts[POSTS];
    size_t count;
    size_t twice; /* stamps that were accepted more than once */
    struct timer reader;
    size_t reads, empty;
    int64_t replicas, recent[RECENT];
    size_t sync;
    int64_t settled[MINUTES]; /* replicas at the end of each minute */
};

/* The simulated world listens nowhere. */
bool served_new(struct agent *a, struct served **out, struct err *err)
{
    (void)a;
    (void)err;
    *out = NULL;
    return true;
}

void served_free(struct served *s)
{
    (void)s;
}

void served_reload(struct agent *a, struct served **s)
{
    (void)a;
    (void)s;
}

static int64_t minute_of(int64_t wall_ms)
{
    return (wall_ms - SIM_WALL_START) / WHEN_MINUTE;
}

static int jobs_at(int64_t minute)
{
    return minute < 10 ? 0 : minute < 25 ? 42 : minute < 40 ? 90 : 12;
}

static void serve_api(void *arg, const struct http_request *req,
                      struct sim_reply *reply)
{
    static char page[400];
    struct world *w = arg;
    int jobs = jobs_at(minute_of(loop_now(w->loop).wall_ms));

    (void)req;
    (void)snprintf(page, sizeof(page),
                   "# TYPE instant_tasks_jobs_active gauge\n"
                   "instant_tasks_jobs_active %d\n"
                   "# TYPE instant_tasks_jobs_waiting gauge\n"
                   "instant_tasks_jobs_waiting %d\n",
                   jobs / 2, jobs - jobs / 2);
    reply->body = str_of(page);
    sim_reply_header(reply, STR("Content-Type"),
                     STR("text/plain; version=0.0.4"));
}

static void serve_token(void *arg, const struct http_request *req,
                        struct sim_reply *reply)
{
    (void)arg;
    (void)req;
    reply->body = STR("{\"token_type\":\"Bearer\",\"expires_in\":3599,"
                      "\"access_token\":\"eyJ.e30.x\"}");
    sim_reply_header(reply, STR("Content-Type"), STR("application/json"));
}

static void keep(struct world *w, struct json_object *line)
{
    struct json_object *base = jsonr_get(jsonr_get(line, "data"), "baseData");
    struct json_object *s =
        json_object_array_get_idx(jsonr_get(base, "series"), 0);
    struct posted *p = &w->posts[w->count];
    struct str time;
    struct err err;

    if (!str_eqz(jsonr_text_or(base, "metric", STR_NONE), "JobQueueLength"))
        return;
    assert_true(w->count < POSTS);
    assert_true(jsonr_text(line, "time", &time, &err));
    assert_true(when_rfc3339_parse(time, &p->stamp_ms));
    assert_true(jsonr_int(s, "count", &p->count, &err) && p->count > 0);
    p->sum = json_object_get_double(jsonr_get(s, "sum"));
    p->max = json_object_get_double(jsonr_get(s, "max"));
    p->visible_ms = loop_now(w->loop).wall_ms + w->latency_ms;
    for (size_t i = 0; i < w->count; i++)
        w->twice += w->posts[i].stamp_ms == p->stamp_ms &&
                    p->stamp_ms % WHEN_MINUTE != 0;
    w->count++;
}

static void serve_azure(void *arg, const struct http_request *req,
                        struct sim_reply *reply)
{
    struct world *w = arg;
    struct str rest = req->body, line;
    struct json_object *tree;
    struct err err;

    w->requests++;
    if (w->fault_every && w->requests % w->fault_every == 0) {
        reply->status = 503;
        return;
    }
    while (str_next(&rest, '\n', &line) && line.len > 0) {
        assert_true(jsonr_parse(line, &tree, &err));
        keep(w, tree);
        json_object_put(tree);
    }
}

/* KEDA: the newest bucket's Maximum; false when it is null. */
static bool read_bucket(const struct world *w, int64_t now_ms, double *value)
{
    bool found = false;

    for (size_t i = 0; i < w->count; i++) {
        const struct posted *p = &w->posts[i];

        if (minute_of(p->stamp_ms) != minute_of(now_ms) ||
            p->visible_ms > now_ms)
            continue;
        if (!found || p->max > *value)
            *value = p->max;
        found = true;
    }
    return found;
}

/* HPA: AverageValue with its tolerance, downscale stabilised. */
static void scale(struct world *w, double value)
{
    double usage = w->replicas ? value / (TARGET * (double)w->replicas) : 2;
    int64_t wanted = (int64_t)ceil(value / TARGET), most;

    if (fabs(1 - usage) <= 0.1)
        wanted = w->replicas;
    if (wanted < 1)
        wanted = 1;
    w->recent[w->sync++ % RECENT] = wanted;
    most = wanted;
    for (size_t i = 0; i < RECENT; i++)
        if (w->recent[i] > most)
            most = w->recent[i];
    w->replicas = wanted > w->replicas ? wanted
                  : most < w->replicas ? most
                                       : w->replicas;
}

static void on_second(void *arg)
{
    struct world *w = arg;
    struct now now = loop_now(w->loop);
    int64_t minute = minute_of(now.wall_ms);
    double value = 0;

    if (minute >= MINUTES) {
        sim_signal(w->loop, SIGTERM);
        return;
    }
    /* The first minute is the agent's own start. */
    if (minute > 0 && now.wall_ms % WHEN_MINUTE >= w->blind_ms) {
        bool found = read_bucket(w, now.wall_ms, &value);

        w->reads++;
        w->empty += !found;
        if (found && now.wall_ms / WHEN_SECOND % 15 == 7)
            scale(w, value);
    }
    w->settled[minute] = w->replicas;
    timer_arm(w->loop, &w->reader, now.mono_ms + WHEN_SECOND, on_second, w);
}

static void keep_quiet(void *arg, struct str line)
{
    (void)arg;
    (void)line;
}

static void live(struct world *w, const char *scrape_interval,
                 const char *seed_next)
{
    char text[1024];
    const struct conf_world none = {.variables = (const char *const[]){NULL}};
    struct settings_source from = {.text = text, .text_name = "test"};
    struct agent_serve_options with = {.loop = NULL};
    struct settings *s;
    struct err err;
    struct buf faults;

    (void)snprintf(text, sizeof(text),
                   "scrape:\n"
                   "  interval: %s\n"
                   "  timeout: 5s\n"
                   "  jobs: [{name: api, targets: [%sprometheus]}]\n"
                   "sinks:\n"
                   "  azure_monitor: {resource_id: %s, region: westeurope,\n"
                   "    compress: false, seed_next: %s}\n",
                   scrape_interval, API, RESOURCE, seed_next);
    s = settings_read(&none, &from);
    buf_init(&faults, BUF_NO_LIMIT);
    settings_faults(s, &faults);
    if (!settings_good(s))
        fail_msg("%.*s", STR_ARG(buf_str(&faults)));
    buf_fini(&faults);
    with.loop = w->loop = loop_new();
    sim_on_url(w->loop, STR(API), serve_api, w);
    sim_on_url(w->loop, STR("https://login.microsoftonline.com/"), serve_token,
               w);
    sim_on_url(
        w->loop,
        STR("https://westeurope.monitoring.azure.com" RESOURCE "/metrics"),
        serve_azure, w);
    w->replicas = 1;
    timer_arm(w->loop, &w->reader, loop_now(w->loop).mono_ms + 100, on_second,
              w);
    assert_true(agent_serve(s, &with, &err));
    loop_free(w->loop);
    settings_free(s);
}

static struct world *new_world(void)
{
    setenv("AZURE_TENANT_ID", "11111111-2222-3333-4444-555555555555", 1);
    setenv("AZURE_CLIENT_ID", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", 1);
    setenv("AZURE_CLIENT_SECRET", "secret", 1);
    return calloc(1, sizeof(struct world));
}

/* Two minutes after each change upwards, seven after one downwards. */
static void expect_replicas(const struct world *w)
{
    assert_int_equal(w->settled[9], 1);
    assert_int_equal(w->settled[12], 9);
    assert_int_equal(w->settled[24], 9);
    assert_int_equal(w->settled[27], 18);
    assert_int_equal(w->settled[39], 18);
    assert_int_equal(w->settled[43], 18); /* not yet stabilised */
    assert_int_equal(w->settled[47], 3);
    assert_int_equal(w->settled[59], 3);
}

static void test_in_an_hour_no_bucket_is_empty_and_replicas_are_right(
    void **state)
{
    static const char *const intervals[] = {"15s", "20s", "45s", "1m", "7s"};

    (void)state;
    for (size_t i = 0; i < sizeof(intervals) / sizeof(*intervals); i++) {
        struct world *w = new_world();

        live(w, intervals[i], "false");
        assert_true(w->reads > 59 * 59);
        if (w->empty)
            fail_msg("%s: %zu of %zu reads found nothing", intervals[i],
                     w->empty, w->reads);
        assert_int_equal(w->twice, 0);
        expect_replicas(w);
        free(w);
    }
}

static void test_zeros_are_there_from_the_first_half_minute(void **state)
{
    struct world *w = new_world();

    (void)state;
    live(w, "15s", "false");
    assert_true(w->posts[0].stamp_ms - SIM_WALL_START <= 30 * WHEN_SECOND);
    assert_true(w->posts[0].sum == 0 && w->posts[0].count == 1);
    free(w);
}

static void test_failures_leave_no_gap_and_nothing_is_in_twice(void **state)
{
    struct world *w = new_world();

    (void)state;
    w->fault_every = 3;
    w->blind_ms = 5 * WHEN_SECOND;
    live(w, "15s", "false");
    assert_int_equal(w->empty, 0);
    assert_int_equal(w->twice, 0);
    assert_in_range(w->count, 4 * (MINUTES - 1), 4 * MINUTES + 1);
    expect_replicas(w);
    free(w);
}

/* What the option is for: Azure shows a value only some seconds later. */
static void test_where_azure_is_slow_seeding_fills_the_minute_ahead(
    void **state)
{
    struct world *w = new_world();

    (void)state;
    w->latency_ms = 25 * WHEN_SECOND;
    live(w, "15s", "false");
    assert_in_range(w->empty, 59 * 20, 59 * 26);
    free(w);

    w = new_world();
    w->latency_ms = 25 * WHEN_SECOND;
    live(w, "15s", "true");
    /* The first minute of all has nobody to seed it. */
    assert_int_equal(w->empty, 0);
    assert_int_equal(w->twice, 0);
    expect_replicas(w);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_in_an_hour_no_bucket_is_empty_and_replicas_are_right),
        cmocka_unit_test(test_zeros_are_there_from_the_first_half_minute),
        cmocka_unit_test(test_failures_leave_no_gap_and_nothing_is_in_twice),
        cmocka_unit_test(
            test_where_azure_is_slow_seeding_fills_the_minute_ahead),
    };

    log_divert(keep_quiet, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
