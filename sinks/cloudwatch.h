/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloudwatch.h - what the parts of the CloudWatch sink share, and with the
 * EMF sink the limits; for them, and for the scaling policies that must name
 * metrics exactly as they are published.
 *
 * One point is one datum, or several where it has more distinct values than a
 * datum takes; datums stand in the order of their points.  cloudwatch_values()
 * is the one place that decides how many, so that judge() finds the point
 * behind MetricData.member.N again.
 *
 * Limits: CloudWatch API Reference, PutMetricData and MetricDatum.  The body
 * limit is 1 MB; as it is not said whether that is meant compressed, the sink
 * keeps the uncompressed body below it.
 */
#ifndef SINKS_CLOUDWATCH_H
#define SINKS_CLOUDWATCH_H

#include "sinks/sink.h"

#define CLOUDWATCH_DATUMS     1000
#define CLOUDWATCH_VALUES     150
#define CLOUDWATCH_DIMENSIONS 30
#define CLOUDWATCH_BODY       ((size_t)999000)
#define CLOUDWATCH_NAME       255
#define CLOUDWATCH_DIM_VALUE  1024
/* "8.515920e-109 to 1.174271e+108 (Base 10)": smaller ones become 0. */
#define CLOUDWATCH_LEAST 8.515920e-109
#define CLOUDWATCH_MOST  1.174271e+108
/* Two weeks back, two hours ahead; less what the way there may take. */
#define CLOUDWATCH_OLDEST (14 * WHEN_DAY - 10 * WHEN_MINUTE)
#define CLOUDWATCH_AHEAD  (2 * WHEN_HOUR - 10 * WHEN_MINUTE)

enum cloudwatch_protocol { CLOUDWATCH_JSON, CLOUDWATCH_QUERY };

struct cloudwatch_conf {
    char *region, *namespace, *endpoint, *ca_file;
    bool fips, dual_stack;
    int64_t protocol; /* enum cloudwatch_protocol */
    int64_t timeout_ms;
    int64_t min_compression_size;
    /* by prepare() */
    struct str url, signing_region, authorities;
    bool compress;
};

/*
 * The values as CloudWatch takes them: those too small are 0, zeros are one
 * value.  In `arena`; at least one.
 */
size_t cloudwatch_values(const struct point *p, struct arena *arena,
                         const struct point_value **out);
static inline size_t cloudwatch_datums(size_t values)
{
    return (values + CLOUDWATCH_VALUES - 1) / CLOUDWATCH_VALUES;
}

/* `what` is said first: "namespace", "metric \"X\"". */
must_check bool cloudwatch_name_ok(struct str name, const char *what,
                                   struct err *err);
must_check bool cloudwatch_namespace_ok(struct str namespace, struct err *err);
must_check bool cloudwatch_check(const void *conf, const struct sink_metric *m,
                                 struct err *err);
must_check bool cloudwatch_admit(const void *conf, const struct point *p,
                                 struct err *err);
must_check bool cloudwatch_render(const void *conf, const struct batch *batch,
                                  struct arena *arena, struct http_request *req,
                                  size_t *taken, struct err *err);
/* The body of the older protocol, a piece at a time; `datum` from 1. */
void cloudwatch_query_start(struct buf *out, struct str namespace);
void cloudwatch_query_datum(struct buf *out, size_t datum,
                            const struct point *p, const struct point_value *v,
                            size_t n);
void cloudwatch_judge(const void *conf, const struct http_response *res,
                      const struct batch *sent, int64_t now_ms,
                      struct arena *arena, struct verdict *out);

#endif
