/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo.c - a simulated Membrane on loopback, scraped over HTTP like any
 * other, by the same code and through the same settings as a real one.
 */
#include "agent/commands/list.h"
#include "agent/commands/membrane.h"
#include "agent/commands/run.h"
#include "agent/commands/show.h"
#include "agent/io/listen.h"
#include "agent/io/loop.h"

#include <signal.h>
#include <stdio.h>

#define REPLICAS_MAX \
    (MEMBRANE_API_REPLICAS + MEMBRANE_RUNNERS + MEMBRANE_QUEUED_WORKERS)
#define DAY_STEP_MINUTES 120
/* Of a page, a configuration or a report. */
#define TEXT_MAX ((size_t)64 * 1024)

static const struct command_option options[] = {
    {"at", "HH:MM", "The time of the simulated day (default 09:30)."},
    {"serve", NULL, "Print the addresses and go on serving."},
    {"output", "FORMAT", "The report: table (default), json or prometheus."},
    {"requests", NULL, "Print the whole requests."},
    {NULL, NULL, NULL},
};

struct replica {
    const struct demo *demo;
    enum membrane_service service;
    int number;
    struct listener *listener;
};

struct demo {
    struct loop *loop;
    struct membrane now;
    struct replica replicas[REPLICAS_MAX];
    size_t count;
};

static void serve_page(void *arg, const struct listen_request *req,
                       struct listen_reply *reply)
{
    const struct replica *r = arg;

    buf_init(&reply->body, TEXT_MAX);
    reply->content_type = STR("text/plain; version=0.0.4; charset=utf-8");
    if (!str_eqz(req->path, membrane_path(r->service))) {
        reply->status = 404;
        buf_addf(&reply->body, "metrics are at %s\n",
                 membrane_path(r->service));
        return;
    }
    reply->status = 200;
    membrane_page(&r->demo->now, r->service, r->number, &reply->body);
}

static bool start_replica(struct demo *d, enum membrane_service service,
                          int number, struct err *err)
{
    struct replica *r = &d->replicas[d->count];

    *r = (struct replica){.demo = d, .service = service, .number = number};
    r->listener = listen_new(d->loop, STR("127.0.0.1:0"), serve_page, r, err);
    if (!r->listener)
        return false;
    d->count++;
    return true;
}

static bool start(struct demo *d, struct err *err)
{
    for (int s = 0; s < MEMBRANE_SERVICES; s++)
        for (int i = 0; i < membrane_replicas((enum membrane_service)s); i++)
            if (!start_replica(d, (enum membrane_service)s, i, err))
                return false;
    return true;
}

static void stop(struct demo *d)
{
    while (d->count > 0)
        listen_free(d->replicas[--d->count].listener);
}

/* The configuration that a team would write for this Membrane. */
static void write_config(const struct demo *d, struct buf *out)
{
    int last = -1;

    buf_addz(out, "scrape:\n  jobs:\n");
    for (size_t i = 0; i < d->count; i++) {
        const struct replica *r = &d->replicas[i];

        if ((int)r->service != last)
            buf_addf(out, "    - name: %s\n      targets:\n",
                     membrane_job(r->service));
        last = (int)r->service;
        buf_addf(out, "        - http://127.0.0.1:%u%s\n",
                 listen_port(r->listener), membrane_path(r->service));
    }
    buf_addf(out,
             "capacity:\n  instant-tasks-worker: {fixed: %d}\n"
             "sinks:\n  cloudwatch: {region: eu-west-1}\n",
             d->now.instant_workers);
}

static bool cycle(struct demo *d, int minute, agent_report_fn *report,
                  void *arg, struct err *err)
{
    const struct agent_once_options once = {.loop = d->loop, .dry = true};
    const char *none[] = {NULL};
    struct conf_world world = {.variables = none};
    struct settings_source from = {.ignore_variables = true,
                                   .text_name = "demo"};
    struct settings *s;
    struct buf text;
    bool ok;

    d->now = membrane_at(minute);
    buf_init(&text, TEXT_MAX);
    write_config(d, &text);
    from.text = buf_z(&text);
    s = settings_read(&world, &from);
    ok = settings_good(s);
    if (ok) {
        ok = agent_once(s, &once, report, arg, err);
    } else {
        struct buf faults;

        buf_init(&faults, 512);
        settings_faults(s, &faults);
        (void)err_set(err, ERR_INTERNAL, "%s", buf_z(&faults));
        buf_fini(&faults);
    }
    settings_free(s);
    buf_fini(&text);
    return ok;
}

/*
 * The day at a glance: one line every two hours, each from a whole cycle.
 */
static double value_of(const struct report *r, const char *name)
{
    for (size_t i = 0; i < r->metric_count; i++)
        if (str_eqz(r->metrics[i].name, name) && r->metrics[i].has_value)
            return r->metrics[i].value;
    return -1;
}

static long long replicas_of(const struct report *r, const char *name)
{
    for (size_t i = 0; i < r->metric_count; i++)
        if (str_eqz(r->metrics[i].name, name) && r->metrics[i].has_replicas)
            return (long long)r->metrics[i].implied_replicas;
    return -1;
}

struct glance {
    struct buf *out;
    int minute;
};

static void day_line(void *arg, const struct report *r)
{
    struct glance *g = arg;
    double workers = r->worker_count ? r->workers[0].count : 0;

    buf_addf(
        g->out, "  %02d:%02d  %5.0f jobs  %3.0f workers  %7.2f  -> %2lld\n",
        g->minute / 60, g->minute % 60, value_of(r, "JobQueueLength"), workers,
        value_of(r, "JobsPerWorker"), replicas_of(r, "JobsPerWorker"));
}

static bool day(struct demo *d, struct buf *out, struct err *err)
{
    buf_addz(out, "THE SIMULATED DAY (each line is a scrape of all nine "
                  "replicas)\n"
                  "   time   in queue     running  JobsPerWorker, "
                  "replicas for target 5\n");
    for (int m = 0; m < 24 * 60; m += DAY_STEP_MINUTES) {
        struct glance g = {out, m + 30};

        if (!cycle(d, m + 30, day_line, &g, err))
            return false;
    }
    buf_addc(out, '\n');
    return true;
}

static bool parse_time(const char *word, int *minute, struct err *err)
{
    struct str rest = str_of(word), hour, min;
    int64_t h, m;

    if (str_next(&rest, ':', &hour) && str_next(&rest, ':', &min) &&
        !rest.ptr && str_int(hour, &h) && str_int(min, &m) && h >= 0 &&
        h < 24 && m >= 0 && m < 60) {
        *minute = (int)(h * 60 + m);
        return true;
    }
    return err_set(err, ERR_CONFIG, "--at: \"%s\" is no time like 10:30", word);
}

static void on_signal(void *arg, int signum)
{
    (void)signum;
    loop_stop(arg);
}

/* Until SIGINT or SIGTERM; the time of day stands still. */
static bool go_on_serving(struct demo *d, int minute)
{
    struct buf out;
    bool ok;

    d->now = membrane_at(minute);
    buf_init(&out, TEXT_MAX);
    buf_addz(&out, "# A configuration for this simulated Membrane; it goes on "
                   "serving until it is\n# interrupted.\n");
    write_config(d, &out);
    ok = command_print(buf_str(&out));
    buf_fini(&out);
    loop_on_signal(d->loop, SIGINT, on_signal, d->loop);
    loop_on_signal(d->loop, SIGTERM, on_signal, d->loop);
    if (ok)
        loop_run(d->loop);
    return ok;
}

static enum exit_status present(struct demo *d, const struct command_line *line,
                                int minute, struct err *err)
{
    struct show show = {.style = {.requests = command_given(line, "requests")}};
    struct buf out;
    bool ok = true;

    if (!show_form_parse(command_value(line, "output"), &show.form, err))
        return EXIT_USAGE;
    buf_init(&out, TEXT_MAX);
    if (show.form == SHOW_TABLE)
        ok = day(d, &out, err) && command_print(buf_str(&out));
    buf_fini(&out);
    if (!ok || !cycle(d, minute, show_report, &show, err))
        return EXIT_FAILED;
    return show.status;
}

static enum exit_status run_demo(const struct command_line *line)
{
    const char *at = command_value(line, "at");
    struct demo d = {0};
    enum exit_status status = EXIT_FAILED;
    struct err err = {.kind = ERR_NONE};
    int minute = 9 * 60 + 30;

    if (at && !parse_time(at, &minute, &err))
        return command_fail(line, EXIT_USAGE, &err);
    d.loop = loop_new();
    log_setup(LOG_ERROR, LOG_LOGFMT);
    if (!start(&d, &err))
        status = EXIT_FAILED;
    else if (command_given(line, "serve"))
        status = go_on_serving(&d, minute) ? EXIT_WELL : EXIT_FAILED;
    else
        status = present(&d, line, minute, &err);
    stop(&d);
    loop_free(d.loop);
    if (err.kind != ERR_NONE && status != EXIT_WELL)
        return command_fail(line, status, &err);
    return status;
}

const struct command command_demo = {
    .name = "demo",
    .arguments = "",
    .help = "Scrape a simulated Membrane on loopback and show the report.",
    .details =
        "Serves two API replicas, three custom code runners and four queued "
        "tasks workers\nof a Membrane that exists only as numbers, scrapes "
        "them over HTTP like any other,\nand prints what would be "
        "published.  With --serve it prints a configuration for\nthem and goes "
        "on serving, so that a real `scalebridge run` can be tried on it.\n",
    .options = options,
    .run = run_demo,
};
