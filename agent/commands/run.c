/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/run.h"

#include "agent/commands/list.h"
#include "agent/commands/place.h"
#include "agent/commands/show.h"

#include <stdio.h>

static const struct command_option options[] = {
    {"config", "FILE", "The configuration file."},
    {"once", NULL, "One cycle: scrape, evaluate, publish, report."},
    {"dry-run", NULL, "One cycle that shows what would be sent."},
    {"output", "FORMAT", "The report: table (default), json or prometheus."},
    {"requests", NULL, "Print the whole requests, secrets masked."},
    {"log-level", "LEVEL", "debug, info (default), warn, error or off."},
    {"log-format", "FORMAT", "logfmt (default) or json."},
    {NULL, NULL, NULL},
};

static struct settings *read_settings(const struct command_line *line,
                                      const char *file)
{
    const struct settings_override overrides[] = {
        {"--log-level", "log.level", command_value(line, "log-level")},
        {"--log-format", "log.format", command_value(line, "log-format")},
        {NULL, NULL, NULL},
    };
    struct settings_source from = {.file = file, .overrides = overrides};
    struct conf_world world = conf_world_process();

    return settings_read(&world, &from);
}

struct settings *run_settings(const struct command_line *line, const char *file)
{
    struct settings *s;
    struct buf faults;

    place_learn();
    s = read_settings(line, file);
    buf_init(&faults, BUF_NO_LIMIT);
    settings_faults(s, &faults);
    (void)fputs(buf_z(&faults), stderr);
    buf_fini(&faults);
    if (!settings_good(s)) {
        settings_free(s);
        return NULL;
    }
    log_setup((enum log_level)s->values.log.level,
              (enum log_format)s->values.log.format);
    return s;
}

/* The report of one cycle tells all that the log would; whoever wants both
 * sets a level. */
static void hush(const struct settings *s)
{
    if (!conf_written(s->conf, &s->values.log.level))
        log_setup(LOG_ERROR, (enum log_format)s->values.log.format);
}

static struct settings *read_again(void *arg)
{
    const struct command_line *line = arg;

    return read_settings(line, command_value(line, "config"));
}

static enum exit_status serve(struct command_line line, struct settings *s)
{
    const struct agent_serve_options o = {.again = read_again, .arg = &line};
    struct err err;

    if (!agent_serve(s, &o, &err))
        return command_fail(&line, EXIT_FAILED, &err);
    return EXIT_WELL;
}

static enum exit_status once(const struct command_line *line,
                             struct settings *s, enum show_form form)
{
    struct agent_once_options o = {.dry = command_given(line, "dry-run")};
    struct show show = {.form = form,
                        .style = {.requests = command_given(line, "requests")}};
    struct err err;

    hush(s);
    if (!agent_once(s, &o, show_report, &show, &err))
        return command_fail(line, EXIT_FAILED, &err);
    return show.status;
}

static enum exit_status run_run(const struct command_line *line)
{
    bool one = command_given(line, "once") || command_given(line, "dry-run");
    enum exit_status status = EXIT_WELL;
    struct settings *s;
    enum show_form form;
    struct err err;

    if (!show_form_parse(command_value(line, "output"), &form, &err))
        return command_fail(line, EXIT_USAGE, &err);
    s = run_settings(line, command_value(line, "config"));
    if (!s)
        return EXIT_USAGE;
    if (one)
        status = once(line, s, form);
    else
        status = serve(*line, s);
    settings_free(s);
    return status;
}

const struct command command_run = {
    .name = "run",
    .arguments = "",
    .help = "Scrape, evaluate and publish (this is the default command).",
    .details =
        "Configured by SCALEBRIDGE_ variables, by a YAML file, or by both: "
        "`scalebridge\nhelp config` lists every option.  The least that is "
        "needed is where Membrane's\nAPI is and where to publish:\n\n"
        "    SCALEBRIDGE_API_URL=http://api:5000 SCALEBRIDGE_SINKS=cloudwatch "
        "\\\n"
        "    SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER=fixed:6 scalebridge "
        "--dry-run\n",
    .options = options,
    .run = run_run,
};
