/* SPDX-License-Identifier: Apache-2.0 */
/* Resources and their arguments: documentation of Terraform's AWS provider. */
#include "agent/base/num.h"
#include "agent/commands/policy_ecs.h"

#include <inttypes.h>

/* ---- lines ---- */

struct hcl {
    struct buf *out;
    int depth;
};

static void indent(struct hcl *h)
{
    for (int i = 0; i < 2 * h->depth; i++)
        buf_addc(h->out, ' ');
}

static void block(struct hcl *h, const char *head)
{
    indent(h);
    buf_addf(h->out, "%s {\n", head);
    h->depth++;
}

static void end(struct hcl *h)
{
    h->depth--;
    indent(h);
    buf_addz(h->out, "}\n");
}

static void name(struct hcl *h, const char *key)
{
    indent(h);
    buf_addf(h->out, "%s = ", key);
}

static void raw(struct hcl *h, const char *key, const char *value)
{
    name(h, key);
    buf_addf(h->out, "%s\n", value);
}

static void text(struct hcl *h, const char *key, struct str value)
{
    name(h, key);
    policy_hcl_text(h->out, value);
    buf_addc(h->out, '\n');
}

static void textz(struct hcl *h, const char *key, const char *value)
{
    text(h, key, str_of(value));
}

static void number(struct hcl *h, const char *key, double value)
{
    char digits[NUM_MAX];

    (void)num_plain(value, digits);
    raw(h, key, digits);
}

static void integer(struct hcl *h, const char *key, int64_t value)
{
    name(h, key);
    buf_addf(h->out, "%" PRId64 "\n", value);
}

/* ---- names: instant_tasks_worker_jobs_per_worker ---- */

static void snake(struct buf *out, struct str words)
{
    bool gap = false, was_upper = false;

    for (size_t i = 0; i < words.len; i++) {
        char c = words.ptr[i];
        bool upper = c >= 'A' && c <= 'Z';

        if (!upper && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')) {
            gap = true;
            continue;
        }
        if (out->len && (gap || (upper && !was_upper)) &&
            out->data[out->len - 1] != '_')
            buf_addc(out, '_');
        if (upper)
            c = (char)(c - 'A' + 'a');
        buf_addc(out, c);
        gap = false;
        was_upper = upper;
    }
}

static void label(struct buf *out, const struct policy_service *v,
                  const struct policy_scaling *s)
{
    buf_reset(out);
    buf_addz(out, "scalebridge_");
    snake(out, v->name);
    if (!s)
        return;
    buf_addc(out, '_');
    snake(out, s->name);
}

static void resource(struct hcl *h, const char *type, const char *label_text)
{
    buf_addf(h->out, "resource \"%s\" \"%s\" {\n", type, label_text);
    h->depth++;
}

/* ---- metrics ---- */

/* As a map, where the provider wants one. */
static void dimensions(struct hcl *h, const struct policy_metric *m)
{
    if (m->dimension_count == 0)
        return;
    block(h, "dimensions =");
    for (size_t i = 0; i < m->dimension_count; i++) {
        indent(h);
        policy_hcl_text(h->out, m->dimensions[i].name);
        buf_addz(h->out, " = ");
        policy_hcl_text(h->out, m->dimensions[i].value);
        buf_addc(h->out, '\n');
    }
    end(h);
}

static void unit(struct hcl *h, const struct policy_metric *m)
{
    if (m->unit.len)
        text(h, "unit", m->unit);
}

static void tracking(struct hcl *h, const struct policy_plan *plan,
                     const struct policy_scaling *s)
{
    const struct policy_metric *m = s->metric;

    block(h, "target_tracking_scaling_policy_configuration");
    number(h, "target_value", s->target);
    integer(h, "scale_out_cooldown", POLICY_OUT_COOLDOWN);
    integer(h, "scale_in_cooldown", POLICY_IN_COOLDOWN);
    block(h, "customized_metric_specification");
    text(h, "namespace", plan->namespace);
    text(h, "metric_name", m->name);
    textz(h, "statistic", "Average");
    unit(h, m);
    for (size_t i = 0; i < m->dimension_count; i++) {
        block(h, "dimensions");
        text(h, "name", m->dimensions[i].name);
        text(h, "value", m->dimensions[i].value);
        end(h);
    }
    end(h);
    end(h);
}

static void steps(struct hcl *h, const struct policy_scaling *s)
{
    double upper;

    block(h, "step_scaling_policy_configuration");
    textz(h, "adjustment_type", s->adjustment);
    integer(h, "cooldown", s->cooldown);
    textz(h, "metric_aggregation_type", "Average");
    if (s->least_one)
        integer(h, "min_adjustment_magnitude", 1);
    for (size_t i = 0; i < s->step_count; i++) {
        block(h, "step_adjustment");
        number(h, "metric_interval_lower_bound", s->steps[i].lower);
        if (policy_step_upper(s, i, &upper))
            number(h, "metric_interval_upper_bound", upper);
        integer(h, "scaling_adjustment", s->steps[i].adjustment);
        end(h);
    }
    end(h);
}

/* ---- alarms ---- */

static void query(struct hcl *h, const struct policy_plan *plan,
                  const struct policy_alarm *a, const struct policy_metric *m)
{
    block(h, "metric_query");
    textz(h, "id", m->id);
    block(h, "metric");
    text(h, "namespace", plan->namespace);
    text(h, "metric_name", m->name);
    dimensions(h, m);
    integer(h, "period", a->period);
    textz(h, "stat", a->statistic);
    unit(h, m);
    end(h);
    end(h);
}

static void watched(struct hcl *h, const struct policy_plan *plan,
                    const struct policy_alarm *a)
{
    if (!a->expression) {
        text(h, "namespace", plan->namespace);
        text(h, "metric_name", a->metrics->name);
        dimensions(h, a->metrics);
        textz(h, "statistic", a->statistic);
        unit(h, a->metrics);
        integer(h, "period", a->period);
        return;
    }
    for (size_t i = 0; i < a->metric_count; i++)
        query(h, plan, a, &a->metrics[i]);
    block(h, "metric_query");
    textz(h, "id", "wanted");
    textz(h, "expression", a->expression);
    raw(h, "return_data", "true");
    end(h);
}

/* `policy`: the label of what it calls, or NULL. */
static void alarm(struct hcl *h, const struct policy_plan *plan,
                  const struct policy_alarm *a, const char *id,
                  const char *policy)
{
    resource(h, "aws_cloudwatch_metric_alarm", id);
    text(h, "alarm_name", a->name);
    text(h, "alarm_description", a->description);
    if (policy) {
        name(h, "alarm_actions");
        buf_addf(h->out, "[aws_appautoscaling_policy.%s.arn]\n", policy);
    }
    watched(h, plan, a);
    integer(h, "evaluation_periods", a->evaluations);
    integer(h, "datapoints_to_alarm", a->evaluations);
    number(h, "threshold", a->threshold);
    textz(h, "comparison_operator", a->comparison);
    textz(h, "treat_missing_data", a->missing);
    end(h);
}

/* ---- services ---- */

static void target(struct hcl *h, const struct policy_service *v,
                   const char *id)
{
    resource(h, "aws_appautoscaling_target", id);
    textz(h, "service_namespace", "ecs");
    textz(h, "scalable_dimension", "ecs:service:DesiredCount");
    text(h, "resource_id", v->resource);
    integer(h, "min_capacity", v->min);
    integer(h, "max_capacity", v->max);
    end(h);
}

static void of_target(struct hcl *h, const char *key, const char *id)
{
    name(h, key);
    buf_addf(h->out, "aws_appautoscaling_target.%s.%s\n", id, key);
}

static void scaling(struct hcl *h, const struct policy_plan *plan,
                    const struct policy_scaling *s, const char *target_id,
                    const char *id)
{
    policy_comment(h->out, s->why);
    resource(h, "aws_appautoscaling_policy", id);
    text(h, "name", s->name);
    textz(h, "policy_type",
          s->metric ? "TargetTrackingScaling" : "StepScaling");
    of_target(h, "service_namespace", target_id);
    of_target(h, "scalable_dimension", target_id);
    of_target(h, "resource_id", target_id);
    if (s->metric)
        tracking(h, plan, s);
    else
        steps(h, s);
    end(h);
    if (s->metric)
        return;
    buf_addc(h->out, '\n');
    alarm(h, plan, &s->alarm, id, id);
}

static void service(struct hcl *h, const struct policy_plan *plan,
                    const struct policy_service *v)
{
    struct buf t, p;

    buf_init(&t, BUF_NO_LIMIT);
    buf_init(&p, BUF_NO_LIMIT);
    label(&t, v, NULL);
    buf_addc(h->out, '\n');
    target(h, v, buf_z(&t));
    for (size_t i = 0; i < v->scaling_count; i++) {
        label(&p, v, &v->scalings[i]);
        buf_addc(h->out, '\n');
        scaling(h, plan, &v->scalings[i], buf_z(&t), buf_z(&p));
    }
    buf_fini(&p);
    buf_fini(&t);
}

void policy_ecs_terraform(const struct policy_plan *plan, struct buf *out)
{
    struct hcl h = {.out = out};

    policy_comment(
        out, STR("Scaling of ECS services on what scalebridge publishes."));
    for (size_t i = 0; i < plan->service_count; i++)
        service(&h, plan, &plan->services[i]);
    if (!plan->age.name.len)
        return;
    buf_addc(out, '\n');
    alarm(&h, plan, &plan->age, "scalebridge_data_age", NULL);
}
