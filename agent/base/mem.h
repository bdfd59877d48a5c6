/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem.h - memory that is always there.
 *
 * Running out of memory ends the process with one line on standard error;
 * running out of budget is an error of kind ERR_LIMIT, raised by whoever owns
 * the budget.  What these return is the caller's to free() and never NULL.
 */
#ifndef AGENT_BASE_MEM_H
#define AGENT_BASE_MEM_H

#include <stddef.h>

void *xmalloc(size_t n);
void *xcalloc(size_t count, size_t size);
/* `count * size` is checked for overflow, which ends the process as well. */
void *xreallocarray(void *p, size_t count, size_t size);
char *xstrdup(const char *s);
/* Copies `len` bytes and adds a NUL. */
char *xstrndup(const char *s, size_t len);

/*
 * Room for one more: grows `*items` (elements of `size` bytes, `count` used,
 * `*cap` allocated) to at least `count + 1`, by doubling.
 */
void xgrow(void *items, size_t *cap, size_t count, size_t size);

/* Zeroes memory that held a secret; never optimised away.  NULL is fine. */
void wipe(void *p, size_t n);
void wipe_free(char *secret); /* wipes up to the NUL, then frees */

#endif
