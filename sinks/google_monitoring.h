/* SPDX-License-Identifier: Apache-2.0 */
/*
 * google_monitoring.h - what the parts of the Cloud Monitoring sink share; the
 * names and limits are for scaling rules that must name what is published, too.
 *
 * A request holds one point each of at most 200 series, all GAUGE and DOUBLE.
 * Google takes a point of a series at most every 5 seconds, by the points' own
 * times, and none that is older than the newest that is there.
 *
 * Limits: google.monitoring.v3 metric_service.proto, "Quotas and limits" of
 * Cloud Monitoring (series, labels, times); bytes of a request are those that
 * Google's own collectd plugin kept to, as none are documented.
 */
#ifndef SINKS_GOOGLE_MONITORING_H
#define SINKS_GOOGLE_MONITORING_H

#include "sinks/sink.h"

#define GOOGLE_SERIES      200
#define GOOGLE_LABELS      30
#define GOOGLE_LABELS_PROM 200
#define GOOGLE_KEY         100
#define GOOGLE_VALUE       1024
#define GOOGLE_TYPE        200
#define GOOGLE_BODY        ((size_t)500000)
#define GOOGLE_GAP         (5 * WHEN_SECOND)
/* Google's window is 25 hours back and 5 minutes ahead. */
#define GOOGLE_OLDEST (24 * WHEN_HOUR)
#define GOOGLE_AHEAD  (4 * WHEN_MINUTE)

/* Stand for what the metadata server tells, until sign(). */
#define GOOGLE_PROJECT_LATER  "${metadata:project}"
#define GOOGLE_LOCATION_LATER "${metadata:location}"

struct google_resource {
    const char *type;
    const char *labels[8]; /* besides project_id; NULL ends them */
    const char *refused;   /* why it cannot be written; or NULL */
};

struct google_monitoring_conf {
    char *project, *location, *namespace, *job, *task_id, *task_label;
    char *cluster, *prefix, *resource_type;
    struct conf_map resource_labels;
    bool prometheus;
    char *endpoint, *credentials_file, *quota_project, *universe_domain;
    char *ca_file;
    bool exchange;
    int64_t timeout_ms;
    /* by prepare() */
    const struct google_resource *resource;
    struct str url, project_id, place, quota, managed_cluster;
};

/* The resource of that type, with the mend where it cannot be written. */
must_check bool google_resource_find(struct str type,
                                     const struct google_resource **out,
                                     struct err *err);
/* The value that the settings give a label of the resource; with the point's
 * own for task_id.  Empty ptr: none. */
struct str google_resource_label(const struct google_monitoring_conf *c,
                                 const char *label, const struct point *p);
/* custom.googleapis.com/membrane/NAME, or prometheus.googleapis.com/NAME/gauge.
 */
struct str google_metric_type(const struct google_monitoring_conf *c,
                              struct str name, struct arena *arena);

must_check bool google_check(const void *conf, const struct sink_metric *m,
                             struct err *err);
must_check bool google_admit(const void *conf, const struct point *p,
                             struct err *err);
must_check bool google_render(const void *conf, const struct batch *batch,
                              struct arena *arena, struct http_request *req,
                              size_t *taken, struct err *err);
void google_judge(const void *conf, const struct http_response *res,
                  const struct batch *sent, int64_t now_ms, struct arena *arena,
                  struct verdict *out);

#endif
