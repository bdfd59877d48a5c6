/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reload.c - new settings in place of those in force.
 *
 * The new ones are whole and good before anything is touched; the one step
 * that can still fail, asking other name servers, comes first.
 */
#include "agent/base/log.h"
#include "agent/io/resolve.h"
#include "agent/parts.h"

static bool same_servers(const struct settings *a, const struct settings *b)
{
    const struct conf_list *x = &a->values.dns.servers;
    const struct conf_list *y = &b->values.dns.servers;

    if (x->count != y->count)
        return false;
    for (size_t i = 0; i < x->count; i++)
        if (strcmp(x->items[i], y->items[i]) != 0)
            return false;
    return true;
}

static void tell(const char *event, const struct reloaded *r)
{
    if (r->added + r->changed + r->removed)
        log_info(event, log_i("added", (int64_t)r->added),
                 log_i("changed", (int64_t)r->changed),
                 log_i("removed", (int64_t)r->removed));
}

static void swap_rules(struct agent *a, const struct settings *old)
{
    a->rules = a->settings->rules;
    rules_inherit(a->rules, old->rules);
    a->results = (struct rules_results){0};
    a->recorded = (struct records_told){0};
    parts_tell_alerts(a->settings->groups);
    parts_want(a);
    parts_windows(a);
}

/* What the new settings resolve names with: NULL where they have none. */
static bool choose_resolver(struct agent *a, const struct settings *fresh,
                            struct resolver **out, struct err *err)
{
    struct resolver *now = a->resolver;

    *out = NULL;
    if (!parts_wants_dns(&fresh->values))
        return true;
    *out = now && same_servers(a->settings, fresh)
               ? now
               : parts_make_resolver(a, fresh, err);
    return *out != NULL;
}

bool agent_reload(struct agent *a, struct settings *fresh, struct err *err)
{
    struct reloaded jobs = {0}, counts = {0}, sinks = {0}, actuators = {0};
    struct settings *old = a->settings;
    struct resolver *before = a->resolver;
    bool ask_anew;

    if (!choose_resolver(a, fresh, &a->resolver, err)) {
        a->resolver = before;
        return false;
    }
    ask_anew = before && a->resolver && before != a->resolver;
    a->settings = settings_ref(fresh);
    swap_rules(a, old);
    parts_reload_capacity(a, ask_anew, &counts);
    parts_reload_jobs(a, ask_anew, &jobs);
    parts_reload_sinks(a, &sinks);
    parts_reload_actuators(a, &actuators);
    if (before != a->resolver)
        resolver_free(before);
    settings_free(old);
    log_setup((enum log_level)fresh->values.log.level,
              (enum log_format)fresh->values.log.format);
    tell("jobs_reloaded", &jobs);
    tell("worker_counts_reloaded", &counts);
    tell("sinks_reloaded", &sinks);
    tell("actuators_reloaded", &actuators);
    agent_evaluate(a);
    return true;
}
