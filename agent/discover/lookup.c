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
static void on_tasks(void *arg, const struct ecs_tasks *tasks,
                     const struct err *err);

static bool is_ecs(const struct lookup *l)
{
    return l->place->kind == PLACE_ECS;
}

static void ask_dns(struct lookup *l)
{
    static const enum resolve_type types[] = {
        [PLACE_A] = RESOLVE_A,
        [PLACE_AAAA] = RESOLVE_AAAA,
        [PLACE_SRV] = RESOLVE_SRV,
    };
    const struct resolve_question question = {
        l->place->host, types[l->place->kind], l->times.timeout_ms};

    resolve_start(l->resolver, &l->call, &question, on_answer, l);
}

static void ask(void *arg)
{
    struct lookup *l = arg;

    enter(l, LOOKUP_ASKING);
    l->questions++;
    if (is_ecs(l))
        ecs_tasks_start(l->ecs, &l->tasks, &l->place->ecs, l->times.timeout_ms,
                        on_tasks, l);
    else
        ask_dns(l);
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

static void keep_tasks(struct lookup *l, const struct ecs_tasks *tasks)
{
    forget_hosts(l);
    l->hosts = xcalloc(tasks->count + 1, sizeof(*l->hosts));
    for (size_t i = 0; i < tasks->count; i++)
        l->hosts[l->count++].name =
            xstrndup(tasks->addresses[i].ptr, tasks->addresses[i].len);
}

/* After the shortest TTL, within TTL_MIN_MS and `refresh`. */
static int64_t until_next(const struct lookup *l,
                          const struct resolve_answer *answer)
{
    int64_t ms = l->times.refresh_ms;

    for (size_t i = 0; i < answer->count; i++)
        if (answer->records[i].ttl_ms < ms)
            ms = answer->records[i].ttl_ms;
    if (ms < TTL_MIN_MS)
        ms = TTL_MIN_MS;
    return ms < l->times.refresh_ms ? ms : l->times.refresh_ms;
}

static void succeed(struct lookup *l)
{
    if (l->failure.kind != ERR_NONE)
        log_info("discovery_recovered", log_s("name", l->place->host));
    l->failure.kind = ERR_NONE;
    backoff_reset(&l->backoff);
    l->answered = true;
    l->answered_at_ms = loop_now(l->loop).mono_ms;
}

/* A tenth earlier or later, so that agents do not ask all at once. */
static int64_t refresh_with_jitter(const struct lookup *l)
{
    int64_t ms = l->times.refresh_ms;

    return ms - ms / 10 +
           (int64_t)(loop_random(l->loop) % (uint64_t)(ms / 5 + 1));
}

static void fail(struct lookup *l, const struct err *err)
{
    if (l->failure.kind == ERR_NONE)
        log_warn("discovery_failed", log_s("name", l->place->host),
                 log_err(err));
    l->failure = *err;
    l->failures++;
    rest(l, (is_ecs(l) ? ECS_LEAST_MS : 1) +
                backoff_next(&l->backoff, loop_random(l->loop)));
}

static void on_answer(void *arg, const struct resolve_answer *answer,
                      const struct err *err)
{
    struct lookup *l = arg;

    if (err) {
        fail(l, err);
    } else {
        succeed(l);
        keep_hosts(l, answer);
        rest(l, until_next(l, answer));
    }
    l->told(l->arg);
}

static void on_tasks(void *arg, const struct ecs_tasks *tasks,
                     const struct err *err)
{
    struct lookup *l = arg;

    if (err) {
        fail(l, err);
    } else {
        succeed(l);
        keep_tasks(l, tasks);
        rest(l, refresh_with_jitter(l));
    }
    l->told(l->arg);
}

void lookup_start(struct lookup *l)
{
    l->backoff = (struct backoff){
        .base_ms = RETRY_MS,
        .cap_ms = l->times.refresh_ms,
    };
    ask(l);
}

void lookup_fini(struct lookup *l)
{
    resolve_cancel(&l->call);
    ecs_tasks_cancel(&l->tasks);
    timer_disarm(&l->timer);
    forget_hosts(l);
}

/* What ECS says of itself begins with its name. */
static bool refuse_unanswered(const struct lookup *l, struct err *why)
{
    const char *from = is_ecs(l) ? "ecs" : "dns";

    if (l->failure.kind == ERR_NONE)
        return err_set(why, ERR_NETWORK, "%s: %.*s is not answered yet", from,
                       STR_ARG(l->place->host));
    return err_set(why, l->failure.kind, "%s%s",
                   is_ecs(l) ? "" : "dns: ", l->failure.text);
}

bool lookup_complete(const struct lookup *l, struct err *why)
{
    char keep[WHEN_TEXT];
    int64_t age;

    if (!l->answered)
        return refuse_unanswered(l, why);
    age = loop_now(l->loop).mono_ms - l->answered_at_ms;
    if (l->failure.kind == ERR_NONE || age < l->times.keep_ms)
        return true;
    when_duration_format(l->times.keep_ms, keep);
    return err_set(why, l->failure.kind,
                   "%s: the last answer for %.*s is older than %s: %s",
                   is_ecs(l) ? "ecs" : "dns", STR_ARG(l->place->host), keep,
                   l->failure.text);
}

bool lookup_cut(const struct lookup *l)
{
    return l->count >= DISCOVER_CUT_AT && !l->trust_eight;
}
