/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relabel.h - rules that change or drop a set of labels, as Prometheus'
 * relabel_configs and metric_relabel_configs; pure.
 *
 * All actions, defaults and refusals are those of prometheus/prometheus
 * model/relabel/relabel.go; but lowercase and uppercase know ASCII alone.
 * Rules are compiled once and hold no slice of what they were made of.
 */
#ifndef AGENT_RELABEL_RELABEL_H
#define AGENT_RELABEL_RELABEL_H

#include "agent/base/err.h"
#include "agent/config/conf.h"
#include "agent/metric/labels.h"

enum relabel_action {
    RELABEL_REPLACE,
    RELABEL_KEEP,
    RELABEL_DROP,
    RELABEL_KEEPEQUAL,
    RELABEL_DROPEQUAL,
    RELABEL_HASHMOD,
    RELABEL_LABELMAP,
    RELABEL_LABELDROP,
    RELABEL_LABELKEEP,
    RELABEL_LOWERCASE,
    RELABEL_UPPERCASE,
};

struct relabel_conf {
    struct conf_list source_labels;
    char *separator;
    char *regex;
    int64_t modulus;
    char *target_label;
    char *replacement;
    int64_t action; /* enum relabel_action */
};

extern const struct conf_key relabel_keys[];

/* What the table cannot see; the text names the key. */
must_check bool relabel_check(const struct relabel_conf *conf, struct err *err);

struct relabel;

/* NULL where there are no rules.  They are checked. */
struct relabel *relabel_new(const struct relabel_conf *rules, size_t count);
void relabel_free(struct relabel *r);
/* False: dropped, and `b` is of no use.  New texts live in `a`. */
must_check bool relabel_apply(const struct relabel *r, struct labels_builder *b,
                              struct arena *a);

#endif
