/* SPDX-License-Identifier: Apache-2.0 */
/* Resource types: CloudFormation Template Reference. */
#include "agent/commands/policy_ecs.h"

static void resource(struct jsonw *w, const char *id, const char *type)
{
    jsonw_key(w, id);
    jsonw_object(w);
    jsonw_key(w, "Type");
    jsonw_textz(w, type);
    jsonw_key(w, "Properties");
}

static void resource_end(struct jsonw *w)
{
    jsonw_object_end(w);
}

static void member(struct jsonw *w, const char *key, struct str value)
{
    jsonw_key(w, key);
    jsonw_text(w, value);
}

static void ref(struct jsonw *w, const char *key, const char *id)
{
    jsonw_key(w, key);
    jsonw_object(w);
    member(w, "Ref", str_of(id));
    jsonw_object_end(w);
}

/* "InstantTasksWorker" and an ending, into `id`. */
static const char *named(struct buf *id, struct str a, struct str b,
                         const char *end)
{
    buf_reset(id);
    policy_camel(id, a);
    policy_camel(id, b);
    buf_addz(id, end);
    return buf_z(id);
}

static void target(struct jsonw *w, const struct policy_service *v,
                   const char *id)
{
    resource(w, id, "AWS::ApplicationAutoScaling::ScalableTarget");
    jsonw_object(w);
    member(w, "ServiceNamespace", STR("ecs"));
    member(w, "ScalableDimension", STR("ecs:service:DesiredCount"));
    member(w, "ResourceId", v->resource);
    jsonw_key(w, "MinCapacity");
    jsonw_int(w, v->min);
    jsonw_key(w, "MaxCapacity");
    jsonw_int(w, v->max);
    jsonw_object_end(w);
    resource_end(w);
}

static void scaling(struct jsonw *w, const struct policy_plan *plan,
                    const struct policy_scaling *s, const char *target_id,
                    const char *id)
{
    resource(w, id, "AWS::ApplicationAutoScaling::ScalingPolicy");
    jsonw_object(w);
    member(w, "PolicyName", s->name);
    ref(w, "ScalingTargetId", target_id);
    member(w, "PolicyType",
           s->metric ? STR("TargetTrackingScaling") : STR("StepScaling"));
    if (s->metric) {
        jsonw_key(w, "TargetTrackingScalingPolicyConfiguration");
        policy_json_tracking(w, plan, s);
    } else {
        jsonw_key(w, "StepScalingPolicyConfiguration");
        policy_json_steps(w, s);
    }
    jsonw_object_end(w);
    jsonw_key(w, "Metadata");
    jsonw_object(w);
    member(w, "Why", s->why);
    jsonw_object_end(w);
    resource_end(w);
}

static void alarm(struct jsonw *w, const struct policy_plan *plan,
                  const struct policy_alarm *a, const char *id,
                  const char *policy)
{
    resource(w, id, "AWS::CloudWatch::Alarm");
    policy_json_alarm(w, plan, a, policy);
    resource_end(w);
}

static void service(struct jsonw *w, const struct policy_plan *plan,
                    const struct policy_service *v)
{
    struct buf t, p, m;

    buf_init(&t, BUF_NO_LIMIT);
    buf_init(&p, BUF_NO_LIMIT);
    buf_init(&m, BUF_NO_LIMIT);
    (void)named(&t, v->name, STR_NONE, "Target");
    target(w, v, buf_z(&t));
    for (size_t i = 0; i < v->scaling_count; i++) {
        const struct policy_scaling *s = &v->scalings[i];

        scaling(w, plan, s, buf_z(&t), named(&p, v->name, s->name, "Policy"));
        if (!s->metric)
            alarm(w, plan, &s->alarm, named(&m, v->name, s->name, "Alarm"),
                  buf_z(&p));
    }
    buf_fini(&m);
    buf_fini(&p);
    buf_fini(&t);
}

void policy_ecs_cloudformation(const struct policy_plan *plan, struct buf *out)
{
    struct jsonw w;

    jsonw_init(&w, out, 2);
    jsonw_object(&w);
    member(&w, "AWSTemplateFormatVersion", STR("2010-09-09"));
    member(&w, "Description",
           STR("Scaling of ECS services on what scalebridge publishes."));
    jsonw_key(&w, "Resources");
    jsonw_object(&w);
    for (size_t i = 0; i < plan->service_count; i++)
        service(&w, plan, &plan->services[i]);
    if (plan->age.name.len)
        alarm(&w, plan, &plan->age, "DataAgeAlarm", NULL);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    buf_addc(out, '\n');
}
