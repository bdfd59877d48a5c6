/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pieces to lines.  A line is read where it lies, if PARSE_PAD bytes of the
 * piece follow it; the last lines of a piece, and the unfinished one, are
 * carried over into a buffer of ours.
 */
#include "agent/base/mem.h"
#include "agent/parse/chars.h"
#include "agent/parse/fast.h"
#include "agent/parse/internal.h"
#include "agent/parse/lint.h"
#include "agent/parse/strict.h"

#include <stdlib.h>

#define LINE_BYTES ((size_t)1 << 20)

struct parser *parser_new(const struct parse_options *options)
{
    struct parser *p = xcalloc(1, sizeof(*p));

    p->o = *options;
    p->line_bytes = options->limits.line_bytes;
    if (p->line_bytes == 0)
        p->line_bytes = LINE_BYTES;
    p->line_no = 1;
    p->line.label_cap = LINE_LABELS_FAST;
    p->line.labels =
        xreallocarray(NULL, LINE_LABELS_FAST, sizeof(*p->line.labels));
    buf_init(&p->carry, BUF_NO_LIMIT);
    buf_init(&p->asked, BUF_NO_LIMIT);
    arena_init(&p->arena, 1024);
    recall_start(&p->recall, options->memory, options);
    if (options->strict)
        p->strict = strict_new();
    if (options->lint)
        p->lint = lint_new();
    if (!options->strict && !options->lint &&
        p->line_bytes > 2 * (size_t)FAST_LINE)
        p->fast = fast_new();
    return p;
}

void parser_free(struct parser *p)
{
    if (p == NULL)
        return;
    fast_free(p->fast);
    strict_free(p->strict);
    lint_free(p->lint);
    recall_fini(&p->recall);
    arena_fini(&p->arena);
    buf_fini(&p->asked);
    buf_fini(&p->carry);
    free(p->line.labels);
    free(p);
}

static bool is_comment(const char *text)
{
    while (is_blank(*text))
        text++;
    return *text == '#';
}

/* One step through a line that holds an LF in a string: at[1] can be read.
 * Returns where to go on; an LF that ends the line is not stepped over. */
static const char *step(struct parser *p, const char *text, const char *at)
{
    if (p->open == OPEN_STRING) {
        if (*at == '\\' && at[1] == '\n')
            p->open = OPEN_TAIL; /* a fault: let it be found */
        else if (*at == '\\')
            at++;
        else if (*at == '"')
            p->open = is_comment(text) ? OPEN_TAIL : OPEN_BETWEEN;
    } else if (*at == '"') {
        p->open = OPEN_STRING;
    } else if (*at == '}' || *at == '\n') {
        p->open = OPEN_TAIL;
    }
    return at + (*at != '\n' || p->open == OPEN_STRING);
}

/* The LF that ends the line at `text`, of `len` bytes or more, of which those
 * before `p->open_at` were looked at; NULL if it has not come yet. */
static const char *line_end(struct parser *p, const char *text, size_t len)
{
    const char *at = text + p->open_at, *end = text + len;

    while (at < end && p->open != OPEN_TAIL && p->open != OPEN_NONE) {
        if (at + 1 == end && *at == '\\')
            break;
        at = step(p, text, at);
    }
    p->open_at = (size_t)(at - text);
    if (at == end || (p->open != OPEN_TAIL && p->open != OPEN_NONE))
        return NULL;
    at = memchr(at, '\n', (size_t)(end - at));
    p->open_at = at ? (size_t)(at - text) : len;
    return at;
}

static bool too_long(struct parser *p, const char *text)
{
    return fault_at(p, text, 0, ERR_LIMIT,
                    "the line is longer than the limit of bytes, %zu",
                    p->line_bytes);
}

static uint64_t count_lines(const char *from, const char *to)
{
    uint64_t n = 0;

    while (from < to && (from = memchr(from, '\n', (size_t)(to - from)))) {
        n++;
        from++;
    }
    return n;
}

static bool behind_end(struct parser *p, const char *at)
{
    if (p->o.format == PARSE_PROMETHEUS)
        return true;
    return fault_at(p, at, 0, ERR_INPUT, "nothing may follow # EOF");
}

/* One line by the exact grammar; returns where the next begins, NULL where the
 * bytes up to `end` do not hold it whole, or it is bad. */
static const char *exact(struct parser *p, const char *at, const char *end)
{
    const size_t len = (size_t)(end - at);
    enum line_result result = LINE_OPEN;
    const char *lf;

    while (result == LINE_OPEN) {
        lf = line_end(p, at, len);
        if ((lf ? (size_t)(lf - at) : len) > p->line_bytes) {
            too_long(p, at);
            return NULL;
        }
        if (lf == NULL)
            return NULL;
        result = line_read(p, at, (size_t)(lf - at));
        if (result == LINE_OPEN)
            p->open = OPEN_STRING;
    }
    if (result == LINE_BAD)
        return NULL;
    p->line_no += 1 + count_lines(at, lf);
    p->open = OPEN_NONE;
    p->open_at = 0;
    return lf + 1;
}

static const char *last_lf(const char *from, const char *to)
{
    return to > from ? memrchr(from, '\n', (size_t)(to - from)) : NULL;
}

/* All lines from `at` on that are whole; returns the start of the rest. */
static const char *lines(struct parser *p, const char *at, const char *end)
{
    const char *lf = last_lf(at, end);
    const char *next;

    while (at < end && !p->ended && !p->failed) {
        if (p->fast && p->open == OPEN_NONE && lf && at <= lf) {
            next = fast_lines(p, at, lf + 1);
            p->open_at = next == at ? p->open_at : 0;
            at = next;
            if (at == end || p->failed)
                break;
        }
        next = exact(p, at, end);
        if (next == NULL)
            break;
        at = next;
    }
    if (p->ended && at < end && !p->failed) {
        behind_end(p, at);
        return end;
    }
    return at;
}

static void pad(struct buf *b)
{
    static const char zeros[PARSE_PAD];

    buf_add(b, zeros, sizeof(zeros));
    b->len -= sizeof(zeros);
}

/* The lines in `carry` that end; what is left moves to its front. */
static void carry_lines(struct parser *p)
{
    const char *start, *rest;

    pad(&p->carry);
    start = p->carry.data;
    rest = lines(p, start, start + p->carry.len);
    if (rest == start)
        return;
    recall_keep(&p->recall);
    p->carry.len -= (size_t)(rest - start);
    memmove(p->carry.data, rest, p->carry.len);
}

/* Completes the carried line; returns what of the piece is left. */
static struct str carry_more(struct parser *p, struct str piece)
{
    while (p->carry.len > 0 && piece.len > 0 && !p->failed && !p->ended) {
        const size_t lf = str_find(piece, '\n');
        const size_t n = lf < piece.len ? lf + 1 : lf;

        buf_add(&p->carry, piece.ptr, n);
        piece = str_from(piece, n);
        if (lf < n)
            carry_lines(p);
        else if (p->carry.len > p->line_bytes)
            too_long(p, p->carry.data);
    }
    return piece;
}

static void feed(struct parser *p, struct str piece)
{
    const char *at, *end, *safe;

    piece = carry_more(p, piece);
    if (p->ended && !p->failed && piece.len > 0)
        behind_end(p, piece.ptr);
    if (piece.len == 0 || p->failed || p->ended)
        return;
    at = piece.ptr;
    end = at + piece.len;
    if (piece.len > PARSE_PAD && (safe = last_lf(at, end - PARSE_PAD)))
        at = lines(p, at, safe + 1);
    recall_keep(&p->recall);
    if (p->ended && !p->failed && at < end)
        behind_end(p, at);
    if (p->failed || p->ended || at == end)
        return;
    buf_add(&p->carry, at, (size_t)(end - at));
    carry_lines(p);
}

static bool failed(const struct parser *p, struct err *err)
{
    return err_set(err, p->fault.err.kind, "%llu:%llu: %s",
                   (unsigned long long)p->fault.line,
                   (unsigned long long)p->fault.col, p->fault.err.text);
}

bool parser_feed(struct parser *p, struct str piece, struct err *err)
{
    if (p->failed)
        return failed(p, err);
    p->n.bytes += piece.len;
    if (p->ended && piece.len > 0)
        behind_end(p, piece.ptr);
    else if (piece.len > 0)
        feed(p, piece);
    return p->failed ? failed(p, err) : true;
}

/* The last line has no LF. */
static void unfinished(struct parser *p)
{
    const size_t len = p->carry.len;

    p->complete = true;
    if (p->strict && p->o.format == PARSE_PROMETHEUS) {
        fault_at(p, p->carry.data, len, ERR_INPUT,
                 "the last line does not end in a line feed");
        return;
    }
    buf_addc(&p->carry, '\n');
    p->open = OPEN_TAIL; /* what is left is one line */
    p->open_at = len;
    carry_lines(p);
    if (p->failed || p->ended || p->o.format == PARSE_PROMETHEUS)
        return;
    p->line_no--;
    fault_at(p, p->carry.data, len, ERR_INPUT,
             "the body ends within a line, without # EOF");
}

bool parser_end(struct parser *p, struct err *err)
{
    if (!p->failed && p->carry.len > 0 && !p->ended)
        unfinished(p);
    if (!p->failed && !p->ended && p->o.format == PARSE_OPENMETRICS &&
        (p->n.bytes > 0 || p->strict))
        fault_at(p, "", 0, ERR_INPUT, "the body does not end with # EOF");
    if (!p->failed && p->strict && p->o.format == PARSE_PROMETHEUS)
        strict_end(p, "");
    if (!p->failed && p->lint)
        lint_end(p);
    if (p->failed)
        return failed(p, err);
    recall_commit(&p->recall);
    p->recall.memory = NULL;
    return true;
}

struct parse_counters parser_counters(const struct parser *p)
{
    struct parse_counters n = p->n;

    n.lines = p->line_no - 1;
    return n;
}

const struct parse_fault *parser_fault(const struct parser *p)
{
    return &p->fault;
}
