/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h - a command line in one text, cut into its words; pure.
 *
 * Quotes and backslashes as POSIX' shell reads them (XCU section 2.2), and no
 * other feature of a shell: no variables, no globs, no pipes, no comments.
 * botocore cuts a credential_process in the same way (Python's shlex).
 */
#ifndef AGENT_IO_WORDS_H
#define AGENT_IO_WORDS_H

#include "agent/base/arena.h"
#include "agent/base/err.h"

/* `*out` is ended by NULL, holds one word at least and lives in `arena`.  An
 * error shows nothing of the text. */
must_check bool words_split(struct str text, struct arena *arena, char ***out,
                            struct err *err);

#endif
