/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/num.h"
#include "agent/commands/input.h"
#include "agent/commands/list.h"
#include "agent/io/loop.h"
#include "agent/promql/load.h"
#include "agent/promql/promql.h"

#include <math.h>
#include <stdio.h>

static const struct command_option options[] = {
    {"metrics", "FILE|-|URL", "The samples, in a text format; required."},
    {"time", "UNIX_SECONDS", "When; the newest sample's time by default."},
    {"experimental", NULL, "Also the functions behind Prometheus' flag."},
    {NULL, NULL, NULL},
};

/* What is known once the samples are read. */
struct ask {
    struct load *load;
    bool has_time;
    int64_t t_ms;
};

static bool read_time(const char *text, struct ask *a, struct err *err)
{
    double seconds;

    if (!text)
        return true;
    if (!num_parse(str_of(text), &seconds) || !(fabs(seconds) < 9e12))
        return err_set(err, ERR_CONFIG,
                       "--time: \"%s\" is no time in seconds since 1970, like "
                       "1764028800",
                       text);
    a->has_time = true;
    a->t_ms = (int64_t)round(seconds * 1000);
    return true;
}

/* A URL says which format it answers in; of a file the end tells. */
static bool format_of(const struct input *in, enum parse_format *out,
                      struct err *err)
{
    *out = parse_format_guess(buf_str(&in->text));
    return !in->is_url || parse_format_of(buf_str(&in->content_type),
                                          STR("PrometheusText0.0.4"), out, err);
}

static bool read_samples(struct ask *a, const char *what, struct err *err)
{
    enum parse_format format;
    struct input in;
    bool ok;

    if (!input_read(what, &in, err))
        return false;
    ok = format_of(&in, &format, err);
    if (ok && !load_text(a->load, buf_str(&in.text), format, err))
        ok = err_set(err, ERR_INPUT, "%s:%s", what, err->text);
    input_fini(&in);
    return ok;
}

static int64_t wall_clock(void)
{
    struct loop *loop = loop_new();
    int64_t t_ms = loop_now(loop).wall_ms;

    loop_free(loop);
    return t_ms;
}

static void choose_time(struct ask *a)
{
    const char *why = "the newest sample's time";

    if (a->has_time)
        return;
    if (!load_newest(a->load, &a->t_ms)) {
        a->t_ms = wall_clock();
        why = "now";
    }
    (void)fprintf(stderr,
                  "scalebridge eval: at %.3f, %s; --time chooses another\n",
                  (double)a->t_ms / 1000, why);
}

static struct promql *read_query(const struct command_line *line)
{
    struct promql_options query = {.experimental =
                                       command_given(line, "experimental")};
    struct str text = str_of(line->args[0]);
    struct promql_error error;
    struct promql *q = promql_parse(text, &query, &error);
    struct buf caret;

    if (q)
        return q;
    (void)command_fail(line, EXIT_FAILED, &error.err);
    buf_init(&caret, BUF_NO_LIMIT);
    promql_caret(text, &error, &caret);
    (void)fputs(buf_z(&caret), stderr);
    buf_fini(&caret);
    return NULL;
}

static bool print_answer(const struct promql *q, const struct promql_eval *with,
                         struct err *err)
{
    struct promql_result r;
    struct buf out;
    bool ok;

    if (!promql_eval(q, with, &r, err))
        return false;
    if (!promql_ordered(q))
        promql_sort(&r);
    buf_init(&out, BUF_NO_LIMIT);
    promql_print_json(&r, with->t_ms, &out);
    buf_addc(&out, '\n');
    ok = command_print(buf_str(&out)) ||
         err_set(err, ERR_INTERNAL, "the answer could not be written");
    buf_fini(&out);
    return ok;
}

static bool evaluate(const struct promql *q, struct ask *a, struct err *err)
{
    struct store *store;
    struct arena arena;
    bool ok;

    choose_time(a);
    store = load_take(a->load, a->t_ms);
    arena_init(&arena, 65536);
    ok = print_answer(
        q,
        &(struct promql_eval){.store = store, .t_ms = a->t_ms, .arena = &arena},
        err);
    arena_fini(&arena);
    store_free(store);
    return ok;
}

static enum exit_status run_eval(const struct command_line *line)
{
    const char *metrics = command_value(line, "metrics");
    struct ask a = {0};
    struct promql *q;
    struct err err;
    bool ok;

    if (!metrics) {
        (void)err_set(&err, ERR_CONFIG,
                      "--metrics is missing: --metrics FILE|-|URL");
        return command_fail(line, EXIT_USAGE, &err);
    }
    if (!read_time(command_value(line, "time"), &a, &err))
        return command_fail(line, EXIT_USAGE, &err);
    q = read_query(line);
    if (!q)
        return EXIT_FAILED;
    a.load = load_new();
    ok = read_samples(&a, metrics, &err) && evaluate(q, &a, &err);
    load_free(a.load);
    promql_free(q);
    return ok ? EXIT_WELL : command_fail(line, EXIT_FAILED, &err);
}

const struct command command_eval = {
    .name = "eval",
    .arguments = "EXPR",
    .help = "Evaluate a PromQL expression over the samples of a file.",
    .details =
        "The file is an exposition (Prometheus text or OpenMetrics) and may "
        "hold many\nsamples of a series, with timestamps; those without one "
        "have the time of the\nevaluation.  The answer is the data object of "
        "Prometheus' query API.  Put --\nbefore an expression that begins "
        "with a minus.\n\n"
        "  scalebridge eval --metrics http://api-service:5000/prometheus \\\n"
        "      'max(instant_tasks_jobs_waiting)'\n",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .run = run_eval,
};
