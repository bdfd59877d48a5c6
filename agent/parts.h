/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts.h - inside the composition root: how each kind of part is built from
 * the settings, and what the rules are told of it.
 */
#ifndef AGENT_PARTS_H
#define AGENT_PARTS_H

#include "agent/agent.h"

void parts_make_jobs(struct agent *a);
void parts_free_jobs(struct agent *a);
/* In the agent's arena. */
const struct rule_job *parts_describe_jobs(struct agent *a);
/* A capacity_up_fn; `arg` is the agent. */
bool parts_count_up(void *arg, struct str name, int64_t *up, struct err *err);

void parts_make_cloudrun(struct agent *a);
void parts_make_actuators(struct agent *a);
void parts_free_actuators(struct agent *a);
void parts_free_cloudrun(struct agent *a);
/* After every evaluation. */
void parts_feed_actuators(struct agent *a);
/* One dry decision each; `done` comes once, at once where there is none. */
void parts_preview_actuators(struct agent *a, void (*done)(void *arg),
                             void *arg);

void parts_make_capacity(struct agent *a);
const struct rule_service *parts_describe_services(struct agent *a);

void parts_make_sinks(struct agent *a, bool deliver);
void parts_free_sinks(struct agent *a);

#endif
