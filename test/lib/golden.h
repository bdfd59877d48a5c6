/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden.h - cases of configurations as files.
 *
 * In $srcdir/DIR each NAME.yml is a case: NAME.env holds variables, one
 * NAME=value a line, and NAME.out what the function under test must print.
 * Without NAME.yml but with NAME.env the case has no file.  To write the
 * expected texts anew: GOLDEN_UPDATE=1 test/unit/test_conf, then read the
 * difference.
 */
#ifndef TEST_LIB_GOLDEN_H
#define TEST_LIB_GOLDEN_H

#include "agent/config/source.h"

struct golden_case {
    const char *name;
    bool has_file;
    struct str text;         /* of NAME.yml; it is called "scalebridge.yml" */
    struct conf_world world; /* the files in it: /run/secrets/token, .../bad */
};

typedef void golden_fn(const struct golden_case *c, struct buf *out);

/* One TAP line a case; returns the number of failures. */
int golden_run(const char *dir, golden_fn *fn);

#endif
