/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/parse/memory.h"

#include "agent/base/mem.h"

#include <stdlib.h>

#define TEXT_MAX 0xffff

struct parse_memory *parse_memory_new(void)
{
    return xcalloc(1, sizeof(struct parse_memory));
}

static void list_fini(struct memory_list *l)
{
    free(l->data);
    *l = (struct memory_list){0};
}

void parse_memory_free(struct parse_memory *m)
{
    if (m == NULL)
        return;
    list_fini(&m->list);
    free(m);
}

void parse_memory_clear(struct parse_memory *m)
{
    list_fini(&m->list);
    m->used = false;
}

size_t parse_memory_count(const struct parse_memory *m)
{
    return m->list.count;
}

size_t parse_memory_bytes(const struct parse_memory *m)
{
    return sizeof(*m) + m->list.cap;
}

static struct memory_entry *entry_at(const struct memory_list *l, size_t at)
{
    return (struct memory_entry *)(void *)(l->data + at);
}

static const char *entry_rest(const struct memory_entry *e)
{
    return (const char *)(e + 1);
}

static size_t common(struct str a, struct str b)
{
    const size_t max = a.len < b.len ? a.len : b.len;
    uint64_t x, y;
    size_t n = 0;

    for (; n + 8 <= max; n += 8) {
        memcpy(&x, a.ptr + n, 8);
        memcpy(&y, b.ptr + n, 8);
        if (x != y)
            break;
    }
    while (n < max && a.ptr[n] == b.ptr[n])
        n++;
    return n;
}

/* Grows by half, and only as far as it must near the end. */
static void reserve(struct memory_list *l, size_t more)
{
    size_t cap = l->cap;

    if (l->cap - l->len >= more + MEMORY_PAD)
        return;
    cap += cap / 2 + more + 4 * (size_t)MEMORY_PAD;
    l->data = xreallocarray(l->data, cap, 1);
    l->cap = cap;
}

static struct memory_entry *append(struct memory_list *l, struct str before,
                                   struct str text, struct memory_entry head)
{
    struct memory_entry *e;

    head.shared = (uint16_t)common(before, text);
    head.rest = (uint16_t)(text.len - head.shared);
    reserve(l, memory_entry_bytes(&head));
    e = (struct memory_entry *)(void *)(l->data + l->len);
    *e = head;
    memcpy(e + 1, text.ptr + head.shared, head.rest);
    l->len += memory_entry_bytes(e);
    l->count++;
    return e;
}

/* `text` becomes the text of the entry at `at`, from that of the one before. */
static void expand(const struct memory_list *l, size_t at, struct buf *text)
{
    const struct memory_entry *e;

    if (at == l->len)
        return;
    e = entry_at(l, at);
    text->len = e->shared;
    buf_add(text, entry_rest(e), e->rest);
}

void recall_start(struct recall *r, struct parse_memory *m,
                  const struct parse_options *o)
{
    *r = (struct recall){.memory = m};
    buf_init(&r->last_copy, BUF_NO_LIMIT);
    buf_init(&r->expect, BUF_NO_LIMIT);
    if (m == NULL)
        return;
    if (m->used && (m->format != o->format || m->strict != o->strict))
        parse_memory_clear(m);
    m->format = o->format;
    m->strict = o->strict;
    m->used = true;
}

void recall_fini(struct recall *r)
{
    buf_fini(&r->last_copy);
    buf_fini(&r->expect);
    list_fini(&r->fresh);
}

void recall_keep(struct recall *r)
{
    static const char zeros[MEMORY_PAD];

    if (r->last.len == 0 || r->last.ptr == r->last_copy.data)
        return;
    buf_reset(&r->last_copy);
    buf_adds(&r->last_copy, r->last);
    buf_add(&r->last_copy, zeros, sizeof(zeros));
    r->last_copy.len = r->last.len;
    r->last = buf_str(&r->last_copy);
}

static void shrink(struct memory_list *l)
{
    if (l->cap - l->len < 4096 && l->cap - l->len < l->cap / 8)
        return;
    l->cap = l->len + MEMORY_PAD;
    l->data = xreallocarray(l->data, l->cap, 1);
}

void recall_commit(struct recall *r)
{
    struct memory_list *l;

    if (r->memory == NULL)
        return;
    l = &r->memory->list;
    if (r->differs) {
        list_fini(l);
        *l = r->fresh;
        r->fresh = (struct memory_list){0};
    } else {
        l->len = r->at;
        l->count = r->index;
    }
    shrink(l);
}

/* What was met so far becomes the start of a list of its own. */
static void differ(struct recall *r)
{
    const struct memory_list *l = &r->memory->list;

    r->differs = true;
    reserve(&r->fresh, r->at);
    if (r->at > 0)
        memcpy(r->fresh.data, l->data, r->at);
    r->fresh.len = r->at;
    r->fresh.count = r->index;
    buf_reset(&r->expect);
    buf_adds(&r->expect, r->last);
    expand(l, r->at, &r->expect);
}

static bool is_entry(const struct memory_entry *e, struct str expect,
                     struct str text, enum parse_type type)
{
    return e->type == (uint8_t)type && str_eq(expect, text);
}

/* Looks for `text` among the next `count` entries; steps on it if it is there,
 * for a body from which some series have gone. */
static bool seek(struct recall *r, struct str text, enum parse_type type,
                 size_t count)
{
    const struct memory_list *l = &r->memory->list;
    struct buf ahead;
    size_t at = r->at;
    bool found = false;

    buf_init(&ahead, BUF_NO_LIMIT);
    buf_adds(&ahead, buf_str(&r->expect));
    while (at < l->len && count-- > 0) {
        found = is_entry(entry_at(l, at), buf_str(&ahead), text, type);
        if (found)
            break;
        at += memory_entry_bytes(entry_at(l, at));
        expand(l, at, &ahead);
    }
    if (found) {
        buf_fini(&r->expect);
        r->expect = ahead;
        r->at = at;
    } else {
        buf_fini(&ahead);
    }
    return found;
}

/* The further astray, the rarer and wider one looks: 16 entries a line. */
static bool resync(struct recall *r, struct str text, enum parse_type type)
{
    size_t reach;

    if (r->at == r->memory->list.len)
        return false;
    reach = (r->misses & (r->misses + 1)) == 0 ? 16 * (r->misses + 1) : 1;
    if (reach > 4096)
        reach = 4096;
    if (!seek(r, text, type, reach)) {
        r->misses++;
        return false;
    }
    r->misses = 0;
    return true;
}

static void **place_anew(struct recall *r, struct str text,
                         struct memory_entry head, bool *found)
{
    const struct memory_list *l = &r->memory->list;
    struct memory_entry *e;

    *found = resync(r, text, (enum parse_type)head.type);
    if (*found) {
        e = entry_at(l, r->at);
        head.known = e->known;
        r->at += memory_entry_bytes(e);
        expand(l, r->at, &r->expect);
    }
    e = append(&r->fresh, r->last, text, head);
    r->last = text;
    return &e->known;
}

/* While nothing differs the text before is `last`, so it is compared as the
 * list holds it. */
static bool as_expected(const struct recall *r, struct str text,
                        enum parse_type type)
{
    const struct memory_entry *e = recall_next(r);

    return e && e->type == (uint8_t)type &&
           text.len == (size_t)e->shared + e->rest &&
           memcmp(text.ptr, r->last.ptr ? r->last.ptr : "", e->shared) == 0 &&
           memcmp(text.ptr + e->shared, entry_rest(e), e->rest) == 0;
}

void **recall_place(struct recall *r, struct str text, size_t name_len,
                    enum parse_type type, bool *found)
{
    struct memory_entry head = {.name_len = (uint16_t)name_len,
                                .type = (uint8_t)type};

    *found = false;
    if (r->memory == NULL || text.len > TEXT_MAX ||
        memchr(text.ptr, '\n', text.len))
        return NULL;
    if (!r->differs && as_expected(r, text, type)) {
        *found = true;
        return recall_step(r, text);
    }
    if (!r->differs)
        differ(r);
    return place_anew(r, text, head, found);
}
