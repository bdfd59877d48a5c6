/* SPDX-License-Identifier: Apache-2.0 */
/* simprocess.c - process.h of the simulated world. */
#include "agent/base/mem.h"
#include "test/lib/sim.h"
#include "test/lib/simworld.h"

#include <assert.h>
#include <stdlib.h>

struct process {
    struct list_node node;
    struct process_call *call;
    process_done_fn *done;
    void *arg;
    struct sim_run run;
    struct timer timer;
};

void sim_on_run(struct loop *loop, sim_run_fn *fn, void *arg)
{
    loop->run = fn;
    loop->run_arg = arg;
}

static void release(struct process *p)
{
    timer_disarm(&p->timer);
    list_remove(&p->node);
    p->call->process = NULL;
}

static void on_end(void *arg)
{
    struct process *p = arg;
    struct err err;

    release(p);
    if (p->run.error)
        (void)err_set(&err, p->run.error, "simulated failure");
    p->done(p->arg, p->run.error ? NULL : &p->run.result,
            p->run.error ? &err : NULL);
    free(p);
}

void process_start(struct loop *loop, struct process_call *call,
                   const struct process_request *req, process_done_fn *done,
                   void *arg)
{
    struct process *p = xcalloc(1, sizeof(*p));

    assert(!call->process);
    assert(req->argv[0] && req->timeout_ms > 0 && req->max_output > 0);
    call->process = p;
    p->call = call;
    p->done = done;
    p->arg = arg;
    list_append(&loop->calls, &p->node);
    if (loop->run)
        loop->run(loop->run_arg, req, &p->run);
    else
        p->run.error = ERR_CONFIG;
    timer_arm(loop, &p->timer, loop->now.mono_ms + 1, on_end, p);
}

void process_cancel(struct process_call *call)
{
    struct process *p = call->process;

    if (!p)
        return;
    release(p);
    free(p);
}
