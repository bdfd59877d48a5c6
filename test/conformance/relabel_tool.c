/* SPDX-License-Identifier: Apache-2.0 */
/* Reads {labels: {...}, rules: [...]} and prints what the rules make of the
 * labels; for relabel_diff.py. */
#include "agent/config/source.h"
#include "agent/relabel/relabel.h"

#include <stdio.h>

struct task {
    struct conf_map labels;
    struct relabel_conf *rules;
    size_t rules_count;
};

static const struct conf_key task_keys[] = {
    CONF_MAP(task, labels, NULL, "Labels."),
    CONF_ROWS(task, rules, relabel_conf, relabel_keys, "Rules."),
    CONF_END,
};

static void tell(const struct task *t, struct arena *a, struct buf *out)
{
    struct relabel *r = relabel_new(t->rules, t->rules_count);
    struct labels_builder b = {0};

    for (size_t i = 0; i < t->labels.count; i++)
        labels_set(&b, str_of(t->labels.pairs[i].name),
                   str_of(t->labels.pairs[i].value));
    if (relabel_apply(r, &b, a))
        labels_print(labels_build(&b, a), out);
    else
        buf_addz(out, "dropped");
    labels_builder_fini(&b);
    relabel_free(r);
}

static bool check(const struct task *t, struct buf *out)
{
    struct err err;

    for (size_t i = 0; i < t->rules_count; i++)
        if (!relabel_check(&t->rules[i], &err)) {
            buf_addf(out, "refused: %s", err.text);
            return false;
        }
    return true;
}

static void run(struct str line)
{
    struct conf *c = conf_new();
    struct task t = {0};
    struct buf out;

    buf_init(&out, BUF_NO_LIMIT);
    conf_read(c, task_keys, conf_parse(c, "line", line), &t);
    if (!conf_good(c))
        conf_faults_print(c, &out);
    else if (check(&t, &out))
        tell(&t, conf_arena(c), &out);
    puts(buf_z(&out));
    buf_fini(&out);
    conf_free(c);
}

int main(void)
{
    static char line[65536];

    while (fgets(line, sizeof(line), stdin))
        run(str_of(line));
    return 0;
}
