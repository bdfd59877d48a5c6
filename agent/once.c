/* SPDX-License-Identifier: Apache-2.0 */
/*
 * once.c - one cycle, for --dry-run and --once:
 *
 *   discover -> scrape -> (scrape again) -> count workers -> evaluate
 *            -> show, or deliver and show
 */
#include "agent/agent.h"
#include "agent/base/mem.h"
#include "agent/deliver/preview.h"
#include "agent/parts.h"

#include <stdlib.h>

/* Between the two scrapes that a range function needs. */
#define SECOND_LOOK (2 * WHEN_SECOND)
#define TWICE                                                                 \
    "every target was scraped twice, because an expression looks at a range " \
    "of time; over so short a range rates are rough"

struct once {
    struct agent *agent;
    bool dry;
    bool scraping;   /* discovery is over */
    unsigned rounds; /* of scraping that are still to come */
    size_t flushing; /* outboxes that are not done */
    struct timer timer;
};

static void scrape_all(void *arg);

static void on_flushed(void *arg)
{
    struct once *o = arg;

    if (--o->flushing == 0)
        loop_stop(o->agent->loop);
}

static void deliver(struct once *o)
{
    struct agent *a = o->agent;
    int64_t deadline =
        loop_now(a->loop).mono_ms + a->settings->values.shutdown.timeout_ms;

    agent_publish(a);
    o->flushing = a->sink_count;
    for (size_t i = 0; i < a->sink_count; i++)
        outbox_flush(a->sinks[i]->outbox, deadline, on_flushed, o);
    if (a->sink_count == 0)
        loop_stop(a->loop);
}

static void on_decided(void *arg)
{
    struct once *o = arg;

    loop_stop(o->agent->loop);
}

static void on_counted(void *arg)
{
    struct once *o = arg;

    agent_evaluate(o->agent);
    if (o->dry)
        parts_preview_actuators(o->agent, on_decided, o);
    else
        deliver(o);
}

static void on_scraped(void *arg)
{
    struct agent_job *job = arg;
    struct agent *a = job->agent;
    struct once *o = a->owner;

    job->scraped = true;
    for (size_t i = 0; i < a->job_count; i++)
        if (!a->jobs[i]->scraped)
            return;
    if (--o->rounds > 0)
        timer_arm(a->loop, &o->timer, loop_now(a->loop).mono_ms + SECOND_LOOK,
                  scrape_all, o);
    else
        capacity_once(a->capacity, on_counted, o);
}

static void scrape_all(void *arg)
{
    struct once *o = arg;
    struct agent *a = o->agent;

    for (size_t i = 0; i < a->job_count; i++)
        a->jobs[i]->scraped = false;
    for (size_t i = 0; i < a->job_count; i++)
        scrape_pool_once(a->jobs[i]->pool, on_scraped, a->jobs[i]);
}

static void on_discovered(struct agent *a)
{
    struct once *o = a->owner;

    for (size_t i = 0; i < a->job_count; i++)
        if (!a->jobs[i]->discovered)
            return;
    if (o->scraping)
        return;
    o->scraping = true;
    scrape_all(o);
}

/*
 * What would be sent.
 */
struct shown {
    struct arena *arena;
    struct http_request *requests;
    size_t request_count, request_cap;
    struct report_refusal *refused;
    size_t refused_count, refused_cap;
};

static void keep_request(void *arg, const struct http_request *req)
{
    struct shown *s = arg;

    xgrow(&s->requests, &s->request_cap, s->request_count,
          sizeof(*s->requests));
    s->requests[s->request_count++] = *http_request_copy(req, s->arena);
}

static void keep_refused(void *arg, const struct point *point,
                         const struct err *why)
{
    struct shown *s = arg;

    xgrow(&s->refused, &s->refused_cap, s->refused_count, sizeof(*s->refused));
    s->refused[s->refused_count++] = (struct report_refusal){
        .metric = arena_str(s->arena, point->name),
        .reason = arena_str(s->arena, str_of(why->text))};
}

/* Into the arena, so that the report owns nothing. */
static void settle(struct shown *s, struct report_sink *out)
{
    struct http_request *requests =
        arena_array(s->arena, s->request_count, sizeof(*requests));
    struct report_refusal *refused =
        arena_array(s->arena, s->refused_count, sizeof(*refused));

    if (s->request_count)
        memcpy(requests, s->requests, s->request_count * sizeof(*requests));
    if (s->refused_count)
        memcpy(refused, s->refused, s->refused_count * sizeof(*refused));
    out->requests = requests;
    out->request_count = s->request_count;
    out->refused = refused;
    out->refused_count = s->refused_count;
    free(s->requests);
    free(s->refused);
}

static void preview_sink(const struct agent_sink *sink,
                         const struct batch *batch, struct arena *arena,
                         struct report_sink *out)
{
    struct shown shown = {.arena = arena};
    struct preview p = {.type = sink->conf->type,
                        .conf = sink->conf->conf,
                        .request = keep_request,
                        .refused = keep_refused,
                        .arg = &shown};

    *out = (struct report_sink){.name = str_of(sink->conf->type->name)};
    preview_batch(&p, batch);
    settle(&shown, out);
}

static void outcome_of_sink(const struct agent_sink *sink, struct arena *arena,
                            struct report_sink *out)
{
    const struct outbox_stats *stats = outbox_stats(sink->outbox);

    *out = (struct report_sink){.name = str_of(sink->conf->type->name),
                                .sent = true,
                                .accepted = sink->accepted,
                                .lost = sink->lost + stats->queued};
    if (out->lost)
        out->error = arena_str(arena, str_of(stats->last_error.text));
}

static void view_sinks(struct once *o, struct arena *arena, struct report *r)
{
    struct agent *a = o->agent;
    struct report_sink *sinks =
        arena_array(arena, a->sink_count, sizeof(*sinks));
    struct batch batch = {0};

    if (o->dry)
        batch.points = agent_points(a, &batch.count);
    for (size_t i = 0; i < a->sink_count; i++) {
        if (o->dry)
            preview_sink(a->sinks[i], &batch, arena, &sinks[i]);
        else
            outcome_of_sink(a->sinks[i], arena, &sinks[i]);
    }
    r->sinks = sinks;
    r->sink_count = a->sink_count;
}

static void view_notes(const struct agent *a, struct arena *arena,
                       struct report *r)
{
    const struct records_told *told = &a->recorded;
    struct str *notes =
        arena_array(arena, told->count + a->actuator_count + 1, sizeof(*notes));

    r->notes = notes;
    if (rules_want_range(a->rules))
        notes[r->note_count++] = STR(TWICE);
    for (size_t i = 0; i < told->count; i++)
        if (!told->events[i].good)
            notes[r->note_count++] = arena_printf(
                arena, "recording rule %.*s fails: %.*s",
                STR_ARG(told->events[i].record), STR_ARG(told->events[i].text));
    for (size_t i = 0; i < a->actuator_count; i++)
        if (a->actuators[i].told)
            notes[r->note_count++] =
                arena_printf(arena, "actuate %s would decide: %s",
                             a->actuators[i].conf->name, a->actuators[i].told);
}

static void show(struct once *o, agent_report_fn *report, void *arg)
{
    struct report r = {.dry = o->dry};
    struct arena arena;

    arena_init(&arena, (size_t)32 * 1024);
    agent_view(o->agent, &arena, &r);
    view_notes(o->agent, &arena, &r);
    view_sinks(o, &arena, &r);
    report(arg, &r);
    arena_fini(&arena);
}

bool agent_once(struct settings *s, const struct agent_once_options *options,
                agent_report_fn *report, void *arg, struct err *err)
{
    struct once o = {.dry = options->dry};
    struct agent_options with = {.settings = s,
                                 .loop = options->loop,
                                 .once = true,
                                 .deliver = !options->dry,
                                 .discovered = on_discovered,
                                 .owner = &o};

    o.agent = agent_new(&with, err);
    if (!o.agent)
        return false;
    o.rounds = rules_want_range(o.agent->rules) ? 2 : 1;
    loop_run(o.agent->loop);
    timer_disarm(&o.timer);
    show(&o, report, arg);
    agent_free(o.agent);
    return true;
}
