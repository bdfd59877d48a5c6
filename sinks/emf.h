/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emf.h - what the parts of the EMF sink share; for them alone.
 *
 * An event is one line: metrics of one moment, one set of dimensions and one
 * resolution.  A series stands once in it, since its name is a member.
 *
 * Limits: CloudWatch User Guide, "Specification: Embedded metric format":
 * names, units and values as for PutMetricData, but dimension names of 250
 * characters and at most 100 metrics an event and 100 values a metric.  An
 * event may have 256 KB; ours end at EMF_LINE, so that a pipe takes each whole
 * or not at all (pipe(7), PIPE_BUF) and no log driver cuts it (Docker's
 * fluentd driver, which FireLens uses, does at 16 KiB).  One metric that is
 * longer by itself, by its dimensions, has a line to itself, below 128 KiB.
 */
#ifndef SINKS_EMF_H
#define SINKS_EMF_H

#include "sinks/sink.h"

#define EMF_METRICS        100
#define EMF_VALUES         100
#define EMF_DIMENSION_NAME 250
#define EMF_LINE           4096

struct emf_conf {
    char *namespace;
};

must_check bool emf_render(const void *conf, const struct batch *batch,
                           struct arena *arena, struct http_request *req,
                           size_t *taken, struct err *err);

#endif
