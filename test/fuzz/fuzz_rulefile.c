/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a rule file: read, linked to a metric, and evaluated twice over
 * a few series; and as the values of a series in a unit test.
 */
#include "agent/base/mem.h"
#include "agent/commands/testseries.h"
#include "agent/rules/rules.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(struct store *s, const char *instance, int64_t t_ms, double v)
{
    struct labels_builder b = {0};
    struct labels *l;

    labels_set(&b, LABEL_NAME, STR("a"));
    labels_set(&b, LABEL_INSTANCE, str_of(instance));
    l = labels_build(&b, NULL);
    (void)series_append(store_series(s, l), t_ms, v);
    labels_builder_fini(&b);
    free(l);
}

static void evaluate(struct rules *r, struct store *s)
{
    struct rules_world w = {.store = s};
    struct records_told told;
    struct rules_results results;
    struct arena a;

    arena_init(&a, 4096);
    for (w.t_ms = WHEN_DAY; w.t_ms < WHEN_DAY + WHEN_MINUTE;
         w.t_ms += 30 * WHEN_SECOND) {
        arena_reset(&a);
        add(s, "x", w.t_ms, 1);
        if (w.t_ms == WHEN_DAY)
            add(s, "y", w.t_ms, 2);
        rules_record(r, &w, s, WHEN_SECOND, &a, &told);
        rules_evaluate(r, &w, &a, &results);
        store_expire(s, w.t_ms);
    }
    arena_fini(&a);
}

static void run(struct groups *g)
{
    char preset[] = "none", name[] = "m", expr[] = "a or b", empty[] = "";
    struct preset_conf membrane = {.preset = preset};
    struct rule_conf metric = {.name = name,
                               .expr = expr,
                               .unit = empty,
                               .description = empty,
                               .running = empty,
                               .missing = {.value = empty},
                               .enabled = true};
    const struct rules_options o = {.membrane = &membrane,
                                    .metrics = &metric,
                                    .metric_count = 1,
                                    .groups = g};
    const struct store_options kept = {.retention_ms = WHEN_HOUR,
                                       .max_series = 100};
    struct store *s = store_new(&kept);
    struct rules *r = rules_new(&o);

    assert(r);
    evaluate(r, s);
    rules_free(r);
    store_free(s);
}

static void read_values(struct str text)
{
    struct test_values v;
    const struct labels *l;
    struct arena a;

    if (text.len < 200 && test_values_parse(text, &v, NULL))
        free(v.items);
    arena_init(&a, 512);
    (void)!test_labels_parse(text, &a, &l, NULL);
    arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct groups *g = groups_new();
    struct conf *faults = conf_new();

    if (groups_read(g, "rules.yml", text, faults))
        run(g);
    else
        assert(!conf_good(faults));
    conf_free(faults);
    groups_free(g);
    read_values(text);
    return 0;
}
