/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.h - slices: a pointer and a length, lent by whoever owns the bytes.
 *
 * A slice need not end in NUL and may hold any byte.  `ptr` may be NULL only
 * when `len` is 0.
 */
#ifndef AGENT_BASE_STR_H
#define AGENT_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE     ((struct str){NULL, 0})
/* For printf: "%.*s", STR_ARG(s) */
#define STR_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

static inline struct str str_of(const char *z)
{
    return (struct str){z, z ? strlen(z) : 0};
}

static inline struct str str_n(const char *p, size_t n)
{
    return (struct str){p, n};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_eqz(struct str a, const char *z)
{
    return str_eq(a, str_of(z));
}

/* Byte order, shorter first among equals: <0, 0, >0. */
int str_cmp(struct str a, struct str b);
/* ASCII case is ignored. */
bool str_eqi(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Without leading and trailing blanks, tabs, CRs and LFs. */
struct str str_trim(struct str s);
/* The bytes from `from` (at most len) to the end. */
struct str str_from(struct str s, size_t from);
/* Where `c` stands first, or len. */
size_t str_find(struct str s, char c);
/*
 * Takes the part up to `sep` off the front of `*rest`, and the separator;
 * false when `*rest` is used up (its ptr is NULL).
 */
bool str_next(struct str *rest, char sep, struct str *part);
/* A decimal integer and nothing else, within int64_t. */
bool str_int(struct str s, int64_t *out);
/* Well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool str_utf8(struct str s);
/* Length of the well-formed UTF-8 sequence at the start, 0 if there is none;
 * `*rune` (may be NULL) gets the code point. */
size_t str_rune(struct str s, uint32_t *rune);
/* 64-bit hash (FNV-1a), the same on every machine. */
uint64_t str_hash(struct str s);
uint64_t str_hash_more(uint64_t h, struct str s);
#define STR_HASH_START UINT64_C(14695981039346656037)

#endif
