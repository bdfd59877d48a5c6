/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/sinks.h"

const struct sink_type *const sink_types[] = {
    &cloudwatch_sink,
    &emf_sink,
    &azure_monitor_sink,
    &google_monitoring_sink,
    &stdout_sink,
    &none_sink,
    NULL,
};

const struct sink_type *sink_find(struct str name)
{
    for (const struct sink_type *const *t = sink_types; *t; t++)
        if (str_eqz(name, (*t)->name))
            return *t;
    return NULL;
}

void sink_nobody_answers(const void *conf, const struct http_response *res,
                         const struct batch *sent, int64_t now_ms,
                         struct arena *arena, struct verdict *out)
{
    (void)conf;
    (void)res;
    (void)sent;
    (void)now_ms;
    (void)arena;
    *out = (struct verdict){.kind = VERDICT_ACCEPTED};
}

bool sink_endpoint(struct str *base, const char *example, struct err *err)
{
    struct http_url u;

    if (!http_url_parse(*base, &u) || u.query.ptr)
        return err_set(err, ERR_CONFIG,
                       "endpoint: \"%.*s\" is not a url like %s (no user, no "
                       "query)",
                       STR_ARG(*base), example);
    if (!str_eqi(u.scheme, STR("https")) && !http_url_is_loopback(&u))
        return err_set(err, ERR_CONFIG,
                       "endpoint: \"%.*s\": plain http is for loopback alone, "
                       "as it would show the token on the wire; write https",
                       STR_ARG(*base));
    while (str_ends(*base, STR("/")))
        base->len--;
    return true;
}
