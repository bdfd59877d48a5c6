/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - other programs, run to their end; what they print is taken.
 *
 * No shell, nothing on standard input, our environment plus `env`, a process
 * group of its own.  A call is embedded in its owner and is idle, or running
 * from process_start() until `done` runs or process_cancel() returns.  `done`
 * comes later, from the loop, exactly once, unless process_cancel() came
 * first; inside `done` the call is already idle.  What was started dies with
 * the call, its children included.  What was read is wiped afterwards.
 */
#ifndef AGENT_IO_PROCESS_H
#define AGENT_IO_PROCESS_H

#include "agent/base/err.h"
#include "agent/base/str.h"
#include "agent/io/loop.h"

struct process_request {
    char *const *argv; /* ended by NULL; found by PATH without a slash */
    char *const *env;  /* "NAME=value" more, ended by NULL; NULL: none */
    int64_t timeout_ms;
    size_t max_output; /* more is an error */
};

/* It ended by itself; all texts are lent for the call. */
struct process_result {
    int status;           /* of its exit; meaningless with `signal` */
    int signal;           /* that ended it, or 0 */
    struct str output;    /* standard output, whole */
    struct str complaint; /* standard error, the first KiB */
};

/*
 * ERR_CONFIG: it cannot be started; ERR_TIMEOUT; ERR_LIMIT: it printed too
 * much.  Errors name the program, never its arguments.
 */
typedef void process_done_fn(void *arg, const struct process_result *res,
                             const struct err *err);

struct process_call {
    struct process *process; /* NULL when idle */
};

/* The request is copied. */
void process_start(struct loop *loop, struct process_call *call,
                   const struct process_request *req, process_done_fn *done,
                   void *arg);
void process_cancel(struct process_call *call); /* fine when idle */

#endif
