/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/func.h"
#include "agent/promql/subset.h"

static bool map_rows(struct eval *ev, const struct func *f,
                     const struct value *in, struct value *out)
{
    value_vector(ev, out, in->count);
    for (size_t i = 0; i < in->count; i++) {
        const struct promql_row *row = &in->rows[i];

        value_add(out, subset_labels(&subset_nameless, row->labels, ev->arena),
                  ev->t_ms, f->map(row->v));
    }
    return value_unique(ev, out);
}

static bool each_series(struct eval *ev, const struct func *f,
                        const struct range_call *args, const struct value *in,
                        struct value *out)
{
    struct range_call c = *args;

    value_vector(ev, out, in->count);
    ev->err->kind = ERR_NONE;
    for (size_t i = 0; i < in->count; i++) {
        const struct promql_row *row = &in->rows[i];
        const struct labels *labels = row->labels;
        double v;

        c.samples = row->samples;
        c.count = row->count;
        if (!f->range(&c, &v)) {
            if (ev->err->kind != ERR_NONE)
                return false;
            continue;
        }
        if (!(f->flags & FUNC_KEEP_NAME))
            labels = subset_labels(&subset_nameless, labels, ev->arena);
        value_add(out, labels, ev->t_ms, v);
    }
    return value_unique(ev, out);
}

static bool range_function(struct eval *ev, const struct node *n,
                           const struct value *args, struct value *out)
{
    struct range_call c = {.t_ms = ev->t_ms, .ev = ev};
    const struct value *matrix = &args[0]; /* the type check saw to it */
    size_t scalars = 0;

    for (size_t i = 0; i < n->call.count; i++)
        if (args[i].type == PROMQL_MATRIX)
            matrix = &args[i];
        else if (scalars < sizeof(c.args) / sizeof(*c.args))
            c.args[scalars++] = args[i].scalar;
    c.start_ms = matrix->start_ms;
    c.end_ms = matrix->end_ms;
    return each_series(ev, n->call.func, &c, matrix, out);
}

/* timestamp() of a plain selector asks for the samples' own times. */
static bool argument(struct eval *ev, const struct node *n, size_t i,
                     struct value *out)
{
    const struct node *arg = node_unwrap(n->call.args[i]);
    bool own = arg->kind == NODE_SELECTOR &&
               strcmp(n->call.func->name, "timestamp") == 0;

    return own ? eval_selector(ev, arg, true, out) : eval_node(ev, arg, out);
}

bool eval_call(struct eval *ev, const struct node *n, struct value *out)
{
    const struct func *f = n->call.func;
    struct value *args =
        arena_array(ev->arena, n->call.count + 1, sizeof(*args));

    for (size_t i = 0; i < n->call.count; i++)
        if (!argument(ev, n, i, &args[i]))
            return false;
    if (f->map)
        return map_rows(ev, f, &args[0], out);
    if (f->range)
        return range_function(ev, n, args, out);
    return f->call(ev, n, args, out);
}
