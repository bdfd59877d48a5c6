/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/near.h"
#include "agent/commands/list.h"
#include "agent/config/show.h"
#include "agent/settings/settings.h"

#include <stdio.h>

static void print_all(struct buf *out)
{
    buf_addz(out,
             "scalebridge publishes what a self-hosted Membrane has to do, so "
             "that a cloud's\nown autoscaler can follow it.\n\n"
             "usage: scalebridge [COMMAND] [options]\n\ncommands:\n");
    for (size_t i = 0; commands[i]; i++)
        buf_addf(out, "  %-13s %s\n", commands[i]->name, commands[i]->help);
    buf_addz(out,
             "\nWithout a command it is `run`.  `scalebridge help COMMAND` "
             "tells more,\n`scalebridge help config` all options.\n\n"
             "exit status: 0 all well; 1 something failed; 2 wrong usage or "
             "configuration;\n3 a metric could not be computed or "
             "delivered.\n");
}

static void print_one(const struct command *c, struct buf *out)
{
    buf_addf(out, "usage: scalebridge %s%s%s%s\n\n%s\n", c->name,
             c->options ? " [options]" : "", c->max_args ? " " : "",
             c->arguments, c->help);
    for (size_t i = 0; c->options && c->options[i].name; i++) {
        char left[64];

        if (i == 0)
            buf_addz(out, "\noptions:\n");
        (void)snprintf(left, sizeof(left), "--%s%s%s", c->options[i].name,
                       c->options[i].argument ? " " : "",
                       c->options[i].argument ? c->options[i].argument : "");
        buf_addf(out, "  %-24s %s\n", left, c->options[i].help);
    }
    if (c->details)
        buf_addf(out, "\n%s", c->details);
}

/* Every option of the configuration. */
static void print_config(struct buf *out)
{
    struct arena a;

    arena_init(&a, 4096);
    buf_addz(out,
             "The configuration is one YAML file (--config FILE, "
             "SCALEBRIDGE_CONFIG, or its text\nin SCALEBRIDGE_CONFIG_CONTENT), "
             "environment variables, or both; a variable comes\nbefore the "
             "file, the command line before both.  In values of the file "
             "${NAME},\n${NAME:-default} and ${file:/path} are replaced; $$ is "
             "one $.\n\n"
             "Where Membrane is can be said by variables alone, each a list "
             "with commas:\n\n"
             "    SCALEBRIDGE_API_URL\n"
             "    SCALEBRIDGE_CUSTOM_CODE_RUNNER_URL\n"
             "    SCALEBRIDGE_QUEUED_TASKS_WORKER_URL\n\n"
             "and how many workers run by SCALEBRIDGE_CAPACITY_<SERVICE>, as "
             "fixed:6, up:JOB,\ndns:NAME or dnssrv:NAME.\n\n");
    conf_options_print(settings_keys(&a), out);
    arena_fini(&a);
}

static enum exit_status run_help(const struct command_line *line)
{
    const struct command *c = NULL;
    struct buf out;
    bool ok;

    buf_init(&out, BUF_NO_LIMIT);
    if (line->arg_count && strcmp(line->args[0], "config") == 0) {
        print_config(&out);
    } else if (line->arg_count) {
        c = command_find(str_of(line->args[0]));
        if (!c) {
            struct err err;

            (void)err_set(&err, ERR_CONFIG,
                          "\"%s\": no such command; `scalebridge help` lists "
                          "them",
                          line->args[0]);
            return command_fail(line, EXIT_USAGE, &err);
        }
        print_one(c, &out);
    } else {
        print_all(&out);
    }
    ok = command_print(buf_str(&out));
    buf_fini(&out);
    return ok ? EXIT_WELL : EXIT_FAILED;
}

const struct command command_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .help = "Tell what there is, or all about one command.",
    .max_args = 1,
    .run = run_help,
};

static enum exit_status run_version(const struct command_line *line)
{
    (void)line;
    return command_print(STR("scalebridge " PACKAGE_VERSION "\n"))
               ? EXIT_WELL
               : EXIT_FAILED;
}

const struct command command_version = {
    .name = "version",
    .arguments = "",
    .help = "Print the version.",
    .run = run_version,
};
