/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h - an error is a kind for the program and a text for people.
 *
 * A fallible function returns bool and takes `struct err *err` last: outputs
 * are written on success, `err` on failure, never both.  `err` may be NULL
 * where only success matters.  Texts are lower case, without a full stop, name
 * the subject as the operator wrote it, then what is wrong, then the mend.
 */
#ifndef AGENT_BASE_ERR_H
#define AGENT_BASE_ERR_H

#include <stdbool.h>

enum err_kind {
    ERR_NONE,
    ERR_CONFIG,   /* what the operator wrote; exit status 2 */
    ERR_INPUT,    /* what a peer or a file says breaks its grammar */
    ERR_NETWORK,  /* no connection, no name, no certificate, cut off */
    ERR_TIMEOUT,  /* a deadline went by */
    ERR_DENIED,   /* credentials are missing, wrong or not enough */
    ERR_LIMIT,    /* a budget is used up */
    ERR_INTERNAL, /* cannot happen, and did */
};

struct err {
    enum err_kind kind;
    char text[768];
};

/* Both return false, so that a function can end in `return err_set(...)`. */
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "context: " in front of the text. */
bool err_wrap(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* "config", "network" and so on, as logs and reports name the kind. */
const char *err_kind_name(enum err_kind kind);

#define must_check __attribute__((warn_unused_result))

#endif
