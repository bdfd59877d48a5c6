/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/process.h"

#include "agent/base/mem.h"
#include "agent/io/ready.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#define COMPLAINT_MAX ((size_t)1024)
#define PIECE         ((size_t)4096)

/* One of its outputs.  Never moved in memory: it is to be wiped. */
struct stream {
    uv_pipe_t pipe;
    char *bytes;
    size_t len, max;
    bool refuses; /* too much is an error, else dropped */
    bool over, ended;
    char piece[PIECE];
};

struct process {
    struct process_call *call; /* NULL once it has ended for its owner */
    process_done_fn *done;
    void *arg;
    struct loop *loop;
    uv_process_t child;
    struct stream out, complaint;
    struct timer timer; /* patience; or when to tell why it did not start */
    int64_t timeout_ms;
    char name[256];
    bool started, exited;
    int open; /* handles that are not closed yet */
    struct process_result result;
    struct err err;
};

static void free_stream(struct stream *s)
{
    wipe(s->bytes, s->max);
    wipe(s->piece, sizeof(s->piece));
    free(s->bytes);
}

static void on_closed(uv_handle_t *handle)
{
    struct process *p = handle->data;

    if (--p->open > 0)
        return;
    free_stream(&p->out);
    free_stream(&p->complaint);
    free(p);
}

/* A killed child is waited for at once, as nobody would after its handle is
 * closed; SIGKILL leaves it no time. */
static void kill_all(const struct process *p)
{
    if (!p->started)
        return;
    (void)kill(-p->child.pid, SIGKILL);
    while (!p->exited && waitpid(p->child.pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* The end for its owner. */
static void let_go(struct process *p)
{
    timer_disarm(&p->timer);
    p->call->process = NULL;
    p->call = NULL;
}

static void close_all(struct process *p)
{
    p->open = 3;
    uv_close((uv_handle_t *)&p->child, on_closed);
    uv_close((uv_handle_t *)&p->out.pipe, on_closed);
    uv_close((uv_handle_t *)&p->complaint.pipe, on_closed);
}

static void finish(struct process *p, const struct err *err)
{
    let_go(p);
    if (err)
        kill_all(p);
    p->result.output = (struct str){p->out.bytes, p->out.len};
    p->result.complaint = (struct str){p->complaint.bytes, p->complaint.len};
    p->done(p->arg, err ? NULL : &p->result, err);
    close_all(p);
}

static void look(struct process *p)
{
    if (!p->call)
        return;
    if (p->out.over) {
        (void)err_set(&p->err, ERR_LIMIT, "%s: printed more than %zu bytes",
                      p->name, p->out.max);
        finish(p, &p->err);
    } else if (p->exited && p->out.ended && p->complaint.ended) {
        finish(p, NULL);
    }
}

static void on_ended(uv_process_t *child, int64_t status, int signum)
{
    struct process *p = child->data;

    p->exited = true;
    p->result.status = (int)status;
    p->result.signal = signum;
    look(p);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct process *p = handle->data;
    struct stream *s =
        handle == (uv_handle_t *)&p->out.pipe ? &p->out : &p->complaint;

    (void)suggested;
    *buf = uv_buf_init(s->piece, sizeof(s->piece));
}

static void keep(struct stream *s, size_t n)
{
    size_t room = s->max - s->len;

    s->over = s->refuses && n > room;
    if (n > room)
        n = room;
    memcpy(s->bytes + s->len, s->piece, n);
    s->len += n;
}

static void on_read(uv_stream_t *pipe, ssize_t n, const uv_buf_t *buf)
{
    struct process *p = pipe->data;
    struct stream *s =
        pipe == (uv_stream_t *)&p->out.pipe ? &p->out : &p->complaint;

    (void)buf;
    if (n > 0)
        keep(s, (size_t)n);
    else if (n < 0) {
        s->ended = true;
        (void)uv_read_stop(pipe);
    }
    look(p);
}

static void too_slow(void *arg)
{
    struct process *p = arg;

    (void)err_set(&p->err, ERR_TIMEOUT, "%s: did not end within %lld ms",
                  p->name, (long long)p->timeout_ms);
    finish(p, &p->err);
}

static void not_started(void *arg)
{
    struct process *p = arg;

    finish(p, &p->err);
}

static void init_stream(struct process *p, struct stream *s, size_t max)
{
    int rc = uv_pipe_init(loop_uv(p->loop), &s->pipe, 0);

    assert(rc == 0);
    (void)rc;
    s->pipe.data = p;
    s->max = max;
    s->bytes = xmalloc(max + 1);
}

/* One list after the other; the texts are lent. */
static char **joined(char *const *first, char *const *second)
{
    size_t n = 0, m = 0;
    char **all;

    while (first[n])
        n++;
    while (second[m])
        m++;
    all = xcalloc(n + m + 1, sizeof(*all));
    for (size_t i = 0; i < n; i++)
        all[i] = first[i];
    for (size_t i = 0; i < m; i++)
        all[n + i] = second[i];
    return all;
}

static int spawn(struct process *p, const struct process_request *req)
{
    char *const none[] = {NULL};
    char **argv = joined(req->argv, none);
    /* Of equal names the first counts. */
    char **env = joined(req->env ? req->env : none, environ);
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)&p->out.pipe},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)&p->complaint.pipe}};
    const uv_process_options_t how = {.exit_cb = on_ended,
                                      .file = argv[0],
                                      .args = argv,
                                      .env = env,
                                      .flags = UV_PROCESS_DETACHED,
                                      .stdio_count = 3,
                                      .stdio = stdio};
    int rc = uv_spawn(loop_uv(p->loop), &p->child, &how);

    free(env);
    free(argv);
    p->child.data = p;
    p->started = rc == 0;
    if (rc == 0)
        rc = uv_read_start((uv_stream_t *)&p->out.pipe, on_alloc, on_read);
    if (rc == 0)
        rc =
            uv_read_start((uv_stream_t *)&p->complaint.pipe, on_alloc, on_read);
    return rc;
}

void process_start(struct loop *loop, struct process_call *call,
                   const struct process_request *req, process_done_fn *done,
                   void *arg)
{
    struct process *p = xcalloc(1, sizeof(*p));
    int64_t now = loop_now(loop).mono_ms;
    int rc;

    assert(!call->process);
    call->process = p;
    p->call = call;
    p->loop = loop;
    p->done = done;
    p->arg = arg;
    p->timeout_ms = req->timeout_ms;
    (void)snprintf(p->name, sizeof(p->name), "%s", req->argv[0]);
    init_stream(p, &p->out, req->max_output);
    p->out.refuses = true;
    init_stream(p, &p->complaint, COMPLAINT_MAX);
    rc = spawn(p, req);
    if (rc == 0) {
        timer_arm(loop, &p->timer, now + req->timeout_ms, too_slow, p);
        return;
    }
    (void)err_set(&p->err, ERR_CONFIG, "%s: cannot be started: %s", p->name,
                  uv_strerror(rc));
    timer_arm(loop, &p->timer, now, not_started, p);
}

void process_cancel(struct process_call *call)
{
    struct process *p = call->process;

    if (!p)
        return;
    let_go(p);
    kill_all(p);
    close_all(p);
}
