/* SPDX-License-Identifier: Apache-2.0 */
/* The first line is a pattern, the rest a subject and, again, a template. */
#include "agent/base/regex.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct str rest = str_n((const char *)data, size);
    struct str pattern;
    struct regex *re;
    struct err err;
    struct buf out;

    if (!str_next(&rest, '\n', &pattern))
        return 0;
    re = regex_new(pattern, &err);
    if (!re)
        return 0;
    buf_init(&out, (size_t)1 << 20);
    /* What expands has matched: both ways of matching must agree. */
    if (regex_expand(re, rest, rest, &out) && !regex_match(re, rest))
        abort();
    buf_fini(&out);
    regex_free(re);
    return 0;
}
