/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preset.h - what we know of Membrane, as data.
 *
 * Membrane's formulas change with its versions, so each version is a table:
 * the figures that its services show, and the metrics made of them.  Texts of
 * expressions hold parameters in the form $name.  (Facts: Membrane's guide to
 * self-hosting, Docs/autoscaling.md, and its Helm chart's values.)
 *
 * To add a version: add a table to preset.c and list it in `presets`.
 */
#ifndef AGENT_RULES_PRESET_H
#define AGENT_RULES_PRESET_H

#include "agent/base/buf.h"
#include "agent/config/conf.h"

/* The section `membrane` of the configuration. */
struct preset_conf {
    char *preset; /* a name below, or "none" */
    double jobs_per_worker;
    double queued_buffer;
    double capacity_rate;
    double utilization;
};

extern const struct conf_key preset_keys[];

/* A number that a service shows, and whose it is. */
struct preset_figure {
    const char *name, *job;
    bool shared; /* all replicas repeat one figure of the whole installation */
};

/* How a standard policy of a cloud gets from the value to replicas. */
enum preset_scaling {
    PRESET_NO_SCALING,
    PRESET_TOTAL, /* ceil(value / target): AverageValue */
    PRESET_RATIO, /* ceil(running * value / target): target tracking */
};

struct preset_metric {
    const char *name;
    const char *expr;    /* PromQL with parameters; NULL: the data's age */
    const char *formula; /* the same in words */
    const char *unit;
    const char *description;
    const char *target; /* a number or a parameter; NULL: none */
    enum preset_scaling scaling;
    const char *running;            /* ratio: PromQL, how many replicas run */
    int min_replicas, max_replicas; /* -1: not stated */
    const char *service;            /* what it scales; NULL: nothing */
};

struct preset {
    const char *name;
    const struct preset_figure *figures; /* name NULL ends */
    const struct preset_metric *metrics; /* name NULL ends */
};

/* NULL when there is none of this name.  The first is the default. */
const struct preset *preset_find(struct str name);
const struct preset *preset_at(size_t i); /* NULL behind the last */
const struct preset_figure *preset_figure(const struct preset *p,
                                          struct str name);
/* `text` with $parameters replaced by their numbers. */
void preset_expand(const struct preset_conf *conf, const char *text,
                   struct buf *out);

#endif
