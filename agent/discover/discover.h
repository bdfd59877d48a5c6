/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discover.h - where the targets of one job are.
 *
 * A job names its targets as URLs, as a DNS name, as a service of Amazon ECS,
 * or several of them; the list is the union.  DNS is asked again every
 * `refresh`, or sooner where the answer's TTL is shorter; ECS every `refresh`,
 * a tenth more or less.  A name that exists not (NXDOMAIN) has no targets, nor
 * has a service without running tasks.  Where asking fails the last list
 * stays; once it is older than `keep` it counts as incomplete, with the
 * reason.  Without any answer yet it is incomplete.
 *
 * `changed` comes later, from the loop: the first time when every source has
 * answered or failed, then whenever targets, completeness or the doubt
 * changed.  It may free the discovery.
 *
 * To add a way of finding targets: read its entry in place.c, and let a source
 * like lookup.c feed the listing in discover.c.
 */
#ifndef AGENT_DISCOVER_DISCOVER_H
#define AGENT_DISCOVER_DISCOVER_H

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/config/conf.h"
#include "agent/ecs/ecs.h"
#include "agent/io/loop.h"
#include "agent/io/resolve.h"
#include "agent/metric/target.h"
#include "agent/relabel/relabel.h"

/* More addresses than AWS Cloud Map puts into one answer cannot be told from
 * exactly as many (Cloud Map API, DnsConfig: "up to eight instances"). */
#define DISCOVER_CUT_AT 8

enum discover_dns_type { DISCOVER_A, DISCOVER_AAAA, DISCOVER_SRV };

struct discover_dns_conf {
    char *name;   /* empty: no DNS */
    int64_t type; /* enum discover_dns_type */
    int64_t port; /* A and AAAA need one; SRV brings its own */
    int64_t refresh_ms;
    int64_t keep_ms;
    int64_t timeout_ms; /* of one question */
    bool trust_eight;   /* eight addresses are all there are */
};

extern const struct conf_key discover_dns_keys[];

struct discover_ecs_conf {
    struct ecs_conf at;
    int64_t port; /* of the tasks */
    int64_t refresh_ms;
    int64_t keep_ms;
    int64_t timeout_ms; /* of all that one answer takes */
};

extern const struct conf_key discover_ecs_keys[];

/* The part of a job that says where its targets are. */
struct discover_conf {
    struct conf_list targets; /* URLs, or HOST:PORT with scheme and path; also
        dns+http://NAME:PORT/PATH and dnssrv+http://NAME/PATH (or https), and
        ecs+http://CLUSTER/SERVICE:PORT/PATH or ecs+http://SERVICE:PORT/PATH */
    struct discover_dns_conf dns;
    struct discover_ecs_conf *ecs; /* NULL: no ECS */
    char *scheme;                  /* http or https, for targets without one */
    char *path;                    /* for targets without one */
    struct conf_map labels;        /* set on every target */
    struct relabel_conf *relabel_configs;
    size_t relabel_configs_count;
};

extern const struct conf_key discover_keys[];

/* What the tables cannot check: URLs, a port with type A, label names. */
must_check bool discover_check(const struct discover_conf *conf,
                               struct err *err);
/* Whether ECS can be asked for the targets that name it; `conf` is checked. */
must_check bool discover_check_ecs(const struct discover_conf *conf,
                                   const struct auth_env *env, struct err *err);

struct discovery;

typedef void discovery_changed_fn(void *arg, const struct target_list *list);

struct discovery_options {
    struct loop *loop;
    struct resolver *resolver; /* may be NULL where no DNS is configured */
    struct ecs *ecs;           /* may be NULL where no ECS is configured */
    struct str job;            /* the label */
    const struct discover_conf *conf; /* checked; lent until _free */
    bool once; /* ask each source once and never again: --dry-run, --once */
    discovery_changed_fn *changed;
    void *arg;
};

/* Begins at once. */
struct discovery *discovery_new(const struct discovery_options *options);
void discovery_free(struct discovery *d);
/* What is known now; lent until the next turn of the loop.  Before the first
 * `changed` it is empty and incomplete. */
const struct target_list *discovery_targets(const struct discovery *d);

struct discovery_stats {
    uint64_t lookups;  /* questions asked */
    uint64_t failures; /* questions without an answer */
};
struct discovery_stats discovery_stats(const struct discovery *d);

/* scheme://host:port/path, with brackets round an IPv6 address; an empty port
 * is left out. */
void discover_url(struct buf *out, struct str scheme, struct str host,
                  struct str port, struct str path);

#endif
