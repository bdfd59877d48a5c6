/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.h - names to addresses, through c-ares on the loop.
 *
 * The same contract as http.h: `done` comes later, exactly once, unless
 * resolve_cancel() came first.  /etc/hosts and the search list of
 * /etc/resolv.conf are honoured, "localhost" and addresses answer themselves.
 */
#ifndef AGENT_IO_RESOLVE_H
#define AGENT_IO_RESOLVE_H

#include "agent/base/err.h"
#include "agent/io/loop.h"

struct resolver;

enum resolve_type { RESOLVE_A, RESOLVE_AAAA, RESOLVE_SRV };

struct resolve_question {
    struct str name;
    enum resolve_type type;
    int64_t timeout_ms;
};

struct resolve_record {
    struct str address; /* "10.0.0.1", "fd00::1"; for SRV the target name */
    uint16_t port;      /* SRV only, else 0 */
    int64_t ttl_ms;     /* 0 where it is not from DNS */
};

struct resolve_answer {
    const struct resolve_record *records; /* sorted by address, then port;
                                             none twice */
    size_t count; /* 0: the name exists not, or has no such record */
};

typedef void resolve_done_fn(void *arg, const struct resolve_answer *answer,
                             const struct err *err);

struct resolve_call {
    struct resolver *resolver; /* NULL when idle */
    struct resolve_query *query;
};

/* `servers`: "127.0.0.1:5353,..." in place of the system's; empty: system's. */
struct resolver *resolver_new(struct loop *loop, struct str servers,
                              struct err *err);
void resolver_free(struct resolver *r);
/* The question is copied. */
void resolve_start(struct resolver *r, struct resolve_call *call,
                   const struct resolve_question *question,
                   resolve_done_fn *done, void *arg);
void resolve_cancel(struct resolve_call *call);

#endif
