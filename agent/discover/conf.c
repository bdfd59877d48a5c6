/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/discover/discover.h"

const struct conf_key discover_dns_keys[] = {
    CONF_TEXT(discover_dns_conf, name, "",
              "The name whose addresses are the targets."),
    CONF_ENUM(discover_dns_conf, type, "A", "A|AAAA|SRV",
              "The records to ask for; only SRV tells ports as well."),
    CONF_INT(discover_dns_conf, port, "0", 0, UINT16_MAX,
             "The targets' port, for A and AAAA."),
    CONF_MS(discover_dns_conf, refresh, "30s", WHEN_SECOND, WHEN_HOUR,
            "Time from one question to the next; a shorter TTL shortens it."),
    CONF_MS(discover_dns_conf, keep, "5m", 0, WHEN_DAY,
            "How long the last answer counts as complete while asking fails."),
    CONF_MS(discover_dns_conf, timeout, "5s", 100, WHEN_MINUTE,
            "How long one question may take."),
    CONF_BOOL(discover_dns_conf, trust_eight, "false",
              "Eight addresses are all there are; AWS Cloud Map never gives "
              "more, so without this they count as doubtful."),
    CONF_END,
};

const struct conf_key discover_ecs_keys[] = {
    CONF_INLINE(discover_ecs_conf, at, ecs_conf, ecs_keys),
    CONF_INT(discover_ecs_conf, port, "0", 0, UINT16_MAX, "The tasks' port."),
    CONF_MS(discover_ecs_conf, refresh, "30s", ECS_LEAST_MS, WHEN_HOUR,
            "Time from one question to the next."),
    CONF_MS(discover_ecs_conf, keep, "5m", 0, WHEN_DAY,
            "How long the last answer counts as complete while asking fails."),
    CONF_MS(discover_ecs_conf, timeout, "10s", 100, WHEN_MINUTE,
            "How long one question, with all its pages, may take."),
    CONF_END,
};

const struct conf_key discover_keys[] = {
    CONF_LIST(discover_conf, targets, NULL,
              "URLs to scrape; HOST:PORT takes scheme and path of the job, "
              "dns+http://NAME:PORT/PATH and dnssrv+http://NAME/PATH ask DNS, "
              "ecs+http://CLUSTER/SERVICE:PORT/PATH asks Amazon ECS."),
    CONF_SECTION(discover_conf, dns, discover_dns_conf, discover_dns_keys,
                 "Targets by DNS."),
    CONF_OPTIONAL(discover_conf, ecs, discover_ecs_conf, discover_ecs_keys,
                  "Targets by Amazon ECS: the private addresses of a service's "
                  "running tasks; permissions: ecs:ListTasks and "
                  "ecs:DescribeTasks."),
    CONF_TEXT(discover_conf, scheme, "http",
              "http or https, for targets that do not say."),
    CONF_TEXT(discover_conf, path, "/metrics",
              "Path of the metrics, for targets that do not say."),
    CONF_MAP(discover_conf, labels, NULL, "Labels set on every target."),
    CONF_ROWS(discover_conf, relabel_configs, relabel_conf, relabel_keys,
              "Rules that change or drop targets, as in Prometheus; they see "
              "__address__, __scheme__, __metrics_path__ and __param_NAME."),
    CONF_END,
};
