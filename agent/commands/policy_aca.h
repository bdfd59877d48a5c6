/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_aca.h - rules of Azure Container Apps for what is published.
 *
 * Each custom rule of Container Apps makes ceil(value / targetValue) replicas
 * (Azure Container Apps, "Set scaling rules"), so that only totals can drive
 * it.  `metrics-api` reads this agent's own endpoint; `azure-monitor` reads
 * what was posted to Azure Monitor.  Names of metadata: KEDA's pages of the two
 * scalers.  Pure; what a plan points to lives in its arena or the settings.
 */
#ifndef AGENT_COMMANDS_POLICY_ACA_H
#define AGENT_COMMANDS_POLICY_ACA_H

#include "agent/base/buf.h"
#include "agent/commands/policy_ecs.h"

enum aca_rule { ACA_METRICS_API, ACA_AZURE_MONITOR };
enum aca_format { ACA_CLI, ACA_YAML, ACA_BICEP, ACA_ARM };

struct aca_ask {
    struct policy_ask common; /* `services` are container apps */
    struct str group, tenant, url;
    enum aca_rule rule;
    enum aca_format format;
};

struct aca_pair {
    const char *name;
    struct str value;
};

#define ACA_METADATA 12
#define ACA_SECRETS  2
#define ACA_POLLING  15  /* seconds; Container Apps' own is 30 */
#define ACA_COOLDOWN 300 /* seconds, before the last replica goes */

struct aca_secret {
    const char *name, *parameter;
    const char *variable; /* of the script, without SCALEBRIDGE_ */
    const char *param;    /* of templates */
};

struct aca_app {
    struct str app, service, metric, rule_name;
    int64_t min, max;
    struct aca_pair metadata[ACA_METADATA];
    size_t metadata_count;
};

struct aca_plan {
    const char *type;
    struct str group;
    const struct aca_secret *secrets;
    size_t secret_count;
    struct aca_app *apps;
    size_t app_count;
};

must_check bool policy_aca_plan(const struct settings *s,
                                const struct aca_ask *ask, struct arena *a,
                                struct aca_plan *plan, struct err *err);
void policy_aca_write(const struct aca_plan *plan, enum aca_format format,
                      struct buf *out);

#endif
