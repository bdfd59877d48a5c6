/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print.h - samples as JSON, one object a line:
 * {"name":"x","labels":{"a":"b"},"value":"1.5","timestamp":1700000000.25}
 *
 * The value is text as Prometheus' API writes it (num_json()), because JSON
 * has no NaN and no Inf.  The timestamp is in seconds, with three digits of
 * fraction where it has milliseconds, or null.
 */
#ifndef AGENT_PARSE_PRINT_H
#define AGENT_PARSE_PRINT_H

#include "agent/parse/parse.h"

struct parse_printer {
    struct labels_builder builder;
    struct arena arena;
};

void parse_printer_init(struct parse_printer *pp);
void parse_printer_fini(struct parse_printer *pp);
/* From within the sample callback. */
void parse_print(struct parse_printer *pp, const struct parse_sample *s,
                 struct buf *out);

#endif
