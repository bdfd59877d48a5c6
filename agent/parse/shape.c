/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/parse/chars.h"
#include "agent/parse/fast.h"
#include "agent/parse/number.h"

#include <math.h>
#include <stddef.h>

/* Value and timestamp, as far as both formats agree on them. */
static bool timestamp(struct parser *p, const char *at, const char *end,
                      struct line *l)
{
    double s;

    l->has_time = true;
    if (p->o.format == PARSE_PROMETHEUS) {
        if (!is_digit(*at))
            return false;
        return str_int(str_n(at, (size_t)(end - at)), &l->t_ms);
    }
    if (!number_read(at, (size_t)(end - at), &s) || !isfinite(s))
        return false;
    l->t_ms = number_to_int64(s * 1000.0);
    return true;
}

bool tail_read(struct parser *p, const char *text, size_t len, struct line *l)
{
    const char *end = text + len;
    const char *blank;

    l->has_time = false;
    l->t_ms = 0;
    if (number_quick(text, len, &l->value))
        return true;
    blank = memchr(text, ' ', len);
    if (blank && !timestamp(p, blank + 1, end, l))
        return false;
    return number_read(text, (size_t)((blank ? blank : end) - text), &l->value);
}

bool tail_good(struct parser *p, const char *text, size_t len)
{
    struct line l = {0};

    return len > 0 && tail_read(p, text, len, &l);
}

bool fast_too_long(const struct parser *p, const struct shape *s,
                   const struct quotes *q)
{
    const size_t limit = p->o.limits.label_value_bytes;

    for (uint32_t i = 0; i < s->labels; i++)
        if (q->at[(size_t)2 * i + 1] - q->at[(size_t)2 * i] - 1 > limit)
            return true;
    return false;
}

/* The bytes from `from` up to `to`. */
static void mark(uint32_t *words, uint32_t from, uint32_t to)
{
    while (from < to) {
        const uint32_t bit = from % 32;
        const uint32_t left = to - from;
        const uint32_t n = left < 32 - bit ? left : 32 - bit;

        words[from / 32] |= (uint32_t)(((UINT64_C(1) << n) - 1) << bit);
        from += n;
    }
}

uint8_t model_learn(struct fast *f, const char *at, uint32_t len,
                    const struct quotes *q)
{
    const uint8_t slot =
        (uint8_t)(model_set(q->hash) + f->model_evict++ % MODEL_WAYS);
    struct model *m = &f->models[slot];
    uint32_t from = 0;

    if (len > MODEL_WORDS * 32)
        return slot;
    memset(m, 0, offsetof(struct model, text));
    m->hash = q->hash;
    m->len = (uint16_t)len;
    m->words = (uint8_t)((len + 31) / 32);
    memcpy(m->text, at, len);
    for (uint32_t i = 0; i < q->count; i += 2) {
        mark(m->skeleton, from, q->at[i] + 1);
        mark(m->inside, q->at[i] + 1, q->at[i + 1]);
        from = q->at[i + 1];
    }
    mark(m->skeleton, from, len);
    return slot;
}

static void fill_labels(struct line *l, const struct shape *s,
                        const struct quotes *q)
{
    for (uint32_t i = 0; i < s->labels; i++) {
        const uint32_t open = q->at[(size_t)2 * i];
        const uint32_t close = q->at[(size_t)2 * i + 1];

        l->labels[i] = (struct line_label){
            .name_at = open - 1 - s->label_len[i],
            .name_len = s->label_len[i],
            .value_at = open + 1,
            .value_len = close - open - 1,
        };
    }
    l->label_count = s->labels;
    l->labels_read = true;
}

static void fill_line(struct parser *p, const char *at, size_t series_len,
                      size_t name_len)
{
    struct line *l = &p->line;

    l->text = at;
    l->name_at = l->series_at = 0;
    l->name_len = (uint32_t)name_len;
    l->series_len = (uint32_t)series_len;
    l->value_at = l->series_len + 1;
    l->name_escaped = l->name_quoted = false;
    l->has_exemplar = false;
    l->labels_read = false;
    if (p->arena.used > 0)
        arena_reset(&p->arena);
}

bool fast_emit_known(struct parser *p, const char *at, size_t series_len,
                     size_t name_len)
{
    void **known;

    fill_line(p, at, series_len, name_len);
    if (!emit_count(p, at))
        return false;
    known = recall_step(&p->recall, str_n(at, series_len));
    p->n.known++;
    if (!emit_sample(p, &p->line, str_n(at, name_len), known))
        return false;
    p->line_no++;
    return true;
}

bool fast_emit(struct parser *p, const char *at, const struct shape *s,
               const struct quotes *q)
{
    const size_t series_len = s->labels ? q->at[q->count - 1] + 2 : s->name_len;
    bool found = false;
    void **known;

    fill_line(p, at, series_len, s->name_len);
    if (!tail_read(p, at + series_len + 1, q->lf - series_len - 1, &p->line))
        return false;
    fill_labels(&p->line, s, q);
    if (!emit_count(p, at))
        return false;
    known = recall_place(&p->recall, str_n(at, series_len), s->name_len,
                         p->type, &found);
    p->n.known += found;
    p->fast->try_known = found;
    if (!emit_sample(p, &p->line, str_n(at, s->name_len), known))
        return false;
    p->line_no++;
    return true;
}

/* All names are bare and differ, and stand as in name{a="..",b=".."}. */
static bool is_canonical(const struct line *l)
{
    uint32_t at = l->name_len + 1;

    for (size_t i = 0; i < l->label_count; i++) {
        const struct line_label *t = &l->labels[i];

        if (t->name_at != at || t->value_at != at + t->name_len + 2 ||
            t->name_len + 4 > SHAPE_BETWEEN)
            return false;
        for (size_t j = 0; j < i; j++)
            if (str_eq(str_n(l->text + t->name_at, t->name_len),
                       str_n(l->text + l->labels[j].name_at,
                             l->labels[j].name_len)))
                return false;
        at = t->value_at + t->value_len + 2;
    }
    return l->series_len == (l->label_count ? at : l->name_len);
}

static bool can_learn(const struct line *l)
{
    return l->series_at == 0 && l->name_at == 0 && !l->name_quoted &&
           l->label_count <= LINE_LABELS_FAST &&
           l->value_at == l->series_len + 1 && l->text[l->series_len] == ' ' &&
           is_canonical(l);
}

/* A free place, or that of a shape to give up. */
static struct shape *place_for(struct fast *f)
{
    for (size_t i = 0; i < SHAPES; i++)
        if (!f->shapes[i].used)
            return &f->shapes[i];
    f->evict = (uint8_t)((f->evict + 1) % SHAPES);
    if (f->evict == f->current)
        f->evict = (uint8_t)((f->evict + 1) % SHAPES);
    return &f->shapes[f->evict];
}

static void describe(struct shape *s, const struct line *l)
{
    memcpy(s->prefix, l->text, s->prefix_len);
    for (size_t i = 0; i < l->label_count; i++) {
        const struct line_label *t = &l->labels[i];

        s->label_len[i] = (uint8_t)t->name_len;
        s->between_len[i] = (uint8_t)(t->name_len + 4);
        if (i > 0)
            memcpy(s->between[i], l->text + t->name_at - 2, t->name_len + 4);
    }
}

void fast_learn(struct parser *p, const struct line *l, bool wanted)
{
    struct fast *f = p->fast;
    struct shape *s;
    size_t prefix;

    if (!can_learn(l))
        return;
    prefix = l->label_count ? l->labels[0].value_at : l->series_len + 1;
    if (prefix > SHAPE_PREFIX)
        return;
    s = place_for(f);
    *s = (struct shape){.used = true, .wanted = wanted};
    s->labels = (uint8_t)l->label_count;
    s->name_len = (uint16_t)l->name_len;
    s->prefix_len = (uint16_t)prefix;
    describe(s, l);
    f->shapes[f->current].next = (uint8_t)(s - f->shapes);
    f->current = s->next = (uint8_t)(s - f->shapes);
}
