/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/jsonw.h"
#include "agent/base/num.h"
#include "agent/promql/promql.h"

#include <stdio.h>
#include <stdlib.h>

/* Seconds, with three digits of milliseconds where there are any. */
static void time_value(struct jsonw *w, int64_t t_ms)
{
    char text[32];
    uint64_t abs = t_ms < 0 ? 0 - (uint64_t)t_ms : (uint64_t)t_ms;
    int n = snprintf(text, sizeof(text), "%s%llu", t_ms < 0 ? "-" : "",
                     (unsigned long long)(abs / 1000));

    if (abs % 1000)
        n += snprintf(text + n, sizeof(text) - (size_t)n, ".%03u",
                      (unsigned)(abs % 1000));
    jsonw_raw(w, str_n(text, (size_t)n));
}

static void pair(struct jsonw *w, int64_t t_ms, struct str text)
{
    jsonw_array(w);
    time_value(w, t_ms);
    jsonw_text(w, text);
    jsonw_array_end(w);
}

static void number_pair(struct jsonw *w, int64_t t_ms, double v)
{
    char text[NUM_MAX];
    size_t n = num_json(v, text);

    pair(w, t_ms, str_n(text, n));
}

static void row(struct jsonw *w, const struct promql_row *r, bool matrix)
{
    struct labels_iter it = labels_iter(r->labels);
    struct label label;

    jsonw_object(w);
    jsonw_key(w, "metric");
    jsonw_object(w);
    while (labels_next(&it, &label)) {
        jsonw_keys(w, label.name);
        jsonw_text(w, label.value);
    }
    jsonw_object_end(w);
    jsonw_key(w, matrix ? "values" : "value");
    if (matrix)
        jsonw_array(w);
    else
        number_pair(w, r->t_ms, r->v);
    for (size_t i = 0; matrix && i < r->count; i++)
        number_pair(w, r->samples[i].t_ms, r->samples[i].v);
    if (matrix)
        jsonw_array_end(w);
    jsonw_object_end(w);
}

static int by_labels(const void *a, const void *b)
{
    const struct promql_row *x = a, *y = b;

    return labels_cmp(x->labels, y->labels);
}

void promql_sort(struct promql_result *r)
{
    if (r->row_count > 1)
        qsort(r->rows, r->row_count, sizeof(*r->rows), by_labels);
}

void promql_print_json(const struct promql_result *r, int64_t t_ms,
                       struct buf *out)
{
    static const char *const types[] = {"scalar", "string", "vector", "matrix"};
    struct jsonw w;

    jsonw_init(&w, out, 0);
    jsonw_object(&w);
    jsonw_key(&w, "resultType");
    jsonw_textz(&w, types[r->type]);
    jsonw_key(&w, "result");
    if (r->type == PROMQL_SCALAR) {
        number_pair(&w, t_ms, r->scalar);
    } else if (r->type == PROMQL_STRING) {
        pair(&w, t_ms, r->string);
    } else {
        jsonw_array(&w);
        for (size_t i = 0; i < r->row_count; i++)
            row(&w, &r->rows[i], r->type == PROMQL_MATRIX);
        jsonw_array_end(&w);
    }
    jsonw_object_end(&w);
}
