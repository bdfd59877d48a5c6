/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws_process.h - keys that another program prints; for auth/aws_*.c alone.
 *
 * SDKs and Tools Reference Guide, "Process credential provider": one JSON
 * object of Version 1 on standard output.  No error shows what was printed
 * there; the first of standard error is told.
 */
#ifndef AUTH_AWS_PROCESS_H
#define AUTH_AWS_PROCESS_H

#include "auth/aws_keys.h"

/* PROVIDE_DONE with `keys` in the fetch's arena, or why not. */
enum provide aws_process_keys(const struct process_result *res,
                              const struct err *err, struct provide_out *out,
                              struct aws_keys *keys);

#endif
