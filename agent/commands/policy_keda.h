/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_keda.h - KEDA's ScaledObject, and CREMA's configuration for Cloud
 * Run, for totals that this agent serves.
 *
 * Both read `metrics-api` (KEDA, "Metrics API" scaler): one number from this
 * agent's own endpoint, ceil(value / targetValue) replicas (metric type
 * AverageValue), and no number, no change: the endpoint answers 503 for what
 * is not known, and neither takes that for 0.  CREMA is Google's external
 * metrics autoscaler for Cloud Run (`apiVersion: crema/v1`); it is strict
 * about unknown keys.  Pure.
 */
#ifndef AGENT_COMMANDS_POLICY_KEDA_H
#define AGENT_COMMANDS_POLICY_KEDA_H

#include "agent/base/buf.h"
#include "agent/commands/policy_ecs.h"

struct keda_ask {
    struct policy_ask common; /* `services` as the platform names them */
    struct str url;
    bool crema;
};

must_check bool policy_keda_write(const struct settings *s,
                                  const struct keda_ask *ask, struct buf *out,
                                  struct err *err);

#endif
