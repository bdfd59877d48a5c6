/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/groups.h"
#include "agent/rules/rows.h"
#include "agent/rules/rule.h"

#include <math.h>
#include <stdlib.h>

#define MAX_INPUTS 200 /* told of one rule; all count for the age */

struct run {
    struct rules *rules;
    const struct rules_world *world;
    struct arena *arena;
    struct happenings events;
};

/* Hears of the samples that are used. */
struct gather {
    struct arena *arena;
    struct rule_input *items;
    size_t count, cap;
    int64_t now_ms, oldest_ms;
};

static void make_room(struct gather *g)
{
    size_t cap = g->cap ? g->cap * 2 : 4;
    struct rule_input *more = arena_array(g->arena, cap, sizeof(*more));

    if (g->count > 0)
        memcpy(more, g->items, g->count * sizeof(*more));
    g->items = more;
    g->cap = cap;
}

static void hear(void *arg, const struct labels *labels, struct sample newest)
{
    struct gather *g = arg;
    int64_t age = g->now_ms - newest.t_ms;

    if (newest.t_ms < g->oldest_ms)
        g->oldest_ms = newest.t_ms;
    for (size_t i = 0; i < g->count; i++)
        if (g->items[i].labels == labels)
            return;
    if (g->count == MAX_INPUTS)
        return;
    if (g->count == g->cap)
        make_room(g);
    g->items[g->count++] = (struct rule_input){
        .name = labels_name(labels),
        .labels = labels,
        .instance = labels_get(labels, LABEL_INSTANCE),
        .value = newest.v,
        .age_ms = age > 0 ? age : 0,
    };
}

/* The store has no order; reports have. */
static int by_series(const void *x, const void *y)
{
    const struct rule_input *a = x, *b = y;
    int d = str_cmp(a->name, b->name);

    return d != 0 ? d : labels_cmp(a->labels, b->labels);
}

static bool query(struct run *run, const struct promql *q, struct gather *g,
                  struct promql_result *out, struct err *err)
{
    const struct promql_eval with = {
        .store = run->world->store,
        .t_ms = run->world->t_ms,
        .arena = run->arena,
        .max_samples = RULES_SAMPLES_MAX,
        .input = g ? hear : NULL,
        .input_arg = g,
    };

    return promql_eval(q, &with, out, err);
}

/* How many replicas run, where one number says so. */
static bool count_running(struct run *run, const struct rule *rule,
                          double *running)
{
    struct promql_result result;

    if (!rule->running || !query(run, rule->running, NULL, &result, NULL))
        return false;
    if (result.type == PROMQL_VECTOR && result.row_count != 1)
        return false;
    *running = result.type == PROMQL_SCALAR ? result.scalar : result.rows[0].v;
    return isfinite(*running);
}

static void finish(struct run *run, const struct rule *rule, struct rows *rows,
                   struct rule_result *out)
{
    double running = 0;
    bool known = out->state == RULE_FRESH && rows->count > 0 &&
                 count_running(run, rule, &running);

    rows_imply(&rule->info, known ? &running : NULL, rows);
    out->rows = rows->items;
    out->row_count = rows->count;
}

/* No value of now: hold, substitute, or go without. */
static void go_without(struct run *run, const struct rule *rule,
                       struct rule_result *out)
{
    int64_t now = run->world->t_ms;
    int64_t since = rule->good_ms ? rule->good_ms : rule->begun_ms;
    struct rows rows;

    rows_hold(rule, now, run->arena, &rows);
    out->state = rows.count > 0 ? RULE_HELD : RULE_MISSING;
    if (rows.count == 0 && rule->info.has_substitute &&
        now - since > rule->info.hold_ms) {
        rows_single(rule->info.substitute, run->arena, &rows);
        out->state = RULE_SUBSTITUTED;
    }
    finish(run, rule, &rows, out);
}

/* The rows of now, or the reason why there are none. */
static bool compute(struct run *run, const struct rule *rule,
                    const struct feed *feed, struct gather *g,
                    struct rows *rows)
{
    struct arena *a = run->arena;
    struct promql_result result;
    struct err err;
    bool ok = query(run, rule->query, g, &result, &err);

    *rows = (struct rows){.reason = feed->reason};
    if (!feed->complete && !rule->info.allow_partial)
        return false;
    rows->reason = STR_NONE;
    if (!ok) {
        rows->reason = arena_str(a, str_of(err.text));
        return false;
    }
    if (rows_read(rule, &result, run->world->t_ms, a, rows))
        return true;
    if (rows->reason.len == 0)
        rows->reason = why_empty(run->rules, rule, run->world, a);
    return false;
}

static void evaluate_configured(struct run *run, struct rule *rule,
                                const struct feed *feed, struct texts *doubts,
                                struct rule_result *out)
{
    int64_t now = run->world->t_ms;
    struct gather g = {
        .arena = run->arena,
        .now_ms = now,
        .oldest_ms = now,
    };
    struct rows rows;
    bool fresh = compute(run, rule, feed, &g, &rows);

    for (size_t i = 0; i < rows.doubts.count; i++)
        texts_add(doubts, run->arena, rows.doubts.items[i]);
    if (fresh) {
        rows_keep(rule, &rows, now);
        rule->good_ms = now;
        rule->oldest_ms = g.oldest_ms;
        out->state = RULE_FRESH;
        if (!feed->complete)
            texts_add(doubts, run->arena,
                      arena_printf(run->arena, "partial: %.*s",
                                   STR_ARG(feed->reason)));
        finish(run, rule, &rows, out);
    } else {
        out->reason = rows.reason;
        go_without(run, rule, out);
    }
    if (g.count > 0)
        qsort(g.items, g.count, sizeof(*g.items), by_series);
    out->inputs = g.items;
    out->input_count = g.count;
}

/* True while it is only too early for a value. */
static bool evaluate_rule(struct run *run, struct rule *rule,
                          struct rule_result *out)
{
    struct texts doubts = {.items = NULL};
    struct feed feed;

    feed_check(run->rules, rule->uses, rule->use_count, run->world, run->arena,
               &feed);
    out->complete = feed.complete;
    if (feed.configured) {
        evaluate_configured(run, rule, &feed, &doubts, out);
        doubt_all(run->rules, rule, run->world, run->arena, &doubts,
                  &run->events);
    } else if (rule->info.builtin) {
        out->state = RULE_OFF;
        out->reason = feed.reason;
    } else {
        out->reason = feed.reason;
        go_without(run, rule, out);
    }
    out->doubts = doubts.items;
    out->doubt_count = doubts.count;
    return feed.early;
}

static const struct rule_input *oldest_of(const struct rule_result *r)
{
    const struct rule_input *oldest = NULL;

    for (size_t i = 0; i < r->input_count; i++)
        if (!oldest || r->inputs[i].age_ms > oldest->age_ms)
            oldest = &r->inputs[i];
    return oldest;
}

/* Since when the scaler sees nothing newer, over all that it may look at. */
static void evaluate_age(struct run *run, const struct rule_result *results,
                         struct rule *rule, struct rule_result *out)
{
    const struct rules *r = run->rules;
    int64_t now = run->world->t_ms, since = now;
    const struct rule_info *unread = NULL;
    size_t scaling = 0;
    struct rows rows;

    for (size_t i = 0; i < r->count; i++) {
        const struct rule *other = &r->items[i];
        int64_t t = other->good_ms ? other->oldest_ms : other->begun_ms;

        if (other->info.scaling == PRESET_NO_SCALING || !other->query ||
            results[i].state == RULE_OFF)
            continue;
        scaling++;
        if (!other->good_ms && !unread)
            unread = &other->info;
        if (t <= since) {
            since = t;
            out->inputs = oldest_of(&results[i]);
            out->input_count = out->inputs != NULL;
        }
    }
    if (scaling == 0) {
        out->state = RULE_OFF;
        out->reason = STR("no metric that a scaler may follow is on");
        return;
    }
    /* An agent that goes on counts from its start; a single look cannot. */
    if (run->world->once && unread) {
        out->state = RULE_MISSING;
        out->reason = arena_printf(run->arena,
                                   "the inputs of %.*s were not read, so their "
                                   "age is not known",
                                   STR_ARG(unread->name));
        return;
    }
    out->state = RULE_FRESH;
    out->complete = true;
    rows_single((double)(now - since) / 1000, run->arena, &rows);
    rows_keep(rule, &rows, now);
    rule->good_ms = now;
    finish(run, rule, &rows, out);
}

/* For the log: once a change, and not that the first scrapes are awaited. */
static void note_state(struct run *run, struct rule *rule, bool early,
                       const struct rule_result *result)
{
    if (rule->state == result->state ||
        (early && result->state == RULE_MISSING))
        return;
    happenings_add(&run->events, run->arena,
                   (struct rule_event){
                       .rule = rule->info.name,
                       .good = result->state == RULE_FRESH,
                       .state = result->state,
                       .text = result->reason,
                   });
    rule->state = result->state;
}

void rules_evaluate(struct rules *r, const struct rules_world *world,
                    struct arena *arena, struct rules_results *out)
{
    struct run run = {.rules = r, .world = world, .arena = arena};
    struct rule_result *results =
        arena_array(arena, r->count, sizeof(*results));
    bool *early = arena_array(arena, r->count, sizeof(*early));

    memory_begin(r, world);
    for (size_t i = 0; i < r->figure_count; i++)
        figure_observe(&r->figures[i], world, arena);
    for (size_t i = 0; i < r->count; i++) {
        struct rule *rule = &r->items[i];

        if (!rule->begun)
            rule->begun_ms = world->t_ms;
        rule->begun = true;
        results[i].info = &rule->info;
        if (rule->query)
            early[i] = evaluate_rule(&run, rule, &results[i]);
    }
    for (size_t i = 0; i < r->count; i++) {
        if (!r->items[i].query)
            evaluate_age(&run, results, &r->items[i], &results[i]);
        note_state(&run, &r->items[i], early[i], &results[i]);
    }
    *out = (struct rules_results){
        .results = results,
        .count = r->count,
        .events = run.events.items,
        .event_count = run.events.count,
    };
}
