/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h - a server in Python beside a test.
 *
 * The script lies in test/fakes.  It prints one line of key=value words when
 * it is ready, and ends when its standard input does: a test that crashes
 * leaves nothing behind.
 */
#ifndef TEST_LIB_CHILD_H
#define TEST_LIB_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
    pid_t pid;
    int input; /* its standard input */
    char line[2048];
};

/* False when it did not start (there is no Python, for one). */
bool child_start(struct child *c, const char *script);
/* Ends it, by its process number. */
void child_stop(struct child *c);
/* The value of a word of its line; ends the test when there is none. */
const char *child_value(const struct child *c, const char *key, char *out,
                        size_t size);
int child_number(const struct child *c, const char *key);

#endif
