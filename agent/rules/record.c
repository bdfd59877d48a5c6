/* SPDX-License-Identifier: Apache-2.0 */
/* Recording rules among the rules: what feeds them, and how they went. */
#include "agent/base/mem.h"
#include "agent/rules/rule.h"

#include <stdlib.h>

bool recording_is_read(const struct rules *r, const struct use *u,
                       const struct recording *rec, struct arena *a)
{
    if (u->figure != NO_FIGURE)
        return str_eq(r->figures[u->figure].name, rec->record->name);
    return feed_takes(u, LABEL_NAME, rec->record->name, a);
}

/* ---- building ---- */

static void add_recording(struct rules *r, struct group *g, struct record *rec)
{
    struct recording *out = &r->recordings[r->recording_count++];

    *out = (struct recording){.group = g, .record = rec};
    out->uses = rules_uses(r, rec->query, &out->use_count);
}

static void note_recorded(struct rules *r, struct use *uses, size_t count,
                          struct arena *a)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < r->recording_count && !uses[i].recorded; k++)
            uses[i].recorded =
                recording_is_read(r, &uses[i], &r->recordings[k], a);
}

/* Places in rules->recordings. */
struct places {
    size_t *items;
    size_t count;
};

static bool reads(const struct rules *r, const struct recording *reader,
                  const struct recording *rec, struct arena *a)
{
    for (size_t i = 0; i < reader->use_count; i++)
        if (reader->uses[i].recorded &&
            recording_is_read(r, &reader->uses[i], rec, a))
            return true;
    return false;
}

static struct places read_by(const struct rules *r, const struct recording *rec,
                             struct arena *a)
{
    size_t *found = xcalloc(r->recording_count, sizeof(*found));
    struct places p = {.count = 0};

    for (size_t i = 0; i < r->recording_count; i++)
        if (reads(r, rec, &r->recordings[i], a))
            found[p.count++] = i;
    p.items = arena_array(a, p.count, sizeof(*p.items));
    if (p.count > 0)
        memcpy(p.items, found, p.count * sizeof(*p.items));
    free(found);
    return p;
}

/* From one rule to those it reads, and on; `found` is a list that grows while
 * it is walked. */
static void set_sources(struct rules *r, struct recording *rec,
                        const struct places *direct)
{
    bool *seen = xcalloc(r->recording_count, sizeof(*seen));
    size_t *found = xcalloc(r->recording_count, sizeof(*found));
    size_t *kept, n = 0;

    found[n++] = (size_t)(rec - r->recordings);
    seen[found[0]] = true;
    for (size_t i = 0; i < n; i++) {
        const struct places *next = &direct[found[i]];

        for (size_t k = 0; k < next->count; k++) {
            if (!seen[next->items[k]])
                found[n++] = next->items[k];
            seen[next->items[k]] = true;
        }
    }
    kept = arena_array(&r->arena, n, sizeof(*kept));
    memcpy(kept, found, n * sizeof(*kept));
    rec->sources = kept;
    rec->source_count = n;
    free(found);
    free(seen);
}

static void link_recordings(struct rules *r)
{
    struct places *direct;
    struct arena a;

    arena_init(&a, 4096);
    for (size_t i = 0; i < r->count; i++)
        note_recorded(r, r->items[i].uses, r->items[i].use_count, &a);
    for (size_t i = 0; i < r->recording_count; i++)
        note_recorded(r, r->recordings[i].uses, r->recordings[i].use_count, &a);
    direct = arena_array(&a, r->recording_count, sizeof(*direct));
    for (size_t i = 0; i < r->recording_count; i++)
        direct[i] = read_by(r, &r->recordings[i], &a);
    for (size_t i = 0; i < r->recording_count; i++)
        set_sources(r, &r->recordings[i], direct);
    arena_fini(&a);
}

void recordings_build(struct rules *r)
{
    size_t n = r->groups ? groups_records(r->groups) : 0;

    if (n == 0)
        return;
    r->recordings = xcalloc(n, sizeof(*r->recordings));
    for (size_t i = 0; i < r->groups->count; i++) {
        struct group *g = &r->groups->items[i];

        for (size_t k = 0; k < g->count; k++)
            add_recording(r, g, &g->records[k]);
    }
    link_recordings(r);
}

void recordings_fini(struct rules *r)
{
    for (size_t i = 0; i < r->recording_count; i++) {
        free(r->recordings[i].uses);
        free(r->recordings[i].reason);
    }
    free(r->recordings);
}

/* ---- memory ---- */

void recordings_set_back(struct rules *r, int64_t now_ms)
{
    for (size_t i = 0; i < r->recording_count; i++)
        if (r->recordings[i].bad_ms > now_ms)
            r->recordings[i].bad_ms = now_ms;
}

static bool is_same(const struct recording *a, const struct recording *b)
{
    return str_eq(a->group->file, b->group->file) &&
           str_eq(a->group->name, b->group->name) &&
           str_eq(a->record->name, b->record->name) &&
           str_eq(promql_text(a->record->query), promql_text(b->record->query));
}

static void inherit(struct recording *to, const struct recording *from)
{
    free(to->reason);
    to->bad = from->bad;
    to->failed = from->failed;
    to->bad_ms = from->bad_ms;
    to->early = from->early;
    to->reason = from->reason ? xstrdup(from->reason) : NULL;
}

void recordings_inherit(struct rules *r, const struct rules *from)
{
    if (r->groups && from->groups)
        groups_inherit(r->groups, from->groups);
    for (size_t i = 0; i < r->recording_count; i++)
        for (size_t k = 0; k < from->recording_count; k++)
            if (is_same(&r->recordings[i], &from->recordings[k]))
                inherit(&r->recordings[i], &from->recordings[k]);
}

/* ---- evaluation ---- */

struct recorder {
    struct rules *rules;
    const struct rules_world *world;
    struct store *store;
    struct arena *arena;
    struct record_event *events;
    size_t count;
};

static void tell(struct recorder *to, const struct recording *rec, bool good,
                 struct str text)
{
    to->events[to->count++] = (struct record_event){
        .group = rec->group->name,
        .record = rec->record->name,
        .good = good,
        .text = arena_str(to->arena, text),
    };
}

static void note_bad(struct recording *rec, int64_t t_ms, struct str reason,
                     bool early)
{
    rec->bad = true;
    rec->bad_ms = t_ms;
    rec->early = early;
    free(rec->reason);
    rec->reason = xstrndup(reason.ptr, reason.len);
}

static void record(struct recorder *to, struct recording *rec)
{
    int64_t now = to->world->t_ms;
    const struct record_world w = {.store = to->store, .arena = to->arena};
    struct feed feed;
    struct err err;
    bool ok;

    rec->bad = false; /* of what it writes itself it reads the past */
    feed_check(to->rules, rec->uses, rec->use_count, to->world, to->arena,
               &feed);
    ok = record_evaluate(rec->record, rec->group, &w, &err);
    if (!ok)
        note_bad(rec, now,
                 arena_printf(to->arena, "the rule fails: %s", err.text),
                 false);
    else if (!feed.complete)
        note_bad(rec, now, feed.reason, feed.early);
    if (ok == rec->failed)
        tell(to, rec, ok, ok ? STR_NONE : str_of(err.text));
    rec->failed = !ok;
}

static void record_group(struct recorder *to, const struct group *g)
{
    struct rules *r = to->rules;

    for (size_t i = 0; i < r->recording_count; i++)
        if (r->recordings[i].group == g)
            record(to, &r->recordings[i]);
}

/* Which jobs show what, and what each target shows now. */
static void observe(struct recorder *to)
{
    struct rules *r = to->rules;

    memory_begin(r, to->world);
    for (size_t i = 0; i < r->figure_count; i++)
        figure_observe(&r->figures[i], to->world, to->arena);
}

void rules_record(struct rules *r, const struct rules_world *world,
                  struct store *store, int64_t interval_ms, struct arena *arena,
                  struct records_told *out)
{
    struct recorder to = {
        .rules = r, .world = world, .store = store, .arena = arena};

    *out = (struct records_told){.events = NULL};
    if (r->recording_count == 0)
        return;
    to.events = arena_array(arena, r->recording_count, sizeof(*to.events));
    observe(&to);
    for (size_t i = 0; i < r->groups->count; i++) {
        struct group *g = &r->groups->items[i];

        if (!group_is_due(g, world->t_ms, interval_ms))
            continue;
        group_begin(g, world->t_ms);
        record_group(&to, g);
    }
    out->events = to.events;
    out->count = to.count;
}
