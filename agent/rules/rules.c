/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/rules.h"

#include "agent/base/mem.h"
#include "agent/base/near.h"
#include "agent/base/num.h"
#include "agent/rules/rule.h"

#include <stdlib.h>

/* clang-format off */
const struct conf_key rule_missing_keys[] = {
    CONF_MS(rule_missing_conf, hold, "2m", 0, WHEN_DAY,
            "How long the last good value stands in for a missing one."),
    CONF_TEXT(rule_missing_conf, value, "",
              "A number to send after that; empty: nothing is sent."),
    CONF_END,
};

const struct conf_key rule_keys[] = {
    CONF_TEXT(rule_conf, name, NULL,
              "Name of the metric; that of a built-in one changes it.",
              .flags = CONF_MUST | CONF_FILLED),
    CONF_TEXT(rule_conf, expr, "", "PromQL that gives the value."),
    CONF_TEXT(rule_conf, unit, "",
              "Unit in CloudWatch's words: Count, Percent, Seconds, None ..."),
    CONF_TEXT(rule_conf, description, "", "What it says, in a sentence."),
    CONF_NUM(rule_conf, target, "0", 0, 1e15,
             "What a scaler is to keep the value at; 0: not stated."),
    CONF_TEXT(rule_conf, running, "",
              "PromQL for the replicas that run now, where the value is a "
              "ratio over them."),
    CONF_INT(rule_conf, min_replicas, "-1", -1, 1000000,
             "Fewest replicas of what it scales; -1: not stated."),
    CONF_INT(rule_conf, max_replicas, "-1", -1, 1000000,
             "Most replicas of what it scales; -1: not stated."),
    CONF_MAP(rule_conf, dimensions, "",
             "Dimensions taken from labels of the result: "
             "{Dimension: label}."),
    CONF_SECTION(rule_conf, missing, rule_missing_conf, rule_missing_keys,
                 "What is sent while there is no value."),
    CONF_ENUM(rule_conf, resolution, "60", "60|1",
              "Seconds between the points of the metric in the cloud."),
    CONF_BOOL(rule_conf, allow_partial, "false",
              "Send the value also while a target does not answer."),
    CONF_BOOL(rule_conf, enabled, "true",
              "Switches the metric off when false."),
    CONF_END,
};
/* clang-format on */

const char *rule_state_name(enum rule_state s)
{
    static const char *const names[] = {
        [RULE_FRESH] = "fresh",
        [RULE_HELD] = "held",
        [RULE_SUBSTITUTED] = "substituted",
        [RULE_MISSING] = "missing",
        [RULE_OFF] = "off",
    };

    return names[s];
}

const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

void texts_add(struct texts *t, struct arena *a, struct str text)
{
    if (t->count == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 4;
        struct str *more = arena_array(a, cap, sizeof(*more));

        if (t->count > 0)
            memcpy(more, t->items, t->count * sizeof(*more));
        t->items = more;
        t->cap = cap;
    }
    t->items[t->count++] = text;
}

void rule_forget(struct rule *r)
{
    for (size_t i = 0; i < r->held_count; i++)
        free(r->held[i].labels);
    free(r->held);
    r->held = NULL;
    r->held_count = 0;
}

void rules_free(struct rules *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++) {
        rule_forget(&r->items[i]);
        promql_free(r->items[i].query);
        promql_free(r->items[i].running);
        free(r->items[i].uses);
    }
    for (size_t i = 0; i < r->figure_count; i++)
        figure_fini(&r->figures[i]);
    recordings_fini(r);
    memory_fini(r);
    free(r->items);
    free(r->figures);
    arena_fini(&r->arena);
    free(r);
}

size_t rules_count(const struct rules *r)
{
    return r->count;
}

const struct rule_info *rules_info(const struct rules *r, size_t i)
{
    return &r->items[i].info;
}

static void tell_selectors(const struct promql *q, rules_selector_fn *fn,
                           void *arg)
{
    const struct promql_selector *s;
    size_t n = q ? promql_selectors(q, &s) : 0;

    for (size_t i = 0; i < n; i++)
        fn(arg, &s[i]);
}

void rules_selectors(const struct rules *r, rules_selector_fn *fn, void *arg)
{
    for (size_t i = 0; i < r->count; i++) {
        tell_selectors(r->items[i].query, fn, arg);
        tell_selectors(r->items[i].running, fn, arg);
    }
    for (size_t i = 0; i < r->recording_count; i++)
        tell_selectors(r->recordings[i].record->query, fn, arg);
}

static void longest(void *arg, const struct promql_selector *s)
{
    int64_t *reach = arg;

    if (s->reach_ms > *reach)
        *reach = s->reach_ms;
}

int64_t rules_reach(const struct rules *r)
{
    int64_t reach = 0;

    rules_selectors(r, longest, &reach);
    for (size_t i = 0; i < r->recording_count; i++) {
        const struct recording *rec = &r->recordings[i];
        int64_t own = promql_reach(rec->record->query) + rec->group->offset_ms;

        reach = own > reach ? own : reach;
    }
    return reach;
}

static void any_range(void *arg, const struct promql_selector *s)
{
    *(bool *)arg |= s->range;
}

bool rules_want_range(const struct rules *r)
{
    bool range = false;

    rules_selectors(r, any_range, &range);
    return range;
}

static void inherit_rule(struct rule *to, const struct rule *from)
{
    to->held = xreallocarray(NULL, from->held_count, sizeof(*to->held));
    to->held_count = from->held_count;
    for (size_t i = 0; i < from->held_count; i++) {
        to->held[i] = from->held[i];
        to->held[i].labels = labels_copy(from->held[i].labels, NULL);
    }
    to->begun = from->begun;
    to->begun_ms = from->begun_ms;
    to->good_ms = from->good_ms;
    to->oldest_ms = from->oldest_ms;
    to->state = from->state;
}

void rules_inherit(struct rules *r, const struct rules *from)
{
    memory_inherit(r, from);
    recordings_inherit(r, from);
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < from->count; j++) {
            const struct rule_info *a = &r->items[i].info;
            const struct rule_info *b = &from->items[j].info;

            if (str_eq(a->name, b->name) &&
                str_eq(a->expression, b->expression))
                inherit_rule(&r->items[i], &from->items[j]);
        }
    for (size_t i = 0; i < r->figure_count; i++)
        for (size_t j = 0; j < from->figure_count; j++)
            if (str_eq(r->figures[i].name, from->figures[j].name))
                figure_inherit(&r->figures[i], &from->figures[j]);
}
