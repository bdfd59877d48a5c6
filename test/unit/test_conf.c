/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations as files (test/data/conf), read with the tables below: what
 * is in force, or every fault with its place.
 */
#include "agent/config/env.h"
#include "agent/config/show.h"
#include "test/lib/golden.h"

struct dns_conf {
    char *host;
    int64_t type;
};

struct job_conf {
    char *name;
    struct conf_list targets;
    struct dns_conf dns;
    int64_t interval_ms;
};

struct cloud_conf {
    char *region, *token;
    bool fips;
};

struct sinks_conf {
    struct cloud_conf *cloud;
    struct dns_conf *stdout_sink;
};

struct worker_conf {
    char *service;
    int64_t fixed;
};

struct scrape_conf {
    int64_t interval_ms;
    int64_t body_limit;
    struct job_conf *jobs;
    size_t jobs_count;
};

struct top_conf {
    struct scrape_conf scrape;
    struct worker_conf *capacity;
    size_t capacity_count;
    struct conf_map dimensions;
    struct conf_list names;
    double rate;
    int64_t count;
    int64_t color;
    bool on;
    char *note;
    struct sinks_conf sinks;
};

static const struct conf_key dns_keys[] = {
    CONF_TEXT(dns_conf, host, "", "The name to ask for."),
    CONF_ENUM(dns_conf, type, "A", "A|AAAA|SRV", "The records to ask for."),
    CONF_END,
};

static const struct conf_key job_keys[] = {
    CONF_TEXT(job_conf, name, NULL, "What the job is called.",
              .flags = CONF_MUST | CONF_FILLED),
    CONF_LIST(job_conf, targets, NULL, "URLs to scrape."),
    CONF_INLINE(job_conf, dns, dns_conf, dns_keys),
    CONF_MS(job_conf, interval, "15s", WHEN_SECOND, WHEN_HOUR, "How often."),
    CONF_END,
};

static const struct conf_key cloud_keys[] = {
    CONF_TEXT(cloud_conf, region, "eu-west-1", "Where."),
    CONF_HIDDEN(cloud_conf, token, "Who we are."),
    CONF_BOOL(cloud_conf, fips, "false", "Use FIPS endpoints."),
    CONF_END,
};

static const struct conf_key sinks_keys[] = {
    CONF_OPTIONAL(sinks_conf, cloud, cloud_conf, cloud_keys, "A cloud."),
    CONF_OPTIONAL(sinks_conf, stdout_sink, dns_conf, dns_keys, "Lines."),
    CONF_END,
};

static const struct conf_key worker_keys[] = {
    CONF_INT(worker_conf, fixed, "-1", -1, 1000, "This many run."),
    CONF_END,
};

static const struct conf_key scrape_keys[] = {
    CONF_MS(scrape_conf, interval, "15s", WHEN_SECOND, WHEN_HOUR, "How often."),
    CONF_SIZE(scrape_conf, body_limit, "16MiB", 1024, 1073741824, "Bytes."),
    CONF_ROWS(scrape_conf, jobs, job_conf, job_keys, "What to scrape."),
    CONF_END,
};

static const struct conf_key top_keys[] = {
    CONF_SECTION(top_conf, scrape, scrape_conf, scrape_keys, "Scraping."),
    CONF_NAMED(top_conf, capacity, worker_conf, service, worker_keys,
               "Workers."),
    CONF_MAP(top_conf, dimensions, NULL, "Said of every metric."),
    CONF_LIST(top_conf, names, "a,b", "Some names.", .flags = CONF_FILLED),
    CONF_NUM(top_conf, rate, "0.45", 0, 1, "A part of the whole."),
    CONF_INT(top_conf, count, "5", 1, 100, "How many."),
    CONF_ENUM(top_conf, color, "red", "red|green|blue", "Which."),
    CONF_BOOL(top_conf, on, "true", "Whether at all."),
    CONF_TEXT(top_conf, note, "", "Anything."),
    CONF_SECTION(top_conf, sinks, sinks_conf, sinks_keys, "Where to.",
                 .flags = CONF_CHOICES),
    CONF_END,
};

static const char *const others[] = {"SCALEBRIDGE_API_URL",
                                     "SCALEBRIDGE_CAPACITY_*", NULL};

static void show(const struct golden_case *g, struct buf *out)
{
    struct conf *c = conf_new();
    struct top_conf top;
    struct conf_node *file = NULL, *env;

    if (g->has_file)
        file = conf_parse(c, "scalebridge.yml", g->text);
    env = conf_env(c, &g->world, top_keys, others);
    file = conf_node_merge(file, env);
    conf_expand(c, &g->world, file);
    conf_read(c, top_keys, file, &top);
    for (size_t i = 0; i < top.scrape.jobs_count; i++)
        if (!conf_written(c, &top.scrape.jobs[i].interval_ms))
            top.scrape.jobs[i].interval_ms = top.scrape.interval_ms;
    conf_faults_print(c, out);
    if (conf_good(c))
        conf_show(c, top_keys, &top, out);
    conf_free(c);
}

int main(void)
{
    return golden_run("test/data/conf", show);
}
