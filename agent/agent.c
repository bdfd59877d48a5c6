/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/io/http.h"
#include "agent/io/resolve.h"
#include "agent/parts.h"

#include <stdlib.h>
#include <unistd.h>

/* Beyond this many series something other than Membrane is being scraped. */
#define MAX_SERIES 1000000
/* As Prometheus' query.lookback-delta. */
#define LOOKBACK (5 * WHEN_MINUTE)

/*
 * What the store must keep.
 */
static bool wanted(void *arg, struct str name)
{
    const struct agent *a = arg;

    return a->wants_all || map_get(&a->wanted, name) != NULL;
}

static void want_selector(void *arg, const struct promql_selector *s)
{
    struct agent *a = arg;

    for (size_t i = 0; i < s->matcher_count; i++) {
        const struct matcher *m = &s->matchers[i];

        if (m->op == MATCH_EQ && str_eq(m->name, LABEL_NAME) &&
            m->value.len > 0) {
            map_put(&a->wanted, m->value, a);
            return;
        }
    }
    a->wants_all = true;
}

/* The age of the data is measured on all figures that the preset knows. */
static void want_figures(struct agent *a)
{
    const struct preset *p =
        preset_find(str_of(a->settings->values.membrane.preset));

    for (size_t i = 0; p && p->figures[i].name; i++)
        map_put(&a->wanted, str_of(p->figures[i].name), a);
}

static int64_t retention(const struct agent *a)
{
    int64_t reach = rules_reach(a->rules);

    return reach > LOOKBACK ? reach : LOOKBACK;
}

void parts_want(struct agent *a)
{
    map_fini(&a->wanted);
    /* A look that is taken once keeps everything, to tell a misspelt name
     * with the nearest that there is. */
    a->wants_all = a->once;
    rules_selectors(a->rules, want_selector, a);
    want_figures(a);
    if (a->store)
        store_set_retention(a->store, retention(a));
}

static void make_store(struct agent *a)
{
    struct store_options store = {.max_series = MAX_SERIES};

    store.retention_ms = retention(a);
    a->filter = (struct parse_filter){wanted, a};
    a->store = store_new(&store);
    parts_want(a);
}

static int by_name(const void *a, const void *b)
{
    const struct label *x = a, *y = b;

    return str_cmp(x->name, y->name);
}

static void make_dimensions(struct agent *a)
{
    const struct conf_map *map = &a->settings->values.publish.dimensions;

    free(a->dimensions);
    a->dimension_count = map->count;
    a->dimensions = xcalloc(map->count + 1, sizeof(*a->dimensions));
    for (size_t i = 0; i < map->count; i++) {
        a->dimensions[i].name = str_of(map->pairs[i].name);
        a->dimensions[i].value = str_of(map->pairs[i].value);
    }
    qsort(a->dimensions, map->count, sizeof(*a->dimensions), by_name);
}

static bool some_sink_wants_each(const struct settings *s)
{
    for (size_t i = 0; i < s->sink_count; i++)
        if (s->sinks[i].type->each_evaluation)
            return true;
    return false;
}

/* What stands in the window stays there. */
static void renew_window(struct agent *a, struct window **w, bool wanted)
{
    if (wanted && *w) {
        window_set_constant(*w, a->dimensions, a->dimension_count);
    } else if (wanted) {
        *w = window_new(a->dimensions, a->dimension_count);
    } else {
        window_free(*w);
        *w = NULL;
    }
}

void parts_windows(struct agent *a)
{
    make_dimensions(a);
    renew_window(a, &a->window, true);
    renew_window(a, &a->each, some_sink_wants_each(a->settings));
}

/*
 * Evaluation.
 */
static const char *event_name(const struct rule_event *e)
{
    if (e->doubt)
        return e->good ? "metric_doubt_ended" : "metric_doubt";
    if (e->good)
        return "metric_fresh";
    return e->state == RULE_OFF    ? "metric_off"
           : e->state == RULE_HELD ? "metric_held"
                                   : "metric_missing";
}

static void tell_events(const struct rules_results *results)
{
    for (size_t i = 0; i < results->event_count; i++) {
        const struct rule_event *e = &results->events[i];
        bool calm = e->good || (!e->doubt && e->state == RULE_OFF);

        log_write(calm ? LOG_INFO : LOG_WARN, event_name(e),
                  log_s("metric", e->rule), log_s("reason", e->text), LOG_END);
    }
}

static void tell_records(const struct records_told *told)
{
    for (size_t i = 0; i < told->count; i++) {
        const struct record_event *e = &told->events[i];

        if (e->good)
            log_info("recording_good", log_s("record", e->record),
                     log_s("group", e->group));
        else
            log_warn("recording_failed", log_s("record", e->record),
                     log_s("group", e->group), log_s("reason", e->text));
    }
}

void agent_evaluate(struct agent *a)
{
    struct rules_world world = {
        .store = a->store, .t_ms = loop_now(a->loop).wall_ms, .once = a->once};

    arena_reset(&a->arena);
    store_expire(a->store, world.t_ms);
    world.jobs = parts_describe_jobs(a);
    world.job_count = a->job_count;
    world.services = parts_describe_services(a);
    world.service_count = capacity_count(a->capacity);
    rules_record(a->rules, &world, a->store,
                 a->settings->values.scrape.common.interval_ms, &a->arena,
                 &a->recorded);
    tell_records(&a->recorded);
    rules_evaluate(a->rules, &world, &a->arena, &a->results);
    a->evaluated_ms = world.t_ms;
    a->evaluations++;
    tell_events(&a->results);
    for (size_t i = 0; i < a->results.count; i++) {
        window_add(a->window, &a->results.results[i], world.t_ms);
        if (!a->once)
            parts_feed_actuators(a);
        if (a->each)
            window_add(a->each, &a->results.results[i], world.t_ms);
    }
}

const struct point *const *agent_points(struct agent *a, size_t *count)
{
    return window_take(a->window, &a->arena, count);
}

static void add_to(struct agent *a, bool each, const struct batch *batch)
{
    for (size_t i = 0; batch->count > 0 && i < a->sink_count; i++)
        if (a->sinks[i]->conf->type->each_evaluation == each)
            outbox_add(a->sinks[i]->outbox, batch);
}

void agent_publish_each(struct agent *a)
{
    struct batch batch;

    if (!a->each)
        return;
    batch.points = window_take(a->each, &a->arena, &batch.count);
    add_to(a, true, &batch);
}

void agent_publish(struct agent *a)
{
    struct batch batch;

    agent_publish_each(a);
    batch.points = agent_points(a, &batch.count);
    add_to(a, false, &batch);
}

/*
 * Life.
 */
static bool job_wants_dns(const struct discover_conf *d)
{
    for (size_t i = 0; i < d->targets.count; i++)
        if (str_starts(str_of(d->targets.items[i]), STR("dns")))
            return true;
    return d->dns.name[0] != '\0';
}

bool parts_wants_dns(const struct settings_values *v)
{
    for (size_t i = 0; i < v->scrape.jobs_count; i++)
        if (job_wants_dns(&v->scrape.jobs[i].discover))
            return true;
    for (size_t i = 0; i < v->capacity_count; i++)
        if (v->capacity[i].source.dns.name[0] != '\0')
            return true;
    return false;
}

void parts_tell_alerts(const struct groups *g)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->items[i].alerts)
            log_info("alerting_rules_passed_over",
                     log_s("file", g->items[i].file),
                     log_s("group", g->items[i].name),
                     log_i("rules", (int64_t)g->items[i].alerts));
}

struct resolver *parts_make_resolver(struct agent *a, const struct settings *s,
                                     struct err *err)
{
    const struct conf_list *servers = &s->values.dns.servers;
    struct resolver *r;
    struct buf list;

    buf_init(&list, 4096);
    for (size_t i = 0; i < servers->count; i++)
        buf_addf(&list, "%s%s", i ? "," : "", servers->items[i]);
    r = resolver_new(a->loop, buf_str(&list), err);
    buf_fini(&list);
    if (!r)
        (void)err_wrap(err, "dns.servers");
    return r;
}

struct agent *agent_new(const struct agent_options *options, struct err *err)
{
    struct agent *a = xcalloc(1, sizeof(*a));
    struct http_options http = {0};

    a->settings = settings_ref(options->settings);
    a->once = options->once;
    a->discovered = options->discovered;
    a->owner = options->owner;
    a->own_loop = options->loop == NULL;
    a->loop = a->own_loop ? loop_new() : options->loop;
    arena_init(&a->arena, (size_t)32 * 1024);
    a->http = http_new(a->loop, &http);
    if (parts_wants_dns(&a->settings->values) &&
        !(a->resolver = parts_make_resolver(a, a->settings, err))) {
        agent_free(a);
        return NULL;
    }
    a->ecs = ecs_new(a->loop, a->http, &auth_env_process);
    parts_make_cloudrun(a);
    a->container_apps = container_apps_new(a->loop, a->http, &auth_env_process);
    a->rules = a->settings->rules;
    parts_tell_alerts(a->settings->groups);
    make_store(a);
    parts_windows(a);
    parts_make_sinks(a, options->deliver);
    parts_make_capacity(a);
    parts_make_jobs(a);
    parts_make_actuators(a);
    return a;
}

void agent_free(struct agent *a)
{
    if (!a)
        return;
    parts_free_actuators(a);
    parts_free_jobs(a);
    parts_free_capacity(a);
    parts_free_sinks(a);
    window_free(a->window);
    window_free(a->each);
    free(a->dimensions);
    store_free(a->store);
    map_fini(&a->wanted);
    container_apps_free(a->container_apps);
    parts_free_cloudrun(a);
    ecs_free(a->ecs);
    resolver_free(a->resolver);
    http_free(a->http);
    arena_fini(&a->arena);
    settings_free(a->settings);
    if (a->own_loop)
        loop_free(a->loop);
    free(a);
}
