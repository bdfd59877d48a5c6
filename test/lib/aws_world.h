/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws_world.h - a simulated machine with variables, files and AWS' services,
 * and one lease on all of aws_providers, for the tests of auth.
 *
 * AWS_EC2_METADATA_DISABLED is true at first.  What is handed in is lent until
 * aws_world_free().
 */
#ifndef TEST_LIB_AWS_WORLD_H
#define TEST_LIB_AWS_WORLD_H

#include "auth/aws.h"
#include "auth/lease.h"
#include "test/lib/sim.h"

#define AWS_WORLD_MAX 32

struct aws_world {
    struct loop *loop;
    struct http *http;
    struct lease *lease;
    struct lease_waiter waiter;
    const char *variables[AWS_WORLD_MAX]; /* "NAME=value" */
    const char *paths[AWS_WORLD_MAX];
    const char *texts[AWS_WORLD_MAX]; /* NULL: exists, but unreadable */
    struct auth_env env;
    size_t told;
    struct credentials creds; /* of the last time; empty: there were none */
    struct err err;
};

struct aws_world *aws_world_new(void);
/* The same with another cloud's providers; `mend` as the lease has it. */
struct aws_world *aws_world_of(const struct provider_type *const *providers,
                               const char *mend);
void aws_world_free(struct aws_world *w);
/* "NAME=value"; takes the place of an older value. */
void aws_world_set(struct aws_world *w, const char *variable);
void aws_world_file(struct aws_world *w, const char *path, const char *text);
/* Waits for credentials, to the end; true when there are some. */
bool aws_world_fetch(struct aws_world *w);
/* The service refused them, then the same. */
bool aws_world_fetch_anew(struct aws_world *w);

/* They are these (token may be NULL), or there are none for this reason. */
void aws_world_assert_keys(struct aws_world *w, const char *id,
                           const char *token);
void aws_world_assert_reason(struct aws_world *w, const char *part);

#endif
