/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/relabel/relabel.h"

#include "agent/base/mem.h"
#include "agent/base/regex.h"
#include "auth/crypto.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

struct rule {
    const struct relabel_conf *conf; /* texts copied to the arena */
    struct regex *regex;
};

struct relabel {
    struct arena memory;
    struct rule *rules;
    size_t count;
};

static char *keep_text(struct relabel *r, const char *text)
{
    return arena_strdup(&r->memory, str_of(text));
}

static const struct relabel_conf *keep_conf(struct relabel *r,
                                            const struct relabel_conf *from)
{
    struct relabel_conf *c = arena_alloc(&r->memory, sizeof(*c));
    size_t count = from->source_labels.count;

    *c = *from;
    c->source_labels.items =
        arena_array(&r->memory, count + 1, sizeof(*c->source_labels.items));
    for (size_t i = 0; i < count; i++)
        c->source_labels.items[i] = keep_text(r, from->source_labels.items[i]);
    c->separator = keep_text(r, from->separator);
    c->target_label = keep_text(r, from->target_label);
    c->replacement = keep_text(r, from->replacement);
    c->regex = NULL;
    return c;
}

struct relabel *relabel_new(const struct relabel_conf *rules, size_t count)
{
    struct relabel *r;

    if (count == 0)
        return NULL;
    r = xcalloc(1, sizeof(*r));
    arena_init(&r->memory, 1024);
    r->rules = arena_array(&r->memory, count, sizeof(*r->rules));
    r->count = count;
    for (size_t i = 0; i < count; i++) {
        struct err err;

        r->rules[i].conf = keep_conf(r, &rules[i]);
        r->rules[i].regex = regex_new(str_of(rules[i].regex), &err);
        assert(r->rules[i].regex);
    }
    return r;
}

void relabel_free(struct relabel *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++)
        regex_free(r->rules[i].regex);
    arena_fini(&r->memory);
    free(r);
}

/* An empty value is no label. */
static void put(struct labels_builder *b, struct str name, struct str value)
{
    if (value.len)
        labels_set(b, name, value);
    else
        labels_drop(b, name);
}

static struct str join(const struct relabel_conf *c,
                       const struct labels_builder *b, struct arena *a)
{
    const struct conf_list *from = &c->source_labels;
    struct buf out;
    struct str text;

    if (from->count == 1)
        return labels_peek(b, str_of(from->items[0]));
    buf_init(&out, BUF_NO_LIMIT);
    for (size_t i = 0; i < from->count; i++) {
        if (i > 0)
            buf_addz(&out, c->separator);
        buf_adds(&out, labels_peek(b, str_of(from->items[i])));
    }
    text = arena_str(a, buf_str(&out));
    buf_fini(&out);
    return text;
}

static bool expand(const struct regex *re, struct str subject,
                   const char *template, struct arena *a, struct str *text)
{
    struct buf out;
    bool matched;

    buf_init(&out, BUF_NO_LIMIT);
    matched = regex_expand(re, subject, str_of(template), &out);
    *text = arena_str(a, buf_str(&out));
    buf_fini(&out);
    return matched;
}

static bool valid_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool digit = c >= '0' && c <= '9';

        if (!(c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (digit && i > 0)))
            return false;
    }
    return s.len > 0;
}

static void replace(const struct rule *rule, struct str value,
                    struct labels_builder *b, struct arena *a)
{
    struct str target, text;

    if (!expand(rule->regex, value, rule->conf->target_label, a, &target) ||
        !valid_name(target))
        return;
    if (expand(rule->regex, value, rule->conf->replacement, a, &text))
        put(b, target, text);
}

static uint64_t hash(struct str value)
{
    unsigned char sum[CRYPTO_MD5];
    uint64_t n = 0;

    crypto_md5(value, sum);
    for (size_t i = sizeof(sum) - 8; i < sizeof(sum); i++)
        n = n << 8 | sum[i];
    return n;
}

static struct str change_case(struct str value, bool up, struct arena *a)
{
    char *text = arena_strdup(a, value);

    for (size_t i = 0; i < value.len; i++) {
        if (up && text[i] >= 'a' && text[i] <= 'z')
            text[i] = (char)(text[i] - 'a' + 'A');
        if (!up && text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] - 'A' + 'a');
    }
    return str_n(text, value.len);
}

/* Over the labels as they were before the rule. */
static void by_name(const struct rule *rule, struct labels_builder *b,
                    struct arena *a)
{
    size_t count = b->count;
    struct label *all = arena_array(a, count + 1, sizeof(*all));
    struct str name;

    for (size_t i = 0; i < count; i++)
        all[i] =
            (struct label){b->pairs[i].name, labels_peek(b, b->pairs[i].name)};
    for (size_t i = 0; i < count; i++) {
        if (all[i].value.len == 0)
            continue;
        if (rule->conf->action != RELABEL_LABELMAP) {
            if (regex_match(rule->regex, all[i].name) ==
                (rule->conf->action == RELABEL_LABELDROP))
                labels_drop(b, all[i].name);
        } else if (expand(rule->regex, all[i].name, rule->conf->replacement, a,
                          &name)) {
            labels_set(b, name, all[i].value);
        }
    }
}

/* The actions that write; the label stays where they have nothing to do. */
static void rewrite(const struct rule *rule, struct str value,
                    struct labels_builder *b, struct arena *a)
{
    const struct relabel_conf *c = rule->conf;
    struct str target = str_of(c->target_label);

    switch ((enum relabel_action)c->action) {
    case RELABEL_REPLACE:
        replace(rule, value, b, a);
        break;
    case RELABEL_HASHMOD:
        labels_set(
            b, target,
            arena_printf(a, "%" PRIu64, hash(value) % (uint64_t)c->modulus));
        break;
    case RELABEL_LOWERCASE:
    case RELABEL_UPPERCASE:
        put(b, target, change_case(value, c->action == RELABEL_UPPERCASE, a));
        break;
    case RELABEL_LABELMAP:
    case RELABEL_LABELDROP:
    case RELABEL_LABELKEEP:
        by_name(rule, b, a);
        break;
    case RELABEL_KEEP:
    case RELABEL_DROP:
    case RELABEL_KEEPEQUAL:
    case RELABEL_DROPEQUAL:
        break;
    }
}

static bool stays(const struct rule *rule, struct str value,
                  const struct labels_builder *b)
{
    struct str target = str_of(rule->conf->target_label);

    switch ((enum relabel_action)rule->conf->action) {
    case RELABEL_KEEP:
        return regex_match(rule->regex, value);
    case RELABEL_DROP:
        return !regex_match(rule->regex, value);
    case RELABEL_KEEPEQUAL:
        return str_eq(labels_peek(b, target), value);
    case RELABEL_DROPEQUAL:
        return !str_eq(labels_peek(b, target), value);
    case RELABEL_REPLACE:
    case RELABEL_HASHMOD:
    case RELABEL_LABELMAP:
    case RELABEL_LABELDROP:
    case RELABEL_LABELKEEP:
    case RELABEL_LOWERCASE:
    case RELABEL_UPPERCASE:
        break;
    }
    return true;
}

static bool any(const struct labels_builder *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (labels_peek(b, b->pairs[i].name).len)
            return true;
    return false;
}

bool relabel_apply(const struct relabel *r, struct labels_builder *b,
                   struct arena *a)
{
    for (size_t i = 0; r && i < r->count; i++) {
        struct str value = join(r->rules[i].conf, b, a);

        if (!stays(&r->rules[i], value, b))
            return false;
        rewrite(&r->rules[i], value, b, a);
    }
    return any(b);
}
