/* SPDX-License-Identifier: Apache-2.0 */
/* sinks.h - each sink, for the list in sinks.c alone. */
#ifndef SINKS_SINKS_H
#define SINKS_SINKS_H

#include "sinks/sink.h"

extern const struct sink_type cloudwatch_sink;
extern const struct sink_type none_sink;
extern const struct sink_type stdout_sink;

#endif
