/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/parse/lint.h"

#include "agent/base/mem.h"

#include <stdlib.h>
struct lint {
    int x;
};
struct lint *lint_new(void)
{
    return xcalloc(1, sizeof(struct lint));
}
void lint_free(struct lint *s)
{
    free(s);
}
void lint_sample(struct parser *p, struct str name)
{
    (void)p;
    (void)name;
}
void lint_meta(struct parser *p, const struct parse_meta *m, size_t name_at)
{
    (void)p;
    (void)m;
    (void)name_at;
}
void lint_end(struct parser *p)
{
    (void)p;
}
