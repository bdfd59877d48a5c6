/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preview.h - exactly what a sink would be sent, without sending; pure.
 */
#ifndef AGENT_DELIVER_PREVIEW_H
#define AGENT_DELIVER_PREVIEW_H

#include "sinks/sink.h"

/* Hears of each request; what it points to is lent for the call. */
typedef void preview_request_fn(void *arg, const struct http_request *req);
/* Hears of each point that would not be sent, and why. */
typedef void preview_refused_fn(void *arg, const struct point *point,
                                const struct err *why);

struct preview {
    const struct sink_type *type;
    const void *conf;
    preview_request_fn *request;
    preview_refused_fn *refused;
    void *arg;
};

void preview_batch(const struct preview *p, const struct batch *batch);

#endif
