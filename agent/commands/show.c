/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool show_form_parse(const char *word, enum show_form *form, struct err *err)
{
    static const char *const names[] = {"table", "json", "prometheus"};

    *form = SHOW_TABLE;
    if (!word)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(word, names[i]) == 0) {
            *form = (enum show_form)i;
            return true;
        }
    }
    return err_set(err, ERR_CONFIG,
                   "--output: \"%s\" is none of table, json, prometheus", word);
}

static bool wants_color(void)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && !(no && no[0]) &&
           !(term && strcmp(term, "dumb") == 0);
}

/* What is missing is said on standard error, too: a pipeline may swallow the
 * report. */
static enum exit_status meaning(const struct report *r)
{
    enum exit_status status = EXIT_WELL;

    for (size_t i = 0; i < r->metric_count; i++) {
        const struct report_metric *m = &r->metrics[i];

        if (m->has_value || m->off)
            continue;
        (void)fprintf(stderr, "scalebridge: %.*s: no value: %.*s\n",
                      STR_ARG(m->name), STR_ARG(m->reason));
        status = EXIT_MISSING;
    }
    for (size_t i = 0; i < r->sink_count; i++) {
        const struct report_sink *s = &r->sinks[i];

        for (size_t j = 0; j < s->refused_count; j++)
            (void)fprintf(stderr, "scalebridge: %.*s: %.*s: %.*s\n",
                          STR_ARG(s->name), STR_ARG(s->refused[j].metric),
                          STR_ARG(s->refused[j].reason));
        if (s->lost)
            (void)fprintf(stderr,
                          "scalebridge: %.*s: %llu point%s not delivered: "
                          "%.*s\n",
                          STR_ARG(s->name), (unsigned long long)s->lost,
                          s->lost == 1 ? "" : "s",
                          STR_ARG(s->error));
        if (s->refused_count || s->lost)
            status = EXIT_MISSING;
    }
    return status;
}

void show_report(void *arg, const struct report *r)
{
    struct show *s = arg;
    struct buf out;

    buf_init(&out, BUF_NO_LIMIT);
    s->style.color = wants_color();
    switch (s->form) {
    case SHOW_TABLE:
        report_table(r, &s->style, &out);
        break;
    case SHOW_JSON:
        report_json(r, &out);
        break;
    case SHOW_PROMETHEUS:
        report_prometheus(r, &out);
        break;
    }
    s->status = meaning(r);
    if (!command_print(buf_str(&out)))
        s->status = EXIT_FAILED;
    buf_fini(&out);
}
