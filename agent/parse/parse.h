/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.h - an exposition, read as it arrives.
 *
 * A push parser for Prometheus text 0.0.4 and OpenMetrics 1.0: feed it pieces
 * cut anywhere.  Only an unfinished line is kept, so memory does not grow
 * with the body.  One parser, two levels: it accepts and refuses what a scrape
 * by Prometheus 3 does (prometheus/prometheus model/textparse), or, strict,
 * what the formats' specifications say (prometheus/docs, exposition formats;
 * OpenMetrics 1.0; that remembers names and, of one family, the series).
 * Pure: no clock.
 *
 * A body is good or bad as a whole, and that is known only at parser_end():
 * keep samples aside until then.  A sample nobody wants is checked like any
 * other (its grammar, UTF-8, value, timestamp, label names given twice) and
 * then forgotten.
 *
 * Slices handed to a callback are lent for the length of that call.
 */
#ifndef AGENT_PARSE_PARSE_H
#define AGENT_PARSE_PARSE_H

#include "agent/base/err.h"
#include "agent/metric/labels.h"
#include "agent/metric/sample.h"

enum parse_format { PARSE_PROMETHEUS, PARSE_OPENMETRICS };

/*
 * The format of a body, by its Content-Type, as Prometheus 3 decides.  For a
 * blank, unreadable or unsupported type `fallback` counts: the value of
 * fallback_scrape_protocol (PrometheusText0.0.4, PrometheusText1.0.0,
 * OpenMetricsText0.0.1, OpenMetricsText1.0.0), empty for none.
 */
must_check bool parse_format_of(struct str content_type, struct str fallback,
                                enum parse_format *out, struct err *err);

/* A body without a type: OpenMetrics if its last line is "# EOF".  The end of
 * the body is enough (its last 8 bytes). */
enum parse_format parse_format_guess(struct str end);

enum parse_type {
    PARSE_UNKNOWN, /* "untyped" in Prometheus text; or no TYPE line */
    PARSE_COUNTER,
    PARSE_GAUGE,
    PARSE_HISTOGRAM,
    PARSE_SUMMARY,
    PARSE_GAUGEHISTOGRAM,
    PARSE_INFO,
    PARSE_STATESET,
};

const char *parse_type_name(enum parse_type type); /* "counter" ... */

/* Which metric names somebody needs.  Asked once for a run of lines of one
 * name, so the answer must not change during a body. */
struct parse_filter {
    bool (*wanted)(void *arg, struct str name);
    void *arg;
};

/* 0 is no limit, but for the line. */
struct parse_limits {
    size_t line_bytes; /* 0: 1 MiB */
    uint64_t samples;  /* all that the body holds, wanted or not */
    /* Of any sample, wanted or not, as exposed; the metric name counts as one
     * label.  Labels of the target are not known here: subtract them. */
    size_t labels;
    size_t label_name_bytes;
    size_t label_value_bytes;
};

struct parser;

struct parse_sample {
    struct str name;      /* unquoted, unescaped */
    struct str series;    /* name and braces as the body has them */
    double value;         /* NaN is always SAMPLE_NORMAL_BITS */
    int64_t t_ms;         /* 0 without has_time */
    bool has_time;        /* the body gave a timestamp */
    bool has_exemplar;    /* OpenMetrics; it was checked and is not kept */
    enum parse_type type; /* of the last TYPE line, as Prometheus has it */
    uint64_t line;        /* from 1 */
    /* The place of this series text in the memory (see below); NULL without a
     * memory, and for a text that it does not take (over 64 KiB, or with a
     * line feed in it).  *known is NULL for a text not met before. */
    void **known;
    struct parser *parser; /* for parse_labels() */
};

/*
 * Adds __name__ and the labels to `b` (after labels_start()), unescaped, with
 * le and quantile normalised as Prometheus 3 does (le="1" of a histogram is
 * le="1.0"); empty ones are left out.  What the builder then holds is lent
 * until the sample callback returns: build the set before that.
 */
void parse_labels(const struct parse_sample *s, struct labels_builder *b);

/* Returning false, with `err` set, ends the parse with that error. */
typedef bool parse_sample_fn(void *arg, const struct parse_sample *s,
                             struct err *err);

enum parse_meta_kind { PARSE_HELP, PARSE_TYPE, PARSE_UNIT };

struct parse_meta {
    enum parse_meta_kind kind;
    struct str name;      /* of the family */
    struct str text;      /* help, unescaped; or the unit; or the type's word */
    enum parse_type type; /* of a TYPE line */
    uint64_t line;
};

typedef void parse_meta_fn(void *arg, const struct parse_meta *m);

/* A fault of style that harms nothing; lines and columns (bytes) from 1. */
typedef void parse_lint_fn(void *arg, uint64_t line, uint64_t col,
                           struct str text);

/*
 * The wanted series of a target's last good body, in their order, each with a
 * pointer that belongs to the caller.  A series whose text stands where it
 * stood last time is recognised by comparing bytes: its labels are neither
 * read nor checked again.  Nothing else keeps a series' text; a text costs
 * what it does not share with the one before it, and some 20 bytes.
 *
 * A memory serves one parse at a time.  What a good body did not have is
 * forgotten at parser_end(); after a bad body the memory is as it was.  So a
 * pointer may come back until the next good body or parse_memory_clear().
 */
struct parse_memory;

struct parse_memory *parse_memory_new(void);
void parse_memory_free(struct parse_memory *m);
void parse_memory_clear(struct parse_memory *m);
size_t parse_memory_count(const struct parse_memory *m); /* series */
size_t parse_memory_bytes(const struct parse_memory *m);

struct parse_options {
    enum parse_format format;
    bool strict;
    struct parse_limits limits;
    const struct parse_filter *wanted; /* NULL: all; lent */
    struct parse_memory *memory;       /* NULL: none; lent */
    parse_sample_fn *sample;           /* wanted ones, in order; or NULL */
    parse_meta_fn *meta;               /* or NULL */
    parse_lint_fn *lint;               /* or NULL */
    void *arg;                         /* of the three */
};

struct parse_counters {
    uint64_t bytes;
    uint64_t lines;
    uint64_t samples; /* all */
    uint64_t wanted;  /* handed to the callback */
    uint64_t known;   /* of them, recognised by the memory */
};

/* Where and why a body was refused; lines and columns (bytes) from 1. */
struct parse_fault {
    uint64_t line, col;
    struct err err; /* without the position */
};

/* One parser a body; the options are copied. */
struct parser *parser_new(const struct parse_options *options);
void parser_free(struct parser *p);

/* False at the first fault, and ever after; the text begins "LINE:COL: ". */
must_check bool parser_feed(struct parser *p, struct str piece,
                            struct err *err);
/* The body is complete. */
must_check bool parser_end(struct parser *p, struct err *err);

struct parse_counters parser_counters(const struct parser *p);
/* After a failure; lent by the parser. */
const struct parse_fault *parser_fault(const struct parser *p);

#endif
