/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_policy.h - somebody's own scaling rule, read from any notation into
 * one shape, and its faults, each with its place and the mend.
 *
 * Facts: KEDA's pages of the scalers azure-monitor, metrics-api and prometheus
 * (metadata, case of the aggregation); Azure Container Apps, "Set scaling
 * rules"; Application Auto Scaling API Reference,
 * CustomizedMetricSpecification.
 */
#ifndef AGENT_COMMANDS_CHECK_POLICY_H
#define AGENT_COMMANDS_CHECK_POLICY_H

#include "agent/config/source.h"

struct policy_field {
    struct str name, value;
    struct conf_mark mark;
};

#define POLICY_FIELDS 48

struct policy_fields {
    struct policy_field items[POLICY_FIELDS];
    size_t count;
};

struct policy_rule {
    struct conf_mark mark;
    bool keda; /* a trigger of a ScaledObject; else of Container Apps */
    bool identity;
    bool other_auth; /* an authenticationRef, which is not looked into */
    bool average;    /* every replica's share, which Container Apps always is */
    struct str type;
    struct policy_fields metadata;
    struct policy_fields auth; /* names are those of parameters */
};

const struct policy_field *policy_field(const struct policy_fields *all,
                                        const char *name);
/* What does not fit any more is left out. */
void policy_field_add(struct policy_fields *all, struct policy_field field);

void policy_rule_check(struct conf *c, const struct policy_rule *rule);

/* Rules of `az containerapp` commands, told to `c`; how many there were. */
size_t policy_check_commands(struct conf *c, const char *source,
                             struct str text);
/* Rules anywhere in a tree. */
size_t policy_check_tree(struct conf *c, const struct conf_node *root);

#endif
