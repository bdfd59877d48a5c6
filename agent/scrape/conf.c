/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/scrape/scrape.h"

#include <strings.h>

#define MIB     (1024.0 * 1024)
#define TIMEOUT "10s"
#define MANY    1e12

static const struct conf_key basic_keys[] = {
    CONF_TEXT(scrape_basic_auth, username, "", "The user."),
    CONF_HIDDEN(scrape_basic_auth, password,
                "The password; ${file:/path} takes it from a file."),
    CONF_END,
};

static const struct conf_key authorization_keys[] = {
    CONF_TEXT(scrape_authorization, type, "Bearer",
              "What stands before the credentials."),
    CONF_HIDDEN(scrape_authorization, credentials,
                "The token; ${file:/path} takes it from a file."),
    CONF_END,
};

static const struct conf_key tls_keys[] = {
    CONF_TEXT(scrape_tls, ca_file, "",
              "PEM file of authorities, in place of the system's."),
    CONF_TEXT(scrape_tls, cert_file, "",
              "PEM file of the certificate to show to targets."),
    CONF_TEXT(scrape_tls, key_file, "", "PEM file of its key."),
    CONF_BOOL(scrape_tls, insecure_skip_verify, "false",
              "Believe whoever answers; for tests alone."),
    CONF_END,
};

const struct conf_key scrape_keys[] = {
    CONF_MS(scrape_conf, interval, "15s", WHEN_SECOND, WHEN_HOUR,
            "Time from one scrape of a target to the next."),
    CONF_MS(scrape_conf, timeout, TIMEOUT, 10, WHEN_HOUR,
            "How long a target may take to answer, to the last byte; where "
            "nothing is written no longer than the interval."),
    CONF_ENUM(scrape_conf, replicas, "auto", "auto|own|shared",
              "own: each target has figures of its own, and all are needed; "
              "shared: all repeat one figure, and one of them is enough; auto: "
              "as is known of Membrane's figures, and own for others."),
    CONF_SIZE(scrape_conf, body_limit, "16MiB", 1024, 4096 * MIB,
              "Bytes of one answer, unpacked; a longer one fails the scrape."),
    CONF_SIZE(scrape_conf, wire_limit, "16MiB", 1024, 4096 * MIB,
              "Bytes of one answer as received."),
    CONF_INT(scrape_conf, sample_limit, "0", 0, MANY,
             "Samples in one answer; 0: no limit."),
    CONF_INT(scrape_conf, label_limit, "0", 0, MANY,
             "Labels of one series, the name and the target's included; 0: no "
             "limit."),
    CONF_INT(scrape_conf, label_name_length_limit, "0", 0, MANY,
             "Bytes of a label's name; 0: no limit."),
    CONF_INT(scrape_conf, label_value_length_limit, "0", 0, MANY,
             "Bytes of a label's value; 0: no limit."),
    CONF_BOOL(scrape_conf, honor_labels, "false",
              "Keep the labels of the answer where they collide with the "
              "target's; else they are renamed exported_NAME."),
    CONF_BOOL(scrape_conf, honor_timestamps, "true",
              "Keep the timestamps of the answer."),
    CONF_BOOL(scrape_conf, enable_compression, "true", "Ask for gzip."),
    CONF_TEXT(scrape_conf, ca_file, "",
              "PEM file of authorities for https targets, in place of the "
              "system's."),
    CONF_ENUM(scrape_conf, fallback_scrape_protocol, "none",
              "none|PrometheusText0.0.4|PrometheusText1.0.0|"
              "OpenMetricsText0.0.1|OpenMetricsText1.0.0",
              "How to read an answer whose Content-Type is missing or "
              "unknown; none: the scrape fails."),
    CONF_OPTIONAL(scrape_conf, basic_auth, scrape_basic_auth, basic_keys,
                  "User and password for targets."),
    CONF_OPTIONAL(scrape_conf, authorization, scrape_authorization,
                  authorization_keys, "A token for targets."),
    CONF_OPTIONAL(scrape_conf, tls_config, scrape_tls, tls_keys,
                  "TLS with targets."),
    CONF_ROWS(scrape_conf, metric_relabel_configs, relabel_conf, relabel_keys,
              "Rules that change or drop the series of an answer, as in "
              "Prometheus."),
    CONF_END,
};

struct str scrape_fallback(const struct scrape_conf *conf)
{
    static const char *const names[] = {
        "",
        "PrometheusText0.0.4",
        "PrometheusText1.0.0",
        "OpenMetricsText0.0.1",
        "OpenMetricsText1.0.0",
    };

    return str_of(names[conf->fallback_scrape_protocol]);
}

int64_t scrape_timeout(const struct scrape_conf *conf)
{
    return conf->timeout_ms < conf->interval_ms ? conf->timeout_ms
                                                : conf->interval_ms;
}

static bool one_line(const char *text)
{
    return !strpbrk(text, "\r\n");
}

static bool check_access(const struct scrape_conf *conf, struct err *err)
{
    const struct scrape_basic_auth *basic = conf->basic_auth;
    const struct scrape_authorization *token = conf->authorization;
    const struct scrape_tls *tls = conf->tls_config;

    if (basic && token)
        return err_set(err, ERR_CONFIG,
                       "at most one of basic_auth and authorization can be "
                       "sent: leave one out");
    if (basic && strchr(basic->username, ':'))
        return err_set(err, ERR_CONFIG,
                       "basic_auth: a username cannot have a colon in it");
    if (token && (strcasecmp(token->type, "Basic") == 0))
        return err_set(err, ERR_CONFIG,
                       "authorization: for the type Basic write basic_auth");
    if (token && !*token->credentials)
        return err_set(err, ERR_CONFIG,
                       "authorization: no credentials are written: write the "
                       "token, or leave authorization out");
    if (token && !(one_line(token->type) && one_line(token->credentials)))
        return err_set(err, ERR_CONFIG,
                       "authorization: the credentials are not one line");
    if (tls && !*tls->cert_file != !*tls->key_file)
        return err_set(err, ERR_CONFIG,
                       "tls_config: cert_file and key_file go together: write "
                       "both");
    return true;
}

bool scrape_check(const struct scrape_conf *conf, struct err *err)
{
    char timeout[WHEN_TEXT], interval[WHEN_TEXT];

    if (!check_access(conf, err))
        return false;

    when_duration_format(conf->timeout_ms, timeout);
    if (conf->timeout_ms <= conf->interval_ms || strcmp(timeout, TIMEOUT) == 0)
        return true;
    when_duration_format(conf->interval_ms, interval);
    return err_set(err, ERR_CONFIG,
                   "timeout: %s is longer than the interval of %s: a scrape "
                   "must end before the next begins",
                   timeout, interval);
}
