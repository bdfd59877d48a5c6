/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.h - the whole configuration as one checked struct.
 *
 * Built-in defaults, then the file, then SCALEBRIDGE_ variables, then the
 * command line.  settings_read() reads everything and tells every fault; when
 * settings_good() the struct can be run as it stands.  All that it points to
 * lives until the last settings_free(), so a reload builds a new one whole and
 * swaps; the old one goes when nothing lends from it any more.
 *
 * Beside the variables of the tables (config/env.h) stand
 *     SCALEBRIDGE_API_URL, SCALEBRIDGE_CUSTOM_CODE_RUNNER_URL,
 *     SCALEBRIDGE_QUEUED_TASKS_WORKER_URL
 *         the targets of the built-in jobs, with commas; a job of the file
 *         with that name gets them in place of its own
 *     SCALEBRIDGE_CAPACITY_<SERVICE>
 *         fixed:6 (or 6), up:JOB, dns:NAME (addresses), dnssrv:NAME,
 *         ecs:CLUSTER/SERVICE
 *     SCALEBRIDGE_CONFIG, SCALEBRIDGE_CONFIG_CONTENT
 *         the file's path, or its whole text
 */
#ifndef AGENT_SETTINGS_SETTINGS_H
#define AGENT_SETTINGS_SETTINGS_H

#include "agent/actuate/actuator.h"
#include "agent/base/log.h"
#include "agent/capacity/capacity.h"
#include "agent/config/source.h"
#include "agent/deliver/outbox.h"
#include "agent/discover/discover.h"
#include "agent/rules/rules.h"
#include "agent/scrape/scrape.h"
#include "sinks/sink.h"

struct settings_job {
    char *name;
    struct discover_conf discover;
    struct scrape_conf scrape;   /* what is not written: scrape's */
    enum rule_replicas replicas; /* scrape.replicas, as rules want it */
};

struct settings_scrape {
    struct scrape_conf common;
    struct settings_job *jobs;
    size_t jobs_count;
};

struct settings_capacity {
    char *service;
    struct capacity_conf source;
};

struct settings_publish {
    int64_t interval_ms;
    struct conf_map dimensions; /* fixed ones, on every metric */
};

struct settings_dns {
    struct conf_list servers; /* none: the system's */
};

struct settings_log {
    int64_t level;  /* enum log_level */
    int64_t format; /* enum log_format */
};

struct settings_listen {
    char *address; /* empty: nothing is served */
    char *token, *certificate, *key;
    bool open;
};

struct settings_shutdown {
    int64_t timeout_ms;
};

#define SETTINGS_SINKS_MAX 8

/* By their places in sink_types. */
struct settings_sinks {
    void *conf[SETTINGS_SINKS_MAX]; /* NULL: not chosen */
};

/* What the tables fill. */
struct settings_values {
    struct settings_scrape scrape;
    struct settings_capacity *capacity;
    size_t capacity_count;
    struct actuate_conf *actuate;
    size_t actuate_count;
    struct preset_conf membrane;
    struct conf_list rule_files;
    struct rule_conf *metrics;
    size_t metrics_count;
    struct settings_publish publish;
    struct settings_sinks sinks;
    struct deliver_conf deliver;
    struct settings_dns dns;
    struct settings_log log;
    struct settings_listen listen;
    struct settings_shutdown shutdown;
};

/* A chosen sink, prepared. */
struct settings_sink {
    const struct sink_type *type;
    const void *conf;
};

struct settings {
    unsigned users;    /* see settings_ref() */
    struct conf *conf; /* faults and origins */
    struct settings_values values;
    struct settings_sink *sinks;
    size_t sink_count;
    struct groups *groups; /* of the rule files */
    struct rules *rules;   /* made of values; NULL after a fault in them */
    const char *origin;    /* "2 settings from scalebridge.yml, 3 from the
                              environment" */
};

/* An option of the command line that stands for an option of the file. */
struct settings_override {
    const char *option; /* "--log-level", for faults */
    const char *path;   /* "log.level" */
    const char *value;  /* NULL: not given */
};

struct settings_source {
    const char *file; /* NULL: what the variables say, or none */
    const char *text; /* not NULL: in place of any file */
    const char *text_name;
    bool ignore_variables; /* no SCALEBRIDGE_ variable is looked at */
    const struct settings_override *overrides; /* path NULL at the end */
};

/* Never NULL; ask settings_good(). */
struct settings *settings_read(const struct conf_world *w,
                               const struct settings_source *from);
/* After a reload, parts that did not change go on with what they were lent by
 * the settings before: each holds those with a reference of its own. */
struct settings *settings_ref(struct settings *s);
void settings_free(struct settings *s); /* one reference; NULL is fine */
static inline bool settings_good(const struct settings *s)
{
    return conf_good(s->conf);
}
/* The faults of all kinds, a line each, and a last one that counts them. */
void settings_faults(const struct settings *s, struct buf *out);
/* What will be done, in a few lines; for check-config. */
void settings_summary(const struct settings *s, struct buf *out);

/* A metric, and whether the jobs and worker counts that it needs are
 * configured. */
struct settings_metric {
    const struct rule_info *info;
    bool on;
    struct str reason; /* why not */
};
/* All of them, in the order of rules_info(); in `a`. */
const struct settings_metric *settings_metrics(const struct settings *s,
                                               struct arena *a, size_t *count);
/* All options with where each came from, secrets masked. */
void settings_show(const struct settings *s, struct buf *out);

/* The table of everything; lives in `arena`. */
const struct conf_key *settings_keys(struct arena *arena);

#endif
