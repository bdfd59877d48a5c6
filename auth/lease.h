/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.h - credentials that are there when needed: the one runner of
 * providers.
 *
 * One fetch for all who wait; renewed ahead of expiry with jitter; retried
 * with back-off; the old value is kept when its renewal fails, and offered
 * even past its end, until the service refuses it.  Who waits with no value
 * to be had is told after three tries; to wait again is to try again.
 *
 *               wait             answer
 *      EMPTY ---------> ASKING ---------> VALID
 *       ^ ^             |  | ^              |
 *       | |   gave up   |  | | rested       |
 *       | +-------------+  v |              |
 *       |               RESTING             |
 *       +-----------------------------------+
 *            refused by the service, or soon to expire
 *
 * `done` comes later, from the loop, exactly once, unless lease_leave() came
 * first; inside `done` the waiter is already idle.
 */
#ifndef AUTH_LEASE_H
#define AUTH_LEASE_H

#include "agent/base/list.h"
#include "agent/io/http.h"
#include "agent/io/loop.h"
#include "auth/auth.h"

struct lease;

struct lease_options {
    const struct provider_type *const *providers; /* NULL ends the list */
    const struct auth_env *env;
    const char *mend; /* for people, when no provider is configured */
};

struct lease *lease_new(struct loop *loop, struct http *http,
                        const struct lease_options *options);
void lease_free(struct lease *l);

/* `creds` is lent for the call; NULL with `err` when there are none. */
typedef void lease_done_fn(void *arg, const struct credentials *creds,
                           const struct err *err);

struct lease_waiter {
    struct list_node node; /* idle when in no list */
    lease_done_fn *done;
    void *arg;
};

void lease_wait(struct lease *l, struct lease_waiter *w, lease_done_fn *done,
                void *arg);
void lease_leave(struct lease_waiter *w); /* fine when idle */
/* What is held now, or NULL; lent until the next turn of the loop. */
const struct credentials *lease_current(const struct lease *l);
/* The service refused these credentials: the next wait fetches anew. */
void lease_refused(struct lease *l);

#endif
