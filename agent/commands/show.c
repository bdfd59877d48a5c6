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

static bool tell_missing(const struct report *r)
{
    bool missing = false;

    for (size_t i = 0; i < r->metric_count; i++) {
        const struct report_metric *m = &r->metrics[i];

        if (m->has_value || m->off)
            continue;
        (void)fprintf(stderr, "scalebridge: %.*s: no value: %.*s\n",
                      STR_ARG(m->name), STR_ARG(m->reason));
        missing = true;
    }
    return missing;
}

static bool tell_undelivered(const struct report_sink *s)
{
    for (size_t i = 0; i < s->refused_count; i++)
        (void)fprintf(stderr, "scalebridge: %.*s: %.*s: %.*s\n",
                      STR_ARG(s->name), STR_ARG(s->refused[i].metric),
                      STR_ARG(s->refused[i].reason));
    if (s->lost)
        (void)fprintf(stderr,
                      "scalebridge: %.*s: %llu point%s not delivered: %.*s\n",
                      STR_ARG(s->name), (unsigned long long)s->lost,
                      s->lost == 1 ? "" : "s", STR_ARG(s->error));
    return s->refused_count || s->lost;
}

/* What is missing is said on standard error, too: a pipeline may swallow the
 * report. */
static enum exit_status meaning(const struct report *r)
{
    bool missing = tell_missing(r);

    for (size_t i = 0; i < r->sink_count; i++)
        if (tell_undelivered(&r->sinks[i]))
            missing = true;
    return missing ? EXIT_MISSING : EXIT_WELL;
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
