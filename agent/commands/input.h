/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input.h - what a command is told to read, whole: a file, "-" for standard
 * input, or an http or https URL.
 */
#ifndef AGENT_COMMANDS_INPUT_H
#define AGENT_COMMANDS_INPUT_H

#include "agent/base/buf.h"
#include "agent/base/err.h"

#define INPUT_MAX ((size_t)1 << 30)

struct input {
    struct buf text;
    struct buf content_type; /* of a URL's answer; empty otherwise */
    bool is_url;
};

/* On success `in` is to be finished with input_fini(). */
must_check bool input_read(const char *what, struct input *in, struct err *err);
void input_fini(struct input *in);

#endif
