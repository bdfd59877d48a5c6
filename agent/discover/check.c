/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/discover/place.h"

#define SCHEMES "http or https"

static bool check_labels(const struct conf_map *labels, struct err *err)
{
    for (size_t i = 0; i < labels->count; i++) {
        struct str name = str_of(labels->pairs[i].name);

        if (name.len == 0 || !str_utf8(name) ||
            !str_utf8(str_of(labels->pairs[i].value)))
            return err_set(err, ERR_CONFIG,
                           "labels: \"%.*s\" is no label: names are not empty, "
                           "and all is UTF-8",
                           STR_ARG(name));
        if (str_eq(name, LABEL_JOB) || str_eq(name, LABEL_INSTANCE) ||
            str_starts(name, STR("__")))
            return err_set(err, ERR_CONFIG,
                           "labels: %.*s is set by scalebridge itself: choose "
                           "another name",
                           STR_ARG(name));
    }
    return true;
}

/* Two targets of a job with one host and port have the same labels, so that
 * each would overwrite what the other says. */
static bool check_distinct(const struct place *places, size_t i,
                           struct str text, struct err *err)
{
    for (size_t j = 0; j < i; j++)
        if (places[i].kind == PLACE_FIXED && places[j].kind == PLACE_FIXED &&
            str_eq(places[i].host, places[j].host) &&
            str_eq(places[i].port, places[j].port) &&
            !(str_eq(places[i].path, places[j].path) &&
              str_eq(places[i].scheme, places[j].scheme)))
            return err_set(err, ERR_CONFIG,
                           "targets: \"%.*s\" has the host and port of another "
                           "target: give each path a job of its own",
                           STR_ARG(text));
    return true;
}

static bool check_places(const struct discover_conf *conf, struct arena *a,
                         struct err *err)
{
    struct place *places =
        arena_array(a, conf->targets.count + 1, sizeof(*places));
    struct place other;

    for (size_t i = 0; i < conf->targets.count; i++) {
        struct str text = str_of(conf->targets.items[i]);

        if (!place_parse(text, conf, a, &places[i], err) ||
            !check_distinct(places, i, text, err))
            return false;
    }
    return (!*conf->dns.name || place_dns(conf, a, &other, err)) &&
           (!conf->ecs || place_ecs(conf, a, &other, err));
}

bool discover_check(const struct discover_conf *conf, struct err *err)
{
    struct arena a;
    bool ok;

    if (conf->targets.count == 0 && !*conf->dns.name && !conf->ecs)
        return err_set(err, ERR_CONFIG,
                       "no targets are named: write targets, dns or ecs");
    if (strcmp(conf->scheme, "http") != 0 && strcmp(conf->scheme, "https") != 0)
        return err_set(err, ERR_CONFIG, "scheme: \"%s\" is not " SCHEMES,
                       conf->scheme);
    arena_init(&a, 1024);
    ok = check_places(conf, &a, err) && check_labels(&conf->labels, err);
    arena_fini(&a);
    return ok;
}

static bool check_service(struct str text, const struct discover_conf *conf,
                          const struct auth_env *env, struct arena *a,
                          struct err *err)
{
    struct place p;

    if (!place_parse(text, conf, a, &p, err))
        return false;
    if (p.kind != PLACE_ECS || ecs_check(&p.ecs, env, err))
        return true;
    return err_wrap(err, "targets: \"%.*s\"", STR_ARG(text));
}

bool discover_check_ecs(const struct discover_conf *conf,
                        const struct auth_env *env, struct err *err)
{
    struct arena a;
    bool ok = true;

    arena_init(&a, 1024);
    for (size_t i = 0; ok && i < conf->targets.count; i++)
        ok = check_service(str_of(conf->targets.items[i]), conf, env, &a, err);
    arena_fini(&a);
    return ok;
}
