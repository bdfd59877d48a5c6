/* SPDX-License-Identifier: Apache-2.0 */
/*
 * actuated.c - what is scaled here: Cloud Run, and an actuator for each row.
 */
#include "agent/base/mem.h"
#include "agent/parts.h"
#include "auth/google.h"
#include "auth/lease.h"

#include <stdlib.h>

void parts_make_cloudrun(struct agent *a)
{
    const struct google_options google = {.scope = STR(GOOGLE_SCOPE_CLOUD)};
    struct lease_options lease = {.providers = google_providers,
                                  .mend = google_no_credentials};
    struct cloudrun_options o = {
        .loop = a->loop, .http = a->http, .env = &auth_env_process};

    arena_init(&a->google_arena, 1024);
    lease.env = google_env(&auth_env_process, &google, &a->google_arena);
    a->google = lease_new(a->loop, a->http, &lease);
    o.lease = a->google;
    a->cloudrun = cloudrun_new(&o);
}

void parts_free_cloudrun(struct agent *a)
{
    if (!a->google)
        return;
    cloudrun_free(a->cloudrun);
    lease_free(a->google);
    arena_fini(&a->google_arena);
}

static void on_told(void *arg, const struct actuate_told *told)
{
    struct agent_actuator *x = arg;
    struct agent *a = x->agent;

    free(x->told);
    x->told = xstrndup(told->text.ptr, told->text.len);
    if (a->deciding > 0 && --a->deciding == 0)
        a->decided(a->decided_arg);
}

/* A look that is taken once changes nothing: it knows no past. */
void parts_make_actuators(struct agent *a)
{
    const struct settings_values *v = &a->settings->values;

    a->actuators_lend = settings_ref(a->settings);
    a->actuators = xcalloc(v->actuate_count + 1, sizeof(*a->actuators));
    a->actuator_count = v->actuate_count;
    for (size_t i = 0; i < a->actuator_count; i++) {
        struct agent_actuator *x = &a->actuators[i];
        const struct actuator_options o = {.loop = a->loop,
                                           .cloudrun = a->cloudrun,
                                           .conf = &v->actuate[i],
                                           .dry = a->once,
                                           .told = on_told,
                                           .arg = x};

        x->agent = a;
        x->conf = &v->actuate[i];
        x->actuator = actuator_new(&o);
    }
}

void parts_free_actuators(struct agent *a)
{
    for (size_t i = 0; i < a->actuator_count; i++) {
        actuator_free(a->actuators[i].actuator);
        free(a->actuators[i].told);
    }
    free(a->actuators);
    settings_free(a->actuators_lend);
}

static bool same_rows(const struct settings_values *a,
                      const struct settings_values *b)
{
    if (a->actuate_count != b->actuate_count)
        return false;
    for (size_t i = 0; i < a->actuate_count; i++)
        if (strcmp(a->actuate[i].name, b->actuate[i].name) != 0 ||
            !conf_same(actuate_keys, &a->actuate[i], &b->actuate[i]))
            return false;
    return true;
}

/* What they remember, for their windows, outlives settings that say the same
 * of all of them; others begin anew, and so change nothing for a window. */
void parts_reload_actuators(struct agent *a, struct reloaded *out)
{
    if (same_rows(&a->actuators_lend->values, &a->settings->values))
        return;
    parts_free_actuators(a);
    parts_make_actuators(a);
    out->changed++;
}

static const struct rule_result *result_of(const struct agent *a,
                                           const char *metric)
{
    for (size_t i = 0; i < a->results.count; i++)
        if (str_eqz(a->results.results[i].info->name, metric))
            return &a->results.results[i];
    return NULL;
}

/* One value, measured now, that all have contributed to; else why not. */
static bool sure_value(const struct agent *a, const char *metric, double *value,
                       struct str *why)
{
    const struct rule_result *r = result_of(a, metric);

    if (!r)
        *why = STR("the metric is not evaluated");
    else if (r->state != RULE_FRESH)
        *why = r->reason.len ? r->reason : STR("the metric has no fresh value");
    else if (!r->complete)
        *why = STR("not every target that feeds the metric has answered");
    else if (r->row_count != 1)
        *why = STR("the metric has not one value but several or none; let "
                   "its expression end in one, as with sum() or max()");
    else
        *value = r->rows[0].value;
    return why->len == 0;
}

static void feed(struct agent *a, struct agent_actuator *x)
{
    struct actuate_reading r = {.known = false};
    struct str no_busy = STR_NONE;

    r.known = sure_value(a, x->conf->metric, &r.required, &r.why);
    if (r.known) {
        const struct rule_info *info = result_of(a, x->conf->metric)->info;

        if (info->has_target && info->target > 0)
            r.required /= info->target;
    }
    r.busy_known =
        x->conf->busy[0] && sure_value(a, x->conf->busy, &r.busy, &no_busy);
    actuator_feed(x->actuator, &r);
}

void parts_feed_actuators(struct agent *a)
{
    for (size_t i = 0; i < a->actuator_count; i++)
        feed(a, &a->actuators[i]);
}

void parts_preview_actuators(struct agent *a, void (*done)(void *arg),
                             void *arg)
{
    a->decided = done;
    a->decided_arg = arg;
    a->deciding = a->actuator_count;
    if (a->deciding == 0)
        done(arg);
    else
        parts_feed_actuators(a);
}
