/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/settings/inside.h"

const struct conf_key settings_job_keys[] = {
    CONF_TEXT(settings_job, name, NULL,
              "What the job is called: the label job of its series.",
              .flags = CONF_MUST | CONF_FILLED),
    CONF_INLINE(settings_job, discover, discover_conf, discover_keys),
    CONF_INLINE(settings_job, scrape, scrape_conf, scrape_keys),
    CONF_END,
};

static const struct conf_key scrape_section_keys[] = {
    CONF_INLINE(settings_scrape, common, scrape_conf, scrape_keys),
    CONF_ROWS(settings_scrape, jobs, settings_job, settings_job_keys,
              "What is scraped.  The jobs api, custom-code-runner and "
              "queued-tasks-worker know the path of their metrics."),
    CONF_END,
};

const struct conf_key settings_capacity_keys[] = {
    CONF_INLINE(settings_capacity, source, capacity_conf, capacity_keys),
    CONF_END,
};

static const struct conf_key publish_keys[] = {
    CONF_MS(settings_publish, interval, "60s", WHEN_SECOND, WHEN_HOUR,
            "Time from one publication to the next; CloudWatch alarms look at "
            "periods of 60s."),
    CONF_MAP(settings_publish, dimensions, NULL,
             "Dimensions on every metric.  Membrane's guide uses none; a "
             "scaling policy must name the same ones."),
    CONF_END,
};

static const struct conf_key dns_keys[] = {
    CONF_LIST(settings_dns, servers, "",
              "Name servers as ADDRESS or ADDRESS:PORT, in place of those of "
              "/etc/resolv.conf; for discovery and counting, not for names "
              "that stand in URLs."),
    CONF_END,
};

static const struct conf_key log_keys[] = {
    CONF_ENUM(settings_log, level, "info", "debug|info|warn|error|off",
              "The least that is logged."),
    CONF_ENUM(settings_log, format, "logfmt", "logfmt|json",
              "How a log line is written."),
    CONF_END,
};

static const struct conf_key listen_keys[] = {
    CONF_TEXT(settings_listen, address, "",
              "Where values, /metrics and health are served, as "
              "127.0.0.1:9464, [::1]:9464 or 0.0.0.0:9464; empty: nowhere."),
    CONF_HIDDEN(settings_listen, token,
                "What readers must send as Authorization: Bearer; "
                "${file:/run/secrets/token} reads it from a file.  /healthz "
                "and /readyz need none."),
    CONF_TEXT(settings_listen, certificate, "",
              "PEM file of the server's certificate and its chain: HTTPS in "
              "place of HTTP."),
    CONF_TEXT(settings_listen, key, "",
              "PEM file of the certificate's private key."),
    CONF_BOOL(settings_listen, open, "false",
              "Whether everybody who can reach an address beyond loopback may "
              "read without a token."),
    CONF_END,
};

static const struct conf_key shutdown_keys[] = {
    CONF_MS(settings_shutdown, timeout, "8s", 0, WHEN_HOUR,
            "How long the end may take to send what still waits."),
    CONF_END,
};

static const struct conf_key top_keys[] = {
    CONF_SECTION(settings_values, scrape, settings_scrape, scrape_section_keys,
                 "What is scraped, and how; a job's own settings win."),
    CONF_NAMED(settings_values, capacity, settings_capacity, service,
               settings_capacity_keys,
               "How many workers of a service run: one source a service.  The "
               "built-in metrics ask for instant-tasks-worker.  As a variable: "
               "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER=fixed:6, up:JOB, "
               "dns:NAME, dnssrv:NAME or ecs:CLUSTER/SERVICE."),
    CONF_ROWS(settings_values, actuate, actuate_conf, actuate_keys,
              "What this program scales itself, where no autoscaler can read a "
              "metric; nothing by default."),
    CONF_SECTION(settings_values, membrane, preset_conf, preset_keys,
                 "The built-in metrics and the numbers in their formulas."),
    CONF_LIST(settings_values, rule_files, "",
              "Prometheus rule files, whose recording rules metrics can read; "
              "* may stand in the name of the file.  Where a group states no "
              "interval it is scrape.interval."),
    CONF_ROWS(settings_values, metrics, rule_conf, rule_keys,
              "Metrics of your own; one with the name of a built-in metric "
              "changes that one."),
    CONF_SECTION(settings_values, publish, settings_publish, publish_keys,
                 "When and under which dimensions values are published."),
    CONF_SECTION(settings_values, sinks, settings_sinks, NULL,
                 "Where values are published to.", .flags = CONF_CHOICES),
    CONF_SECTION(settings_values, deliver, deliver_conf, deliver_keys,
                 "What waits while a sink cannot be reached; for each sink."),
    CONF_SECTION(settings_values, dns, settings_dns, dns_keys,
                 "How names are looked up, for targets and worker counts."),
    CONF_SECTION(settings_values, log, settings_log, log_keys, "Logging."),
    CONF_SECTION(settings_values, listen, settings_listen, listen_keys,
                 "The agent's own HTTP side: values for scalers, /metrics and "
                 "health."),
    CONF_SECTION(settings_values, shutdown, settings_shutdown, shutdown_keys,
                 "The end."),
    CONF_END,
};

/* One optional section a sink; the sinks' own tables are their members. */
static const struct conf_key *sink_rows(struct arena *arena)
{
    struct conf_key *rows =
        arena_array(arena, SETTINGS_SINKS_MAX + 1, sizeof(*rows));

    for (size_t i = 0; i < SETTINGS_SINKS_MAX && sink_types[i]; i++)
        rows[i] = (struct conf_key){
            .key = sink_types[i]->name,
            .kind = CONF_KIND_OPTIONAL,
            .at = i * sizeof(void *),
            .keys = sink_types[i]->keys,
            .size = sink_types[i]->conf_size,
            .help = sink_types[i]->help,
        };
    return rows;
}

const struct conf_key *settings_keys(struct arena *arena)
{
    struct conf_key *keys = arena_alloc(arena, sizeof(top_keys));

    memcpy(keys, top_keys, sizeof(top_keys));
    for (struct conf_key *row = keys; row->key; row++)
        if (row->flags & CONF_CHOICES)
            row->keys = sink_rows(arena);
    return keys;
}
