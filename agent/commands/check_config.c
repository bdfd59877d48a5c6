/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/list.h"
#include "agent/settings/settings.h"

static const struct command_option options[] = {
    {"config", "FILE", "The configuration file."},
    {"show", NULL, "Print all options in force and where each came from."},
    {"log-level", "LEVEL", "As for run."},
    {"log-format", "FORMAT", "As for run."},
    {NULL, NULL, NULL},
};

static enum exit_status run_check(const struct command_line *line)
{
    const char *file = command_value(line, "config");
    struct settings *s =
        run_settings(line, line->arg_count ? line->args[0] : file);
    struct buf out;
    bool ok;

    if (!s)
        return EXIT_USAGE;
    buf_init(&out, BUF_NO_LIMIT);
    if (command_given(line, "show"))
        settings_show(s, &out);
    else
        settings_summary(s, &out);
    ok = command_print(buf_str(&out));
    buf_fini(&out);
    settings_free(s);
    return ok ? EXIT_WELL : EXIT_FAILED;
}

const struct command command_check_config = {
    .name = "check-config",
    .arguments = "[FILE]",
    .help = "Tell every fault of the configuration, or what will be done.",
    .details =
        "Reads the configuration as run would: FILE, or what "
        "SCALEBRIDGE_CONFIG names,\nand the SCALEBRIDGE_ variables.  Without "
        "faults it says what is scraped, which\nmetrics are on, which are off "
        "and why, and where they are published; with\n--show it prints every "
        "option as YAML, secrets masked.\n",
    .max_args = 1,
    .options = options,
    .run = run_check,
};
