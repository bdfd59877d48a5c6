/* SPDX-License-Identifier: Apache-2.0 */
/*
 * azure_monitor.h - what the parts of the Azure Monitor sink share; the names
 * and limits are for scaling rules that must name what is published, too.
 *
 * A document is one metric at one second with one set of dimension names, a
 * series for each set of their values; it says min, max, sum and count.  Azure
 * merges what it gets of one series within a minute, so a value that was
 * accepted must never be sent again.
 *
 * Limits: azure-monitor-docs, metrics-store-custom-rest-api.md and
 * metrics-custom-overview.md; the answers that refuse a time name 30 minutes
 * back and 4 ahead, the page 20 back and 5 ahead: ours is what both allow.
 * No limit of the body is documented; Microsoft's own agents keep to 1 MB.
 */
#ifndef SINKS_AZURE_MONITOR_H
#define SINKS_AZURE_MONITOR_H

#include "sinks/sink.h"

#define AZURE_DIMENSIONS 10
#define AZURE_NAME       256
#define AZURE_BODY       ((size_t)999000)
/* Less what the way there may take. */
#define AZURE_OLDEST (19 * WHEN_MINUTE)
#define AZURE_AHEAD  (2 * WHEN_MINUTE)

enum azure_format { AZURE_NDJSON, AZURE_JSON };

struct azure_monitor_conf {
    char *resource_id, *region, *namespace, *endpoint, *ca_file;
    int64_t format; /* enum azure_format */
    bool seed_next, compress;
    int64_t timeout_ms;
    char *audience, *credential, *tenant_id;
    char *client_id, *object_id, *identity_resource_id;
    /* by prepare() */
    struct str url;
    struct str home; /* region in Azure's spelling; empty with an endpoint */
};

/* Where this is set in the settings, and what a name of a region is: without
 * blanks, in small letters. */
must_check bool azure_region(struct str name, struct arena *arena,
                             struct str *out, struct err *err);
/* That this can carry custom metrics: a resource, not what holds resources. */
must_check bool azure_resource_ok(struct str id, struct err *err);

must_check bool azure_namespace_ok(struct str namespace, struct err *err);
must_check bool azure_check(const void *conf, const struct sink_metric *m,
                            struct err *err);
must_check bool azure_admit(const void *conf, const struct point *p,
                            struct err *err);
must_check bool azure_render(const void *conf, const struct batch *batch,
                             struct arena *arena, struct http_request *req,
                             size_t *taken, struct err *err);
void azure_judge(const void *conf, const struct http_response *res,
                 const struct batch *sent, int64_t now_ms, struct arena *arena,
                 struct verdict *out);

#endif
