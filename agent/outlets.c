/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outlets.c - an outbox for each sink.
 */
#include "agent/base/mem.h"
#include "agent/parts.h"

#include <stdlib.h>
#include <unistd.h>

static void on_ended(void *arg, const struct point *point, enum outbox_end end,
                     const struct err *why)
{
    struct agent_sink *sink = arg;

    (void)point;
    (void)why;
    if (end == OUTBOX_ACCEPTED)
        sink->accepted++;
    else if (end != OUTBOX_SUPERSEDED)
        sink->lost++;
}

static bool on_write(void *arg, struct str bytes, struct err *err)
{
    struct agent_sink *sink = arg;

    return lines_write(&sink->agent->out, bytes, err);
}

static struct agent_sink *make_sink(struct agent *a,
                                    const struct settings_sink *conf,
                                    bool deliver)
{
    struct agent_sink *sink = xcalloc(1, sizeof(*sink));
    struct outbox_options o = {.loop = a->loop,
                               .http = a->http,
                               .type = conf->type,
                               .conf = conf->conf,
                               .deliver = a->settings->values.deliver,
                               .env = &auth_env_process,
                               .ended = on_ended,
                               .write = on_write,
                               .arg = sink};

    sink->agent = a;
    sink->conf = conf;
    if (deliver)
        sink->outbox = outbox_new(&o);
    return sink;
}

void parts_make_sinks(struct agent *a, bool deliver)
{
    const struct settings *s = a->settings;

    a->out = (struct lines){.fd = STDOUT_FILENO, .name = "standard output"};
    a->sink_count = s->sink_count;
    a->sinks = xcalloc(a->sink_count + 1, sizeof(*a->sinks));
    for (size_t i = 0; i < a->sink_count; i++)
        a->sinks[i] = make_sink(a, &s->sinks[i], deliver);
}

void parts_free_sinks(struct agent *a)
{
    for (size_t i = a->sink_count; i-- > 0;) {
        outbox_free(a->sinks[i]->outbox);
        free(a->sinks[i]);
    }
    free(a->sinks);
}
