/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config/conf.h"

#include <string.h>

static bool same_list(const struct conf_list *a, const struct conf_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

static bool same_map(const struct conf_map *a, const struct conf_map *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->pairs[i].name, b->pairs[i].name) != 0 ||
            strcmp(a->pairs[i].value, b->pairs[i].value) != 0)
            return false;
    return true;
}

static bool same_text(char *const *a, char *const *b)
{
    return *a == *b || (*a && *b && strcmp(*a, *b) == 0);
}

static bool same_rows(const struct conf_key *row, const char *a, const char *b)
{
    const char *x = *(char *const *)(const void *)(a + row->at);
    const char *y = *(char *const *)(const void *)(b + row->at);
    size_t n = *(const size_t *)(const void *)(a + row->count_at);

    if (n != *(const size_t *)(const void *)(b + row->count_at))
        return false;
    for (size_t i = 0; i < n; i++, x += row->size, y += row->size)
        if ((row->kind == CONF_KIND_NAMED &&
             !same_text((char *const *)(const void *)(x + row->name_at),
                        (char *const *)(const void *)(y + row->name_at))) ||
            !conf_same(row->keys, x, y))
            return false;
    return true;
}

static bool same_optional(const struct conf_key *row, const void *const *a,
                          const void *const *b)
{
    if (!*a || !*b)
        return *a == *b;
    return conf_same(row->keys, *a, *b);
}

static bool same_value(const struct conf_key *row, const void *a, const void *b)
{
    switch (row->kind) {
    case CONF_KIND_MS:
    case CONF_KIND_SIZE:
    case CONF_KIND_INT:
    case CONF_KIND_ENUM:
        return *(const int64_t *)a == *(const int64_t *)b;
    case CONF_KIND_NUM: /* finite, and 0 is 0 */
        return !(*(const double *)a < *(const double *)b) &&
               !(*(const double *)a > *(const double *)b);
    case CONF_KIND_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case CONF_KIND_TEXT:
        return same_text(a, b);
    case CONF_KIND_LIST:
        return same_list(a, b);
    case CONF_KIND_MAP:
        return same_map(a, b);
    case CONF_KIND_SECTION:
    case CONF_KIND_INLINE:
        return conf_same(row->keys, a, b);
    case CONF_KIND_OPTIONAL:
        return same_optional(row, a, b);
    case CONF_KIND_ROWS:
    case CONF_KIND_NAMED:
    case CONF_KIND_END:
        break;
    }
    return false;
}

bool conf_same(const struct conf_key *keys, const void *a, const void *b)
{
    for (const struct conf_key *row = keys; row && row->key; row++) {
        bool rows = row->kind == CONF_KIND_ROWS || row->kind == CONF_KIND_NAMED;

        if (rows ? !same_rows(row, a, b)
                 : !same_value(row, (const char *)a + row->at,
                               (const char *)b + row->at))
            return false;
    }
    return true;
}
