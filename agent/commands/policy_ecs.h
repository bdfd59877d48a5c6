/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_ecs.h - the scaling of ECS services that matches what is published.
 *
 * policy_ecs_plan() looks at the settings, decides, and refuses what Target
 * Tracking cannot do; the rest writes the plan down.  All of it is pure; what
 * a plan points to lives in its arena or in the settings.
 *
 * Facts: Application Auto Scaling API Reference (RegisterScalableTarget,
 * PutScalingPolicy: cooldowns, step bounds relative to the alarm's threshold,
 * no period for customized metrics); CloudWatch API Reference, PutMetricAlarm
 * (periods of 10 and 30 s need data stored at one second); an alarm calls its
 * scaling policy again every minute while it lasts (Application Auto Scaling
 * User Guide, "Step scaling policies").
 */
#ifndef AGENT_COMMANDS_POLICY_ECS_H
#define AGENT_COMMANDS_POLICY_ECS_H

#include "agent/base/jsonw.h"
#include "agent/settings/settings.h"

/* What the operator asked for; empty texts and -1 where nothing was said. */
struct policy_ask {
    struct str cluster;
    struct str services;   /* NAME=ECS_SERVICE,... or ECS_SERVICE */
    struct str metric;     /* empty: the one each service scales on */
    struct str dimensions; /* NAME=VALUE,... for dimensions from labels */
    bool high_resolution;
    int64_t min, max;
};

struct policy_metric { /* exactly as published */
    const char *id;    /* in the expression of an alarm */
    struct str name, unit;
    const struct label *dimensions; /* sorted by name */
    size_t dimension_count;
    unsigned resolution;
};

struct policy_alarm {
    struct str name, description;
    const struct policy_metric *metrics; /* one without an expression */
    size_t metric_count;
    const char *expression; /* NULL: the metric itself */
    const char *statistic, *comparison, *missing;
    double threshold;
    int64_t period, evaluations; /* seconds; all of them must agree */
};

/* From `lower` above the alarm's threshold up to the next step's. */
struct policy_step {
    double lower;
    int64_t adjustment;
};

struct policy_scaling {
    struct str name, why;
    const struct policy_metric *metric; /* target tracking; NULL: steps */
    double target;
    const char *adjustment; /* steps: how their numbers are meant */
    const struct policy_step *steps;
    size_t step_count;
    bool least_one; /* a step adds at least one task */
    int64_t cooldown;
    struct policy_alarm alarm;
};

#define POLICY_SCALINGS 3

struct policy_service {
    struct str name;     /* Membrane's */
    struct str resource; /* service/CLUSTER/SERVICE */
    int64_t min, max;
    struct policy_scaling scalings[POLICY_SCALINGS];
    size_t scaling_count;
};

#define POLICY_OUT_COOLDOWN 30  /* seconds: follow a rising queue */
#define POLICY_IN_COOLDOWN  300 /* and let workers end what they began */

struct policy_plan {
    struct str region, namespace, cluster;
    struct policy_service *services;
    size_t service_count;
    struct policy_alarm age; /* of a blind autoscaler; name empty: none */
    struct str *notes;       /* for the operator, beside the output */
    size_t note_count;
};

must_check bool policy_ecs_plan(const struct settings *s,
                                const struct policy_ask *ask, struct arena *a,
                                struct policy_plan *plan, struct err *err);

/* A script for sh that runs `aws`. */
void policy_ecs_cli(const struct policy_plan *plan, struct buf *out);
/* A template in JSON. */
void policy_ecs_cloudformation(const struct policy_plan *plan, struct buf *out);
void policy_ecs_terraform(const struct policy_plan *plan, struct buf *out);

/* The permissions that publishing needs: the bare document, or as a resource
 * of a template or of Terraform. */
enum policy_format { POLICY_CLI, POLICY_CLOUDFORMATION, POLICY_TERRAFORM };
must_check bool policy_ecs_iam(const struct settings *s,
                               const struct policy_ask *ask,
                               enum policy_format format, struct buf *out,
                               struct err *err);

/* ---- between the files of the generator ---- */

/* The CloudWatch sink, or NULL with the reason. */
const struct cloudwatch_conf *policy_ecs_sink(const struct settings *s,
                                              struct err *err);
/* Where the settings say that a service runs, its workers being counted by
 * ECS; names or ARNs, empty where they do not.  A cluster that only another
 * service names is taken for its own as well. */
void policy_ecs_place(const struct settings *s, struct str service,
                      struct str *cluster, struct str *name);
/* Finds a metric that is on; false with the reason and the mend. */
struct policy_metrics {
    const struct settings *settings;
    const struct settings_metric *items;
    size_t count;
};
must_check bool policy_ecs_find(const struct policy_metrics *all,
                                struct str name,
                                const struct settings_metric **out,
                                struct err *err);
/* As published, in `a`. */
must_check bool policy_ecs_published(const struct settings *s,
                                     const struct rule_info *info,
                                     struct str dimensions, struct arena *a,
                                     struct policy_metric *out,
                                     struct err *err);

/* The value of NAME=VALUE,... for `name`; false when it has none. */
bool policy_ecs_pair(struct str pairs, struct str name, struct str *value);

/* The members of an API's structure, as an object. */
void policy_json_tracking(struct jsonw *w, const struct policy_plan *plan,
                          const struct policy_scaling *s);
void policy_json_steps(struct jsonw *w, const struct policy_scaling *s);
/* `policy` names what the alarm calls, in a template; NULL: nothing. */
void policy_json_alarm(struct jsonw *w, const struct policy_plan *plan,
                       const struct policy_alarm *alarm, const char *policy);
/* Where a step ends; false for the last one, which has no end. */
static inline bool policy_step_upper(const struct policy_scaling *s, size_t i,
                                     double *upper)
{
    if (i + 1 >= s->step_count)
        return false;
    *upper = s->steps[i + 1].lower;
    return true;
}
/* A word of letters and digits out of any text: "jobs-per worker" gives
 * JobsPerWorker; for the names of a template's resources. */
void policy_camel(struct buf *out, struct str text);
/* A line of comment: control characters become blanks. */
void policy_comment(struct buf *out, struct str text);
/* JSON as an expression of Terraform's language: ${ and %{ are doubled. */
void policy_hcl_json(struct buf *out, struct str json);
/* A quoted string of that language. */
void policy_hcl_text(struct buf *out, struct str text);

#endif
