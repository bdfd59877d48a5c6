/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/google_monitoring.h"

#include <math.h>
#include <stdio.h>

#define READ_ONLY                                                            \
    "google lets only its own services write metrics of this resource; use " \
    "generic_task, whose task_id names the scaling group"

/* "Monitored resource types" that user-defined metrics may be written on. */
static const struct google_resource resources[] = {
    {"generic_task", {"location", "namespace", "job", "task_id"}, NULL},
    {"generic_node", {"location", "namespace", "node_id"}, NULL},
    {"gce_instance", {"instance_id", "zone"}, NULL},
    {"k8s_container",
     {"location", "cluster_name", "namespace_name", "pod_name",
      "container_name"},
     NULL},
    {"k8s_pod",
     {"location", "cluster_name", "namespace_name", "pod_name"},
     NULL},
    {"k8s_node", {"location", "cluster_name", "node_name"}, NULL},
    {"k8s_cluster", {"location", "cluster_name"}, NULL},
    {"global", {NULL}, NULL},
    {"aws_ec2_instance", {"instance_id", "region", "aws_account"}, NULL},
    {"prometheus_target",
     {"location", "cluster", "namespace", "job", "instance"},
     NULL},
    {"cloud_run_revision", {NULL}, READ_ONLY},
    {"cloud_run_worker_pool", {NULL}, READ_ONLY},
    {"cloud_run_job", {NULL}, READ_ONLY},
    {"cloud_function", {NULL}, READ_ONLY},
};

bool google_resource_find(struct str type, const struct google_resource **out,
                          struct err *err)
{
    for (size_t i = 0; i < sizeof(resources) / sizeof(*resources); i++) {
        const struct google_resource *r = &resources[i];

        if (!str_eqz(type, r->type))
            continue;
        *out = r;
        return !r->refused ||
               err_set(err, ERR_CONFIG, "resource_type: \"%s\": %s", r->type,
                       r->refused);
    }
    return err_set(err, ERR_CONFIG,
                   "resource_type: \"%.*s\" is none of generic_task, "
                   "generic_node, gce_instance, k8s_container, k8s_pod, "
                   "k8s_node, k8s_cluster, global, aws_ec2_instance",
                   STR_ARG(type));
}

static struct str task_of(const struct google_monitoring_conf *c,
                          const struct point *p)
{
    for (size_t i = 0; p && c->task_label[0] && i < p->dimension_count; i++)
        if (str_eqz(p->dimensions[i].name, c->task_label))
            return p->dimensions[i].value;
    return str_of(c->task_id);
}

struct str google_resource_label(const struct google_monitoring_conf *c,
                                 const char *label, const struct point *p)
{
    for (size_t i = 0; i < c->resource_labels.count; i++)
        if (strcmp(c->resource_labels.pairs[i].name, label) == 0)
            return str_of(c->resource_labels.pairs[i].value);
    if (strcmp(label, "location") == 0)
        return c->place;
    if (strcmp(label, "namespace") == 0)
        return str_of(c->namespace);
    if (strcmp(label, "job") == 0)
        return str_of(c->job);
    if (strcmp(label, "cluster") == 0)
        return c->managed_cluster;
    if (strcmp(label, "task_id") == 0 || strcmp(label, "instance") == 0)
        return task_of(c, p);
    return STR_NONE;
}

struct str google_metric_type(const struct google_monitoring_conf *c,
                              struct str name, struct arena *arena)
{
    if (c->prometheus)
        return arena_printf(arena, "prometheus.googleapis.com/%.*s/gauge",
                            STR_ARG(name));
    return arena_printf(arena, "%s/%.*s", c->prefix, STR_ARG(name));
}

/*
 * Names.
 */
static bool of(struct str s, const char *more)
{
    for (size_t i = 0; i < s.len; i++) {
        char ch = s.ptr[i];

        if (!(ch >= 'a' && ch <= 'z') && !(ch >= 'A' && ch <= 'Z') &&
            !(ch >= '0' && ch <= '9') && (!ch || !strchr(more, ch)))
            return false;
    }
    return s.len > 0;
}

static bool name_ok(const struct google_monitoring_conf *c, struct str name,
                    struct err *err)
{
    size_t around = c->prometheus ? strlen("prometheus.googleapis.com//gauge")
                                  : strlen(c->prefix) + 1;

    if (!of(name, c->prometheus ? "_:" : "_/."))
        return err_set(err, ERR_CONFIG,
                       "metric \"%.*s\": google_monitoring takes letters, "
                       "digits%s alone; choose another name",
                       (int)(name.len < 100 ? name.len : 100),
                       name.len ? name.ptr : "",
                       c->prometheus ? ", _ and :" : ", _, / and .");
    return name.len + around <= GOOGLE_TYPE ||
           err_set(err, ERR_CONFIG,
                   "metric \"%.60s...\": is %zu bytes long with its domain; "
                   "google_monitoring takes %d",
                   name.ptr, name.len + around, GOOGLE_TYPE);
}

static bool key_ok(struct str metric, struct str key, struct err *err)
{
    bool good = of(key, "_") && key.len <= GOOGLE_KEY &&
                !(key.ptr[0] >= '0' && key.ptr[0] <= '9') && key.ptr[0] != '_';

    return good ||
           err_set(err, ERR_CONFIG,
                   "metric \"%.*s\": dimension \"%.*s\": google_monitoring "
                   "takes a letter, then letters, digits and _, %d at the most",
                   (int)(metric.len < 100 ? metric.len : 100), metric.ptr,
                   (int)(key.len < 100 ? key.len : 100), key.len ? key.ptr : "",
                   GOOGLE_KEY);
}

static bool count_ok(const struct google_monitoring_conf *c, struct str metric,
                     size_t count, struct err *err)
{
    size_t most = c->prometheus ? GOOGLE_LABELS_PROM : GOOGLE_LABELS;

    return count <= most ||
           err_set(err, ERR_CONFIG,
                   "metric \"%.*s\": has %zu dimensions; google_monitoring "
                   "takes %zu",
                   (int)(metric.len < 100 ? metric.len : 100), metric.ptr,
                   count, most);
}

bool google_check(const void *conf, const struct sink_metric *m,
                  struct err *err)
{
    if (!name_ok(conf, m->name, err) ||
        !count_ok(conf, m->name, m->dimension_count, err))
        return false;
    for (size_t i = 0; i < m->dimension_count; i++)
        if (!key_ok(m->name, m->dimensions[i], err))
            return false;
    return true;
}

bool google_admit(const void *conf, const struct point *p, struct err *err)
{
    if (!name_ok(conf, p->name, err) ||
        !count_ok(conf, p->name, p->dimension_count, err))
        return false;
    for (size_t i = 0; i < p->dimension_count; i++) {
        if (!key_ok(p->name, p->dimensions[i].name, err))
            return false;
        if (p->dimensions[i].value.len > GOOGLE_VALUE)
            return err_set(err, ERR_INPUT,
                           "metric \"%.*s\": the value of dimension \"%.*s\" "
                           "is longer than %d bytes",
                           STR_ARG(p->name), STR_ARG(p->dimensions[i].name),
                           GOOGLE_VALUE);
    }
    return isfinite(p->newest) ||
           err_set(err, ERR_INPUT,
                   "metric \"%.*s\": its value is no finite number",
                   STR_ARG(p->name));
}
