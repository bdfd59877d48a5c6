/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/discover/listing.h"

#include "agent/base/mem.h"
#include "agent/discover/renamed.h"

#include <stdlib.h>

void listing_init(struct listing *l, struct str job,
                  const struct conf_map *labels, const struct relabel *relabel)
{
    *l = (struct listing){.job = job, .labels = labels, .relabel = relabel};
    arena_init(&l->memory, 1024);
    l->list.complete = true;
}

void listing_fini(struct listing *l)
{
    free(l->targets);
    arena_fini(&l->memory);
    *l = (struct listing){0};
}

void discover_url(struct buf *out, struct str scheme, struct str host,
                  struct str port, struct str path)
{
    bool bare = str_find(host, ':') < host.len && host.ptr[0] != '[';

    buf_addf(out, "%.*s://", STR_ARG(scheme));
    buf_addf(out, bare ? "[%.*s]" : "%.*s", STR_ARG(host));
    if (port.len > 0)
        buf_addf(out, ":%.*s", STR_ARG(port));
    buf_adds(out, path);
}

/* host:port of a URL made by discover_url(). */
static struct str authority(struct str url)
{
    struct str rest = str_from(url, str_find(url, ':') + 3);
    size_t end = 0;

    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?')
        end++;
    rest.len = end;
    return rest;
}

static const struct labels *labels_for(struct listing *l, struct str url)
{
    struct labels_builder b = {0};
    const struct labels *made;

    for (size_t i = 0; i < l->labels->count; i++)
        labels_set(&b, str_of(l->labels->pairs[i].name),
                   str_of(l->labels->pairs[i].value));
    labels_set(&b, LABEL_JOB, l->job);
    labels_set(&b, LABEL_INSTANCE, authority(url));
    made = labels_build(&b, &l->memory);
    labels_builder_fini(&b);
    return made;
}

/* False: the rules drop it, or make no target of it. */
static bool rename_target(struct listing *l, const struct place *place,
                          struct target *t)
{
    struct renamed r = {
        .scheme = place->scheme,
        .address = authority(t->url),
        .path = place->path,
        .labels = l->labels,
        .job = l->job,
    };
    struct err err = {.kind = ERR_NONE};
    bool stays = renamed_apply(&r, l->relabel, &l->memory, t, &err);

    if (!stays && err.kind != ERR_NONE)
        listing_incomplete(l, str_of(err.text));
    return stays;
}

void listing_add(struct listing *l, const struct place *place, struct str host,
                 struct str port)
{
    struct buf url;
    struct target t;

    buf_init(&url, BUF_NO_LIMIT);
    discover_url(&url, place->scheme, host, port, place->path);
    t.url = arena_str(&l->memory, buf_str(&url));
    buf_fini(&url);
    if (!l->relabel)
        t.labels = labels_for(l, t.url);
    else if (!rename_target(l, place, &t))
        return;
    xgrow(&l->targets, &l->cap, l->list.count, sizeof(*l->targets));
    l->targets[l->list.count++] = t;
}

/* SRV records bring their port; other addresses take the place's. */
void listing_add_host(struct listing *l, const struct place *place,
                      const struct lookup_host *host)
{
    struct str port = place->port;

    if (place->kind == PLACE_SRV)
        port = arena_printf(&l->memory, "%u", (unsigned)host->port);
    listing_add(l, place, str_of(host->name), port);
}

void listing_incomplete(struct listing *l, struct str reason)
{
    if (l->list.complete)
        l->list.reason = arena_str(&l->memory, reason);
    l->list.complete = false;
}

void listing_doubt(struct listing *l, const struct place *place, size_t count)
{
    l->list.doubt = arena_printf(
        &l->memory,
        "dns: %zu addresses for %.*s may be a cut answer, since AWS Cloud Map "
        "gives no more than eight; set trust_eight: true where DNS tells all",
        count, STR_ARG(place->host));
}

static int by_url(const void *a, const void *b)
{
    const struct target *x = a, *y = b;

    return str_cmp(x->url, y->url);
}

void listing_finish(struct listing *l)
{
    size_t kept = 0;

    if (l->list.count > 1)
        qsort(l->targets, l->list.count, sizeof(*l->targets), by_url);
    for (size_t i = 0; i < l->list.count; i++)
        if (kept == 0 || !str_eq(l->targets[kept - 1].url, l->targets[i].url))
            l->targets[kept++] = l->targets[i];
    l->list.count = kept;
    l->list.targets = l->targets;
    l->labels = NULL;
    l->relabel = NULL;
}

bool listing_same(const struct listing *a, const struct listing *b)
{
    const struct target_list *x = &a->list, *y = &b->list;

    if (x->count != y->count || x->complete != y->complete ||
        !str_eq(x->reason, y->reason) || !str_eq(x->doubt, y->doubt))
        return false;
    for (size_t i = 0; i < x->count; i++)
        if (!str_eq(x->targets[i].url, y->targets[i].url))
            return false;
    return true;
}
