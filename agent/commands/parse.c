/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/input.h"
#include "agent/commands/list.h"
#include "agent/parse/print.h"

#include <inttypes.h>
#include <stdio.h>

static const struct command_option options[] = {
    {"format", "prometheus|openmetrics",
     "What it is; by Content-Type, or by # EOF at the end, by default."},
    {"strict", NULL, "As the specification has it, not as Prometheus."},
    {"lint", NULL, "Also tell faults of style; they fail the command."},
    {NULL, NULL, NULL},
};

#define FLUSH_BYTES 65536

struct job {
    const char *what; /* as the user named it */
    struct parse_options options;
    struct parse_printer printer;
    struct buf out;
    bool printing;
    bool broken; /* standard output is */
    uint64_t style_faults;
};

static bool flush(struct job *j)
{
    if (j->out.len > 0 && !command_print(buf_str(&j->out)))
        j->broken = true;
    buf_reset(&j->out);
    return !j->broken;
}

static bool on_sample(void *arg, const struct parse_sample *s, struct err *err)
{
    struct job *j = arg;

    if (!j->printing)
        return true;
    parse_print(&j->printer, s, &j->out);
    if (j->out.len < FLUSH_BYTES || flush(j))
        return true;
    return err_set(err, ERR_INTERNAL, "the samples could not be written");
}

static void on_lint(void *arg, uint64_t line, uint64_t col, struct str text)
{
    struct job *j = arg;

    j->style_faults++;
    (void)fprintf(stderr, "%s:%" PRIu64 ":%" PRIu64 ": %.*s\n", j->what, line,
                  col, STR_ARG(text));
}

static bool choose_format(const struct command_line *line,
                          const struct input *in, enum parse_format *out,
                          struct err *err)
{
    const char *given = command_value(line, "format");

    if (given && strcmp(given, "prometheus") == 0)
        *out = PARSE_PROMETHEUS;
    else if (given)
        *out = PARSE_OPENMETRICS;
    else if (in->is_url)
        return parse_format_of(buf_str(&in->content_type), STR_NONE, out, err);
    else
        *out = parse_format_guess(buf_str(&in->text));
    return true;
}

static bool read_body(struct job *j, struct str text, struct err *err)
{
    struct parser *p = parser_new(&j->options);
    const bool ok = parser_feed(p, text, err) && parser_end(p, err);

    parser_free(p);
    return ok;
}

/* A body is good or bad as a whole: it is read once to know, and again to
 * print. */
static enum exit_status read_twice(struct job *j, struct str text)
{
    struct err err;
    bool ok = read_body(j, text, &err);

    if (!ok) {
        (void)fprintf(stderr, "%s:%s\n", j->what, err.text);
        return EXIT_FAILED;
    }
    j->printing = true;
    j->options.lint = NULL;
    ok = read_body(j, text, &err) && flush(j);
    return ok && j->style_faults == 0 ? EXIT_WELL : EXIT_FAILED;
}

static enum exit_status read_input(const struct command_line *line,
                                   const struct input *in)
{
    struct job j = {.what = line->args[0]};
    enum exit_status status;
    struct err err;

    if (!choose_format(line, in, &j.options.format, &err))
        return command_fail(line, EXIT_FAILED, &err);
    j.options.strict = command_given(line, "strict");
    j.options.lint = command_given(line, "lint") ? on_lint : NULL;
    j.options.sample = on_sample;
    j.options.arg = &j;
    parse_printer_init(&j.printer);
    buf_init(&j.out, BUF_NO_LIMIT);
    status = read_twice(&j, buf_str(&in->text));
    buf_fini(&j.out);
    parse_printer_fini(&j.printer);
    return status;
}

static enum exit_status run_parse(const struct command_line *line)
{
    const char *format = command_value(line, "format");
    enum exit_status status;
    struct input in;
    struct err err;

    if (format && strcmp(format, "prometheus") != 0 &&
        strcmp(format, "openmetrics") != 0) {
        (void)err_set(&err, ERR_CONFIG,
                      "--format: \"%s\" is not known: use prometheus or "
                      "openmetrics",
                      format);
        return command_fail(line, EXIT_USAGE, &err);
    }
    if (!input_read(line->args[0], &in, &err))
        return command_fail(line, EXIT_FAILED, &err);
    status = read_input(line, &in);
    input_fini(&in);
    return status;
}

const struct command command_parse_text = {
    .name = "parse",
    .arguments = "FILE|-|URL",
    .help = "Read an exposition and print its samples as JSON.",
    .details =
        "One object a line: name, labels, value (as text, for NaN and Inf) "
        "and timestamp\n(seconds, or null).  What a scrape by Prometheus 3 "
        "refuses is refused, with file,\nline and column, and nothing is "
        "printed; --strict refuses what the format's\nspecification does, "
        "too.\n\n"
        "  scalebridge parse http://api-service:5000/prometheus\n"
        "  curl -s localhost:9100/metrics | scalebridge parse --lint -\n",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .run = run_parse,
};
