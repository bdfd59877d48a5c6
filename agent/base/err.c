/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/err.h"

#include "agent/base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
    [ERR_NONE] = "none",       [ERR_CONFIG] = "config",
    [ERR_INPUT] = "input",     [ERR_NETWORK] = "network",
    [ERR_TIMEOUT] = "timeout", [ERR_DENIED] = "denied",
    [ERR_LIMIT] = "limit",     [ERR_INTERNAL] = "internal",
};

/* Cut off text ends in "..." and not within a character. */
static void mark_cut(char *text, size_t size)
{
    size_t at = size - 4;

    while (at > 0 && ((unsigned char)text[at] & 0xC0U) == 0x80U)
        at--;
    memcpy(text + at, "...", 4);
}

/* An error is one line: what a peer wrote may hold anything. */
static void one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            *text = ' ';
}

static void put(char *text, size_t size, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void put(char *text, size_t size, const char *fmt, va_list ap)
{
    int n = vsnprintf(text, size, fmt, ap);

    if (n >= 0 && (size_t)n >= size)
        mark_cut(text, size);
    one_line(text);
}

bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
    struct err next = {.kind = kind};
    va_list ap;

    if (!err)
        return false;
    va_start(ap, fmt);
    put(next.text, sizeof(next.text), fmt, ap);
    va_end(ap);
    *err = next; /* only now: the old text may be among the arguments */
    return false;
}

bool err_wrap(struct err *err, const char *fmt, ...)
{
    char context[sizeof(err->text)];
    char whole[2 * sizeof(err->text) + 2]; /* and ": " */
    va_list ap;

    if (!err)
        return false;
    va_start(ap, fmt);
    put(context, sizeof(context), fmt, ap);
    va_end(ap);
    (void)snprintf(whole, sizeof(whole), "%s: %s", context, err->text);
    if (strlen(whole) >= sizeof(err->text)) {
        whole[sizeof(err->text) - 1] = '\0';
        mark_cut(whole, sizeof(err->text));
    }
    memcpy(err->text, whole, strlen(whole) + 1);
    return false;
}

const char *err_kind_name(enum err_kind kind)
{
    size_t i = (size_t)kind;

    return i < sizeof(kind_names) / sizeof(kind_names[0]) ? kind_names[i]
                                                          : "unknown";
}
