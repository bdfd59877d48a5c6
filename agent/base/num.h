/* SPDX-License-Identifier: Apache-2.0 */
/*
 * num.h - numbers as Go and Prometheus read and write them, in any locale.
 */
#ifndef AGENT_BASE_NUM_H
#define AGENT_BASE_NUM_H

#include "agent/base/str.h"

#define NUM_MAX 352 /* longest text below, with its NUL */

/*
 * A decimal float as Go's strconv.ParseFloat takes it once `p P _ x X` are
 * refused: 1e3 .5 5. +7 inf Infinity NaN in any case; correctly rounded.
 * False for anything else, and for what overflows to infinity (1e400).
 */
bool num_parse(struct str s, double *out);

/* All that ParseFloat takes: 0x1p-2 and 1_000.5, too, of at most 255 bytes.
 * Prometheus reads the values of le and quantile so. */
bool num_parse_go(struct str s, double *out);

/* Shortest text that reads back the same; each returns its length.
 * num_json: as Prometheus' API writes values: plain digits, or an exponent of
 *   at least two digits when |v| < 1e-6 or >= 1e21; NaN, +Inf, -Inf.
 * num_plain: never an exponent (Go's 'f').
 * num_general: Go's 'g' with shortest digits (an exponent from 1e+06 on and
 *   below 1e-04), as PromQL prints number literals. */
size_t num_json(double v, char out[NUM_MAX]);
size_t num_plain(double v, char out[NUM_MAX]);
size_t num_general(double v, char out[NUM_MAX]);

#endif
