/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/discover/discover.h"

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/discover/listing.h"
#include "agent/discover/lookup.h"

#include <assert.h>
#include <stdlib.h>

/* As the table of `ecs` says, where a target alone names a service. */
#define ECS_REFRESH (30 * WHEN_SECOND)
#define ECS_KEEP    (5 * WHEN_MINUTE)
#define ECS_TIMEOUT (10 * WHEN_SECOND)

struct discovery {
    struct discovery_options options;
    char *job;
    struct relabel *relabel; /* NULL: no rules */
    struct arena places_memory;
    struct place *places;
    size_t place_count;
    struct lookup *lookups;
    size_t lookup_count;
    struct timer tell; /* `changed` never comes from inside discovery_new() */
    bool told;         /* at least once */
    bool cut;          /* logged that an answer may be cut */
    struct listing listing;
};

static bool settled(const struct discovery *d)
{
    for (size_t i = 0; i < d->lookup_count; i++)
        if (!d->lookups[i].answered && d->lookups[i].failure.kind == ERR_NONE)
            return false;
    return true;
}

static void list_places(struct discovery *d, struct listing *to)
{
    for (size_t i = 0; i < d->place_count; i++) {
        const struct place *p = &d->places[i];

        if (p->kind == PLACE_FIXED)
            listing_add(to, p, p->host, p->port);
    }
}

static void list_lookup(const struct lookup *l, struct listing *to)
{
    struct err why;

    for (size_t i = 0; i < l->count; i++)
        listing_add_host(to, l->place, &l->hosts[i]);
    if (!lookup_complete(l, &why))
        listing_incomplete(to, str_of(why.text));
    if (lookup_cut(l))
        listing_doubt(to, l->place, l->count);
}

static void log_change(struct discovery *d, const struct target_list *list)
{
    bool cut = list->doubt.len > 0;

    if (list->complete)
        log_info("targets_changed", log_z("job", d->job),
                 log_i("targets", (int64_t)list->count));
    else
        log_warn("targets_incomplete", log_z("job", d->job),
                 log_i("targets", (int64_t)list->count),
                 log_s("reason", list->reason));
    if (cut && !d->cut)
        log_warn("targets_may_be_cut", log_z("job", d->job),
                 log_s("reason", list->doubt));
    d->cut = cut;
}

/* Makes the list anew; true if it differs from the last one. */
static bool relist(struct discovery *d)
{
    struct listing fresh;
    bool differs;

    listing_init(&fresh, str_of(d->job), &d->options.conf->labels, d->relabel);
    list_places(d, &fresh);
    for (size_t i = 0; i < d->lookup_count; i++)
        list_lookup(&d->lookups[i], &fresh);
    listing_finish(&fresh);
    differs = !listing_same(&fresh, &d->listing);
    listing_fini(&d->listing);
    d->listing = fresh;
    return differs;
}

/* May free `d`. */
static void tell(void *arg)
{
    struct discovery *d = arg;
    const struct target_list *list = &d->listing.list;
    bool differs = relist(d);

    if (d->told && !differs)
        return;
    log_change(d, list);
    d->told = true;
    d->options.changed(d->options.arg, list);
}

/* Never tells from here: the lookup is still at work. */
static void on_lookup(void *arg)
{
    struct discovery *d = arg;

    if (settled(d))
        timer_arm(d->options.loop, &d->tell, loop_now(d->options.loop).mono_ms,
                  tell, d);
}

static bool parse_places(struct discovery *d, struct err *err)
{
    const struct discover_conf *conf = d->options.conf;
    struct arena *a = &d->places_memory;

    for (size_t i = 0; i < conf->targets.count; i++)
        if (!place_parse(str_of(conf->targets.items[i]), conf, a,
                         &d->places[d->place_count++], err))
            return false;
    return (!*conf->dns.name ||
            place_dns(conf, a, &d->places[d->place_count++], err)) &&
           (!conf->ecs ||
            place_ecs(conf, a, &d->places[d->place_count++], err));
}

/* `conf` was checked, so nothing here can fail. */
static void take_places(struct discovery *d)
{
    struct err err;
    bool ok;

    d->places =
        arena_array(&d->places_memory, d->options.conf->targets.count + 2,
                    sizeof(*d->places));
    ok = parse_places(d, &err);
    assert(ok);
    (void)ok;
}

static struct lookup_times times_of(const struct discover_conf *conf,
                                    const struct place *place)
{
    const struct discover_dns_conf *dns = &conf->dns;
    const struct discover_ecs_conf *ecs = conf->ecs;

    if (place->kind != PLACE_ECS)
        return (struct lookup_times){dns->refresh_ms, dns->keep_ms,
                                     dns->timeout_ms};
    if (ecs)
        return (struct lookup_times){ecs->refresh_ms, ecs->keep_ms,
                                     ecs->timeout_ms};
    return (struct lookup_times){ECS_REFRESH, ECS_KEEP, ECS_TIMEOUT};
}

static void take_lookups(struct discovery *d)
{
    d->lookups =
        arena_array(&d->places_memory, d->place_count + 1, sizeof(*d->lookups));
    for (size_t i = 0; i < d->place_count; i++)
        if (d->places[i].kind != PLACE_FIXED)
            d->lookups[d->lookup_count++] = (struct lookup){
                .loop = d->options.loop,
                .resolver = d->options.resolver,
                .ecs = d->options.ecs,
                .place = &d->places[i],
                .times = times_of(d->options.conf, &d->places[i]),
                .trust_eight = d->places[i].kind == PLACE_ECS ||
                               d->options.conf->dns.trust_eight,
                .once = d->options.once,
                .told = on_lookup,
                .arg = d,
            };
    for (size_t i = 0; i < d->lookup_count; i++)
        lookup_start(&d->lookups[i]);
}

struct discovery *discovery_new(const struct discovery_options *options)
{
    struct discovery *d = xcalloc(1, sizeof(*d));

    d->options = *options;
    d->job = xstrndup(options->job.ptr, options->job.len);
    arena_init(&d->places_memory, 1024);
    d->relabel = relabel_new(options->conf->relabel_configs,
                             options->conf->relabel_configs_count);
    listing_init(&d->listing, str_of(d->job), &options->conf->labels,
                 d->relabel);
    listing_incomplete(&d->listing, STR("not looked yet"));
    listing_finish(&d->listing);
    take_places(d);
    take_lookups(d);
    on_lookup(d); /* without lookups all is known already */
    return d;
}

void discovery_free(struct discovery *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->lookup_count; i++)
        lookup_fini(&d->lookups[i]);
    timer_disarm(&d->tell);
    listing_fini(&d->listing);
    arena_fini(&d->places_memory);
    relabel_free(d->relabel);
    free(d->job);
    free(d);
}

const struct target_list *discovery_targets(const struct discovery *d)
{
    return &d->listing.list;
}

struct discovery_stats discovery_stats(const struct discovery *d)
{
    struct discovery_stats sum = {0};

    for (size_t i = 0; i < d->lookup_count; i++) {
        const struct lookup *l = &d->lookups[i];

        sum.lookups += l->questions;
        sum.failures += l->failures;
    }
    return sum;
}
