/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/parse/strict.h"

#include "agent/base/mem.h"

#include <stdlib.h>
struct strict {
    int x;
};
struct strict *strict_new(void)
{
    return xcalloc(1, sizeof(struct strict));
}
void strict_free(struct strict *s)
{
    free(s);
}
bool strict_sample(struct parser *p, struct str name)
{
    (void)p;
    (void)name;
    return true;
}
bool strict_meta(struct parser *p, const struct parse_meta *m, const char *text,
                 size_t name_at)
{
    (void)p;
    (void)m;
    (void)text;
    (void)name_at;
    return true;
}
bool strict_end(struct parser *p, const char *text)
{
    (void)p;
    (void)text;
    return true;
}
