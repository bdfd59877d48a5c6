/* SPDX-License-Identifier: Apache-2.0 */
/* view.c - the newest evaluation as the structs of a report. */
#include "agent/agent.h"

static void view_targets(struct agent *a, struct arena *arena, struct report *r)
{
    struct report_target *targets;
    size_t n = 0;

    for (size_t i = 0; i < a->job_count; i++)
        n += scrape_pool_count(a->jobs[i]->pool);
    targets = arena_array(arena, n, sizeof(*targets));
    r->targets = targets;
    r->target_count = n;
    for (size_t i = 0; i < a->job_count; i++) {
        struct agent_job *job = a->jobs[i];

        for (size_t t = 0; t < scrape_pool_count(job->pool); t++) {
            struct scrape_status s = scrape_pool_status(job->pool, t);

            targets->job = str_of(job->conf->name);
            targets->url = arena_str(arena, s.url);
            targets->up = s.health == SCRAPE_UP;
            if (!targets->up)
                targets->error = s.health == SCRAPE_DOWN
                                     ? arena_str(arena, str_of(s.error.text))
                                     : STR("not scraped yet");
            targets->duration_ms = s.duration_ms;
            targets->samples = s.samples;
            targets++;
        }
    }
}

static void view_workers(struct agent *a, struct arena *arena, struct report *r)
{
    size_t n = capacity_count(a->capacity);
    struct report_workers *workers = arena_array(arena, n, sizeof(*workers));

    for (size_t i = 0; i < n; i++) {
        struct capacity_reading c = capacity_reading(a->capacity, i);

        workers[i] =
            (struct report_workers){.service = arena_str(arena, c.service),
                                    .source = arena_str(arena, c.source),
                                    .known = c.known,
                                    .count = (double)c.running,
                                    .has_desired = c.has_desired,
                                    .desired = (double)c.desired,
                                    .age_ms = a->evaluated_ms - c.at_ms,
                                    .reason = arena_str(arena, c.reason)};
    }
    r->workers = workers;
    r->worker_count = n;
}

static const struct report_input *view_inputs(const struct rule_result *result,
                                              struct arena *arena)
{
    struct report_input *inputs =
        arena_array(arena, result->input_count, sizeof(*inputs));

    for (size_t i = 0; i < result->input_count; i++) {
        const struct rule_input *in = &result->inputs[i];

        inputs[i] = (struct report_input){.name = in->name,
                                          .labels = in->labels,
                                          .value = in->value,
                                          .instance = in->instance,
                                          .age_ms = in->age_ms};
    }
    return inputs;
}

static struct report_metric view_rule(const struct rule_result *result,
                                      struct arena *arena)
{
    const struct rule_info *info = result->info;

    return (struct report_metric){
        .name = info->name,
        .reason = result->state == RULE_FRESH ? STR_NONE : result->reason,
        .unit = info->unit,
        .description = info->description,
        .expression = info->expression,
        .formula = info->formula,
        .has_target = info->has_target,
        .target = info->target,
        .complete = result->complete,
        .off = result->state == RULE_OFF,
        .inputs = view_inputs(result, arena),
        .input_count = result->input_count,
        .min_replicas = info->min_replicas > 0 ? info->min_replicas : 0,
        .max_replicas = info->max_replicas > 0 ? info->max_replicas : 0,
        .doubts = result->doubts,
        .doubt_count = result->doubt_count,
    };
}

/* A rule without rows is one metric without a value. */
static size_t view_rows(const struct rule_result *result, struct arena *arena,
                        struct report_metric *out)
{
    struct report_metric m = view_rule(result, arena);

    if (result->row_count == 0) {
        out[0] = m;
        return 1;
    }
    for (size_t i = 0; i < result->row_count; i++) {
        const struct rule_row *row = &result->rows[i];

        m.labels = row->labels;
        m.has_value = true;
        m.value = row->value;
        m.held = row->held;
        m.has_replicas = row->has_replicas;
        m.implied_replicas = row->implied_replicas;
        out[i] = m;
    }
    return result->row_count;
}

void agent_view(struct agent *a, struct arena *arena, struct report *out)
{
    struct report_metric *metrics;
    size_t n = 0;

    for (size_t i = 0; i < a->results.count; i++)
        n += a->results.results[i].row_count + 1;
    metrics = arena_array(arena, n, sizeof(*metrics));
    n = 0;
    for (size_t i = 0; i < a->results.count; i++)
        n += view_rows(&a->results.results[i], arena, metrics + n);
    out->wall_ms = a->evaluated_ms;
    out->origin = str_of(a->settings->origin);
    out->metrics = metrics;
    out->metric_count = n;
    view_targets(a, arena, out);
    view_workers(a, arena, out);
}
