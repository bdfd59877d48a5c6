/* SPDX-License-Identifier: Apache-2.0 */
/* sinks.h - each sink, for the list in sinks.c, and what local ones share. */
#ifndef SINKS_SINKS_H
#define SINKS_SINKS_H

#include "sinks/sink.h"

extern const struct sink_type azure_monitor_sink;
extern const struct sink_type cloudwatch_sink;
extern const struct sink_type emf_sink;
extern const struct sink_type google_monitoring_sink;
extern const struct sink_type none_sink;
extern const struct sink_type stdout_sink;

/* judge() of a sink that asks nobody. */
void sink_nobody_answers(const void *conf, const struct http_response *res,
                         const struct batch *sent, int64_t now_ms,
                         struct arena *arena, struct verdict *out);

#endif
