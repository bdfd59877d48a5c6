/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts.h - inside the composition root: how each kind of part is built from
 * the settings, what of it changes with new ones, and what the rules are told
 * of it.
 */
#ifndef AGENT_PARTS_H
#define AGENT_PARTS_H

#include "agent/agent.h"

/* What a reload did to the parts of one kind; for the log. */
struct reloaded {
    size_t added, changed, removed;
};

void parts_make_jobs(struct agent *a);
void parts_free_jobs(struct agent *a);
/* All settings in force are new; `ask_anew`: so is the resolver. */
void parts_reload_jobs(struct agent *a, bool ask_anew, struct reloaded *out);
/* In the agent's arena. */
const struct rule_job *parts_describe_jobs(struct agent *a);
/* A capacity_up_fn; `arg` is the agent. */
bool parts_count_up(void *arg, struct str name, int64_t *up, struct err *err);

void parts_make_cloudrun(struct agent *a);
void parts_make_actuators(struct agent *a);
void parts_free_actuators(struct agent *a);
void parts_reload_actuators(struct agent *a, struct reloaded *out);
void parts_free_cloudrun(struct agent *a);
/* After every evaluation. */
void parts_feed_actuators(struct agent *a);
/* One dry decision each; `done` comes once, at once where there is none. */
void parts_preview_actuators(struct agent *a, void (*done)(void *arg),
                             void *arg);

void parts_make_capacity(struct agent *a);
void parts_free_capacity(struct agent *a);
void parts_reload_capacity(struct agent *a, bool ask_anew,
                           struct reloaded *out);
const struct rule_service *parts_describe_services(struct agent *a);

void parts_make_sinks(struct agent *a, bool deliver);
void parts_free_sinks(struct agent *a);
void parts_reload_sinks(struct agent *a, struct reloaded *out);
/* How it went, as one line of the log. */
void parts_tell_sink(const struct agent_sink *sink);

/* agent.c: what the store must keep, and what collects points between two
 * publishes, as the settings in force have them. */
void parts_want(struct agent *a);
void parts_windows(struct agent *a);
bool parts_wants_dns(const struct settings_values *v);
struct resolver *parts_make_resolver(struct agent *a, const struct settings *s,
                                     struct err *err);
void parts_tell_alerts(const struct groups *g);

#endif
