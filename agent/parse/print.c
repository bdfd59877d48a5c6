/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/parse/print.h"

#include "agent/base/jsonw.h"
#include "agent/base/num.h"

#include <inttypes.h>
#include <stdio.h>

void parse_printer_init(struct parse_printer *pp)
{
    pp->builder = (struct labels_builder){0};
    arena_init(&pp->arena, 4096);
}

void parse_printer_fini(struct parse_printer *pp)
{
    labels_builder_fini(&pp->builder);
    arena_fini(&pp->arena);
}

static void print_labels(struct jsonw *w, const struct labels *l)
{
    struct labels_iter it = labels_iter(l);
    struct label pair;

    jsonw_object(w);
    while (labels_next(&it, &pair)) {
        if (str_eq(pair.name, LABEL_NAME))
            continue;
        jsonw_keys(w, pair.name);
        jsonw_text(w, pair.value);
    }
    jsonw_object_end(w);
}

static void print_time(struct jsonw *w, const struct parse_sample *s)
{
    const uint64_t ms = s->t_ms < 0 ? 0 - (uint64_t)s->t_ms : (uint64_t)s->t_ms;
    char text[32];
    int n;

    if (!s->has_time) {
        jsonw_null(w);
        return;
    }
    n = snprintf(text, sizeof(text), "%s%" PRIu64, s->t_ms < 0 ? "-" : "",
                 ms / 1000);
    if (ms % 1000)
        n += snprintf(text + n, sizeof(text) - (size_t)n, ".%03u",
                      (unsigned)(ms % 1000));
    jsonw_raw(w, str_n(text, (size_t)n));
}

void parse_print(struct parse_printer *pp, const struct parse_sample *s,
                 struct buf *out)
{
    char value[NUM_MAX];
    struct jsonw w;

    arena_reset(&pp->arena);
    labels_start(&pp->builder);
    parse_labels(s, &pp->builder);
    jsonw_init(&w, out, 0);
    jsonw_object(&w);
    jsonw_key(&w, "name");
    jsonw_text(&w, s->name);
    jsonw_key(&w, "labels");
    print_labels(&w, labels_build(&pp->builder, &pp->arena));
    jsonw_key(&w, "value");
    jsonw_text(&w, str_n(value, num_json(s->value, value)));
    jsonw_key(&w, "timestamp");
    print_time(&w, s);
    jsonw_object_end(&w);
    buf_addc(out, '\n');
}
