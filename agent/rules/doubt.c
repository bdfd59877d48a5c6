/* SPDX-License-Identifier: Apache-2.0 */
/* What is doubtful about a value although it could be computed. */
#include "agent/base/num.h"
#include "agent/rules/rule.h"

void happenings_add(struct happenings *h, struct arena *a, struct rule_event e)
{
    if (h->count == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : 8;
        struct rule_event *more = arena_array(a, cap, sizeof(*more));

        if (h->count > 0)
            memcpy(more, h->items, h->count * sizeof(*more));
        h->items = more;
        h->cap = cap;
    }
    h->items[h->count++] = e;
}

static struct str alike_text(const struct figure *f, struct arena *a)
{
    char value[NUM_MAX];

    num_plain(f->high, value);
    return arena_printf(a,
                        "sum over %.*s adds up what all %zu replicas report "
                        "alike (%s); if it is one shared figure, take max",
                        STR_ARG(f->name), f->replicas, value);
}

static struct str shared_text(const struct figure *f, struct arena *a)
{
    return arena_printf(a,
                        "sum over %.*s adds up one figure of the whole queue, "
                        "which each of %zu replicas reports; take max",
                        STR_ARG(f->name), f->replicas);
}

static struct str differ_text(const struct figure *f, struct str over,
                              struct arena *a)
{
    char low[NUM_MAX], high[NUM_MAX];

    num_plain(f->low, low);
    num_plain(f->high, high);
    return arena_printf(a,
                        "%.*s over %.*s takes one of %zu replicas' figures, "
                        "but they differ (%s to %s); if each is a replica's "
                        "own, take sum or avg",
                        STR_ARG(over), STR_ARG(f->name), f->replicas, low,
                        high);
}

/* The contradiction between how a selector is aggregated and what its
 * replicas report, or nothing. */
static struct str contradiction(const struct rules *r, const struct use *u,
                                struct arena *a)
{
    const struct figure *f =
        u->figure == NO_FIGURE ? NULL : &r->figures[u->figure];
    struct str over = u->selector->over;
    bool own = f && f->known && !f->known->shared;

    if (!f)
        return STR_NONE;
    if (f->known && f->known->shared && f->verdict != FIGURE_OWN &&
        f->replicas > 1 && str_eqz(over, "sum"))
        return shared_text(f, a);
    if (f->verdict == FIGURE_SHARED && !own && str_eqz(over, "sum"))
        return alike_text(f, a);
    if (f->verdict == FIGURE_OWN &&
        (str_eqz(over, "max") || str_eqz(over, "min")))
        return differ_text(f, over, a);
    return STR_NONE;
}

static void doubt_use(const struct rules *r, const struct rule *rule,
                      struct use *u, struct arena *a, struct texts *doubts,
                      struct happenings *events)
{
    struct str text = contradiction(r, u, a);
    bool doubted = text.len > 0;

    if (doubted)
        texts_add(doubts, a, text);
    if (doubted != u->doubted)
        happenings_add(events, a,
                       (struct rule_event){
                           .rule = rule->info.name,
                           .doubt = true,
                           .good = !doubted,
                           .text = doubted ? text : u->selector->text,
                       });
    u->doubted = doubted;
}

static bool feeds(const struct rules *r, const struct rule *rule,
                  const struct rule_job *job, struct arena *a)
{
    for (size_t i = 0; i < rule->use_count; i++)
        if (feed_from_job(r, &rule->uses[i], job, a))
            return true;
    return false;
}

static bool asks_for_workers(const struct rules *r, const struct rule *rule,
                             struct str service, struct arena *a)
{
    for (size_t i = 0; i < rule->use_count; i++) {
        const struct use *u = &rule->uses[i];

        if (u->figure != NO_FIGURE &&
            str_eq(r->figures[u->figure].name, RULE_CAPACITY) &&
            feed_from_service(u, service, a))
            return true;
    }
    return false;
}

static void doubt_jobs(const struct rules *r, const struct rule *rule,
                       const struct rules_world *w, struct arena *a,
                       struct texts *doubts)
{
    for (size_t i = 0; i < w->job_count; i++) {
        const struct rule_job *job = &w->jobs[i];

        if (job->doubt.len > 0 && feeds(r, rule, job, a))
            texts_add(doubts, a,
                      arena_printf(a, "targets of %.*s: %.*s",
                                   STR_ARG(job->name), STR_ARG(job->doubt)));
    }
}

static void doubt_workers(const struct rules *r, const struct rule *rule,
                          const struct rules_world *w, struct arena *a,
                          struct texts *doubts)
{
    for (size_t i = 0; i < w->service_count; i++) {
        const struct rule_service *v = &w->services[i];

        if (v->known && v->reason.len > 0 &&
            asks_for_workers(r, rule, v->name, a))
            texts_add(doubts, a,
                      arena_printf(a, "workers of %.*s: %.*s", STR_ARG(v->name),
                                   STR_ARG(v->reason)));
    }
}

void doubt_all(const struct rules *r, struct rule *rule,
               const struct rules_world *w, struct arena *a,
               struct texts *doubts, struct happenings *events)
{
    for (size_t i = 0; i < rule->use_count; i++)
        doubt_use(r, rule, &rule->uses[i], a, doubts, events);
    doubt_jobs(r, rule, w, a, doubts);
    doubt_workers(r, rule, w, a, doubts);
}
