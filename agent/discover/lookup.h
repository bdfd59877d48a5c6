/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup.h - one DNS name, or one service of ECS, asked again and again.
 *
 *      RESTING --due--> ASKING --answer, or none--> RESTING
 *
 * An answer replaces the addresses; a failure leaves them and is retried with
 * back-off, at the latest after `refresh`.  `told` comes from the loop after
 * every answer and failure; it may not free the lookup.
 */
#ifndef AGENT_DISCOVER_LOOKUP_H
#define AGENT_DISCOVER_LOOKUP_H

#include "agent/base/backoff.h"
#include "agent/discover/place.h"

enum lookup_state { LOOKUP_RESTING, LOOKUP_ASKING };

struct lookup_host {
    char *name; /* an address, or the target of an SRV record */
    uint16_t port;
};

struct lookup_times {
    int64_t refresh_ms, keep_ms, timeout_ms;
};

struct lookup {
    struct loop *loop;
    struct resolver *resolver;
    struct ecs *ecs;
    const struct place *place;
    struct lookup_times times;
    bool trust_eight;
    bool once;
    void (*told)(void *arg);
    void *arg;

    enum lookup_state state;
    struct resolve_call call;
    struct ecs_tasks_call tasks;
    struct timer timer;
    struct backoff backoff;
    struct lookup_host *hosts; /* of the newest answer, in its order */
    size_t count;
    bool answered;          /* at least once */
    int64_t answered_at_ms; /* monotonic */
    struct err failure;     /* of the newest question; ERR_NONE: answered */
    uint64_t questions, failures;
};

/* Asks for the first time; the fields down to `arg` are set. */
void lookup_start(struct lookup *l);
void lookup_fini(struct lookup *l);
/* False, with the reason, while the addresses cannot be relied on. */
bool lookup_complete(const struct lookup *l, struct err *why);
/* There may be more addresses than the answer could hold. */
bool lookup_cut(const struct lookup *l);

#endif
