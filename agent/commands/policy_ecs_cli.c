/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/policy_ecs.h"

#include <inttypes.h>

/* One word of sh, whatever is in it (POSIX.1-2017, XCU 2.2.2). */
static void quote(struct buf *out, struct str word)
{
    buf_addc(out, '\'');
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] == '\'')
            buf_addz(out, "'\\''");
        else
            buf_addc(out, word.ptr[i]);
    }
    buf_addc(out, '\'');
}

static void option(struct buf *out, const char *name, struct str value)
{
    buf_addf(out, " \\\n    --%s ", name);
    quote(out, value);
}

static void aws(struct buf *out, const struct policy_plan *plan,
                const char *words)
{
    buf_addf(out, "aws %s", words);
    option(out, "region", plan->region);
}

static void about(struct buf *out, const struct policy_plan *plan,
                  const struct policy_service *v, const char *words)
{
    aws(out, plan, words);
    option(out, "service-namespace", STR("ecs"));
    option(out, "scalable-dimension", STR("ecs:service:DesiredCount"));
    option(out, "resource-id", v->resource);
}

static void put_target(struct buf *out, const struct policy_plan *plan,
                       const struct policy_service *v)
{
    about(out, plan, v, "application-autoscaling register-scalable-target");
    buf_addf(out,
             " \\\n    --min-capacity %" PRId64 " --max-capacity %" PRId64
             "\n\n",
             v->min, v->max);
}

/* Leaves an open option whose value is the JSON in `json`, and empties it. */
static void json_option(struct buf *out, const char *name, struct buf *json)
{
    option(out, name, buf_str(json));
    buf_reset(json);
}

static void put_tracking(struct buf *out, const struct policy_plan *plan,
                         const struct policy_service *v,
                         const struct policy_scaling *s)
{
    struct buf json;
    struct jsonw w;

    buf_init(&json, BUF_NO_LIMIT);
    jsonw_init(&w, &json, 2);
    policy_json_tracking(&w, plan, s);
    about(out, plan, v, "application-autoscaling put-scaling-policy");
    option(out, "policy-name", s->name);
    option(out, "policy-type", STR("TargetTrackingScaling"));
    json_option(out, "target-tracking-scaling-policy-configuration", &json);
    buf_addz(out, "\n\n");
    buf_fini(&json);
}

static void put_alarm(struct buf *out, const struct policy_plan *plan,
                      const struct policy_alarm *alarm, bool policy)
{
    struct buf json;
    struct jsonw w;

    buf_init(&json, BUF_NO_LIMIT);
    jsonw_init(&w, &json, 2);
    policy_json_alarm(&w, plan, alarm, NULL);
    aws(out, plan, "cloudwatch put-metric-alarm");
    if (policy)
        buf_addz(out, " \\\n    --alarm-actions \"$policy\"");
    json_option(out, "cli-input-json", &json);
    buf_addz(out, "\n\n");
    buf_fini(&json);
}

static void put_steps(struct buf *out, const struct policy_plan *plan,
                      const struct policy_service *v,
                      const struct policy_scaling *s)
{
    struct buf json;
    struct jsonw w;

    buf_init(&json, BUF_NO_LIMIT);
    jsonw_init(&w, &json, 2);
    policy_json_steps(&w, s);
    about(out, plan, v, "application-autoscaling put-scaling-policy");
    option(out, "policy-name", s->name);
    option(out, "policy-type", STR("StepScaling"));
    json_option(out, "step-scaling-policy-configuration", &json);
    buf_addz(out, " \\\n    --query PolicyARN --output text");
    buf_fini(&json);
}

/* The alarm needs the name that the policy gets. */
static void put_scaling(struct buf *out, const struct policy_plan *plan,
                        const struct policy_service *v,
                        const struct policy_scaling *s)
{
    policy_comment(out, s->why);
    if (s->metric) {
        put_tracking(out, plan, v, s);
        return;
    }
    buf_addz(out, "policy=$(");
    put_steps(out, plan, v, s);
    buf_addz(out, ")\n");
    put_alarm(out, plan, &s->alarm, true);
}

void policy_ecs_cli(const struct policy_plan *plan, struct buf *out)
{
    buf_addz(out,
             "#!/bin/sh\n# Scaling of ECS services on what scalebridge "
             "publishes; to be run by sh, again\n# after every change: each "
             "command replaces what it made before.\nset -eu\n\n");
    for (size_t i = 0; i < plan->service_count; i++) {
        const struct policy_service *v = &plan->services[i];

        policy_comment(out, v->resource);
        put_target(out, plan, v);
        for (size_t k = 0; k < v->scaling_count; k++)
            put_scaling(out, plan, v, &v->scalings[k]);
    }
    if (!plan->age.name.len)
        return;
    policy_comment(out, plan->age.description);
    put_alarm(out, plan, &plan->age, false);
}
