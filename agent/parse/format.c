/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/parse/parse.h"

const char *parse_type_name(enum parse_type type)
{
    static const char *const names[] = {
        [PARSE_UNKNOWN] = "unknown", [PARSE_COUNTER] = "counter",
        [PARSE_GAUGE] = "gauge",     [PARSE_HISTOGRAM] = "histogram",
        [PARSE_SUMMARY] = "summary", [PARSE_GAUGEHISTOGRAM] = "gaugehistogram",
        [PARSE_INFO] = "info",       [PARSE_STATESET] = "stateset",
    };

    return names[type];
}

/* prometheus/prometheus config/config.go, ScrapeProtocol. */
static bool protocol(struct str name, enum parse_format *out, struct err *err)
{
    if (str_eqz(name, "PrometheusText0.0.4") ||
        str_eqz(name, "PrometheusText1.0.0")) {
        *out = PARSE_PROMETHEUS;
        return true;
    }
    if (str_eqz(name, "OpenMetricsText1.0.0") ||
        str_eqz(name, "OpenMetricsText0.0.1")) {
        *out = PARSE_OPENMETRICS;
        return true;
    }
    return err_set(err, ERR_CONFIG,
                   "fallback_scrape_protocol: \"%.*s\" is not known: use "
                   "PrometheusText0.0.4, PrometheusText1.0.0, "
                   "OpenMetricsText0.0.1 or OpenMetricsText1.0.0",
                   STR_ARG(name));
}

static bool is_special(char c)
{
    return c != '\0' && strchr("()<>@,;:\\\"/[]?=", c) != NULL;
}

/* How many bytes of the front of `s` may stand in a token. */
static size_t token(struct str s)
{
    size_t n = 0;

    while (n < s.len && s.ptr[n] > ' ' && s.ptr[n] < 0x7f &&
           !is_special(s.ptr[n]))
        n++;
    return n;
}

static bool is_token(struct str s)
{
    return s.len > 0 && token(s) == s.len;
}

/* A string in quotes at the front of `s`; 0 where it does not end. */
static size_t quoted(struct str s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] == '"')
            return i + 1;
        if (s.ptr[i] == '\r' || s.ptr[i] == '\n')
            return 0;
        i += s.ptr[i] == '\\' && i + 1 < s.len && is_special(s.ptr[i + 1]);
    }
    return 0;
}

struct param {
    struct str name, value;
};

/* Takes `; name=value` off the front of `rest`. */
static bool param(struct str *rest, struct param *out)
{
    struct str s = str_trim(*rest);
    size_t n;

    if (s.len == 0 || s.ptr[0] != ';')
        return false;
    s = str_trim(str_from(s, 1));
    n = token(s);
    out->name = str_n(s.ptr, n);
    s = str_trim(str_from(s, n));
    if (n == 0 || s.len == 0 || s.ptr[0] != '=')
        return false;
    s = str_trim(str_from(s, 1));
    n = s.len > 0 && s.ptr[0] == '"' ? quoted(s) : token(s);
    out->value = str_n(s.ptr, n);
    *rest = str_from(s, n);
    return n > 0;
}

/* One of the parameters up to `end` has this name and another value. */
static bool contradicts(struct str params, const char *end,
                        const struct param *new)
{
    struct param old;

    while (params.ptr < end && param(&params, &old))
        if (str_eqi(old.name, new->name) && !str_eq(old.value, new->value))
            return true;
    return false;
}

/* What follows the media type, as Go's mime.ParseMediaType wants it; a last
 * semicolon may stand alone. */
static bool are_params(struct str params)
{
    struct str rest = params, before = params;
    struct param new;

    while (str_trim(rest).len > 0) {
        if (!param(&rest, &new))
            return str_eq(str_trim(rest), STR(";"));
        if (contradicts(params, before.ptr, &new))
            return false;
        before = rest;
    }
    return true;
}

/* type/subtype, or one token (Go's mime.ParseMediaType takes both). */
static bool is_media_type(struct str s)
{
    const size_t slash = str_find(s, '/');

    if (slash == s.len)
        return is_token(s);
    return is_token(str_n(s.ptr, slash)) && is_token(str_from(s, slash + 1));
}

bool parse_format_of(struct str content_type, struct str fallback,
                     enum parse_format *out, struct err *err)
{
    const size_t end = str_find(content_type, ';');
    const struct str media = str_trim(str_n(content_type.ptr, end));
    const bool readable =
        is_media_type(media) && are_params(str_from(content_type, end));

    if (readable && str_eqi(media, STR("text/plain"))) {
        *out = PARSE_PROMETHEUS;
        return true;
    }
    if (readable && str_eqi(media, STR("application/openmetrics-text"))) {
        *out = PARSE_OPENMETRICS;
        return true;
    }
    if (readable && str_eqi(media, STR("application/vnd.google.protobuf")))
        return err_set(err, ERR_INPUT,
                       "Content-Type \"%.*s\" is the protobuf exposition, "
                       "which was not asked for and is not read",
                       STR_ARG(content_type));
    if (fallback.len > 0)
        return protocol(fallback, out, err);
    if (content_type.len == 0)
        return err_set(err, ERR_INPUT,
                       "non-compliant scrape target sending blank "
                       "Content-Type and no fallback_scrape_protocol "
                       "specified for target");
    if (!readable)
        return err_set(err, ERR_INPUT,
                       "cannot parse Content-Type \"%.*s\" and no "
                       "fallback_scrape_protocol for target",
                       STR_ARG(content_type));
    return err_set(err, ERR_INPUT,
                   "received unsupported Content-Type \"%.*s\" and no "
                   "fallback_scrape_protocol specified for target",
                   STR_ARG(content_type));
}

enum parse_format parse_format_guess(struct str end)
{
    while (end.len > 0 && (end.ptr[end.len - 1] == '\n'))
        end.len--;
    if (!str_ends(end, STR("# EOF")))
        return PARSE_PROMETHEUS;
    if (end.len > 5 && end.ptr[end.len - 6] != '\n')
        return PARSE_PROMETHEUS;
    return PARSE_OPENMETRICS;
}
