/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every case of test/data/promql/NAME.test is a test of its own; to add one,
 * add lines to a file.  The format:
 *
 *   load 30s                          series from time 0 on, one step apart:
 *     requests{path="/a"} 1 2+2x3 _ _x2 stale NaN
 *   clear                             forgets what was loaded
 *   eval 5m sum(requests)             a query at 5m, and its rows in any order
 *     {path="/a"} 12
 *   ordered 5m sort(requests)         the same, in this order
 *   fail 5m sum(                      its message
 *     1:5: parse error: unclosed left parenthesis
 *   caret 1 +                         the two lines that show the place
 *   reach rate(x[5m])                 what it reads, and how far back (ms)
 *     300000 x[5m]
 *
 * An `eval` of a scalar or a string has it alone in a line; a matrix has
 * value@time, seconds, behind the labels.  Words of one line that end in a
 * backslash go on in the next.
 */
#include "agent/base/mem.h"
#include "agent/base/num.h"
#include "agent/promql/promql.h"
#include "test/lib/unit.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct lines {
    struct str *items;
    size_t count, cap;
};

/* A heading and the indented lines below it. */
struct block {
    char *name; /* file:line: heading */
    struct str word, rest;
    struct lines body;
};

struct file {
    char *text;
    struct block *blocks;
    size_t count, cap;
};

/* What one test needs: its block, and those before it that load. */
struct test_case {
    const struct file *file;
    size_t at;
};

static struct file *files;
static size_t file_count, file_cap;

static void lines_add(struct lines *l, struct str s)
{
    xgrow(&l->items, &l->cap, l->count, sizeof(*l->items));
    l->items[l->count++] = s;
}

static char *read_all(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct buf b;
    char piece[4096];
    size_t n;

    assert_non_null(f);
    buf_init(&b, BUF_NO_LIMIT);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(&b, piece, n);
    assert_int_equal(fclose(f), 0);
    return buf_take(&b);
}

static struct str take_word(struct str *s)
{
    struct str word = str_n(s->ptr, str_find(*s, ' '));

    *s = str_trim(str_from(*s, word.len));
    return word;
}

static void add_block(struct file *f, const char *path, size_t line,
                      struct str heading)
{
    struct block *b;
    char name[200];

    xgrow(&f->blocks, &f->cap, f->count, sizeof(*f->blocks));
    b = &f->blocks[f->count++];
    (void)snprintf(name, sizeof(name), "%s:%zu %.*s", path, line,
                   STR_ARG(heading));
    *b = (struct block){.name = xstrdup(name), .rest = heading};
    for (char *c = b->name; *c; c++)
        if (*c == '#' || *c == '\n') /* TAP would read a directive, a line */
            *c = '.';
    b->word = take_word(&b->rest);
}

/* A line, and with it those that a backslash at its end joins to it. */
static struct str next_line(struct file *f, struct str *text, size_t *number)
{
    struct str line, first = {text->ptr, 0};

    while (str_next(text, '\n', &line)) {
        (*number)++;
        first.len = (size_t)(line.ptr + line.len - first.ptr);
        if (line.len == 0 || line.ptr[line.len - 1] != '\\')
            break;
        f->text[line.ptr + line.len - 1 - f->text] = ' ';
    }
    return first;
}

static void read_file(const char *dir, const char *name)
{
    char path[512];
    struct file *f;
    struct str text, line;
    size_t number = 0;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    xgrow(&files, &file_cap, file_count, sizeof(*files));
    f = &files[file_count++];
    *f = (struct file){.text = read_all(path)};
    text = str_of(f->text);
    while (text.ptr) {
        size_t first = number + 1;

        line = next_line(f, &text, &number);
        if (str_trim(line).len == 0 || *line.ptr == '#')
            continue;
        if (*line.ptr != ' ' && *line.ptr != '\t')
            add_block(f, name, first, str_trim(line));
        else if (f->count)
            lines_add(&f->blocks[f->count - 1].body, str_trim(line));
    }
}

static int64_t duration_ms(struct str s)
{
    struct promql_options none = {0};
    struct promql *q = promql_parse(s, &none, NULL);
    struct promql_result r;
    struct promql_eval with = {0};
    struct arena arena;

    assert_non_null(q);
    arena_init(&arena, 1024);
    with.arena = &arena;
    assert_true(promql_eval(q, &with, &r, NULL));
    promql_free(q);
    arena_fini(&arena);
    return (int64_t)round(r.scalar * 1000);
}

/* The labels of a selector with nothing but equality. */
static struct labels *labels_of(struct str s)
{
    const struct promql_selector *selector;
    struct labels_builder b = {0};
    struct promql_error error;
    struct labels *labels;
    struct promql *q;

    if (s.len == 0 || str_eqz(s, "{}"))
        return labels_copy(&labels_empty, NULL);
    q = promql_parse(s, NULL, &error);
    if (!q)
        fail_msg("%.*s: %s", STR_ARG(s), error.err.text);
    assert_int_equal(promql_selectors(q, &selector), 1);
    for (size_t i = 0; i < selector->matcher_count; i++)
        labels_set(&b, selector->matchers[i].name, selector->matchers[i].value);
    labels = labels_build(&b, NULL);
    labels_builder_fini(&b);
    promql_free(q);
    return labels;
}

static void skip_quoted(char c, char *quote, size_t *i)
{
    if (c == '\\')
        (*i)++;
    if (c == *quote)
        *quote = 0;
}

/* Where the labels end and the values begin. */
static size_t labels_end(struct str s)
{
    char quote = 0;
    size_t i = 0;
    bool braces = false;

    for (; i < s.len; i++) {
        char c = s.ptr[i];

        if (quote)
            skip_quoted(c, &quote, &i);
        else if (braces && (c == '"' || c == '\''))
            quote = c;
        else if (c == '{')
            braces = true;
        else if (c == '}')
            return i + 1;
        else if (c == ' ' && !braces)
            return i;
    }
    return s.len;
}

static double number_of(struct str s)
{
    double v;

    if (str_eqz(s, "stale"))
        return sample_stale();
    if (!num_parse(s, &v))
        fail_msg("\"%.*s\" is no number", STR_ARG(s));
    return v;
}

/* a, a+bxN, a-bxN, axN, _ or _xN: `*t` runs on by `step`. */
static void append_item(struct series *se, struct str item, int64_t *t,
                        int64_t step)
{
    size_t x = str_find(item, 'x'), sign;
    struct str value = str_n(item.ptr, x);
    int64_t times = 0;
    double v, slope = 0;

    if (x < item.len)
        assert_true(str_int(str_from(item, x + 1), &times));
    if (str_eqz(value, "_")) {
        *t += step * (times ? times : 1);
        return;
    }
    sign = x < item.len && value.len > 1 ? 1 : value.len;
    while (sign < value.len &&
           !((value.ptr[sign] == '+' || value.ptr[sign] == '-') &&
             value.ptr[sign - 1] != 'e'))
        sign++;
    if (sign < value.len)
        slope = number_of(str_from(value, sign));
    v = number_of(str_n(value.ptr, sign));
    for (int64_t i = 0; i <= times; i++, *t += step) {
        assert_true(series_append(se, *t, v));
        v = slope != 0 ? v + slope : v;
    }
}

static void load(struct store *store, const struct block *b)
{
    int64_t step = duration_ms(b->rest);

    for (size_t i = 0; i < b->body.count; i++) {
        struct str line = b->body.items[i], item;
        size_t end = labels_end(line);
        struct labels *labels = labels_of(str_n(line.ptr, end));
        struct series *se = store_series(store, labels);
        int64_t t = 0;

        free(labels);
        for (line = str_trim(str_from(line, end)); line.len > 0;) {
            item = take_word(&line);
            append_item(se, item, &t, step);
        }
    }
}

static struct store *store_for(const struct test_case *c)
{
    struct store_options options = {.retention_ms = INT64_MAX / 4};
    struct store *store = store_new(&options);

    for (size_t i = 0; i < c->at; i++) {
        const struct block *b = &c->file->blocks[i];

        if (str_eqz(b->word, "clear")) {
            store_free(store);
            store = store_new(&options);
        }
        if (str_eqz(b->word, "load"))
            load(store, b);
    }
    return store;
}

static bool close_enough(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    return a == b || fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b));
}

static void print_row(const struct promql_row *r, bool matrix, struct buf *out)
{
    char text[NUM_MAX];

    labels_print(r->labels, out);
    if (!matrix) {
        (void)num_json(r->v, text);
        buf_addf(out, " %s", text);
    }
    for (size_t i = 0; matrix && i < r->count; i++) {
        (void)num_json(r->samples[i].v, text);
        buf_addf(out, " %s", text);
        (void)num_json((double)r->samples[i].t_ms / 1000, text);
        buf_addf(out, "@%s", text);
    }
}

static bool same_samples(const struct promql_row *r, struct str rest)
{
    for (size_t i = 0; i < r->count; i++) {
        struct str word = take_word(&rest);
        size_t at = str_find(word, '@');

        if (at == word.len ||
            !close_enough(number_of(str_n(word.ptr, at)), r->samples[i].v) ||
            !close_enough(number_of(str_from(word, at + 1)),
                          (double)r->samples[i].t_ms / 1000))
            return false;
    }
    return rest.len == 0;
}

static bool same_row(const struct promql_row *r, struct str line, bool matrix)
{
    size_t end = labels_end(line);
    struct labels *labels = labels_of(str_n(line.ptr, end));
    struct str rest = str_trim(str_from(line, end));
    bool same = labels_eq(labels, r->labels);

    free(labels);
    if (!same)
        return false;
    return matrix ? same_samples(r, rest) : close_enough(number_of(rest), r->v);
}

static void fail_rows(const struct promql_result *r)
{
    struct buf b;
    char text[4096];

    buf_init(&b, BUF_NO_LIMIT);
    for (size_t i = 0; i < r->row_count; i++) {
        buf_addz(&b, "\n#   ");
        print_row(&r->rows[i], r->type == PROMQL_MATRIX, &b);
    }
    (void)snprintf(text, sizeof(text), "%s", buf_z(&b));
    buf_fini(&b);
    fail_msg("the result has %zu rows:%s", r->row_count, text);
}

static void check_rows(const struct promql_result *r, const struct block *b,
                       bool ordered)
{
    bool *used = xcalloc(r->row_count + 1, sizeof(*used));
    bool ok = r->row_count == b->body.count;

    for (size_t i = 0; ok && i < b->body.count; i++) {
        size_t j = ordered ? i : 0;
        size_t end = ordered ? i + 1 : r->row_count;

        while (j < end && (used[j] || !same_row(&r->rows[j], b->body.items[i],
                                                r->type == PROMQL_MATRIX)))
            j++;
        ok = j < end;
        used[ok ? j : 0] = true;
    }
    free(used);
    if (!ok)
        fail_rows(r);
}

static void check_scalar(const struct promql_result *r, struct str want)
{
    char text[NUM_MAX];

    (void)num_json(r->scalar, text);
    if (!close_enough(r->scalar, number_of(want)))
        fail_msg("the result is %s", text);
}

static void check_result(const struct promql_result *r, const struct block *b)
{
    if (r->type == PROMQL_VECTOR || r->type == PROMQL_MATRIX) {
        check_rows(r, b, str_eqz(b->word, "ordered"));
        return;
    }
    assert_int_equal(b->body.count, 1);
    if (r->type == PROMQL_SCALAR)
        check_scalar(r, b->body.items[0]);
    else if (!str_eq(r->string, b->body.items[0]))
        fail_msg("the result is \"%.*s\"", STR_ARG(r->string));
}

static void check_text(const char *got, const struct block *b)
{
    struct str want = b->body.count ? b->body.items[0] : STR_NONE;

    assert_int_equal(b->body.count, 1);
    if (!str_eqz(want, got))
        fail_msg("the message is %s", got);
}

/* Parses and evaluates; false with the message. */
static bool answer(const struct promql_eval *with, struct str text,
                   struct promql **q, struct promql_result *r, struct err *err)
{
    struct promql_options options = {0};
    struct promql_error error;
    struct str flag = STR("experimental ");

    if (str_starts(text, flag)) {
        options.experimental = true;
        text = str_from(text, flag.len);
    }
    *q = promql_parse(text, &options, &error);
    if (!*q) {
        *err = error.err;
        return false;
    }
    return promql_eval(*q, with, r, err);
}

static void run_eval(const struct test_case *c)
{
    const struct block *b = &c->file->blocks[c->at];
    struct str text = b->rest;
    bool failing = str_eqz(b->word, "fail");
    struct promql_eval with = {0};
    struct promql_result r = {0};
    struct store *store;
    struct promql *q;
    struct arena arena;
    struct err err = {0};
    bool ok;

    store = store_for(c);
    with.store = store;
    with.t_ms = duration_ms(take_word(&text));
    arena_init(&arena, 4096);
    with.arena = &arena;
    ok = answer(&with, text, &q, &r, &err);
    if (ok && failing)
        fail_msg("it did not fail");
    if (!ok && !failing)
        fail_msg("%s", err.text);
    if (failing)
        check_text(err.text, b);
    else
        check_result(&r, b);
    promql_free(q);
    arena_fini(&arena);
    store_free(store);
}

static void run_caret(const struct block *b)
{
    struct promql_error error;
    struct buf out;

    assert_null(promql_parse(b->rest, NULL, &error));
    buf_init(&out, BUF_NO_LIMIT);
    promql_caret(b->rest, &error, &out);
    assert_int_equal(b->body.count, 1);
    /* The body's line is trimmed: compare from the first mark on. */
    if (!str_ends(str_trim(buf_str(&out)), b->body.items[0]) ||
        str_find(buf_str(&out), '^') != b->rest.len + 1 + error.offset)
        fail_msg("it shows\n%s", buf_z(&out));
    buf_fini(&out);
}

static void run_reach(const struct block *b)
{
    const struct promql_selector *s;
    struct promql_error error;
    struct promql *q = promql_parse(b->rest, NULL, &error);
    size_t n;

    if (!q)
        fail_msg("%s", error.err.text);
    n = promql_selectors(q, &s);
    assert_int_equal(n, b->body.count);
    for (size_t i = 0; i < n; i++) {
        struct str rest = b->body.items[i];
        int64_t reach;

        assert_true(str_int(take_word(&rest), &reach));
        assert_int_equal(s[i].reach_ms, reach);
        if (!str_eq(s[i].text, rest))
            fail_msg("it is %.*s", STR_ARG(s[i].text));
    }
    promql_free(q);
}

static void run_case(void **state)
{
    const struct test_case *c = *state;
    const struct block *b = &c->file->blocks[c->at];

    if (str_eqz(b->word, "caret"))
        run_caret(b);
    else if (str_eqz(b->word, "reach"))
        run_reach(b);
    else
        run_eval(c);
}

static bool is_test(const struct block *b)
{
    return !str_eqz(b->word, "load") && !str_eqz(b->word, "clear");
}

static void read_files(void)
{
    const char *srcdir = getenv("srcdir");
    char path[400];
    struct dirent **names;
    int n;

    (void)snprintf(path, sizeof(path), "%s/test/data/promql",
                   srcdir ? srcdir : ".");
    n = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (str_ends(str_of(names[i]->d_name), STR(".test")))
            read_file(path, names[i]->d_name);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

static void forget_files(void)
{
    for (size_t i = 0; i < file_count; i++) {
        for (size_t j = 0; j < files[i].count; j++) {
            free(files[i].blocks[j].name);
            free(files[i].blocks[j].body.items);
        }
        free(files[i].blocks);
        free(files[i].text);
    }
    free(files);
}

int main(void)
{
    struct CMUnitTest *tests = NULL;
    struct test_case *cases = NULL;
    size_t count = 0, cap = 0, case_cap = 0;
    int failed;

    read_files();
    for (size_t i = 0; i < file_count; i++)
        for (size_t j = 0; j < files[i].count; j++) {
            if (!is_test(&files[i].blocks[j]))
                continue;
            xgrow(&tests, &cap, count, sizeof(*tests));
            xgrow(&cases, &case_cap, count, sizeof(*cases));
            cases[count] = (struct test_case){&files[i], j};
            tests[count++] = (struct CMUnitTest){
                .name = files[i].blocks[j].name, .test_func = run_case};
        }
    for (size_t i = 0; i < count; i++)
        tests[i].initial_state = &cases[i];
    failed = count == 0
                 ? 1
                 : _cmocka_run_group_tests("promql", tests, count, NULL, NULL);
    free(tests);
    free(cases);
    forget_files();
    return failed;
}
