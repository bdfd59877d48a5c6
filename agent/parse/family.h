/* SPDX-License-Identifier: Apache-2.0 */
/*
 * family.h - the rules for the samples of one metric family.
 *
 * OpenMetrics 1.0, sections "Data Model" and "Metric Types"; for Prometheus
 * text, prometheus/docs, exposition formats, "Histograms and summaries".
 */
#ifndef AGENT_PARSE_FAMILY_H
#define AGENT_PARSE_FAMILY_H

#include "agent/base/map.h"
#include "agent/parse/internal.h"

/* The samples that differ only in le, quantile or the state. */
struct group {
    double bound, bucket; /* of the bucket before */
    double count;
    bool has_bucket, has_inf, has_count, has_sum, negative;
    bool negative_sum;
    bool has_time;
    int64_t t_ms;
    uint64_t line;
};

struct family {
    struct str name;
    bool named;
    enum parse_type type;
    bool has[PARSE_UNIT + 1];
    bool unit;
    bool samples;
    struct arena arena; /* all that is held of the family */
    struct map series;  /* labels to the time of the last sample */
    struct map groups;
    struct group *group;
    struct labels_builder builder;
};

void family_init(struct family *f);
void family_fini(struct family *f);
void family_begin(struct family *f, struct str name);
/* What may stand behind the family's name in its samples' names; NULL ends. */
const char *const *family_suffixes(enum parse_format format,
                                   enum parse_type type);
/* The same, in words. */
const char *family_forms(enum parse_type type);
bool family_has(enum parse_format format, const struct family *f,
                struct str name);
/* The sample in p->line, which belongs to the family. */
bool family_sample(struct parser *p, struct family *f, struct str name);
/* Its last sample has been seen. */
bool family_end(struct parser *p, struct family *f, const char *text);

#endif
