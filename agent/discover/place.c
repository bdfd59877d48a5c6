/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/discover/place.h"

#include "agent/io/message.h"

static const struct {
    struct str prefix;
    enum place_kind kind;
} prefixes[] = {
    {{"dns+", 4}, PLACE_A},
    {{"dnsaaaa+", 8}, PLACE_AAAA},
    {{"dnssrv+", 7}, PLACE_SRV},
    {{"ecs+", 4}, PLACE_ECS},
};

static const char *const kind_names[] = {
    [PLACE_FIXED] = "fixed", [PLACE_A] = "A",     [PLACE_AAAA] = "AAAA",
    [PLACE_SRV] = "SRV",     [PLACE_ECS] = "ECS",
};

const char *place_kind_name(enum place_kind kind)
{
    return kind_names[kind];
}

static enum place_kind take_prefix(struct str *text)
{
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (str_starts(*text, prefixes[i].prefix)) {
            *text = str_from(*text, prefixes[i].prefix.len);
            return prefixes[i].kind;
        }
    return PLACE_FIXED;
}

/* From the first slash or question mark behind scheme://authority on. */
static struct str written_path(struct str url)
{
    size_t at = str_find(url, ':') + 3;

    while (at < url.len && url.ptr[at] != '/' && url.ptr[at] != '?')
        at++;
    return str_from(url, at > url.len ? url.len : at);
}

static bool has_scheme(struct str text)
{
    size_t at = str_find(text, ':');

    return at + 2 < text.len && text.ptr[at + 1] == '/' &&
           text.ptr[at + 2] == '/';
}

static struct str with_slash(struct str path, struct arena *a)
{
    if (path.len > 0 && path.ptr[0] == '/')
        return path;
    return arena_printf(a, "/%.*s", STR_ARG(path));
}

static bool bad_port(struct str port)
{
    int64_t n;

    return port.len > 0 && (!str_int(port, &n) || n < 1 || n > UINT16_MAX);
}

/*
 * Amazon ECS: SCHEME://CLUSTER/SERVICE:PORT/PATH, or SCHEME://SERVICE:PORT/PATH
 * where this task's own cluster is meant.
 */
static void name_service(struct place *p, struct arena *a)
{
    struct buf shown;

    buf_init(&shown, BUF_NO_LIMIT);
    ecs_describe(&p->ecs, &shown);
    p->host = arena_str(a, str_from(buf_str(&shown), sizeof("ecs ") - 1));
    buf_fini(&shown);
}

/* SERVICE:PORT at the beginning of a path, and what is left of it. */
static void split_service(struct str *path, struct str *service,
                          struct str *port)
{
    struct str rest = str_from(*path, 1);
    size_t colon, end = 0;

    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?')
        end++;
    *path = str_from(rest, end);
    rest.len = end;
    colon = str_find(rest, ':');
    *service = str_n(rest.ptr, colon);
    *port = str_from(rest, colon + 1);
}

static bool refuse_service(struct str text, struct err *err)
{
    return err_set(err, ERR_CONFIG,
                   "targets: \"%.*s\" is not a service like "
                   "ecs+http://cluster/service:5000/prometheus",
                   STR_ARG(text));
}

static bool parse_service(struct str text, const struct http_url *parts,
                          struct str path, const struct discover_conf *conf,
                          struct arena *a, struct place *out, struct err *err)
{
    struct str service = parts->host, port = parts->port;
    struct str cluster = STR_NONE;
    static char none[] = "";

    if (port.len == 0) {
        cluster = parts->host;
        split_service(&path, &service, &port);
    }
    if (service.len == 0 || port.len == 0 || bad_port(port))
        return refuse_service(text, err);
    *out = (struct place){
        .kind = PLACE_ECS,
        .scheme = parts->scheme,
        .port = port,
        .path = with_slash(path.len > 0 ? path : str_of(conf->path), a),
        .ecs = {.cluster = arena_strdup(a, cluster),
                .service = arena_strdup(a, service),
                .region = conf->ecs ? conf->ecs->at.region : none,
                .endpoint = conf->ecs ? conf->ecs->at.endpoint : none},
    };
    name_service(out, a);
    return true;
}

bool place_parse(struct str text, const struct discover_conf *conf,
                 struct arena *a, struct place *out, struct err *err)
{
    struct str url = str_trim(text), path;
    enum place_kind kind = take_prefix(&url);
    struct http_url parts;

    if (!has_scheme(url))
        url = arena_printf(a, "%.*s://%.*s", STR_ARG(str_of(conf->scheme)),
                           STR_ARG(url));
    if (str_find(url, '#') < url.len || !http_url_parse(url, &parts) ||
        parts.host.len == 0 || bad_port(parts.port))
        return err_set(err, ERR_CONFIG,
                       "targets: \"%.*s\" is not a target like "
                       "http://host:5000/prometheus or host:5000",
                       STR_ARG(text));
    if (kind != PLACE_FIXED && parts.host.ptr[0] == '[')
        return err_set(err, ERR_CONFIG,
                       "targets: \"%.*s\" asks for an address that is there: "
                       "write a name, or leave the prefix out",
                       STR_ARG(text));
    path = written_path(url);
    if (kind == PLACE_ECS)
        return parse_service(text, &parts, path, conf, a, out, err);
    *out = (struct place){
        .kind = kind,
        .scheme = parts.scheme,
        .host = parts.host,
        .port = parts.port,
        .path = with_slash(path.len > 0 ? path : str_of(conf->path), a),
    };
    return true;
}

bool place_dns(const struct discover_conf *conf, struct arena *a,
               struct place *out, struct err *err)
{
    static const enum place_kind kinds[] = {
        [DISCOVER_A] = PLACE_A,
        [DISCOVER_AAAA] = PLACE_AAAA,
        [DISCOVER_SRV] = PLACE_SRV,
    };
    const struct discover_dns_conf *dns = &conf->dns;

    if (dns->type != DISCOVER_SRV && dns->port == 0)
        return err_set(err, ERR_CONFIG,
                       "dns: %s needs a port, because only SRV records bring "
                       "their own",
                       dns->name);
    *out = (struct place){
        .kind = kinds[dns->type],
        .scheme = str_of(conf->scheme),
        .host = str_of(dns->name),
        .path = with_slash(str_of(conf->path), a),
    };
    if (dns->type != DISCOVER_SRV)
        out->port = arena_printf(a, "%d", (int)dns->port);
    return true;
}

bool place_ecs(const struct discover_conf *conf, struct arena *a,
               struct place *out, struct err *err)
{
    const struct discover_ecs_conf *ecs = conf->ecs;

    *out = (struct place){
        .kind = PLACE_ECS,
        .scheme = str_of(conf->scheme),
        .path = with_slash(str_of(conf->path), a),
        .port = arena_printf(a, "%d", (int)ecs->port),
        .ecs = ecs->at,
    };
    name_service(out, a);
    if (ecs->port == 0)
        return err_set(err, ERR_CONFIG,
                       "ecs: %.*s needs a port, because ECS does not tell the "
                       "one of the metrics",
                       STR_ARG(out->host));
    return true;
}
