/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/capacity/capacity.h"

const struct conf_key capacity_dns_keys[] = {
    CONF_TEXT(capacity_dns_conf, name, "",
              "The name that has one address a worker."),
    CONF_ENUM(capacity_dns_conf, type, "A", "A|AAAA|SRV",
              "The records to count."),
    CONF_INT(capacity_dns_conf, port, "0", 0, UINT16_MAX,
             "The workers' port; it does not change their number."),
    CONF_BOOL(capacity_dns_conf, trust_eight, "false",
              "Eight addresses are all there are; AWS Cloud Map never gives "
              "more, so without this they count as unknown."),
    CONF_END,
};

const struct conf_key capacity_ecs_keys[] = {
    CONF_INLINE(capacity_ecs_conf, at, ecs_conf, ecs_keys),
    CONF_BOOL(capacity_ecs_conf, primary_only, "false",
              "Count the tasks of the newest (PRIMARY) deployment alone, and "
              "leave out those that a rolling update is about to end."),
    CONF_END,
};

const struct conf_key capacity_keys[] = {
    CONF_INT(capacity_conf, fixed, "-1", -1, 1000000,
             "This many workers run; -1: ask another source."),
    CONF_TEXT(capacity_conf, up, "",
              "As many workers run as targets of this scraped job answer."),
    CONF_SECTION(capacity_conf, dns, capacity_dns_conf, capacity_dns_keys,
                 "As many workers run as a DNS name has addresses."),
    CONF_OPTIONAL(capacity_conf, ecs, capacity_ecs_conf, capacity_ecs_keys,
                  "As many workers run as Amazon ECS says of a service; "
                  "permission: ecs:DescribeServices."),
    CONF_OPTIONAL(capacity_conf, cloud_run, cloudrun_conf, cloudrun_keys,
                  "As many workers run as the manual instance count of a Cloud "
                  "Run service or worker pool says; permission: "
                  "roles/run.viewer."),
    CONF_OPTIONAL(capacity_conf, container_app, container_app_conf,
                  container_app_keys,
                  "As many workers run as replicas of an Azure container app "
                  "are ready; role: Reader on the app."),
    CONF_MS(capacity_conf, refresh, "30s", WHEN_SECOND, WHEN_HOUR,
            "Time from one reading to the next, where somebody is asked; for "
            "ecs, cloud_run and container_app 15s where nothing is written, "
            "and 10s or more."),
    CONF_MS(capacity_conf, timeout, "5s", 100, WHEN_MINUTE,
            "How long one reading may take."),
    CONF_MS(capacity_conf, keep, "2m", 0, WHEN_DAY,
            "How long the last number stands while reading fails."),
    CONF_END,
};
