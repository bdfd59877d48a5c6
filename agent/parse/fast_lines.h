/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fast_lines.h - the loop over lines, once for each set of vector code.
 *
 * Included by fast.c with ISA(name) and TARGET defined, and the primitives
 * ISA(block), ISA(differ), ISA(number) and ISA(lf) ahead of it.
 */

/* Where the quotes and the LF are; false for what no shape can fit. */
TARGET static inline bool ISA(collect)(const char *at, struct quotes *q)
{
    uint32_t base = 0;
    uint64_t odd = 0;

    q->count = 0;
    q->hash = 0;
    for (;; base += 64) {
        const struct block b = ISA(block)(at + base);
        const uint64_t line = b.lf ? (b.lf & (~b.lf + 1)) - 1 : UINT64_MAX;
        uint64_t quote = b.quote & line;
        uint32_t *out = q->at + q->count;

        odd |= b.odd & line;
        q->count += (uint32_t)__builtin_popcountll(quote);
        q->hash = (q->hash ^ quote) * UINT64_C(0xd6e8feb86659fd93);
        q->hash ^= q->hash >> 32;
        if (q->count > SHAPE_QUOTES || odd || base >= FAST_LINE)
            return false;
        for (; quote; quote &= quote - 1)
            *out++ = base + (uint32_t)__builtin_ctzll(quote);
        if (b.lf) {
            q->lf = base + (uint32_t)__builtin_ctzll(b.lf);
            return true;
        }
    }
}

/* The bytes of both up to `len` are the same.  Reads in steps of 32 and stops
 * at the first difference. */
TARGET static inline bool ISA(same)(const char *a, const char *b, size_t len)
{
    size_t i = 0;

    for (; i + 32 <= len; i += 32)
        if (ISA(differ)(a + i, b + i, 32))
            return false;
    return i == len || !ISA(differ)(a + i, b + i, (uint32_t)(len - i));
}

TARGET static inline bool ISA(fits)(const char *at, const struct shape *s,
                                    const struct quotes *q)
{
    const uint32_t last = 2 * (uint32_t)s->labels;

    if (q->count != last)
        return false;
    if (last == 0)
        return true;
    for (uint32_t i = 1; i < s->labels; i++) {
        const uint32_t close = q->at[(size_t)2 * i - 1];

        if (q->at[(size_t)2 * i] + 1 - close != s->between_len[i] ||
            ISA(differ)(at + close, s->between[i], s->between_len[i]))
            return false;
    }
    return at[q->at[last - 1] + 1] == '}' && at[q->at[last - 1] + 2] == ' ';
}

TARGET static inline bool ISA(begins)(const char *at, const struct shape *s)
{
    return s->used && ISA(same)(at, s->prefix, s->prefix_len);
}

/* The shape that the line has, or NULL. */
TARGET static inline const struct shape *ISA(find)(struct fast *f,
                                                   const char *at,
                                                   struct quotes *q)
{
    const uint8_t next = f->shapes[f->current].next;
    bool collected = false;

    for (unsigned i = 0; i < SHAPES + 2; i++) {
        const unsigned n = i == 0 ? f->current : i == 1 ? next : i - 2;
        const struct shape *s = &f->shapes[n];

        if (!ISA(begins)(at, s))
            continue;
        if (!collected && !ISA(collect)(at, q))
            return NULL;
        collected = true;
        if (!ISA(fits)(at, s, q))
            continue;
        f->shapes[f->current].next = (uint8_t)(n != f->current ? n : next);
        f->current = (uint8_t)n;
        return s;
    }
    return NULL;
}

/* A plain number and an LF stand here; its length, or 0.  Whole numbers, the
 * most of all, need but two of the masks. */
TARGET static inline uint32_t ISA(plain)(const char *text)
{
    const uint32_t lf = ISA(lf)(text);
    const uint32_t digit = ISA(digit)(text);

    if (lf == 32 || lf == 0)
        return 0;
    if ((~digit & (((uint32_t)1 << lf) - 1)) == 0)
        return lf;
    return number_plain(ISA(number)(text, digit), lf) ? lf : 0;
}

/* The line is as the model; returns the next, or NULL. */
TARGET static inline const char *ISA(modelled)(struct parser *p, const char *at,
                                               const struct model *m)
{
    uint32_t unlike = 0, len;

    for (uint32_t i = 0; i < m->words; i++)
        unlike |= ISA(unlike)(at + (size_t)32 * i, m->text + (size_t)32 * i,
                              m->skeleton[i], m->inside[i]);
    if (unlike || m->words == 0)
        return NULL;
    at += m->len;
    len = ISA(plain)(at);
    if (len == 0) {
        len = ISA(lf)(at);
        if (len >= 32 || !tail_good(p, at, len))
            return NULL;
    }
    return at + len + 1;
}

/* The model of this line comes after that of the line before. */
TARGET static inline void ISA(follow)(struct parser *p, const char *at,
                                      uint32_t len, const struct quotes *q)
{
    struct fast *f = p->fast;
    const uint8_t set = model_set(q->hash);
    uint8_t slot = set;

    while (slot < set + MODEL_WAYS &&
           (f->models[slot].hash != q->hash || f->models[slot].len != len ||
            ISA(modelled)(p, at, &f->models[slot]) == NULL))
        slot++;
    if (slot == set + MODEL_WAYS)
        slot = model_learn(f, at, len, q);
    f->next[f->past] = slot;
    f->past = model_past(f->past, slot);
}

/* Skips lines nobody wants, as long as their models follow each other as they
 * did before, and no limit is near. */
TARGET static inline const char *ISA(skip)(struct parser *p, const char *at,
                                           const char *end)
{
    const uint64_t limit = p->o.limits.samples;
    const uint64_t most = limit ? limit - p->n.samples : UINT64_MAX;
    struct fast *f = p->fast;
    uint32_t past = f->past;
    uint64_t count = 0;

    while (at < end && count < most) {
        const uint8_t n = f->next[past];
        const char *next = ISA(modelled)(p, at, &f->models[n]);

        if (next == NULL)
            break;
        past = model_past(past, n);
        count++;
        at = next;
    }
    f->past = past;
    p->n.samples += count;
    p->line_no += count;
    return at;
}

/* The line at `at` is the next series of the memory. */
TARGET static inline bool ISA(is_known)(const struct parser *p, const char *at,
                                        const struct memory_entry *e)
{
    const struct recall *r = &p->recall;

    return e->type == (uint8_t)p->type &&
           (e->shared == 0 || ISA(same)(at, r->last.ptr, e->shared)) &&
           ISA(same)(at + e->shared, (const char *)(e + 1), e->rest) &&
           at[e->shared + e->rest] == ' ' && e->name_len > 0 &&
           e->shared + e->rest < FAST_LINE;
}

/* Returns the next line; `at` where this one is not known; NULL at a fault. */
TARGET static inline const char *ISA(known)(struct parser *p, const char *at)
{
    const struct memory_entry *e = recall_next(&p->recall);
    size_t len;
    uint32_t lf;

    if (e == NULL || p->recall.differs || !ISA(is_known)(p, at, e))
        return at;
    if (e->shared <= e->name_len && !emit_wanted(p, str_n(at, e->name_len)))
        return at;
    len = (size_t)e->shared + e->rest;
    lf = ISA(lf)(at + len + 1);
    if (lf >= 32 || !tail_read(p, at + len + 1, lf, &p->line))
        return at;
    if (!fast_emit_known(p, at, len, e->name_len))
        return NULL;
    return at + len + 1 + lf + 1;
}

/* As known(), for a line whose shape is. */
TARGET static inline const char *ISA(shaped)(struct parser *p, const char *at)
{
    struct quotes q;
    const struct shape *s = ISA(find)(p->fast, at, &q);
    uint32_t value;

    if (s == NULL)
        return at;
    value = s->labels ? q.at[q.count - 1] + 3 : s->prefix_len;
    if (q.lf == value)
        return at;
    if (ISA(plain)(at + value) != q.lf - value &&
        !tail_good(p, at + value, q.lf - value))
        return at;
    if (p->o.limits.label_value_bytes && fast_too_long(p, s, &q))
        return at;
    if (s->wanted)
        return fast_emit(p, at, s, &q) ? at + q.lf + 1 : NULL;
    if (!emit_count(p, at))
        return NULL;
    p->line_no++;
    ISA(follow)(p, at, value, &q);
    return at + q.lf + 1;
}

TARGET static const char *ISA(lines)(struct parser *p, const char *at,
                                     const char *end)
{
    struct fast *f = p->fast;
    const char *next;

    f->try_known = true;
    while (at < end) {
        next = at;
        if (f->try_known) {
            next = ISA(known)(p, at);
            f->try_known = next != at;
        }
        if (next == at)
            next = ISA(skip)(p, at, end);
        if (next == at)
            next = ISA(shaped)(p, at);
        if (next == NULL || next == at)
            break;
        at = next;
    }
    return at;
}
