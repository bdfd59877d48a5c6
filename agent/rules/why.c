/* SPDX-License-Identifier: Apache-2.0 */
/* Why an expression found nothing, in words that help. */
#include "agent/base/near.h"
#include "agent/rules/rule.h"

struct found {
    int64_t from_ms, to_ms;
    size_t series, fresh;
};

static void count_found(void *arg, struct series *se)
{
    struct found *f = arg;
    const struct sample *s = series_newest(se, f->from_ms, f->to_ms);

    f->series++;
    f->fresh += s && !sample_is_stale(s->v);
}

static void offer(void *arg, struct str name, size_t series)
{
    (void)series;
    near_offer(arg, name);
}

struct str why_near(const struct rules_world *w, struct str name)
{
    struct near near;

    near_start(&near, name);
    store_names(w->store, offer, &near);
    return near.best;
}

/* No series has the name at all. */
static struct str no_such_name(const struct rules_world *w, struct str name,
                               struct arena *a)
{
    struct str best = why_near(w, name);

    if (best.ptr)
        return arena_printf(a, "no series is called %.*s; did you mean %.*s?",
                            STR_ARG(name), STR_ARG(best));
    return arena_printf(a, "no series is called %.*s", STR_ARG(name));
}

static size_t count_named(const struct rules_world *w, struct str name)
{
    const struct matcher named = {MATCH_EQ, LABEL_NAME, name, NULL};
    struct found f = {.to_ms = 0};

    store_select(w->store, &named, 1, count_found, &f);
    return f.series;
}

static struct str nothing_for(const struct rules *r, const struct use *u,
                              const struct rules_world *w, struct arena *a)
{
    const struct promql_selector *s = u->selector;
    struct found f = {.from_ms = w->t_ms - s->reach_ms, .to_ms = w->t_ms};

    store_select(w->store, s->matchers, s->matcher_count, count_found, &f);
    if (f.fresh > 0)
        return STR_NONE;
    if (f.series > 0)
        return arena_printf(a, "%.*s has no sample that is new enough",
                            STR_ARG(s->text));
    for (size_t i = 0; u->recorded && i < r->recording_count; i++)
        if (recording_is_read(r, u, &r->recordings[i], a))
            return arena_printf(a, "the recording rule %.*s gives no row",
                                STR_ARG(r->recordings[i].record->name));
    if (u->figure != NO_FIGURE &&
        count_named(w, r->figures[u->figure].name) == 0)
        return no_such_name(w, r->figures[u->figure].name, a);
    return arena_printf(a, "no series matches %.*s", STR_ARG(s->text));
}

struct str why_empty(const struct rules *r, const struct rule *rule,
                     const struct rules_world *w, struct arena *a)
{
    for (size_t i = 0; i < rule->use_count; i++) {
        const struct use *u = &rule->uses[i];
        struct str why;

        why = nothing_for(r, u, w, a);
        if (why.len > 0)
            return why;
    }
    return STR("the expression gives no value: a comparison keeps nothing, or "
               "no series match each other");
}
