/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ini.h - files of sections and properties, as AWS' SDKs read them.
 *
 * SDKs and Tools Reference Guide, "Shared config and credentials files", and
 * where that is silent what the SDKs agree on: a line that begins with a blank
 * goes on with the value before it; # and ; begin a comment at the start of a
 * line, and in a value behind a blank; a name is looked up in any case; what
 * is written twice, the last time counts.  Pure; all of it lives in `arena`.
 */
#ifndef AUTH_INI_H
#define AUTH_INI_H

#include "agent/base/arena.h"
#include "agent/base/err.h"

/* A property; or, with an empty name, the beginning of a section. */
struct ini_entry {
    struct ini_entry *next;
    struct str section; /* as it stands in the brackets, trimmed */
    struct str name, value;
};

struct ini {
    struct ini_entry *first, *last;
};

/* Errors begin "FILE:LINE: " and show no value. */
must_check bool ini_parse(struct str text, const char *file,
                          struct arena *arena, struct ini *out,
                          struct err *err);

#endif
