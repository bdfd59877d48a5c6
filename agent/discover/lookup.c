/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/discover/lookup.h"

#include "agent/base/log.h"
#include "agent/base/mem.h"

#include <assert.h>
#include <stdlib.h>

#define RETRY_MS   WHEN_SECOND
#define TTL_MIN_MS (5 * WHEN_SECOND) /* a TTL of 0 is no wish for a flood */

static const struct {
    const char *name;
    unsigned next; /* states that may follow */
} states[] = {
    [LOOKUP_RESTING] = {"resting", 1U << LOOKUP_ASKING},
    [LOOKUP_ASKING] = {"asking", 1U << LOOKUP_RESTING},
};

/* The only way from state to state. */
static void enter(struct lookup *l, enum lookup_state next)
{
    assert(states[l->state].next & 1U << next);
    log_debug("lookup", log_s("name", l->place->host),
              log_z("from", states[l->state].name),
              log_z("to", states[next].name));
    l->state = next;
}

static void on_answer(void *arg, const struct resolve_answer *answer,
                      const struct err *err);

static void ask(void *arg)
{
    static const enum resolve_type types[] = {
        [PLACE_A] = RESOLVE_A,
        [PLACE_AAAA] = RESOLVE_AAAA,
        [PLACE_SRV] = RESOLVE_SRV,
    };
    struct lookup *l = arg;
    const struct resolve_question question = {
        l->place->host, types[l->place->kind], l->conf->timeout_ms};

    enter(l, LOOKUP_ASKING);
    l->questions++;
    resolve_start(l->resolver, &l->call, &question, on_answer, l);
}

static void rest(struct lookup *l, int64_t ms)
{
    enter(l, LOOKUP_RESTING);
    if (!l->once)
        timer_arm(l->loop, &l->timer, loop_now(l->loop).mono_ms + ms, ask, l);
}

static void forget_hosts(struct lookup *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->hosts[i].name);
    free(l->hosts);
    l->hosts = NULL;
    l->count = 0;
}

/* RFC 2782: the target "." says that there is no such service. */
static bool usable(const struct resolve_record *r)
{
    return r->address.len > 0 && !str_eqz(r->address, ".");
}

static void keep_hosts(struct lookup *l, const struct resolve_answer *answer)
{
    forget_hosts(l);
    l->hosts = xcalloc(answer->count + 1, sizeof(*l->hosts));
    for (size_t i = 0; i < answer->count; i++) {
        struct str name = answer->records[i].address;

        if (!usable(&answer->records[i]))
            continue;
        if (str_ends(name, STR(".")))
            name.len--;
        l->hosts[l->count++] = (struct lookup_host){
            .name = xstrndup(name.ptr, name.len),
            .port = answer->records[i].port,
        };
    }
}

/* After the shortest TTL, within TTL_MIN_MS and `refresh`. */
static int64_t until_next(const struct lookup *l,
                          const struct resolve_answer *answer)
{
    int64_t ms = l->conf->refresh_ms;

    for (size_t i = 0; i < answer->count; i++)
        if (answer->records[i].ttl_ms < ms)
            ms = answer->records[i].ttl_ms;
    if (ms < TTL_MIN_MS)
        ms = TTL_MIN_MS;
    return ms < l->conf->refresh_ms ? ms : l->conf->refresh_ms;
}

static void succeed(struct lookup *l, const struct resolve_answer *answer)
{
    if (l->failure.kind != ERR_NONE)
        log_info("discovery_recovered", log_s("name", l->place->host));
    l->failure.kind = ERR_NONE;
    backoff_reset(&l->backoff);
    l->answered = true;
    l->answered_at_ms = loop_now(l->loop).mono_ms;
    keep_hosts(l, answer);
    rest(l, until_next(l, answer));
}

static void fail(struct lookup *l, const struct err *err)
{
    if (l->failure.kind == ERR_NONE)
        log_warn("discovery_failed", log_s("name", l->place->host),
                 log_err(err));
    l->failure = *err;
    l->failures++;
    rest(l, 1 + backoff_next(&l->backoff, loop_random(l->loop)));
}

static void on_answer(void *arg, const struct resolve_answer *answer,
                      const struct err *err)
{
    struct lookup *l = arg;

    if (err)
        fail(l, err);
    else
        succeed(l, answer);
    l->told(l->arg);
}

void lookup_start(struct lookup *l)
{
    l->backoff = (struct backoff){
        .base_ms = RETRY_MS,
        .cap_ms = l->conf->refresh_ms,
    };
    ask(l);
}

void lookup_fini(struct lookup *l)
{
    resolve_cancel(&l->call);
    timer_disarm(&l->timer);
    forget_hosts(l);
}

bool lookup_complete(const struct lookup *l, struct err *why)
{
    char keep[WHEN_TEXT];
    int64_t age;

    if (!l->answered)
        return l->failure.kind == ERR_NONE
                   ? err_set(why, ERR_NETWORK, "dns: %.*s is not answered yet",
                             STR_ARG(l->place->host))
                   : err_set(why, l->failure.kind, "dns: %s", l->failure.text);
    age = loop_now(l->loop).mono_ms - l->answered_at_ms;
    if (l->failure.kind == ERR_NONE || age < l->conf->keep_ms)
        return true;
    when_duration_format(l->conf->keep_ms, keep);
    return err_set(why, l->failure.kind,
                   "dns: the last answer for %.*s is older than %s: %s",
                   STR_ARG(l->place->host), keep, l->failure.text);
}

bool lookup_cut(const struct lookup *l)
{
    return l->count >= DISCOVER_CUT_AT && !l->conf->trust_eight;
}
