/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/ready.h"

#include "agent/base/mem.h"

#include <stdlib.h>
#include <uv.h>

struct ready {
    uv_poll_t poll;
    int fd;
    int events;   /* wanted */
    ready_fn *fn; /* NULL once freed: only the close callback is awaited */
    void *arg;
};

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/*
 * libuv reports an error at the socket as a status, and stops by itself
 * (libuv issue 3796).  But what came before the error may still lie there to
 * be read, so the watch goes on until its owner has met the error.
 */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct ready *r = poll->data;

    if (r->fn)
        r->fn(r->arg, &(struct ready_now){
                          .fd = r->fd,
                          .readable = (events & UV_READABLE) != 0,
                          .writable = (events & UV_WRITABLE) != 0,
                          .broken = status < 0,
                      });
    if (r->fn && status < 0 && r->events != 0 &&
        !uv_is_active((uv_handle_t *)poll))
        (void)uv_poll_start(poll, r->events, on_poll);
}

struct ready *ready_new(struct loop *loop, int fd, ready_fn *fn, void *arg)
{
    struct ready *r = xcalloc(1, sizeof(*r));

    if (uv_poll_init(loop_uv(loop), &r->poll, fd) != 0) {
        free(r);
        return NULL;
    }
    r->poll.data = r;
    r->fd = fd;
    r->fn = fn;
    r->arg = arg;
    return r;
}

bool ready_want(struct ready *r, bool readable, bool writable)
{
    int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);

    r->events = events;
    if (events == 0)
        return uv_poll_stop(&r->poll) == 0;
    return uv_poll_start(&r->poll, events, on_poll) == 0;
}

void ready_free(struct ready *r)
{
    if (!r)
        return;
    r->fn = NULL;
    uv_close((uv_handle_t *)&r->poll, on_closed);
}
