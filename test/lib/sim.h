/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim.h - a world for tests: agent/io's loop.h, http.h, process.h and resolve.h
 * without a socket, a clock or another program.
 *
 * Link libsim.a in place of libio.a.  Time stands still while code runs and
 * jumps to the next timer, so a test lives through a day in a millisecond.
 * The world belongs to its loop: loop_new() makes it, at 1,000,000 ms
 * monotonic and 2026-01-01T00:00:00Z, loop_free() ends it and asserts that
 * nothing was left armed or running.  What is handed to these functions is
 * copied, what they give back is lent until loop_free().
 */
#ifndef TEST_LIB_SIM_H
#define TEST_LIB_SIM_H

#include "agent/io/http.h"
#include "agent/io/loop.h"
#include "agent/io/process.h"
#include "agent/io/resolve.h"

#define SIM_MONO_START INT64_C(1000000)
#define SIM_WALL_START INT64_C(1767225600000)

/* Time. */

/* Fires what is due up to and including `mono_ms`, then stands there; ends
 * early, at the moment of it, after loop_stop(). */
void sim_run_until(struct loop *loop, int64_t mono_ms);
void sim_run_for(struct loop *loop, int64_t ms);
/* Jumps to the next timer and fires it alone; false when there is none. */
bool sim_step(struct loop *loop);
/* The wall clock steps; the monotonic one does not notice. */
void sim_step_wall(struct loop *loop, int64_t ms);
void sim_set_wall(struct loop *loop, int64_t wall_ms);
/* Calls what loop_on_signal() registered for it, at once. */
void sim_signal(struct loop *loop, int signum);
/* loop_random() is a fixed sequence a seed; the seed is 1 at first. */
void sim_seed(struct loop *loop, uint64_t seed);
size_t sim_timers(const struct loop *loop); /* armed by anyone */

/* HTTP. */

struct sim_reply {
    int status; /* 200 at first */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    struct str body;
    size_t piece;       /* bytes a data hook gets at a time; 0: all at once */
    int64_t latency_ms; /* 1 at first */
    bool never;         /* no answer comes: the deadline ends the call */
    /* Not ERR_NONE: no answer but this error; with `cut_at` > 0 after the
     * head and so many bytes of the body. */
    enum err_kind error;
    struct str error_text; /* after the URL; empty: "simulated failure" */
    size_t cut_at;
};

void sim_reply_header(struct sim_reply *reply, struct str name,
                      struct str value);

/* Decides about one request, when it starts; `reply` holds a plain 200.  The
 * bytes that it points to must live until the function has been called. */
typedef void sim_answer_fn(void *arg, const struct http_request *req,
                           struct sim_reply *reply);

/*
 * Who answers URLs that begin with `prefix`.  The longest prefix wins, among
 * equals the one set last.  Where there is none the connection is refused.
 */
void sim_on_url(struct loop *loop, struct str prefix, sim_answer_fn *fn,
                void *arg);
/* The same answer every time. */
void sim_serve(struct loop *loop, struct str prefix, int status,
               struct str body);

/* Requests in the order of their start. */
struct sim_seen {
    const struct http_request *req;
    struct now at;
    bool ended, cancelled; /* `done` was called; http_cancel() was */
};
size_t sim_request_count(const struct loop *loop);
const struct sim_seen *sim_request(const struct loop *loop, size_t i);
const struct sim_seen *sim_request_last(const struct loop *loop);
/* The value of the first header of that name (case ignored), or empty. */
struct str sim_request_header(const struct sim_seen *seen, struct str name);
size_t sim_running(const struct loop *loop); /* HTTP and DNS calls in flight */

/* Other programs. */

/* What became of one; its texts must live until it ends.  With `error` it did
 * not end by itself. */
struct sim_run {
    struct process_result result;
    enum err_kind error;
};
typedef void sim_run_fn(void *arg, const struct process_request *req,
                        struct sim_run *run);
/* Who plays them; without one nothing can be started. */
void sim_on_run(struct loop *loop, sim_run_fn *fn, void *arg);

/* DNS. */

/* What a name gives from now on; count 0: it exists not.  Names that were
 * never set exist not. */
void sim_dns(struct loop *loop, struct str name, enum resolve_type type,
             const struct resolve_record *records, size_t count);
/* Addresses "10.0.0.1,10.0.0.2" with a TTL of 30 s. */
void sim_dns_addresses(struct loop *loop, struct str name,
                       enum resolve_type type, const char *addresses);
void sim_dns_fail(struct loop *loop, struct str name, enum resolve_type type,
                  enum err_kind kind);
void sim_dns_latency(struct loop *loop, int64_t ms); /* 1 at first */
size_t sim_lookups(const struct loop *loop);         /* ever started */

/* Faults. */

/* The n-th HTTP or DNS call from now fails (1: the next); 0: none. */
void sim_fail_nth(struct loop *loop, size_t n);
bool sim_failed(const struct loop *loop); /* it came to that */

#endif
