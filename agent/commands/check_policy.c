/* SPDX-License-Identifier: Apache-2.0 */
/* check_policy.c - the command, and rules in YAML and JSON. */
#include "agent/commands/check_policy.h"

#include "agent/commands/input.h"
#include "agent/commands/list.h"
#include "agent/rules/preset.h"

#include <stdio.h>

static struct str text_of(const struct conf_node *n, const char *key)
{
    const struct conf_node *child = conf_node_get(n, str_of(key));

    return child && child->kind == CONF_SCALAR && !child->null ? child->text
                                                               : STR_NONE;
}

static void take_metadata(const struct conf_node *n, struct policy_rule *r)
{
    const struct conf_node *all = conf_node_get(n, STR("metadata"));

    for (const struct conf_node *m = all ? all->child : NULL; m; m = m->next)
        policy_field_add(&r->metadata,
                         (struct policy_field){m->key, m->text, m->key_mark});
}

static void take_auth(const struct conf_node *n, struct policy_rule *r)
{
    const struct conf_node *all = conf_node_get(n, STR("auth"));

    for (const struct conf_node *a = all ? all->child : NULL; a; a = a->next)
        if (a->kind == CONF_MAPPING)
            policy_field_add(&r->auth, (struct policy_field){
                                           text_of(a, "triggerParameter"),
                                           text_of(a, "secretRef"), a->mark});
}

/* The value of a rule's `custom`, or a trigger of a ScaledObject. */
static void check_rule(struct conf *c, const struct conf_node *n, bool keda)
{
    struct policy_rule r = {
        .mark = n->mark,
        .keda = keda,
        .type = text_of(n, "type"),
        .identity = !keda && text_of(n, "identity").len > 0,
        .other_auth = keda && conf_node_get(n, STR("authenticationRef")),
        .average = !keda || !str_eqz(text_of(n, "metricType"), "Value"),
    };

    take_metadata(n, &r);
    take_auth(n, &r);
    policy_rule_check(c, &r);
}

/* ---- Application Auto Scaling ---- */

static void check_tracked(struct conf *c, const struct conf_node *spec)
{
    struct str name = text_of(spec, "MetricName");
    const struct preset_metric *m = preset_at(0)->metrics;
    static const char *const needed[] = {"MetricName", "Namespace",
                                         "Statistic"};

    for (size_t i = 0; i < 3; i++)
        if (!text_of(spec, needed[i]).len)
            conf_fault(c, &spec->mark, NULL,
                       "%s: is missing, and a customized metric needs it",
                       needed[i]);
    for (; m->name; m++)
        if (str_eqz(name, m->name) && m->scaling == PRESET_TOTAL)
            conf_fault(c, &spec->mark, NULL,
                       "MetricName: %s is an absolute number that does not "
                       "fall as tasks are added, so that target tracking would "
                       "run to the maximum; use a ratio, as JobsPerWorker",
                       m->name);
    if (str_eqz(text_of(spec, "Statistic"), "Sum"))
        conf_fault(c, &spec->mark, NULL,
                   "Statistic: Sum grows with every point of a minute; write "
                   "Average");
}

static bool check_tracking(struct conf *c, const struct conf_node *n)
{
    const struct conf_node *spec =
        conf_node_get(n, STR("CustomizedMetricSpecification"));

    if (!spec || spec->kind != CONF_MAPPING)
        return false;
    if (!text_of(n, "TargetValue").len)
        conf_fault(c, &n->mark, NULL, "TargetValue: is missing");
    if (!conf_node_get(spec, STR("Metrics")))
        check_tracked(c, spec);
    return true;
}

/* ---- anywhere in a tree ---- */

static bool is_mapping(const struct conf_node *n)
{
    return n && n->kind == CONF_MAPPING;
}

size_t policy_check_tree(struct conf *c, const struct conf_node *root)
{
    const struct conf_node *custom =
        is_mapping(root) ? conf_node_get(root, STR("custom")) : NULL;
    size_t rules = 0;

    if (is_mapping(custom)) {
        check_rule(c, custom, false);
        return 1;
    }
    if (is_mapping(root))
        rules += check_tracking(c, root);
    for (const struct conf_node *n = root->child; n; n = n->next) {
        if (str_eqz(n->key, "triggers") && n->kind == CONF_SEQUENCE) {
            for (const struct conf_node *t = n->child; t; t = t->next)
                check_rule(c, t, true);
            rules += n->count;
        } else {
            rules += policy_check_tree(c, n);
        }
    }
    return rules;
}

static size_t check_text(struct conf *c, const char *name, struct str text)
{
    const struct conf_node *root;
    size_t rules = policy_check_commands(c, name, text);

    if (rules || conf_fault_count(c))
        return rules;
    root = conf_parse(c, name, text);
    return root ? policy_check_tree(c, root) : 0;
}

static enum exit_status report(struct conf *c, const char *name, size_t rules)
{
    struct buf out;
    enum exit_status status = EXIT_FAILED;

    buf_init(&out, BUF_NO_LIMIT);
    conf_faults_print(c, &out);
    if (!rules && conf_good(c)) {
        (void)fprintf(stderr,
                      "scalebridge check-policy: %s: no rule is in it; az "
                      "commands, YAML and JSON (ARM; Bicep after `az bicep "
                      "build`) are read\n",
                      name);
        status = EXIT_USAGE;
    } else if (conf_good(c)) {
        buf_addf(&out, "%s: %zu rule%s, no error\n", name, rules,
                 rules == 1 ? "" : "s");
        status = EXIT_WELL;
    }
    if (out.len && !command_print(buf_str(&out)))
        status = EXIT_FAILED;
    buf_fini(&out);
    return status;
}

static enum exit_status run_check_policy(const struct command_line *line)
{
    enum exit_status status;
    struct input in;
    struct conf *c;
    struct err err;

    if (!input_read(line->args[0], &in, &err))
        return command_fail(line, EXIT_USAGE, &err);
    c = conf_new();
    status = report(c, line->args[0],
                    check_text(c, line->args[0], buf_str(&in.text)));
    conf_free(c);
    input_fini(&in);
    return status;
}

const struct command command_check_policy = {
    .name = "check-policy",
    .arguments = "FILE|-",
    .help = "Tell the faults of a scaling rule, and how to mend each.",
    .details =
        "Reads `az containerapp` commands, YAML and ARM templates of Container "
        "Apps, KEDA\nScaledObjects, and target tracking configurations of "
        "Application Auto Scaling in\nJSON, and prints each fault with its "
        "place: fields that do not exist or are\nmissing, ratios where totals "
        "are needed, credentials that cannot work.  Status 1\nwhere there are "
        "faults.\n",
    .min_args = 1,
    .max_args = 1,
    .run = run_check_policy,
};
