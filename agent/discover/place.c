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
};

static const char *const kind_names[] = {
    [PLACE_FIXED] = "fixed",
    [PLACE_A] = "A",
    [PLACE_AAAA] = "AAAA",
    [PLACE_SRV] = "SRV",
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
                       "targets: \"%.*s\" asks DNS for an address: write a "
                       "name, or leave the prefix out",
                       STR_ARG(text));
    path = written_path(url);
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
