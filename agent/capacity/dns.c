/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/capacity/source.h"

/* AWS Cloud Map puts at most eight addresses into an answer, so eight may be
 * any number (Cloud Map API, DnsConfig: "up to eight instances"). */
#define CUT_AT 8

static const struct {
    const char *name;
    enum resolve_type type;
} types[] = {
    [CAPACITY_A] = {"A", RESOLVE_A},
    [CAPACITY_AAAA] = {"AAAA", RESOLVE_AAAA},
    [CAPACITY_SRV] = {"SRV", RESOLVE_SRV},
};

static bool named(const struct capacity_conf *conf)
{
    return *conf->dns.name;
}

static void describe(const struct capacity_conf *conf, struct buf *out)
{
    buf_addf(out, "dns %s %s", conf->dns.name, types[conf->dns.type].name);
}

/* RFC 2782: the target "." says that there is no such service. */
static int64_t count_of(const struct resolve_answer *answer)
{
    int64_t n = 0;

    for (size_t i = 0; i < answer->count; i++)
        n += !str_eqz(answer->records[i].address, ".");
    return n;
}

static void on_answer(void *arg, const struct resolve_answer *answer,
                      const struct err *err)
{
    struct capacity_source *s = arg;
    const struct capacity_dns_conf *conf = &s->conf->dns;
    struct capacity_answer a = {0};
    struct err cut;

    if (err) {
        s->done(s->arg, NULL, err);
        return;
    }
    if (answer->count >= CUT_AT && !conf->trust_eight) {
        err_set(&cut, ERR_LIMIT,
                "dns: %zu addresses for %s may be a cut answer, since AWS "
                "Cloud Map gives no more than eight; ask the platform, or set "
                "trust_eight: true where DNS tells all",
                answer->count, conf->name);
        s->done(s->arg, NULL, &cut);
        return;
    }
    a.running = count_of(answer);
    s->done(s->arg, &a, NULL);
}

static void start(struct capacity_source *s)
{
    const struct resolve_question question = {str_of(s->conf->dns.name),
                                              types[s->conf->dns.type].type,
                                              s->conf->timeout_ms};

    resolve_start(s->with->resolver, &s->call, &question, on_answer, s);
}

static void cancel(struct capacity_source *s)
{
    resolve_cancel(&s->call);
}

const struct capacity_type capacity_dns = {
    .name = "dns",
    .named = named,
    .describe = describe,
    .start = start,
    .cancel = cancel,
};
