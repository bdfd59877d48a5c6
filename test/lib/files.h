/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.h - cases that are files, below test/data of the source tree.
 *
 * A fault (no such file, no such folder) ends the program with a line.
 */
#ifndef TEST_LIB_FILES_H
#define TEST_LIB_FILES_H

#include "agent/base/buf.h"

#include <stddef.h>

/* "sinks/cloudwatch" becomes the path from here; to be freed. */
char *files_path(const char *below_data);
/* The whole file, NUL-terminated, to be freed; `len` may be NULL. */
char *files_read(const char *below_data, size_t *len);
bool files_exist(const char *below_data);
/* Names in a folder that end in `suffix` ("" for all), sorted, without it;
 * each and the list to be freed. */
size_t files_list(const char *below_data, const char *suffix, char ***names);
void files_list_free(char **names, size_t count);
/* Whether the file holds just `got`; else both are shown.  With
 * SCALEBRIDGE_WRITE_CASES set the file is written instead, to be reviewed. */
bool files_hold(const char *below_data, struct str got);

#endif
