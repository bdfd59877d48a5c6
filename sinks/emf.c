/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/emf.h"

#include "sinks/cloudwatch.h"
#include "sinks/sinks.h"

static const struct conf_key keys[] = {
    CONF_TEXT(emf_conf, namespace, "Membrane",
              "CloudWatch namespace of all metrics.", .flags = CONF_FILLED),
    CONF_END,
};

/* The member that tells CloudWatch which other members are metrics. */
#define DIRECTIVES STR("_aws")

static bool prepare(void *conf, const struct auth_env *env, struct arena *arena,
                    struct err *err)
{
    const struct emf_conf *c = conf;

    (void)env;
    (void)arena;
    return cloudwatch_namespace_ok(str_of(c->namespace), err);
}

static bool metric_ok(struct str metric, struct err *err)
{
    return !str_eq(metric, DIRECTIVES) ||
           err_set(err, ERR_CONFIG,
                   "metric \"_aws\": emf keeps this name for itself; choose "
                   "another");
}

/* Metrics and dimensions are members of one object. */
static bool dimension_ok(struct str metric, struct str name, struct err *err)
{
    if (str_eq(name, DIRECTIVES))
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\": dimension \"_aws\": emf keeps this "
                       "name for itself; choose another",
                       STR_ARG(metric));
    if (str_eq(name, metric))
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\": has a dimension of the same name, "
                       "which emf cannot tell from it; rename one of them",
                       STR_ARG(metric));
    if (name.len > EMF_DIMENSION_NAME)
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\": dimension \"%.*s...\": is %zu "
                       "characters long; emf takes %d",
                       STR_ARG(metric), 60, name.ptr, name.len,
                       EMF_DIMENSION_NAME);
    return true;
}

static bool check(const void *conf, const struct sink_metric *m,
                  struct err *err)
{
    if (!cloudwatch_check(conf, m, err) || !metric_ok(m->name, err))
        return false;
    for (size_t i = 0; i < m->dimension_count; i++)
        if (!dimension_ok(m->name, m->dimensions[i], err))
            return false;
    return true;
}

static bool admit(const void *conf, const struct point *p, struct err *err)
{
    if (!cloudwatch_admit(conf, p, err) || !metric_ok(p->name, err))
        return false;
    for (size_t i = 0; i < p->dimension_count; i++)
        if (!dimension_ok(p->name, p->dimensions[i].name, err))
            return false;
    return true;
}

const struct sink_type emf_sink = {
    .name = "emf",
    .help = "Amazon CloudWatch by way of its logs: lines in the embedded "
            "metric format on standard output.",
    .keys = keys,
    .conf_size = sizeof(struct emf_conf),
    .oldest_ms = CLOUDWATCH_OLDEST,
    .ahead_ms = CLOUDWATCH_AHEAD,
    .prepare = prepare,
    .check = check,
    .admit = admit,
    .render = emf_render,
    .judge = sink_nobody_answers,
};
