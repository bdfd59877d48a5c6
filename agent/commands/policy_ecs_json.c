/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/policy_ecs.h"

static void text(struct jsonw *w, const char *key, struct str value)
{
    jsonw_key(w, key);
    jsonw_text(w, value);
}

static void textz(struct jsonw *w, const char *key, const char *value)
{
    text(w, key, str_of(value));
}

static void integer(struct jsonw *w, const char *key, int64_t value)
{
    jsonw_key(w, key);
    jsonw_int(w, value);
}

/* A policy without Dimensions looks for a metric that has none. */
static void dimensions(struct jsonw *w, const struct policy_metric *m)
{
    if (m->dimension_count == 0)
        return;
    jsonw_key(w, "Dimensions");
    jsonw_array(w);
    for (size_t i = 0; i < m->dimension_count; i++) {
        jsonw_object(w);
        text(w, "Name", m->dimensions[i].name);
        text(w, "Value", m->dimensions[i].value);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void name_of(struct jsonw *w, const struct policy_plan *plan,
                    const struct policy_metric *m)
{
    text(w, "Namespace", plan->namespace);
    text(w, "MetricName", m->name);
    dimensions(w, m);
}

static void unit(struct jsonw *w, const struct policy_metric *m)
{
    if (m->unit.len)
        text(w, "Unit", m->unit);
}

void policy_json_tracking(struct jsonw *w, const struct policy_plan *plan,
                          const struct policy_scaling *s)
{
    jsonw_object(w);
    jsonw_key(w, "TargetValue");
    jsonw_num(w, s->target);
    integer(w, "ScaleOutCooldown", POLICY_OUT_COOLDOWN);
    integer(w, "ScaleInCooldown", POLICY_IN_COOLDOWN);
    jsonw_key(w, "CustomizedMetricSpecification");
    jsonw_object(w);
    name_of(w, plan, s->metric);
    textz(w, "Statistic", "Average");
    unit(w, s->metric);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static void step(struct jsonw *w, const struct policy_scaling *s, size_t i)
{
    double upper;

    jsonw_object(w);
    jsonw_key(w, "MetricIntervalLowerBound");
    jsonw_num(w, s->steps[i].lower);
    if (policy_step_upper(s, i, &upper)) {
        jsonw_key(w, "MetricIntervalUpperBound");
        jsonw_num(w, upper);
    }
    integer(w, "ScalingAdjustment", s->steps[i].adjustment);
    jsonw_object_end(w);
}

void policy_json_steps(struct jsonw *w, const struct policy_scaling *s)
{
    jsonw_object(w);
    textz(w, "AdjustmentType", s->adjustment);
    jsonw_key(w, "StepAdjustments");
    jsonw_array(w);
    for (size_t i = 0; i < s->step_count; i++)
        step(w, s, i);
    jsonw_array_end(w);
    if (s->least_one)
        integer(w, "MinAdjustmentMagnitude", 1);
    integer(w, "Cooldown", s->cooldown);
    textz(w, "MetricAggregationType", "Average");
    jsonw_object_end(w);
}

static void query(struct jsonw *w, const struct policy_plan *plan,
                  const struct policy_alarm *alarm,
                  const struct policy_metric *m)
{
    jsonw_object(w);
    textz(w, "Id", m->id);
    jsonw_key(w, "MetricStat");
    jsonw_object(w);
    jsonw_key(w, "Metric");
    jsonw_object(w);
    name_of(w, plan, m);
    jsonw_object_end(w);
    integer(w, "Period", alarm->period);
    textz(w, "Stat", alarm->statistic);
    unit(w, m);
    jsonw_object_end(w);
    jsonw_key(w, "ReturnData");
    jsonw_bool(w, false);
    jsonw_object_end(w);
}

static void math(struct jsonw *w, const struct policy_plan *plan,
                 const struct policy_alarm *alarm)
{
    jsonw_key(w, "Metrics");
    jsonw_array(w);
    for (size_t i = 0; i < alarm->metric_count; i++)
        query(w, plan, alarm, &alarm->metrics[i]);
    jsonw_object(w);
    textz(w, "Id", "wanted");
    textz(w, "Expression", alarm->expression);
    jsonw_key(w, "ReturnData");
    jsonw_bool(w, true);
    jsonw_object_end(w);
    jsonw_array_end(w);
}

static void plain(struct jsonw *w, const struct policy_plan *plan,
                  const struct policy_alarm *alarm)
{
    name_of(w, plan, alarm->metrics);
    textz(w, "Statistic", alarm->statistic);
    unit(w, alarm->metrics);
    integer(w, "Period", alarm->period);
}

static void action(struct jsonw *w, const char *policy)
{
    jsonw_key(w, "AlarmActions");
    jsonw_array(w);
    jsonw_object(w);
    textz(w, "Ref", policy);
    jsonw_object_end(w);
    jsonw_array_end(w);
}

void policy_json_alarm(struct jsonw *w, const struct policy_plan *plan,
                       const struct policy_alarm *alarm, const char *policy)
{
    jsonw_object(w);
    text(w, "AlarmName", alarm->name);
    text(w, "AlarmDescription", alarm->description);
    if (policy)
        action(w, policy);
    if (alarm->expression)
        math(w, plan, alarm);
    else
        plain(w, plan, alarm);
    integer(w, "EvaluationPeriods", alarm->evaluations);
    integer(w, "DatapointsToAlarm", alarm->evaluations);
    jsonw_key(w, "Threshold");
    jsonw_num(w, alarm->threshold);
    textz(w, "ComparisonOperator", alarm->comparison);
    textz(w, "TreatMissingData", alarm->missing);
    jsonw_object_end(w);
}
