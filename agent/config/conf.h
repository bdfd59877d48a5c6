/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf.h - options as tables, and a tree of text read into checked structs.
 *
 * A part of the program declares its options as rows beside the struct they
 * fill; reading, defaults, bounds, variables' names, help and the printed
 * configuration come from the rows.  A row whose kind does not fit its field
 * does not compile ("array size is negative", or a _Generic without a match).
 *
 *     const struct conf_key scrape_keys[] = {
 *         CONF_MS(scrape_conf, interval, "15s", WHEN_SECOND, WHEN_HOUR,
 *                 "Time from one scrape of a target to the next."),
 *         CONF_TEXT(scrape_conf, ca_file, "", "PEM file of authorities."),
 *         CONF_END,
 *     };
 *
 * Flags follow the help: CONF_TEXT(job, name, NULL, "...", .flags = CONF_MUST)
 *
 * A struct conf holds one whole configuration: its memory, every fault that
 * was found, and for each field where its value was written.  All that is
 * read points into it and goes with conf_free().
 */
#ifndef AGENT_CONFIG_CONF_H
#define AGENT_CONFIG_CONF_H

#include "agent/base/arena.h"
#include "agent/base/buf.h"
#include "agent/base/when.h"
#include "agent/config/tree.h"

/* clang-format off */
enum conf_kind {        /* type of the field */
    CONF_KIND_END,
    CONF_KIND_MS,       /* int64_t F_ms: a duration as 15s, 1m30s */
    CONF_KIND_SIZE,     /* int64_t F: bytes, as 1024, 64KiB, 16MiB, 1MB */
    CONF_KIND_INT,      /* int64_t F */
    CONF_KIND_NUM,      /* double F, finite */
    CONF_KIND_BOOL,     /* bool F: true, false */
    CONF_KIND_TEXT,     /* char *F: never NULL, "" where nothing stands */
    CONF_KIND_ENUM,     /* int64_t F: which of "first|second", from 0 */
    CONF_KIND_LIST,     /* struct conf_list F */
    CONF_KIND_MAP,      /* struct conf_map F */
    CONF_KIND_SECTION,  /* struct T F */
    CONF_KIND_INLINE,   /* struct T F: its keys stand among the parent's */
    CONF_KIND_OPTIONAL, /* struct T *F: NULL unless the section is written */
    CONF_KIND_ROWS,     /* struct T *F, size_t F_count: a list of sections */
    CONF_KIND_NAMED,    /* the same, from a mapping: name -> section */
};
/* clang-format on */

struct conf_list {
    char **items;
    size_t count;
};

struct conf_pair {
    char *name, *value;
};

struct conf_map { /* in the order written; names are unique */
    struct conf_pair *pairs;
    size_t count;
};

enum conf_flag {
    CONF_MUST = 1,    /* it is a fault when nothing is written */
    CONF_SECRET = 2,  /* never printed, wiped in the end */
    CONF_FILLED = 4,  /* text, list: empty is a fault, where written */
    CONF_CHOICES = 8, /* section of optional sections: its variable takes the
                         names that are wanted */
};

struct conf_key {
    const char *key; /* NULL in the last row, "" for an inline section */
    enum conf_kind kind;
    unsigned flags;
    size_t at;           /* of the field */
    const char *def;     /* as an operator would write it; NULL: zero, empty */
    double min, max;     /* MS, SIZE, INT, NUM; both inclusive */
    const char *choices; /* ENUM: "a|b|c" */
    const struct conf_key *keys; /* sections */
    size_t size;                 /* of struct T */
    size_t count_at;             /* ROWS, NAMED: of F_count */
    size_t name_at;   /* NAMED: in T, of the char * that takes the name */
    const char *help; /* one or two sentences */
};

/* offsetof, with a check of the field's type. */
#define CONF_AT(S, f, T)                                         \
    (offsetof(struct S, f) +                                     \
     0 * sizeof(char[_Generic(((struct S *)0)->f, T : 1, default \
                              : -1)]))

#define CONF_MS(S, f, d, lo, hi, ...)                                       \
    {                                                                       \
        .key = #f, .kind = CONF_KIND_MS, .at = CONF_AT(S, f##_ms, int64_t), \
        .def = d, .min = lo, .max = hi, .help = __VA_ARGS__                 \
    }
#define CONF_SIZE(S, f, d, lo, hi, ...)                                  \
    {                                                                    \
        .key = #f, .kind = CONF_KIND_SIZE, .at = CONF_AT(S, f, int64_t), \
        .def = d, .min = lo, .max = hi, .help = __VA_ARGS__              \
    }
#define CONF_INT(S, f, d, lo, hi, ...)                                  \
    {                                                                   \
        .key = #f, .kind = CONF_KIND_INT, .at = CONF_AT(S, f, int64_t), \
        .def = d, .min = lo, .max = hi, .help = __VA_ARGS__             \
    }
#define CONF_NUM(S, f, d, lo, hi, ...)                                 \
    {                                                                  \
        .key = #f, .kind = CONF_KIND_NUM, .at = CONF_AT(S, f, double), \
        .def = d, .min = lo, .max = hi, .help = __VA_ARGS__            \
    }
#define CONF_BOOL(S, f, d, ...)                                       \
    {                                                                 \
        .key = #f, .kind = CONF_KIND_BOOL, .at = CONF_AT(S, f, bool), \
        .def = d, .help = __VA_ARGS__                                 \
    }
#define CONF_TEXT(S, f, d, ...)                                         \
    {                                                                   \
        .key = #f, .kind = CONF_KIND_TEXT, .at = CONF_AT(S, f, char *), \
        .def = d, .help = __VA_ARGS__                                   \
    }
/* A text that is a secret; it has no default. */
#define CONF_HIDDEN(S, f, ...)                                   \
    {                                                            \
        .key = #f, .kind = CONF_KIND_TEXT, .flags = CONF_SECRET, \
        .at = CONF_AT(S, f, char *), .help = __VA_ARGS__         \
    }
#define CONF_ENUM(S, f, d, names, ...)                                   \
    {                                                                    \
        .key = #f, .kind = CONF_KIND_ENUM, .at = CONF_AT(S, f, int64_t), \
        .def = d, .choices = names, .help = __VA_ARGS__                  \
    }
/* The default of a list is written with commas: "a,b". */
#define CONF_LIST(S, f, d, ...)                                              \
    {                                                                        \
        .key = #f, .kind = CONF_KIND_LIST,                                   \
        .at = CONF_AT(S, f, struct conf_list), .def = d, .help = __VA_ARGS__ \
    }
/* The default of a map is written as "name=value,name=value". */
#define CONF_MAP(S, f, d, ...)                                              \
    {                                                                       \
        .key = #f, .kind = CONF_KIND_MAP,                                   \
        .at = CONF_AT(S, f, struct conf_map), .def = d, .help = __VA_ARGS__ \
    }
#define CONF_SECTION(S, f, T, table, ...)                                    \
    {                                                                        \
        .key = #f, .kind = CONF_KIND_SECTION, .at = CONF_AT(S, f, struct T), \
        .keys = table, .size = sizeof(struct T), .help = __VA_ARGS__         \
    }
#define CONF_INLINE(S, f, T, table)                                         \
    {                                                                       \
        .key = "", .kind = CONF_KIND_INLINE, .at = CONF_AT(S, f, struct T), \
        .keys = table, .size = sizeof(struct T)                             \
    }
#define CONF_OPTIONAL(S, f, T, table, ...)              \
    {                                                   \
        .key = #f, .kind = CONF_KIND_OPTIONAL,          \
        .at = CONF_AT(S, f, struct T *), .keys = table, \
        .size = sizeof(struct T), .help = __VA_ARGS__   \
    }
#define CONF_ROWS(S, f, T, table, ...)                                      \
    {                                                                       \
        .key = #f, .kind = CONF_KIND_ROWS, .at = CONF_AT(S, f, struct T *), \
        .count_at = CONF_AT(S, f##_count, size_t), .keys = table,           \
        .size = sizeof(struct T), .help = __VA_ARGS__                       \
    }
#define CONF_NAMED(S, f, T, name, table, ...)                                \
    {                                                                        \
        .key = #f, .kind = CONF_KIND_NAMED, .at = CONF_AT(S, f, struct T *), \
        .count_at = CONF_AT(S, f##_count, size_t),                           \
        .name_at = CONF_AT(T, name, char *), .keys = table,                  \
        .size = sizeof(struct T), .help = __VA_ARGS__                        \
    }
#define CONF_END    \
    {               \
        .key = NULL \
    }

struct conf;

struct conf_fault {
    struct conf_mark mark; /* mark.source NULL: a default, or nothing written */
    const char *path;      /* "scrape.jobs[0].name", or "" */
    const char *text;      /* what is wrong and how to mend it */
    const char *quote;     /* further lines that show the place, or NULL */
    bool warning;          /* strange, but it works */
};

struct conf *conf_new(void);
void conf_free(struct conf *c);
/* Memory that lives as long as the configuration. */
struct arena *conf_arena(struct conf *c);

/*
 * Fills `out` (of the size that belongs to `keys`) from `root`, which may be
 * NULL: then from the defaults alone.  Goes on after a fault, so that all of
 * them are found at once; a field with a fault keeps its default.
 */
void conf_read(struct conf *c, const struct conf_key *keys,
               const struct conf_node *root, void *out);
/* For every row that was not written in `to`: the value in `from`, and where
 * that was written. */
void conf_inherit(struct conf *c, const struct conf_key *keys, void *to,
                  const void *from);
/* Whether two structs that were read with `keys` say the same: for a reload.
 * What a check or a sink added beside the rows does not count. */
bool conf_same(const struct conf_key *keys, const void *a, const void *b);
/* Where the value of this very field came from, or NULL: from its default.
 * For items of a list: &list.items[i]; of a map: &map.pairs[i].value. */
const struct conf_mark *conf_written(const struct conf *c, const void *field);

/* A fault at the place where `field` was written, with the field's path. */
void conf_blame(struct conf *c, const void *field, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for a whole struct that is an (optional, listed) section. */
void conf_blame_section(struct conf *c, const void *section, const char *fmt,
                        ...) __attribute__((format(printf, 3, 4)));
/* A fault told by a check of `section`, which was read with `keys`: where its
 * text begins with a key and a colon, at that key's value. */
void conf_blame_err(struct conf *c, const struct conf_key *keys,
                    const void *section, const struct err *err);
/* The same as conf_blame(), at byte `offset` of a text that was written in one
 * line; of others at their beginning. */
void conf_blame_byte(struct conf *c, char *const *field, size_t offset,
                     const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Any other fault; `path` may be NULL or "". */
void conf_fault(struct conf *c, const struct conf_mark *mark, const char *path,
                const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Makes the newest fault a warning, or adds lines below it. */
void conf_fault_warns(struct conf *c);
void conf_fault_quotes(struct conf *c, struct str lines);

/* Something in this section is wrong already, so that what follows from it
 * need not be told. */
bool conf_faulty(const struct conf *c, const void *section);
/* Errors alone; false: the configuration must not be used. */
bool conf_good(const struct conf *c);
size_t conf_fault_count(const struct conf *c); /* warnings included */
const struct conf_fault *conf_fault_at(const struct conf *c, size_t i);
/* "FILE:LINE:COL: path: text" or "env NAME: path: text", one line (and the
 * quote's); sorted by place. */
void conf_faults_print(const struct conf *c, struct buf *out);
/* The first line of that for one fault, without its end. */
void conf_fault_print(const struct conf_fault *f, struct buf *out);

#endif
