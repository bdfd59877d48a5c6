/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/scrape/scrape.h"

#define MIB     (1024.0 * 1024)
#define TIMEOUT "10s"
#define MANY    1e12

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

bool scrape_check(const struct scrape_conf *conf, struct err *err)
{
    char timeout[WHEN_TEXT], interval[WHEN_TEXT];

    when_duration_format(conf->timeout_ms, timeout);
    if (conf->timeout_ms <= conf->interval_ms || strcmp(timeout, TIMEOUT) == 0)
        return true;
    when_duration_format(conf->interval_ms, interval);
    return err_set(err, ERR_CONFIG,
                   "timeout: %s is longer than the interval of %s: a scrape "
                   "must end before the next begins",
                   timeout, interval);
}
