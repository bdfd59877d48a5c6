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

static bool is_token(struct str s)
{
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        const unsigned char c = (unsigned char)s.ptr[i];

        if (c <= ' ' || c >= 0x7f || strchr("()<>@,;:\\\"/[]?=", c))
            return false;
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
    const struct str media =
        str_trim(str_n(content_type.ptr, str_find(content_type, ';')));

    if (str_eqi(media, STR("text/plain"))) {
        *out = PARSE_PROMETHEUS;
        return true;
    }
    if (str_eqi(media, STR("application/openmetrics-text"))) {
        *out = PARSE_OPENMETRICS;
        return true;
    }
    if (str_eqi(media, STR("application/vnd.google.protobuf")))
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
    if (!is_media_type(media))
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
