/* SPDX-License-Identifier: Apache-2.0 */
/* Rule files: what may stand in them, and what Prometheus refuses. */
#include "agent/base/mem.h"
#include "agent/rules/groups.h"

#include <stdlib.h>

struct file_rule {
    char *record, *alert, *expr, *waits, *keeps;
    struct conf_map labels, annotations;
};

struct file_group {
    char *name;
    int64_t interval_ms, query_offset_ms;
    int64_t limit;
    struct conf_map labels;
    struct file_rule *rules;
    size_t rules_count;
};

struct rule_file {
    struct file_group *groups;
    size_t groups_count;
};

static const struct conf_key rule_keys[] = {
    CONF_TEXT(file_rule, record, "", "Name of the series that are written."),
    CONF_TEXT(file_rule, alert, "", "Name of an alert; passed over."),
    CONF_TEXT(file_rule, expr, NULL, "PromQL that gives the rows.",
              .flags = CONF_MUST | CONF_FILLED),
    {.key = "for",
     .kind = CONF_KIND_TEXT,
     .at = CONF_AT(file_rule, waits, char *),
     .def = "",
     .help = "Of an alert; passed over."},
    {.key = "keep_firing_for",
     .kind = CONF_KIND_TEXT,
     .at = CONF_AT(file_rule, keeps, char *),
     .def = "",
     .help = "Of an alert; passed over."},
    CONF_MAP(file_rule, labels, NULL, "Labels set on every row."),
    CONF_MAP(file_rule, annotations, NULL, "Of an alert; passed over."),
    CONF_END,
};

static const struct conf_key group_keys[] = {
    CONF_TEXT(file_group, name, NULL, "What the group is called in this file.",
              .flags = CONF_MUST | CONF_FILLED),
    CONF_MS(file_group, interval, "0s", 0, 366 * WHEN_DAY,
            "Time from one evaluation to the next; 0: scrape.interval."),
    CONF_MS(file_group, query_offset, "0s", 0, WHEN_DAY,
            "How much earlier than now it evaluates."),
    CONF_INT(file_group, limit, "0", 0, 1000000000,
             "Most rows of a rule; one with more fails.  0: no limit."),
    CONF_MAP(file_group, labels, NULL,
             "Labels set on every row of every rule."),
    CONF_ROWS(file_group, rules, file_rule, rule_keys,
              "The rules, in their order."),
    CONF_END,
};

static const struct conf_key file_keys[] = {
    CONF_ROWS(rule_file, groups, file_group, group_keys, "Groups of rules."),
    CONF_END,
};

/* ---- what the tables cannot see ---- */

static void check_name(struct conf *c, const struct rule_file *f, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (f->groups[i].name[0] &&
            strcmp(f->groups[i].name, f->groups[k].name) == 0)
            conf_blame(c, &f->groups[i].name,
                       "\"%s\" is the name of another group of this file "
                       "already; choose another",
                       f->groups[i].name);
}

static void check_labels(struct conf *c, const struct conf_map *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        const struct conf_pair *p = &labels->pairs[i];

        if (strcmp(p->name, "__name__") == 0)
            conf_blame(c, &p->value,
                       "a label cannot name the metric; `record` does");
    }
}

static void check_record(struct conf *c, const struct file_rule *r)
{
    if (strpbrk(r->record, "{}"))
        conf_blame(c, &r->record,
                   "\"%s\" has braces in it; write the name alone here, and "
                   "the labels under labels",
                   r->record);
    if (conf_written(c, &r->waits))
        conf_blame(c, &r->waits, "goes with an alert, not with a record");
    if (conf_written(c, &r->keeps))
        conf_blame(c, &r->keeps, "goes with an alert, not with a record");
    if (r->annotations.count)
        conf_blame(c, &r->annotations, "goes with an alert, not with a record");
}

static bool check_rule(struct conf *c, const struct file_rule *r)
{
    bool record = r->record[0], alert = r->alert[0];

    if (record && alert)
        conf_blame(c, &r->record,
                   "stands beside an alert; a rule is one of them");
    else if (!record && !alert && !conf_faulty(c, r))
        conf_blame_section(c, r, "has no name: a recording rule wants record");
    check_labels(c, &r->labels);
    if (record)
        check_record(c, r);
    return record && !alert;
}

/* ---- rules ---- */

static bool gives_rows(const struct promql *q)
{
    return promql_type(q) == PROMQL_VECTOR || promql_type(q) == PROMQL_SCALAR;
}

static struct promql *parse(struct conf *c, const struct file_rule *r)
{
    struct promql_error error;
    struct str text = str_of(r->expr);
    struct promql *q = promql_parse(text, &(struct promql_options){0}, &error);
    struct buf caret;

    if (q && gives_rows(q))
        return q;
    if (q) {
        conf_blame(c, &r->expr,
                   "gives a %s, but a recording rule needs rows (an instant "
                   "vector or a scalar)",
                   promql_type_name(promql_type(q)));
        promql_free(q);
        return NULL;
    }
    buf_init(&caret, BUF_NO_LIMIT);
    promql_caret(text, &error, &caret);
    conf_blame(c, &r->expr, "%s", error.err.text);
    conf_fault_quotes(c, buf_str(&caret));
    buf_fini(&caret);
    return NULL;
}

/* A rule's own labels win, since they come later. */
static void set_labels(struct groups *g, const struct file_group *group,
                       const struct file_rule *r, struct record *out)
{
    size_t n = group->labels.count + r->labels.count, at = 0;
    struct label *labels = arena_array(&g->arena, n, sizeof(*labels));

    for (size_t i = 0; i < group->labels.count; i++)
        labels[at++] = (struct label){str_of(group->labels.pairs[i].name),
                                      str_of(group->labels.pairs[i].value)};
    for (size_t i = 0; i < r->labels.count; i++)
        labels[at++] = (struct label){str_of(r->labels.pairs[i].name),
                                      str_of(r->labels.pairs[i].value)};
    out->labels = labels;
    out->label_count = n;
}

static void read_rules(struct groups *g, struct conf *c,
                       const struct file_group *from, struct group *to)
{
    to->records =
        arena_array(&g->arena, from->rules_count, sizeof(*to->records));
    for (size_t i = 0; i < from->rules_count; i++) {
        const struct file_rule *r = &from->rules[i];
        struct promql *q;

        if (!check_rule(c, r)) {
            to->alerts += r->alert[0] != '\0';
            continue;
        }
        q = r->expr[0] ? parse(c, r) : NULL;
        if (!q)
            continue;
        to->records[to->count] =
            (struct record){.name = str_of(r->record), .query = q};
        set_labels(g, from, r, &to->records[to->count++]);
    }
}

static void add_group(struct groups *g, struct conf *c, struct str file,
                      const struct file_group *from)
{
    struct group *to;

    xgrow(&g->items, &g->cap, g->count, sizeof(*g->items));
    to = &g->items[g->count++];
    *to = (struct group){
        .file = file,
        .name = str_of(from->name),
        .interval_ms = from->interval_ms,
        .offset_ms = from->query_offset_ms,
        .limit = from->limit,
    };
    check_labels(c, &from->labels);
    read_rules(g, c, from, to);
}

static void drop_from(struct groups *g, size_t first)
{
    while (g->count > first) {
        struct group *last = &g->items[--g->count];

        for (size_t k = 0; k < last->count; k++)
            promql_free(last->records[k].query);
    }
}

static void tell_faults(const struct conf *c, struct conf *faults)
{
    for (size_t i = 0; i < conf_fault_count(c); i++) {
        const struct conf_fault *f = conf_fault_at(c, i);

        conf_fault(faults, &f->mark, f->path, "%s", f->text);
        if (f->quote)
            conf_fault_quotes(faults, str_of(f->quote));
        if (f->warning)
            conf_fault_warns(faults);
    }
}

bool groups_read(struct groups *g, const char *file, struct str text,
                 struct conf *faults)
{
    struct conf *c = conf_new();
    size_t before = g->count;
    const struct conf_node *root = conf_parse(c, file, text);
    struct rule_file f = {.groups = NULL};

    xgrow(&g->confs, &g->conf_cap, g->conf_count, sizeof(*g->confs));
    g->confs[g->conf_count++] = c;
    if (conf_good(c))
        conf_read(c, file_keys, root, &f);
    for (size_t i = 0; i < f.groups_count; i++) {
        check_name(c, &f, i);
        add_group(g, c, arena_str(&g->arena, str_of(file)), &f.groups[i]);
    }
    tell_faults(c, faults);
    if (!conf_good(c))
        drop_from(g, before);
    return conf_good(c);
}
