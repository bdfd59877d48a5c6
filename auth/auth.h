/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth.h - who we are to a cloud: credentials, and the providers of them.
 *
 * A provider says what to ask next and reads the answer.  It is pure: the
 * environment, files and the time are passed in, and lease.h is the one
 * runner that sends what it asks for.  Providers are tried in the order of a
 * list; the first one that is *configured* wins, and its failure is told,
 * never passed over for a weaker identity.
 *
 * To add a provider: write a const struct provider_type, list it in the
 * cloud's list (auth/aws.c, later entra.c, google.c).
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/when.h"
#include "agent/io/message.h"
#include "agent/io/process.h"

/*
 * What a provider yields.  AWS keys use all three texts, a bearer token only
 * `token`.  Texts are heap strings or NULL, wiped when freed.
 */
struct credentials {
    char *key_id;       /* AWS access key id; not secret, but never logged */
    char *secret;       /* AWS secret access key */
    char *token;        /* session token, or bearer token */
    int64_t expires_ms; /* wall clock; 0: never */
    int64_t renew_ms;   /* wall clock; 0: as the lease thinks fit */
    char source[96];    /* for people: "environment", "container endpoint" */
};

void credentials_clear(struct credentials *c); /* wipes; all-zero again */
void credentials_copy(struct credentials *to, const struct credentials *from);

/* The world as a provider may see it; tests hand in their own. */
struct auth_env {
    /* The variable's value, lent, or NULL when unset.  A blank value counts
     * as unset. */
    const char *(*variable)(void *arg, const char *name);
    /* The whole file, at most 64 KiB.  ERR_CONFIG: there is no such file; it
     * is there but cannot be read: ERR_DENIED, ERR_LIMIT. */
    bool (*read_file)(void *arg, const char *path, struct buf *out,
                      struct err *err);
    void *arg;
};

/* The process' own environment and files. */
extern const struct auth_env auth_env_process;

/* The variable without blanks around it; empty when it is not set. */
struct str auth_variable(const struct auth_env *env, const char *name);
/* ASCII that is printed, no blank: fit for a header, as every part of a key or
 * token is. */
bool auth_printable(struct str s);

/*
 * `under` with values laid over its variables, blank ones left out: how a
 * sink's own options reach its providers.  Made in `arena`.
 */
struct auth_value {
    const char *name; /* lent as long as the result */
    struct str value; /* copied */
};
const struct auth_env *auth_overlay(const struct auth_env *under,
                                    const struct auth_value *values,
                                    size_t count, struct arena *arena);

enum provide {
    PROVIDE_ABSENT, /* not configured here: try the next provider */
    PROVIDE_ASK,    /* send `ask`, then call answer() */
    PROVIDE_RUN,    /* run the program of `run`, then call ended() */
    PROVIDE_DONE,   /* `out` is filled */
    PROVIDE_RETRY,  /* failed for now: back off, then start() again */
    PROVIDE_FAILED, /* will fail again until somebody mends it */
};

struct provide_out {
    /* Of the whole fetch: `ask` and `run` may point into it, and so may the
     * state, up to the answer that ends it; then it is wiped. */
    struct arena *arena;
    struct http_request ask;    /* for PROVIDE_ASK */
    struct process_request run; /* for PROVIDE_RUN */
    struct credentials creds;   /* for PROVIDE_DONE; the caller's to clear */
    struct err err;             /* for PROVIDE_RETRY and PROVIDE_FAILED */
    /* For PROVIDE_RETRY: not sooner than this; and whether that is what has to
     * be waited for, so that it counts as no try (the provider bounds it). */
    int64_t after_ms;
    bool patient;
};

/* Tells the failure in `out` and gives `how`. */
enum provide provide_failed(struct provide_out *out, enum provide how,
                            enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

struct provider_type {
    const char *name; /* as check-auth and logs say it */
    size_t state_size;
    enum provide (*start)(void *state, const struct auth_env *env,
                          struct now now, struct provide_out *out);
    /* `net` is NULL when an answer arrived, whatever its status. */
    enum provide (*answer)(void *state, const struct auth_env *env,
                           struct now now, const struct http_response *res,
                           const struct err *net, struct provide_out *out);
    /* Of those that give PROVIDE_RUN.  `err` is NULL when it ended by itself,
     * whatever its status. */
    enum provide (*ended)(void *state, const struct auth_env *env,
                          struct now now, const struct process_result *res,
                          const struct err *err, struct provide_out *out);
};

#endif
