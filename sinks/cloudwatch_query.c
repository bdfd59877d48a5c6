/* SPDX-License-Identifier: Apache-2.0 */
/* The older protocol, awsQuery: a form, members numbered from 1. */
#include "agent/base/enc.h"
#include "agent/base/num.h"
#include "sinks/cloudwatch.h"

#include <stdio.h>

static void add_text(struct buf *out, size_t datum, const char *member,
                     struct str value)
{
    buf_addf(out, "&MetricData.member.%zu.%s=", datum, member);
    enc_percent(out, value, "");
}

static void add_number(struct buf *out, size_t datum, const char *member,
                       double value)
{
    char text[NUM_MAX];

    add_text(out, datum, member, str_n(text, num_json(value, text)));
}

static void add_dimensions(struct buf *out, size_t datum, const struct point *p)
{
    for (size_t i = 0; i < p->dimension_count; i++) {
        char member[64];

        (void)snprintf(member, sizeof(member), "Dimensions.member.%zu.Name",
                       i + 1);
        add_text(out, datum, member, p->dimensions[i].name);
        (void)snprintf(member, sizeof(member), "Dimensions.member.%zu.Value",
                       i + 1);
        add_text(out, datum, member, p->dimensions[i].value);
    }
}

static void add_values(struct buf *out, size_t datum,
                       const struct point_value *v, size_t n)
{
    if (n == 1 && v->count == 1) {
        add_number(out, datum, "Value", v->value);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        char member[64];

        (void)snprintf(member, sizeof(member), "Values.member.%zu", i + 1);
        add_number(out, datum, member, v[i].value);
        (void)snprintf(member, sizeof(member), "Counts.member.%zu", i + 1);
        add_number(out, datum, member, v[i].count);
    }
}

void cloudwatch_query_start(struct buf *out, struct str namespace)
{
    buf_addz(out, "Action=PutMetricData&Version=2010-08-01&Namespace=");
    enc_percent(out, namespace, "");
}

void cloudwatch_query_datum(struct buf *out, size_t datum,
                            const struct point *p, const struct point_value *v,
                            size_t n)
{
    char time[WHEN_TEXT];

    when_rfc3339(p->t_ms / WHEN_SECOND * WHEN_SECOND, time);
    add_text(out, datum, "MetricName", p->name);
    add_dimensions(out, datum, p);
    add_text(out, datum, "Timestamp", str_of(time));
    add_values(out, datum, v, n);
    if (p->unit.len > 0)
        add_text(out, datum, "Unit", p->unit);
    if (p->resolution == 1)
        add_text(out, datum, "StorageResolution", STR("1"));
}
