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

/* Which of `names` is given; the first where none is. */
static bool parse_word(const struct command_line *line, const char *option,
                       const char *const *names, int *out, struct err *err)
{
    const char *word = command_value(line, option);
    struct buf known;

    *out = 0;
    if (!word)
        return true;
    buf_init(&known, 256);
    for (int i = 0; names[i]; i++) {
        *out = i;
        if (strcmp(word, names[i]) == 0) {
            buf_fini(&known);
            return true;
        }
        buf_addf(&known, "%s%s", i ? ", " : "", names[i]);
    }
    (void)err_set(err, ERR_CONFIG, "--%s: \"%s\" is none of %s", option, word,
                  buf_z(&known));
    buf_fini(&known);
    return false;
}

/*
 * The platforms.
 */
struct ecs_words {
    struct policy_ask ask;
    enum policy_format format;
    bool iam;
};

union asked {
    struct ecs_words ecs;
    struct aca_ask aca;
    struct keda_ask keda;
};

static bool parse_ecs(const struct command_line *line, union asked *to,
                      struct err *err)
{
    static const char *const formats[] = {"aws-cli", "cloudformation",
                                          "terraform", NULL};
    struct ecs_words *w = &to->ecs;
    int format;

    w->ask = (struct policy_ask){
        .cluster = text(line, "cluster"),
        .services = text(line, "service"),
        .metric = text(line, "metric"),
        .dimensions = text(line, "dimension"),
        .high_resolution = command_given(line, "high-resolution"),
    };
    w->iam = command_given(line, "iam");
    if (!parse_word(line, "format", formats, &format, err))
        return false;
    w->format = (enum policy_format)format;
    return parse_count(line, "min", &w->ask.min, err) &&
           parse_count(line, "max", &w->ask.max, err);
}

static void tell_notes(const struct policy_plan *plan)
{
    for (size_t i = 0; i < plan->note_count; i++)
        (void)fprintf(stderr, "scalebridge policy: note: %.*s\n",
                      STR_ARG(plan->notes[i]));
}

static bool write_plan(const struct settings *s, const struct ecs_words *w,
                       struct buf *out, struct err *err)
{
    struct policy_plan plan;
    struct arena a;
    bool ok;

    arena_init(&a, 4096);
    ok = policy_ecs_plan(s, &w->ask, &a, &plan, err);
    if (ok && w->format == POLICY_CLOUDFORMATION)
        policy_ecs_cloudformation(&plan, out);
    else if (ok && w->format == POLICY_TERRAFORM)
        policy_ecs_terraform(&plan, out);
    else if (ok)
        policy_ecs_cli(&plan, out);
    if (ok)
        tell_notes(&plan);
    arena_fini(&a);
    return ok;
}

static bool write_ecs(const struct settings *s, const union asked *asked,
                      struct buf *out, struct err *err)
{
    const struct ecs_words *w = &asked->ecs;

    return w->iam ? policy_ecs_iam(s, &w->ask, w->format, out, err)
                  : write_plan(s, w, out, err);
}

static bool parse_aca(const struct command_line *line, union asked *to,
                      struct err *err)
{
    static const char *const formats[] = {"az-cli", "yaml", "bicep", "arm",
                                          NULL};
    static const char *const rules[] = {"metrics-api", "azure-monitor", NULL};
    struct aca_ask *ask = &to->aca;
    int format, rule;

    *ask = (struct aca_ask){
        .common = {.services = text(line, "service"),
                   .metric = text(line, "metric"),
                   .dimensions = text(line, "dimension")},
        .group = text(line, "resource-group"),
        .tenant = text(line, "tenant"),
        .url = text(line, "url"),
    };
    if (!parse_word(line, "format", formats, &format, err) ||
        !parse_word(line, "rule", rules, &rule, err))
        return false;
    ask->format = (enum aca_format)format;
    ask->rule = (enum aca_rule)rule;
    return parse_count(line, "min", &ask->common.min, err) &&
           parse_count(line, "max", &ask->common.max, err);
}

static bool write_aca(const struct settings *s, const union asked *asked,
                      struct buf *out, struct err *err)
{
    struct aca_plan plan;
    struct arena a;
    bool ok;

    arena_init(&a, 4096);
    ok = policy_aca_plan(s, &asked->aca, &a, &plan, err);
    if (ok)
        policy_aca_write(&plan, asked->aca.format, out);
    arena_fini(&a);
    return ok;
}

static bool parse_keda(const struct command_line *line, union asked *to,
                       struct err *err)
{
    struct keda_ask *ask = &to->keda;

    *ask = (struct keda_ask){.common = {.services = text(line, "service"),
                                        .metric = text(line, "metric")},
                             .url = text(line, "url"),
                             .crema = strcmp(line->args[0], "cloud-run") == 0};
    return parse_count(line, "min", &ask->common.min, err) &&
           parse_count(line, "max", &ask->common.max, err);
}

static bool write_keda(const struct settings *s, const union asked *asked,
                       struct buf *out, struct err *err)
{
    return policy_keda_write(s, &asked->keda, out, err);
}

static const struct platform {
    const char *name;
    const char *options; /* beside config, with a blank around each */
    bool (*parse)(const struct command_line *line, union asked *to,
                  struct err *err);
    bool (*write)(const struct settings *s, const union asked *asked,
                  struct buf *out, struct err *err);
} platforms[] = {
    {"ecs",
     " cluster service metric dimension format min max high-resolution iam ",
     parse_ecs, write_ecs},
    {"aca",
     " service metric dimension format min max rule url tenant resource-group ",
     parse_aca, write_aca},
    {"keda", " service metric min max url ", parse_keda, write_keda},
    {"cloud-run", " service metric min max url ", parse_keda, write_keda},
};

static const struct platform *find(const char *name, struct err *err)
{
    for (size_t i = 0; i < sizeof(platforms) / sizeof(*platforms); i++)
        if (strcmp(platforms[i].name, name) == 0)
            return &platforms[i];
    (void)err_set(err, ERR_CONFIG,
                  "\"%s\": unknown platform; policy knows ecs, aca, keda and "
                  "cloud-run",
                  name);
    return NULL;
}

static bool has_option(const struct platform *p, const char *name)
{
    char word[64];

    (void)snprintf(word, sizeof(word), " %s ", name);
    return strstr(p->options, word) != NULL;
}

static bool knows_options(const struct platform *p,
                          const struct command_line *line, struct err *err)
{
    for (const struct command_option *o = options + 1; o->name; o++) {
        const struct platform *other = platforms;

        if (!command_given(line, o->name) || has_option(p, o->name))
            continue;
        while (!has_option(other, o->name))
            other++;
        return err_set(err, ERR_CONFIG,
                       "--%s: is not of `policy %s` but of `policy %s`",
                       o->name, p->name, other->name);
    }
    return true;
}

static enum exit_status print(const struct command_line *line,
                              const struct platform *p,
                              const union asked *asked)
{
    struct settings *s = run_settings(line, command_value(line, "config"));
    enum exit_status status;
    struct buf out;
    struct err err;

    if (!s)
        return EXIT_USAGE;
    buf_init(&out, BUF_NO_LIMIT);
    if (!p->write(s, asked, &out, &err))
        status = command_fail(line, EXIT_USAGE, &err);
    else
        status = command_print(buf_str(&out)) ? EXIT_WELL : EXIT_FAILED;
    buf_fini(&out);
    settings_free(s);
    return status;
}

static enum exit_status run_policy(const struct command_line *line)
{
    struct err err;
    const struct platform *p = find(line->args[0], &err);
    union asked asked;

    if (!p || !knows_options(p, line, &err) || !p->parse(line, &asked, &err))
        return command_fail(line, EXIT_USAGE, &err);
    return print(line, p, &asked);
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
