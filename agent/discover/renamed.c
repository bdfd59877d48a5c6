/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/discover/renamed.h"

#include "agent/base/enc.h"
#include "agent/io/message.h"

#include <stdlib.h>

#define ADDRESS STR("__address__")
#define SCHEME  STR("__scheme__")
#define PATH    STR("__metrics_path__")
#define PARAM   STR("__param_")

static struct str decoded(struct str text, struct arena *a)
{
    struct buf out;

    buf_init(&out, BUF_NO_LIMIT);
    if (dec_percent(&out, text))
        text = arena_str(a, buf_str(&out));
    buf_fini(&out);
    return text;
}

static void take_query(struct labels_builder *b, struct str query,
                       struct arena *a)
{
    struct str part;

    while (str_next(&query, '&', &part)) {
        size_t n = str_find(part, '=');
        struct str key = decoded(str_n(part.ptr, n), a);
        struct str value = STR_NONE;

        if (n < part.len)
            value = decoded(str_from(part, n + 1), a);
        if (key.len)
            labels_set(b, arena_printf(a, "__param_%.*s", STR_ARG(key)), value);
    }
}

static void lay_out(struct labels_builder *b, const struct renamed *from,
                    struct arena *a)
{
    size_t n = str_find(from->path, '?');

    for (size_t i = 0; i < from->labels->count; i++)
        labels_set(b, str_of(from->labels->pairs[i].name),
                   str_of(from->labels->pairs[i].value));
    labels_set(b, LABEL_JOB, from->job);
    labels_set(b, SCHEME, from->scheme);
    labels_set(b, ADDRESS, from->address);
    labels_set(b, PATH, str_n(from->path.ptr, n));
    if (n < from->path.len)
        take_query(b, str_from(from->path, n + 1), a);
}

static void add_query(const struct labels *l, struct buf *url)
{
    struct labels_iter it = labels_iter(l);
    struct label pair;
    char sep = '?';

    while (labels_next(&it, &pair)) {
        if (!str_starts(pair.name, PARAM))
            continue;
        buf_addc(url, sep);
        enc_percent(url, str_from(pair.name, PARAM.len), "");
        buf_addc(url, '=');
        enc_percent(url, pair.value, "");
        sep = '&';
    }
}

static bool make_url(const struct labels *l, struct arena *a, struct str *out,
                     struct err *err)
{
    struct str path = labels_get(l, PATH), address = labels_get(l, ADDRESS);
    struct http_url parts;
    struct buf url;

    buf_init(&url, BUF_NO_LIMIT);
    buf_addf(&url, "%.*s://%.*s%s", STR_ARG(labels_get(l, SCHEME)),
             STR_ARG(address), path.len && path.ptr[0] == '/' ? "" : "/");
    buf_adds(&url, path);
    add_query(l, &url);
    *out = arena_str(a, buf_str(&url));
    buf_fini(&url);
    if (address.len && str_find(address, '/') == address.len &&
        http_url_parse(*out, &parts))
        return true;
    return err_set(err, ERR_CONFIG,
                   "relabel_configs: they make \"%.*s\", which is no URL: "
                   "__address__ is HOST:PORT, __scheme__ http or https",
                   STR_ARG(*out));
}

static const struct labels *make_labels(const struct labels *l, struct arena *a)
{
    struct labels_builder b = {0};
    struct labels_iter it = labels_iter(l);
    const struct labels *made;
    struct label pair;

    labels_set(&b, LABEL_INSTANCE, labels_get(l, ADDRESS));
    while (labels_next(&it, &pair))
        if (!str_starts(pair.name, STR("__")))
            labels_set(&b, pair.name, pair.value);
    made = labels_build(&b, a);
    labels_builder_fini(&b);
    return made;
}

bool renamed_apply(const struct renamed *from, const struct relabel *rules,
                   struct arena *a, struct target *out, struct err *err)
{
    struct labels_builder b = {0};
    const struct labels *all = NULL;

    lay_out(&b, from, a);
    if (relabel_apply(rules, &b, a))
        all = labels_build(&b, a);
    labels_builder_fini(&b);
    if (!all || !make_url(all, a, &out->url, err))
        return false;
    out->labels = make_labels(all, a);
    return true;
}
