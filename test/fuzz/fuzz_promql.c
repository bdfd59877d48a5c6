/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as an expression: parsed, its error shown or its value computed
 * and printed, over a few series with all that samples may hold. */
#include "agent/promql/promql.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define NOW INT64_C(1700000000500)

static void add_series(struct store *store, const char *name, int number)
{
    static const char *const bounds[] = {"0.1", "1", "+Inf"};
    static const char digits[] = "0123456789";
    struct labels_builder b = {0};
    struct labels *labels;
    struct series *se;

    labels_set(&b, LABEL_NAME, str_of(name));
    labels_set(&b, STR("job"), number % 2 ? STR("api") : STR("worker"));
    labels_set(&b, STR("i"), str_n(digits + number, 1));
    labels_set(&b, STR("le"), str_of(bounds[number % 3]));
    labels = labels_build(&b, NULL);
    se = store_series(store, labels);
    for (int i = 0; i < 40; i++) {
        double v = i % 7 == 6 ? sample_nan() : (double)(i * number - i % 5);

        if (i % 13 == 12)
            v = number % 2 ? sample_stale() : 1e300 * 1e300;
        (void)series_append(se, NOW - INT64_C(15000) * (40 - i), v);
    }
    free(labels);
    labels_builder_fini(&b);
}

static struct store *small_store(void)
{
    static struct store *store; /* made once; the fuzzer has no end */
    struct store_options options = {.retention_ms = INT64_MAX / 4};

    if (store)
        return store;
    store = store_new(&options);
    for (int i = 0; i < 6; i++) {
        add_series(store, "x", i);
        add_series(store, i % 2 ? "y" : "x_bucket", i);
    }
    return store;
}

static void evaluate(const struct promql *q)
{
    static struct arena arena; /* all zero until the first use */
    struct promql_eval with = {.store = small_store(), .t_ms = NOW};
    const struct promql_selector *selectors;
    struct promql_result r;
    struct buf out;

    if (arena.block == 0)
        arena_init(&arena, 65536);
    with.arena = &arena;
    with.max_samples = 20000;
    (void)promql_selectors(q, &selectors);
    buf_init(&out, 1 << 20);
    if (promql_eval(q, &with, &r, NULL)) {
        if (r.type != promql_type(q))
            abort();
        if (!promql_ordered(q))
            promql_sort(&r);
        promql_print_json(&r, NOW, &out);
    }
    buf_fini(&out);
    arena_reset(&arena);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct promql_options options = {.experimental = size % 2};
    struct str text = str_n((const char *)data, size);
    struct promql_error error;
    struct promql *q = promql_parse(text, &options, &error);
    struct buf out;

    if (q) {
        evaluate(q);
        promql_free(q);
        return 0;
    }
    if (error.err.text[0] == '\0' || error.offset > size)
        abort();
    buf_init(&out, BUF_NO_LIMIT);
    promql_caret(text, &error, &out);
    buf_fini(&out);
    return 0;
}
