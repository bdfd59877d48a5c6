/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/scrape/merge.h"

#include <stdlib.h>

static struct str free_name(const struct labels_builder *b, struct str name,
                            struct arena *a)
{
    do
        name = arena_printf(a, "exported_%.*s", STR_ARG(name));
    while (labels_peek(b, name).len > 0);
    return name;
}

/* Shorter names first, so that exported_job is taken before
 * exported_exported_job asks for its name. */
static int by_name_length(const void *a, const void *b)
{
    const struct label *x = a, *y = b;

    if (x->name.len != y->name.len)
        return x->name.len < y->name.len ? -1 : 1;
    return str_cmp(x->name, y->name);
}

static void take_over(struct labels_builder *b, const struct labels *target,
                      struct arena *a)
{
    struct label *clashes = arena_array(a, target->count + 1, sizeof(*clashes));
    struct labels_iter it = labels_iter(target);
    struct label l;
    size_t count = 0;

    while (labels_next(&it, &l)) {
        struct str written = labels_peek(b, l.name);

        if (written.len > 0)
            clashes[count++] = (struct label){l.name, written};
        labels_set(b, l.name, l.value);
    }
    qsort(clashes, count, sizeof(*clashes), by_name_length);
    for (size_t i = 0; i < count; i++)
        labels_set(b, free_name(b, clashes[i].name, a), clashes[i].value);
}

/* Even as an empty label, which is how a Pushgateway says that a series
 * belongs to no instance. */
static bool written(const struct labels_builder *b, struct str name)
{
    for (size_t i = 0; i < b->count; i++)
        if (str_eq(b->pairs[i].name, name))
            return true;
    return false;
}

static void fill_in(struct labels_builder *b, const struct labels *target)
{
    struct labels_iter it = labels_iter(target);
    struct label l;

    while (labels_next(&it, &l))
        if (!written(b, l.name))
            labels_set(b, l.name, l.value);
}

void merge_labels(struct labels_builder *b, const struct labels *target,
                  bool honor, struct arena *a)
{
    if (honor)
        fill_in(b, target);
    else
        take_over(b, target, a);
}

/* At most 50 bytes of a text that its writer chose. */
static struct str brief(struct str s)
{
    return str_n(s.ptr, s.len < 50 ? s.len : 50);
}

static bool within(const char *limit, const struct labels *set,
                   struct str label, size_t length, int64_t most,
                   struct err *err)
{
    if (most == 0 || length <= (uint64_t)most)
        return true;
    return err_set(err, ERR_LIMIT,
                   "%s exceeded (metric: %.*s, label name: %.*s, length: %zu, "
                   "limit: %lld)",
                   limit, STR_ARG(brief(labels_name(set))),
                   STR_ARG(brief(label)), length, (long long)most);
}

bool merge_within(const struct labels *set, const struct scrape_conf *conf,
                  struct err *err)
{
    struct labels_iter it = labels_iter(set);
    struct label l;

    if (conf->label_limit > 0 && set->count > conf->label_limit)
        return err_set(err, ERR_LIMIT,
                       "label_limit exceeded (metric: %.*s, number of labels: "
                       "%u, limit: %lld)",
                       STR_ARG(brief(labels_name(set))), set->count,
                       (long long)conf->label_limit);
    while (labels_next(&it, &l))
        if (!within("label_name_length_limit", set, l.name, l.name.len,
                    conf->label_name_length_limit, err) ||
            !within("label_value_length_limit", set, l.name, l.value.len,
                    conf->label_value_length_limit, err))
            return false;
    return true;
}
