/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/words.h"

#include <string.h>

struct cut {
    struct str rest;
    char *to; /* where the next character goes */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char take(struct cut *c)
{
    char first = c->rest.ptr[0];

    c->rest = str_from(c->rest, 1);
    return first;
}

static bool single(struct cut *c, struct err *err)
{
    while (c->rest.len > 0) {
        char next = take(c);

        if (next == '\'')
            return true;
        *c->to++ = next;
    }
    return err_set(err, ERR_CONFIG, "a ' has no other one to end it");
}

/* A backslash stands for itself but before these two. */
static bool is_escaped(struct str rest)
{
    return rest.len > 0 && (rest.ptr[0] == '"' || rest.ptr[0] == '\\');
}

static bool doubled(struct cut *c, struct err *err)
{
    while (c->rest.len > 0) {
        char next = take(c);

        if (next == '"')
            return true;
        if (next == '\\' && is_escaped(c->rest))
            next = take(c);
        *c->to++ = next;
    }
    return err_set(err, ERR_CONFIG, "a \" has no other one to end it");
}

static bool one_word(struct cut *c, struct err *err)
{
    while (c->rest.len > 0 && !is_blank(c->rest.ptr[0])) {
        char next = take(c);
        bool escapes = next == '\\';

        if (next == '\'' || next == '"') {
            if (!(next == '"' ? doubled(c, err) : single(c, err)))
                return false;
        } else if (escapes && c->rest.len == 0) {
            return err_set(err, ERR_CONFIG, "it ends in a backslash");
        } else {
            if (escapes)
                next = take(c);
            *c->to++ = next;
        }
    }
    *c->to++ = '\0';
    return true;
}

bool words_split(struct str text, struct arena *arena, char ***out,
                 struct err *err)
{
    /* A word and its end take no more than it and the blank before it. */
    struct cut c = {text, arena_alloc(arena, text.len + 2)};
    char **words = arena_array(arena, text.len / 2 + 2, sizeof(*words));
    size_t count = 0;

    if (text.len > 0 && memchr(text.ptr, '\0', text.len))
        return err_set(err, ERR_CONFIG, "it holds a NUL");
    for (;;) {
        while (c.rest.len > 0 && is_blank(c.rest.ptr[0]))
            (void)take(&c);
        if (c.rest.len == 0)
            break;
        words[count++] = c.to;
        if (!one_word(&c, err))
            return false;
    }
    *out = words;
    return (count > 0 && words[0][0]) ||
           err_set(err, ERR_CONFIG, "it names no program");
}
