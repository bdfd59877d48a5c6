/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number.h - values as expositions write them, read quickly.
 *
 * The same numbers as num_parse() of agent/base/num.h, to the bit; short
 * ones take an exact way of their own (Clinger, "How to read floating point
 * numbers accurately", 1990: a mantissa below 2^53 and a power of ten up to
 * 10^22 are both exact, so one division or product rounds correctly).
 */
#ifndef AGENT_PARSE_NUMBER_H
#define AGENT_PARSE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NaN is always the one canonical NaN. */
bool number_read(const char *text, size_t len, double *out);
/* The same where that is quickly done; false tells nothing. */
bool number_quick(const char *text, size_t len, double *out);
/* As Go converts on amd64: what does not fit is the smallest integer. */
int64_t number_to_int64(double v);

#endif
