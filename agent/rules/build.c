/* SPDX-License-Identifier: Apache-2.0 */
/* From settings to rules: presets and a user's rows merged, and parsed. */
#include "agent/base/mem.h"
#include "agent/base/near.h"
#include "agent/base/num.h"
#include "agent/rules/rule.h"

#include <stdlib.h>

struct build {
    struct rules *rules;
    const struct rules_options *options;
    bool failed;
};

/* One rule in the making: either may be NULL. */
struct source {
    const struct preset_metric *builtin;
    const struct rule_conf *row;
};

static void blame(struct build *b, const void *field, const struct err *err,
                  struct str quote)
{
    b->failed = true;
    if (b->options->fault)
        b->options->fault(b->options->arg, field, err, quote);
}

static void blame_row(struct build *b, const void *field, const char *text,
                      const struct rule_conf *row)
{
    struct err err;

    err_set(&err, ERR_CONFIG, "metric \"%s\" %s", row->name, text);
    blame(b, field, &err, STR_NONE);
}

static struct str expand(struct build *b, const char *text)
{
    struct buf out;
    struct str s;

    buf_init(&out, BUF_NO_LIMIT);
    preset_expand(b->options->membrane, text ? text : "", &out);
    s = arena_str(&b->rules->arena, buf_str(&out));
    buf_fini(&out);
    return s;
}

/* What the row says, else what the preset says. */
static struct str pick(struct build *b, const char *written,
                       const char *builtin)
{
    if (written && written[0])
        return arena_str(&b->rules->arena, str_of(written));
    return expand(b, builtin);
}

static bool is_own(const struct source *s)
{
    return !s->builtin || (s->row && s->row->expr[0]);
}

static void set_texts(struct build *b, const struct source *s,
                      struct rule_info *info)
{
    const struct preset_metric *p = s->builtin;
    const struct rule_conf *row = s->row;

    info->name = pick(b, row ? row->name : NULL, p ? p->name : NULL);
    info->expression = pick(b, row ? row->expr : NULL, p ? p->expr : NULL);
    info->unit = pick(b, row ? row->unit : NULL, p ? p->unit : "None");
    info->description =
        pick(b, row ? row->description : NULL, p ? p->description : NULL);
    info->running = pick(b, row ? row->running : NULL, p ? p->running : NULL);
    info->builtin = !is_own(s);
    if (p && info->builtin)
        info->formula = expand(b, p->formula);
    if (p)
        info->service = expand(b, p->service);
}

/* A total for those who divide by the replicas themselves, or a ratio. */
static enum preset_scaling scaling_of(const struct source *s,
                                      const struct rule_info *info)
{
    if (!info->has_target)
        return PRESET_NO_SCALING;
    if (info->running.len > 0)
        return PRESET_RATIO;
    if (s->builtin && s->builtin->scaling != PRESET_NO_SCALING)
        return s->builtin->scaling;
    return str_eqz(info->unit, "Count") ? PRESET_TOTAL : PRESET_NO_SCALING;
}

static void set_scaling(struct build *b, const struct source *s,
                        struct rule_info *info)
{
    const struct preset_metric *p = s->builtin;
    const struct rule_conf *row = s->row;

    info->min_replicas = p ? p->min_replicas : -1;
    info->max_replicas = p ? p->max_replicas : -1;
    if (row && row->min_replicas >= 0)
        info->min_replicas = row->min_replicas;
    if (row && row->max_replicas >= 0)
        info->max_replicas = row->max_replicas;
    if (row && row->target > 0)
        info->target = row->target;
    else if (p && p->target)
        (void)num_parse(expand(b, p->target), &info->target);
    info->has_target = info->target > 0;
    info->scaling = scaling_of(s, info);
    if (row && info->max_replicas >= 0 &&
        info->max_replicas < info->min_replicas)
        blame_row(b, &row->max_replicas,
                  "has a max_replicas below its min_replicas", row);
}

static void set_missing(struct build *b, const struct rule_conf *row,
                        struct rule_info *info)
{
    info->hold_ms = row ? row->missing.hold_ms : 2 * WHEN_MINUTE;
    info->resolution = row && row->resolution == 1 ? 1 : 60;
    info->allow_partial = row && row->allow_partial;
    if (!row || !row->missing.value[0])
        return;
    info->has_substitute = true;
    if (!num_parse(str_of(row->missing.value), &info->substitute) ||
        !__builtin_isfinite(info->substitute))
        blame_row(b, &row->missing.value,
                  "has a missing.value that is no number", row);
}

static int by_dimension(const void *a, const void *b)
{
    const struct label *x = a, *y = b;

    return str_cmp(x->name, y->name);
}

static void set_dimensions(struct build *b, const struct rule_conf *row,
                           struct rule_info *info)
{
    struct arena *a = &b->rules->arena;
    struct label *out;

    if (!row || row->dimensions.count == 0)
        return;
    out = arena_array(a, row->dimensions.count, sizeof(*out));
    for (size_t i = 0; i < row->dimensions.count; i++) {
        const struct conf_pair *pair = &row->dimensions.pairs[i];

        if (!pair->value[0])
            blame_row(b, &pair->value,
                      "has a dimension that names no label "
                      "(write Dimension: label)",
                      row);
        out[i].name = arena_str(a, str_of(pair->name));
        out[i].value = arena_str(a, str_of(pair->value));
    }
    qsort(out, row->dimensions.count, sizeof(*out), by_dimension);
    info->dimensions = out;
    info->dimension_count = row->dimensions.count;
}

static bool gives_numbers(const struct promql *q)
{
    return promql_type(q) == PROMQL_VECTOR || promql_type(q) == PROMQL_SCALAR;
}

/* Parses; a fault is told where the text was written. */
static struct promql *parse(struct build *b, struct str text, const void *field,
                            struct str name)
{
    struct promql_error error = {.err = {.kind = ERR_NONE}};
    struct promql *q = promql_parse(text, &(struct promql_options){0}, &error);
    struct buf quote;

    if (q && gives_numbers(q))
        return q;
    buf_init(&quote, BUF_NO_LIMIT);
    if (q) {
        err_set(&error.err, ERR_CONFIG,
                "gives a %s, but a metric needs a number a series (an instant "
                "vector or a scalar)",
                promql_type_name(promql_type(q)));
    } else {
        promql_caret(text, &error, &quote);
        error.err.kind = ERR_CONFIG;
    }
    err_wrap(&error.err, "metric \"%.*s\"", STR_ARG(name));
    blame(b, field, &error.err, buf_str(&quote));
    buf_fini(&quote);
    promql_free(q);
    return NULL;
}

static struct str exact_name(const struct promql_selector *s)
{
    for (size_t i = 0; i < s->matcher_count; i++)
        if (s->matchers[i].op == MATCH_EQ &&
            str_eq(s->matchers[i].name, LABEL_NAME))
            return s->matchers[i].value;
    return STR_NONE;
}

static size_t figure_of(struct rules *r, struct str name)
{
    if (name.len == 0)
        return NO_FIGURE;
    for (size_t i = 0; i < r->figure_count; i++)
        if (str_eq(r->figures[i].name, name))
            return i;
    xgrow(&r->figures, &r->figure_cap, r->figure_count, sizeof(*r->figures));
    r->figures[r->figure_count] = (struct figure){
        .name = arena_str(&r->arena, name),
        .known = r->preset ? preset_figure(r->preset, name) : NULL,
    };
    return r->figure_count++;
}

struct use *rules_uses(struct rules *r, const struct promql *q, size_t *count)
{
    const struct promql_selector *s;
    struct use *uses;

    *count = promql_selectors(q, &s);
    uses = xcalloc(*count ? *count : 1, sizeof(*uses));
    for (size_t i = 0; i < *count; i++)
        uses[i] = (struct use){
            .selector = &s[i],
            .figure = figure_of(r, exact_name(&s[i])),
        };
    return uses;
}

static void set_queries(struct build *b, const struct source *s,
                        struct rule *rule)
{
    struct rule_info *info = &rule->info;
    const void *field = s->row ? (const void *)&s->row->expr
                               : (const void *)b->options->membrane;

    if (info->expression.len > 0)
        rule->query = parse(b, info->expression, field, info->name);
    else if (!s->builtin)
        blame_row(b, &s->row->expr,
                  "has no expr, and is no built-in metric that could lend "
                  "its own",
                  s->row);
    if (rule->query)
        rule->uses = rules_uses(b->rules, rule->query, &rule->use_count);
    if (info->running.len > 0)
        rule->running =
            parse(b, info->running,
                  s->row ? (const void *)&s->row->running : field, info->name);
}

static void add(struct build *b, const struct source *s)
{
    struct rules *r = b->rules;
    struct rule *rule;

    if (s->row && !s->row->enabled)
        return;
    xgrow(&r->items, &r->cap, r->count, sizeof(*r->items));
    rule = &r->items[r->count++];
    *rule = (struct rule){.state = RULE_FRESH};
    set_texts(b, s, &rule->info);
    set_scaling(b, s, &rule->info);
    set_missing(b, s->row, &rule->info);
    set_dimensions(b, s->row, &rule->info);
    set_queries(b, s, rule);
    if (!rule->query && rule->info.expression.len == 0)
        rule->info.expression = STR("time() - (oldest input of the scaling "
                                    "metrics)");
}

static const struct rule_conf *row_named(const struct rules_options *o,
                                         struct str name)
{
    for (size_t i = 0; i < o->metric_count; i++)
        if (str_eqz(name, o->metrics[i].name))
            return &o->metrics[i];
    return NULL;
}

static bool is_builtin(const struct preset *p, struct str name)
{
    for (const struct preset_metric *m = p ? p->metrics : NULL; m && m->name;
         m++)
        if (str_eqz(name, m->name))
            return true;
    return false;
}

static void add_all(struct build *b)
{
    const struct rules_options *o = b->options;
    const struct preset *p = b->rules->preset;

    for (const struct preset_metric *m = p ? p->metrics : NULL; m && m->name;
         m++)
        add(b, &(struct source){m, row_named(o, str_of(m->name))});
    for (size_t i = 0; i < o->metric_count; i++) {
        const struct rule_conf *row = &o->metrics[i];
        struct str name = str_of(row->name);

        if (row_named(o, name) != row)
            blame_row(b, &row->name, "stands twice", row);
        else if (!is_builtin(p, name))
            add(b, &(struct source){NULL, row});
    }
}

static void choose_preset(struct build *b)
{
    struct str name = str_of(b->options->membrane->preset);
    const struct preset *p;
    struct near near;
    struct err err;

    b->rules->preset = preset_find(name);
    if (b->rules->preset || str_eqz(name, "none"))
        return;
    near_start(&near, name);
    near_offer(&near, STR("none"));
    for (size_t i = 0; (p = preset_at(i)); i++)
        near_offer(&near, str_of(p->name));
    err_set(&err, ERR_CONFIG, "no preset is called \"%.*s\"%s%.*s%s",
            STR_ARG(name), near.best.ptr ? "; did you mean \"" : "; take ",
            STR_ARG(near.best.ptr ? near.best : str_of(preset_at(0)->name)),
            near.best.ptr ? "\"?" : "");
    blame(b, &b->options->membrane->preset, &err, STR_NONE);
}

struct rules *rules_new(const struct rules_options *options)
{
    struct rules *r = xcalloc(1, sizeof(*r));
    struct build b = {.rules = r, .options = options};

    arena_init(&r->arena, 4096);
    r->groups = options->groups;
    choose_preset(&b);
    add_all(&b);
    recordings_build(r);
    if (!b.failed)
        return r;
    rules_free(r);
    return NULL;
}
