/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/parse/internal.h"
#include "agent/parse/lint.h"
#include "agent/parse/strict.h"

/* Asked once for a run of lines of one name. */
bool emit_wanted(struct parser *p, struct str name)
{
    if (p->o.wanted == NULL)
        return true;
    if (p->asked.data && str_eq(buf_str(&p->asked), name))
        return p->asked_wanted;
    buf_reset(&p->asked);
    buf_adds(&p->asked, name);
    p->asked_wanted = p->o.wanted->wanted(p->o.wanted->arg, name);
    return p->asked_wanted;
}

bool emit_over(struct parser *p, const char *text)
{
    return fault_at(p, text, 0, ERR_LIMIT,
                    "the body has more samples than the limit, %llu",
                    (unsigned long long)p->o.limits.samples);
}

bool emit_sample(struct parser *p, const struct line *l, struct str name,
                 void **known)
{
    struct parse_sample s = {
        .name = name,
        .series = str_n(l->text + l->series_at, l->series_len),
        .value = l->value,
        .t_ms = l->t_ms,
        .has_time = l->has_time,
        .has_exemplar = l->has_exemplar,
        .type = p->type,
        .line = p->line_no,
        .known = known,
        .parser = p,
    };
    struct err err = {0};

    p->n.wanted++;
    if (p->o.sample == NULL || p->o.sample(p->o.arg, &s, &err))
        return true;
    return fault_at(p, l->text, l->series_at, err.kind, "%s", err.text);
}

static struct str line_name(struct parser *p, const struct line *l)
{
    return names_decode(l->text + l->name_at, l->name_len, l->name_escaped,
                        &p->arena);
}

bool emit_line(struct parser *p)
{
    struct line *l = &p->line;
    const struct str name = line_name(p, l);
    const bool wanted = emit_wanted(p, name);
    void **known;
    bool found = false;

    l->labels_read = true;
    if (!emit_count(p, l->text))
        return false;
    if (p->strict && !strict_sample(p, name))
        return false;
    if (p->lint)
        lint_sample(p, name);
    if (p->fast)
        fast_learn(p, l, wanted);
    if (!wanted)
        return true;
    known = recall_place(
        &p->recall, str_n(l->text + l->series_at, l->series_len),
        l->name_at == l->series_at ? l->name_len : 0, p->type, &found);
    p->n.known += found;
    return emit_sample(p, l, name, known);
}
