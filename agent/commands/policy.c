/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/list.h"
#include "agent/commands/policy_aca.h"
#include "agent/commands/policy_keda.h"

#include <stdio.h>

static const struct command_option options[] = {
    {"config", "FILE", "The configuration file."},
    {"cluster", "NAME", "The ECS cluster."},
    {"service", "NAME=THERE,...",
     "What Membrane's services are called in ECS, or as container apps; with "
     "--metric one name."},
    {"metric", "NAME", "Scale on this metric alone."},
    {"dimension", "NAME=VALUE,...",
     "Values of dimensions that come from labels."},
    {"format", "FORMAT",
     "ecs: aws-cli (default), cloudformation or terraform; aca: az-cli "
     "(default), yaml, bicep or arm."},
    {"min", "N", "Fewest tasks, in place of the metric's."},
    {"max", "N", "Most tasks, in place of the metric's."},
    {"high-resolution", NULL, "Scale out within a minute, by steps."},
    {"iam", NULL, "Print the permissions that publishing needs instead."},
    {"rule", "TYPE", "aca: metrics-api (default) or azure-monitor."},
    {"url", "URL", "aca, keda, cloud-run: the agent's own endpoint."},
    {"tenant", "ID", "aca: of the app registration, for azure-monitor."},
    {"resource-group", "NAME", "aca: of the container apps, for az-cli."},
    {NULL, NULL, NULL},
};

static struct str text(const struct command_line *line, const char *name)
{
    return str_of(command_value(line, name));
}

static bool parse_format(const char *word, enum policy_format *format,
                         struct err *err)
{
    static const char *const names[] = {"aws-cli", "cloudformation",
                                        "terraform"};

    *format = POLICY_CLI;
    for (size_t i = 0; word && i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(word, names[i]) == 0) {
            *format = (enum policy_format)i;
            return true;
        }
    }
    return !word || err_set(err, ERR_CONFIG,
                            "--format: \"%s\" is not aws-cli, cloudformation "
                            "or terraform",
                            word);
}

/* Application Auto Scaling takes any int; ECS itself ends long before. */
#define TASKS_MAX 1000000

static bool parse_count(const struct command_line *line, const char *name,
                        int64_t *out, struct err *err)
{
    const char *word = command_value(line, name);

    *out = -1;
    if (!word || (str_int(str_of(word), out) && *out >= 0 && *out <= TASKS_MAX))
        return true;
    return err_set(err, ERR_CONFIG, "--%s: \"%s\" is not a number from 0 to %d",
                   name, word, TASKS_MAX);
}

static bool parse(const struct command_line *line, struct policy_ask *ask,
                  enum policy_format *format, struct err *err)
{
    static const char *const aca[] = {"rule", "url", "tenant",
                                      "resource-group"};

    *ask = (struct policy_ask){
        .cluster = text(line, "cluster"),
        .services = text(line, "service"),
        .metric = text(line, "metric"),
        .dimensions = text(line, "dimension"),
        .high_resolution = command_given(line, "high-resolution"),
    };
    for (size_t i = 0; i < sizeof(aca) / sizeof(*aca); i++)
        if (command_given(line, aca[i]))
            return err_set(err, ERR_CONFIG, "--%s: is of `policy aca`", aca[i]);
    if (strcmp(line->args[0], "ecs") != 0)
        return err_set(err, ERR_CONFIG,
                       "\"%s\": unknown platform; policy knows ecs, "
                       "aca, keda and cloud-run",
                       line->args[0]);
    return parse_format(command_value(line, "format"), format, err) &&
           parse_count(line, "min", &ask->min, err) &&
           parse_count(line, "max", &ask->max, err);
}

static void tell_notes(const struct policy_plan *plan)
{
    for (size_t i = 0; i < plan->note_count; i++)
        (void)fprintf(stderr, "scalebridge policy: note: %.*s\n",
                      STR_ARG(plan->notes[i]));
}

static bool write_plan(const struct settings *s, const struct policy_ask *ask,
                       enum policy_format format, struct buf *out,
                       struct err *err)
{
    struct policy_plan plan;
    struct arena a;
    bool ok;

    arena_init(&a, 4096);
    ok = policy_ecs_plan(s, ask, &a, &plan, err);
    if (ok && format == POLICY_CLOUDFORMATION)
        policy_ecs_cloudformation(&plan, out);
    else if (ok && format == POLICY_TERRAFORM)
        policy_ecs_terraform(&plan, out);
    else if (ok)
        policy_ecs_cli(&plan, out);
    if (ok)
        tell_notes(&plan);
    arena_fini(&a);
    return ok;
}

static bool parse_word(const struct command_line *line, const char *option,
                       const char *const *names, int *out, struct err *err)
{
    const char *word = command_value(line, option);

    *out = 0;
    for (int i = 0; word && names[i]; i++) {
        *out = i;
        if (strcmp(word, names[i]) == 0)
            return true;
    }
    return !word || err_set(err, ERR_CONFIG,
                            "--%s: \"%s\" is unknown; %s is "
                            "the first choice of `policy aca`",
                            option, word, names[0]);
}

static bool parse_aca(const struct command_line *line, struct aca_ask *ask,
                      struct err *err)
{
    static const char *const ecs[] = {"cluster", "iam", "high-resolution"};
    static const char *const formats[] = {"az-cli", "yaml", "bicep", "arm",
                                          NULL};
    static const char *const rules[] = {"metrics-api", "azure-monitor", NULL};
    int format, rule;

    *ask = (struct aca_ask){
        .common = {.services = text(line, "service"),
                   .metric = text(line, "metric"),
                   .dimensions = text(line, "dimension")},
        .group = text(line, "resource-group"),
        .tenant = text(line, "tenant"),
        .url = text(line, "url"),
    };
    for (size_t i = 0; i < sizeof(ecs) / sizeof(*ecs); i++)
        if (command_given(line, ecs[i]))
            return err_set(err, ERR_CONFIG, "--%s: is of `policy ecs`", ecs[i]);
    if (!parse_word(line, "format", formats, &format, err) ||
        !parse_word(line, "rule", rules, &rule, err) ||
        !parse_count(line, "min", &ask->common.min, err) ||
        !parse_count(line, "max", &ask->common.max, err))
        return false;
    ask->format = (enum aca_format)format;
    ask->rule = (enum aca_rule)rule;
    return true;
}

static bool write_aca(const struct settings *s, const struct aca_ask *ask,
                      struct buf *out, struct err *err)
{
    struct aca_plan plan;
    struct arena a;
    bool ok;

    arena_init(&a, 4096);
    ok = policy_aca_plan(s, ask, &a, &plan, err);
    if (ok)
        policy_aca_write(&plan, ask->format, out);
    arena_fini(&a);
    return ok;
}

static enum exit_status run_aca(const struct command_line *line)
{
    enum exit_status status;
    struct aca_ask ask;
    struct settings *s;
    struct buf out;
    struct err err;

    if (!parse_aca(line, &ask, &err))
        return command_fail(line, EXIT_USAGE, &err);
    s = run_settings(line, command_value(line, "config"));
    if (!s)
        return EXIT_USAGE;
    buf_init(&out, BUF_NO_LIMIT);
    if (!write_aca(s, &ask, &out, &err))
        status = command_fail(line, EXIT_USAGE, &err);
    else
        status = command_print(buf_str(&out)) ? EXIT_WELL : EXIT_FAILED;
    buf_fini(&out);
    settings_free(s);
    return status;
}

static bool parse_keda(const struct command_line *line, struct keda_ask *ask,
                       struct err *err)
{
    static const char *const others[] = {
        "cluster", "iam",    "high-resolution", "format",
        "rule",    "tenant", "resource-group",  "dimension"};

    *ask = (struct keda_ask){.common = {.services = text(line, "service"),
                                        .metric = text(line, "metric")},
                             .url = text(line, "url"),
                             .crema = strcmp(line->args[0], "cloud-run") == 0};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (command_given(line, others[i]))
            return err_set(err, ERR_CONFIG, "--%s: is not of `policy %s`",
                           others[i], line->args[0]);
    return parse_count(line, "min", &ask->common.min, err) &&
           parse_count(line, "max", &ask->common.max, err);
}

static enum exit_status run_keda(const struct command_line *line)
{
    enum exit_status status;
    struct keda_ask ask;
    struct settings *s;
    struct buf out;
    struct err err;

    if (!parse_keda(line, &ask, &err))
        return command_fail(line, EXIT_USAGE, &err);
    s = run_settings(line, command_value(line, "config"));
    if (!s)
        return EXIT_USAGE;
    buf_init(&out, BUF_NO_LIMIT);
    if (!policy_keda_write(s, &ask, &out, &err))
        status = command_fail(line, EXIT_USAGE, &err);
    else
        status = command_print(buf_str(&out)) ? EXIT_WELL : EXIT_FAILED;
    buf_fini(&out);
    settings_free(s);
    return status;
}

static enum exit_status run_policy(const struct command_line *line)
{
    enum policy_format format = POLICY_CLI;
    struct policy_ask ask;
    struct settings *s;
    struct buf out;
    struct err err;
    enum exit_status status;

    if (strcmp(line->args[0], "aca") == 0)
        return run_aca(line);
    if (strcmp(line->args[0], "keda") == 0 ||
        strcmp(line->args[0], "cloud-run") == 0)
        return run_keda(line);
    if (!parse(line, &ask, &format, &err))
        return command_fail(line, EXIT_USAGE, &err);
    s = run_settings(line, command_value(line, "config"));
    if (!s)
        return EXIT_USAGE;
    buf_init(&out, BUF_NO_LIMIT);
    if (!(command_given(line, "iam")
              ? policy_ecs_iam(s, &ask, format, &out, &err)
              : write_plan(s, &ask, format, &out, &err)))
        status = command_fail(line, EXIT_USAGE, &err);
    else
        status = command_print(buf_str(&out)) ? EXIT_WELL : EXIT_FAILED;
    buf_fini(&out);
    settings_free(s);
    return status;
}

const struct command command_policy = {
    .name = "policy",
    .arguments = "ecs|aca|keda|cloud-run",
    .help = "Print the autoscaling that matches what is published.",
    .details =
        "Reads the configuration as run would and prints, with the very "
        "namespace, names,\nunits and dimensions that are published, what "
        "registers ECS services with\nApplication Auto Scaling, their target "
        "tracking policies, and an alarm on\nScalebridgeDataAge.  With a "
        "minimum of 0 a policy for the first task is added.\nWhat target "
        "tracking cannot follow is refused, with the reason.\n\n"
        "    scalebridge policy ecs --cluster membrane-cluster | sh\n\n"
        "policy aca prints custom rules of Azure Container Apps, for totals "
        "alone: a rule\nmakes ceil(value / targetValue) replicas.\n\n"
        "    scalebridge policy aca --url https://agent.example.com "
        "--resource-group rg\n\n"
        "policy keda prints ScaledObjects, and policy cloud-run the "
        "configuration of CREMA,\nfor totals alone; both read this agent's own "
        "endpoint.\n",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .run = run_policy,
};
