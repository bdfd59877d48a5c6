/* SPDX-License-Identifier: Apache-2.0 */
/* policy_aca_write.c - a plan as a script of az, YAML, Bicep and ARM. */
#include "agent/commands/policy_aca.h"

#include <inttypes.h>

/* ---- as a script ---- */

/* One word of sh, whatever is in it; NAME=WORD where it has a name. */
static void quote(struct buf *out, const char *name, struct str word)
{
    buf_addf(out, " '%s%s", name, *name ? "=" : "");
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] == '\'')
            buf_addz(out, "'\\''");
        else
            buf_addc(out, word.ptr[i]);
    }
    buf_addc(out, '\'');
}

static void about(struct buf *out, const struct aca_plan *plan,
                  const struct aca_app *app, const char *command)
{
    buf_addf(out, "az containerapp %s --name", command);
    quote(out, "", app->app);
    buf_addz(out, " --resource-group");
    quote(out, "", plan->group);
}

static void script_app(struct buf *out, const struct aca_plan *plan,
                       const struct aca_app *app)
{
    buf_addf(out, "\n# %.*s on %.*s\n", STR_ARG(app->service),
             STR_ARG(app->metric));
    about(out, plan, app, "secret set");
    buf_addz(out, " --secrets");
    for (size_t i = 0; i < plan->secret_count; i++)
        buf_addf(out, " \\\n    \"%s=$SCALEBRIDGE_%s\"", plan->secrets[i].name,
                 plan->secrets[i].variable);
    buf_addc(out, '\n');
    about(out, plan, app, "update");
    buf_addf(out,
             " \\\n    --min-replicas %" PRId64 " --max-replicas %" PRId64
             " \\\n    --scale-rule-name %.*s --scale-rule-type %s \\\n"
             "    --scale-rule-metadata",
             app->min, app->max, STR_ARG(app->rule_name), plan->type);
    for (size_t i = 0; i < app->metadata_count; i++) {
        buf_addz(out, " \\\n       ");
        quote(out, app->metadata[i].name, app->metadata[i].value);
    }
    buf_addz(out, " \\\n    --scale-rule-auth");
    for (size_t i = 0; i < plan->secret_count; i++)
        buf_addf(out, " %s=%s", plan->secrets[i].parameter,
                 plan->secrets[i].name);
    buf_addc(out, '\n');
}

static void write_script(struct buf *out, const struct aca_plan *plan)
{
    buf_addz(out, "#!/bin/sh\n# Scaling of container apps on what scalebridge "
                  "publishes.  The other rules of an app\n# are replaced: az "
                  "writes a list of one.  pollingInterval and cooldownPeriod "
                  "stay\n# 30 and 300 s, for az has no option for them; "
                  "--format bicep does.\nset -eu\n");
    for (size_t i = 0; i < plan->secret_count; i++)
        buf_addf(out, ": \"${SCALEBRIDGE_%s:?is not set}\"\n",
                 plan->secrets[i].variable);
    for (size_t i = 0; i < plan->app_count; i++)
        script_app(out, plan, &plan->apps[i]);
}

/* ---- as a document: one walk, three notations ---- */

struct doc {
    struct buf *out;
    enum aca_format format;
    int depth;
    bool comma; /* JSON: the next member needs one in front */
    bool item;  /* YAML: the next key stands behind "- " */
};

static void line(struct doc *d)
{
    if (d->format == ACA_ARM && d->comma)
        buf_addc(d->out, ',');
    if (d->out->len)
        buf_addc(d->out, '\n');
    for (int i = 0; i < 2 * d->depth - 2 * d->item; i++)
        buf_addc(d->out, ' ');
    if (d->item)
        buf_addz(d->out, "- ");
    d->item = false;
    d->comma = true;
}

static void key(struct doc *d, const char *name)
{
    line(d);
    buf_addf(d->out, d->format == ACA_ARM ? "\"%s\": " : "%s: ", name);
}

static void begin(struct doc *d, const char *name, char bracket)
{
    if (name)
        key(d, name);
    else if (d->format != ACA_YAML)
        line(d);
    if (d->format == ACA_YAML) {
        if (name)
            d->out->len--; /* no blank behind the colon */
        else
            d->item = true;
    } else {
        buf_addc(d->out, bracket);
    }
    d->depth++;
    d->comma = false;
}

static void end(struct doc *d, char bracket)
{
    d->depth--;
    d->comma = false;
    if (d->format == ACA_YAML)
        return;
    line(d);
    buf_addc(d->out, bracket);
}

/* Bicep: a quote, a backslash and the start of an expression are escaped. */
static void bicep_text(struct buf *out, struct str s)
{
    buf_addc(out, '\'');
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (c == '\'' || c == '\\' ||
            (c == '$' && i + 1 < s.len && s.ptr[i + 1] == '{'))
            buf_addc(out, '\\');
        buf_addc(out, c);
    }
    buf_addc(out, '\'');
}

/* A JSON string is one of YAML; in a template "[" begins an expression unless
 * it stands twice. */
static void text(struct doc *d, const char *name, struct str s)
{
    struct buf twice;
    struct jsonw w;

    key(d, name);
    if (d->format == ACA_BICEP) {
        bicep_text(d->out, s);
        return;
    }
    buf_init(&twice, BUF_NO_LIMIT);
    if (d->format == ACA_ARM && str_starts(s, STR("[")))
        buf_addc(&twice, '[');
    buf_adds(&twice, s);
    jsonw_init(&w, d->out, 0);
    jsonw_text(&w, buf_str(&twice));
    buf_fini(&twice);
}

static void number(struct doc *d, const char *name, int64_t n)
{
    key(d, name);
    buf_addf(d->out, "%" PRId64, n);
}

static void write_auth(struct doc *d, const struct aca_plan *plan)
{
    begin(d, "auth", '[');
    for (size_t i = 0; i < plan->secret_count; i++) {
        begin(d, NULL, '{');
        text(d, "secretRef", str_of(plan->secrets[i].name));
        text(d, "triggerParameter", str_of(plan->secrets[i].parameter));
        end(d, '}');
    }
    end(d, ']');
}

static void write_scale(struct doc *d, const struct aca_plan *plan,
                        const struct aca_app *app)
{
    number(d, "minReplicas", app->min);
    number(d, "maxReplicas", app->max);
    number(d, "pollingInterval", ACA_POLLING);
    number(d, "cooldownPeriod", ACA_COOLDOWN);
    begin(d, "rules", '[');
    begin(d, NULL, '{');
    text(d, "name", app->rule_name);
    begin(d, "custom", '{');
    text(d, "type", str_of(plan->type));
    begin(d, "metadata", '{');
    for (size_t i = 0; i < app->metadata_count; i++)
        text(d, app->metadata[i].name, app->metadata[i].value);
    end(d, '}');
    write_auth(d, plan);
    end(d, '}');
    end(d, '}');
    end(d, ']');
}

static void write_yaml(struct buf *out, const struct aca_plan *plan)
{
    struct doc d = {.out = out, .format = ACA_YAML};

    buf_addf(out,
             "# az containerapp update --name %.*s --resource-group GROUP "
             "--yaml FILE\n# Set the app's secrets before: az containerapp "
             "secret set --secrets",
             STR_ARG(plan->apps->app));
    for (size_t i = 0; i < plan->secret_count; i++)
        buf_addf(out, " %s=...", plan->secrets[i].name);
    begin(&d, "properties", '{');
    begin(&d, "template", '{');
    begin(&d, "scale", '{');
    write_scale(&d, plan, plan->apps);
    buf_addc(out, '\n');
}

/* ---- as templates: variables for the app's own resource ---- */

static struct str variable_of(const struct aca_app *app, struct buf *name)
{
    buf_reset(name);
    policy_camel(name, app->app);
    if (name->data[0] >= '0' && name->data[0] <= '9')
        buf_reset(name);
    buf_addz(name, name->len ? "Scale" : "appScale");
    return buf_str(name);
}

static void write_bicep(struct buf *out, const struct aca_plan *plan)
{
    struct doc d = {.out = out, .format = ACA_BICEP};
    struct buf name;

    buf_init(&name, BUF_NO_LIMIT);
    buf_addz(out, "// In the app's own resource: configuration.secrets: "
                  "scalebridgeSecrets,\n// template.scale: the variable named "
                  "after it.");
    for (size_t i = 0; i < plan->secret_count; i++)
        buf_addf(out, "\n@secure()\nparam %s string", plan->secrets[i].param);
    buf_addz(out, "\n\nvar scalebridgeSecrets = [");
    for (size_t i = 0; i < plan->secret_count; i++)
        buf_addf(out, "\n  {\n    name: '%s'\n    value: %s\n  }",
                 plan->secrets[i].name, plan->secrets[i].param);
    buf_addz(out, "\n]\n");
    for (size_t i = 0; i < plan->app_count; i++) {
        buf_addf(out, "\nvar %.*s = {",
                 STR_ARG(variable_of(&plan->apps[i], &name)));
        d.depth = 1;
        write_scale(&d, plan, &plan->apps[i]);
        end(&d, '}');
        buf_addc(out, '\n');
    }
    buf_fini(&name);
}

#define ARM_SCHEMA                                            \
    "https://schema.management.azure.com/schemas/2019-04-01/" \
    "deploymentTemplate.json#"

static void write_arm(struct buf *out, const struct aca_plan *plan)
{
    struct doc d = {.out = out, .format = ACA_ARM};
    struct buf name;

    buf_init(&name, BUF_NO_LIMIT);
    begin(&d, NULL, '{');
    text(&d, "$schema", STR(ARM_SCHEMA));
    text(&d, "contentVersion", STR("1.0.0.0"));
    begin(&d, "parameters", '{');
    for (size_t i = 0; i < plan->secret_count; i++) {
        begin(&d, plan->secrets[i].param, '{');
        text(&d, "type", STR("securestring"));
        end(&d, '}');
    }
    end(&d, '}');
    begin(&d, "variables", '{');
    for (size_t i = 0; i < plan->app_count; i++) {
        (void)variable_of(&plan->apps[i], &name);
        begin(&d, buf_z(&name), '{');
        write_scale(&d, plan, &plan->apps[i]);
        end(&d, '}');
    }
    end(&d, '}');
    begin(&d, "resources", '[');
    end(&d, ']');
    end(&d, '}');
    buf_addc(out, '\n');
    buf_fini(&name);
}

void policy_aca_write(const struct aca_plan *plan, enum aca_format format,
                      struct buf *out)
{
    if (format == ACA_CLI)
        write_script(out, plan);
    else if (format == ACA_YAML)
        write_yaml(out, plan);
    else if (format == ACA_BICEP)
        write_bicep(out, plan);
    else
        write_arm(out, plan);
}
