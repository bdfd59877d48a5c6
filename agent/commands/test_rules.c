/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/list.h"
#include "agent/commands/testrun.h"
#include "agent/settings/settings.h"

#include <stdio.h>

static const struct command_option options[] = {
    {"config", "FILE", "The configuration whose metrics metric_test names."},
    {NULL, NULL, NULL},
};

/* All files of one command line. */
struct tester {
    const struct command_line *line;
    struct conf_world world;
    struct settings *settings; /* NULL: not asked for yet */
    struct buf failures;       /* of one file */
};

/* One test file. */
struct job {
    struct tester *tester;
    const char *name;
    struct test_file file;
    struct groups *rules;
    size_t found; /* files of one pattern */
};

static bool is_usable(const struct job *j)
{
    struct buf faults;

    buf_init(&faults, BUF_NO_LIMIT);
    conf_faults_print(j->file.conf, &faults);
    (void)fputs(buf_z(&faults), stderr);
    buf_fini(&faults);
    return conf_good(j->file.conf);
}

static bool read_text(const struct job *j, const char *path, struct buf *out)
{
    const struct conf_world *w = &j->tester->world;
    struct err err;

    buf_init(out, CONF_FILE_MAX);
    if (w->read_file(w->arg, path, out, &err))
        return true;
    (void)fprintf(stderr, "scalebridge test-rules: %s\n", err.text);
    return false;
}

static bool read_file(struct job *j)
{
    struct buf text;
    bool ok = read_text(j, j->name, &text);

    test_file_read(&j->file, j->name, ok ? buf_str(&text) : STR_NONE);
    buf_fini(&text);
    return ok && is_usable(j);
}

/* ---- rule files ---- */

static void read_rules(void *arg, const char *path)
{
    struct job *j = arg;
    struct buf text;

    j->found++;
    if (read_text(j, path, &text))
        (void)groups_read(j->rules, path, buf_str(&text), j->file.conf);
    else
        conf_fault(j->file.conf, NULL, "rule_files", "%s cannot be used", path);
    buf_fini(&text);
}

/* As promtool does: from the folder of the test file. */
static void find_rules(struct job *j, const char *pattern)
{
    const char *slash = strrchr(j->name, '/');
    struct buf path;

    buf_init(&path, 4096);
    if (pattern[0] != '/' && slash)
        buf_add(&path, j->name, (size_t)(slash - j->name) + 1);
    buf_addz(&path, pattern);
    j->found = 0;
    j->tester->world.match(j->tester->world.arg, buf_z(&path), read_rules, j);
    if (j->found == 0)
        (void)fprintf(stderr, "  WARNING: no file matches %s\n", buf_z(&path));
    buf_fini(&path);
}

static bool read_all_rules(struct job *j)
{
    const struct conf_list *files = &j->file.values.rule_files;
    size_t alerts;

    for (size_t i = 0; i < files->count; i++)
        find_rules(j, files->items[i]);
    alerts = groups_alerts(j->rules) + test_file_alerts(&j->file);
    if (alerts)
        (void)fprintf(stderr,
                      "  NOTE: %zu alerting rule%s or alert_rule_test passed "
                      "over\n",
                      alerts, alerts == 1 ? "" : "s");
    return is_usable(j);
}

/* ---- running ---- */

static bool need_settings(struct tester *t)
{
    if (!t->settings)
        t->settings = run_settings(t->line, command_value(t->line, "config"));
    return t->settings != NULL;
}

static bool run_group(struct job *j, const struct test_group *g)
{
    struct tester *t = j->tester;
    bool ok = test_run_expressions(&j->file, g, j->rules, &t->failures);

    return test_run_metrics(&j->file, g, t->settings, &t->failures) && ok;
}

static enum exit_status run_tests(struct job *j)
{
    struct tester *t = j->tester;
    bool ok = true;

    if (test_file_has_metrics(&j->file) && !need_settings(t))
        return EXIT_USAGE;
    buf_reset(&t->failures);
    for (size_t i = 0; i < j->file.values.tests_count; i++)
        ok = run_group(j, &j->file.values.tests[i]) && ok;
    if (ok)
        return command_print(STR("  SUCCESS\n\n")) ? EXIT_WELL : EXIT_FAILED;
    (void)fprintf(stderr, "  FAILED:\n%s\n", buf_z(&t->failures));
    return EXIT_FAILED;
}

static enum exit_status test_one(struct tester *t, const char *name)
{
    struct job j = {.tester = t, .name = name, .rules = groups_new()};
    enum exit_status status = EXIT_USAGE;
    struct buf title;

    buf_init(&title, BUF_NO_LIMIT);
    buf_addf(&title, "Unit Testing:  %s\n", name);
    (void)command_print(buf_str(&title));
    buf_fini(&title);
    if (read_file(&j) && read_all_rules(&j))
        status = run_tests(&j);
    if (status == EXIT_USAGE)
        (void)fputs("  UNUSABLE\n\n", stderr);
    test_file_fini(&j.file);
    groups_free(j.rules);
    return status;
}

static enum exit_status run_test_rules(const struct command_line *line)
{
    struct tester t = {.line = line, .world = conf_world_process()};
    enum exit_status worst = EXIT_WELL;

    buf_init(&t.failures, BUF_NO_LIMIT);
    for (size_t i = 0; i < line->arg_count; i++) {
        enum exit_status status = test_one(&t, line->args[i]);

        worst = status > worst ? status : worst;
    }
    buf_fini(&t.failures);
    settings_free(t.settings);
    return worst;
}

const struct command command_test_rules = {
    .name = "test-rules",
    .arguments = "FILE...",
    .help = "Run unit tests of recording rules and metrics.",
    .details =
        "The files are those of `promtool test rules`: series, rule files, "
        "expressions\nand what they must give; tests of alerts are passed "
        "over.  metric_test names\nmetrics of the agent's own, as --config "
        "or the SCALEBRIDGE_ variables have them:\n\n"
        "    tests:\n"
        "      - interval: 15s\n"
        "        input_series:\n"
        "          - series: instant_tasks_jobs_waiting{job=\"api\", "
        "instance=\"a\"}\n"
        "            values: 10+5x20\n"
        "        metric_test:\n"
        "          - {metric: JobQueueLength, eval_time: 1m, value: 30}\n"
        "          - {metric: JobsPerWorker, eval_time: 1m, missing: true}\n\n"
        "Exit status 1: a test failed; 2: a file cannot be used.\n",
    .min_args = 1,
    .max_args = COMMAND_ARGS_MAX,
    .options = options,
    .run = run_test_rules,
};
