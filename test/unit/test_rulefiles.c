/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus rule files (test/data/rulefiles): what is read, what is told. */
#include "agent/base/num.h"
#include "agent/rules/groups.h"
#include "test/lib/golden.h"

static void show_record(const struct record *r, struct buf *out)
{
    buf_addf(out, "    %.*s\n", STR_ARG(r->name));
    for (size_t i = 0; i < r->label_count; i++)
        buf_addf(out, "      %.*s=%.*s\n", STR_ARG(r->labels[i].name),
                 STR_ARG(r->labels[i].value));
    buf_addf(out, "      %.*s\n", STR_ARG(str_trim(promql_text(r->query))));
}

static void show_group(const struct group *g, struct buf *out)
{
    buf_addf(out, "%.*s: %.*s\n  interval %lld offset %lld limit %lld\n",
             STR_ARG(g->file), STR_ARG(g->name), (long long)g->interval_ms,
             (long long)g->offset_ms, (long long)g->limit);
    if (g->alerts)
        buf_addf(out, "  %zu alerts\n", g->alerts);
    for (size_t i = 0; i < g->count; i++)
        show_record(&g->records[i], out);
}

static void show(const struct golden_case *c, struct buf *out)
{
    struct groups *g = groups_new();
    struct conf *faults = conf_new();

    if (groups_read(g, "rules.yml", c->text, faults))
        for (size_t i = 0; i < g->count; i++)
            show_group(&g->items[i], out);
    else if (g->count || conf_good(faults))
        buf_addz(out, "a bad file left something\n");
    conf_faults_print(faults, out);
    conf_free(faults);
    groups_free(g);
}

int main(void)
{
    return golden_run("test/data/rulefiles", show) ? 1 : 0;
}
