/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h - one entry of `targets` taken apart; pure.
 */
#ifndef AGENT_DISCOVER_PLACE_H
#define AGENT_DISCOVER_PLACE_H

#include "agent/base/arena.h"
#include "agent/base/err.h"
#include "agent/discover/discover.h"

enum place_kind { PLACE_FIXED, PLACE_A, PLACE_AAAA, PLACE_SRV, PLACE_ECS };

struct place {
    enum place_kind kind;
    struct str scheme;
    struct str host;     /* brackets kept; for DNS the name to ask for; for ECS
                            what people call the service */
    struct str port;     /* text, as written; empty: none */
    struct str path;     /* with the query, from the slash on */
    struct ecs_conf ecs; /* PLACE_ECS: where to ask */
};

/* Slices are lent by `text`, `conf` and `a`. */
must_check bool place_parse(struct str text, const struct discover_conf *conf,
                            struct arena *a, struct place *out,
                            struct err *err);
/* The place that the `dns` table of a job names; its name is not empty. */
must_check bool place_dns(const struct discover_conf *conf, struct arena *a,
                          struct place *out, struct err *err);
/* The place that the `ecs` table of a job names; there is one. */
must_check bool place_ecs(const struct discover_conf *conf, struct arena *a,
                          struct place *out, struct err *err);
const char *place_kind_name(enum place_kind kind);

#endif
