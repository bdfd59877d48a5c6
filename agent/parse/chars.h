/* SPDX-License-Identifier: Apache-2.0 */
/* chars.h - the classes of bytes that both formats know. */
#ifndef AGENT_PARSE_CHARS_H
#define AGENT_PARSE_CHARS_H

#include <stdbool.h>

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_label_start(char c)
{
    const char lower = (char)(c | 0x20);

    return (lower >= 'a' && lower <= 'z') || c == '_';
}

static inline bool is_label_char(char c)
{
    return is_label_start(c) || is_digit(c);
}

static inline bool is_name_start(char c)
{
    return is_label_start(c) || c == ':';
}

static inline bool is_name_char(char c)
{
    return is_name_start(c) || is_digit(c);
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

#endif
