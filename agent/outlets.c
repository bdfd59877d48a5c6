/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outlets.c - an outbox for each sink; those that a reload takes out drain.
 */
#include "agent/base/log.h"
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
    sink->lends = settings_ref(a->settings);
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

static void free_sink(struct agent_sink *sink)
{
    outbox_free(sink->outbox);
    settings_free(sink->lends);
    free(sink);
}

void parts_free_sinks(struct agent *a)
{
    for (size_t i = a->sink_count; i-- > 0;)
        free_sink(a->sinks[i]);
    free(a->sinks);
    while (a->leaving) {
        struct agent_sink *sink = a->leaving;

        a->leaving = sink->next;
        free_sink(sink);
    }
}

void parts_tell_sink(const struct agent_sink *sink)
{
    const struct outbox_stats *st = outbox_stats(sink->outbox);

    log_write(st->queued ? LOG_WARN : LOG_INFO, "sink_ended",
              log_z("sink", sink->conf->type->name),
              log_i("accepted", (int64_t)sink->accepted),
              log_i("lost", (int64_t)(sink->lost + st->queued)), LOG_END);
}

static void on_left(void *arg)
{
    struct agent_sink *sink = arg;
    struct agent *a = sink->agent;
    struct agent_sink **at = &a->leaving;

    parts_tell_sink(sink);
    while (*at != sink)
        at = &(*at)->next;
    *at = sink->next;
    free_sink(sink);
    if (a->left)
        a->left(a);
}

/* What it has queued is still sent, for as long as at a shutdown. */
static void leave(struct agent *a, struct agent_sink *sink)
{
    int64_t deadline =
        loop_now(a->loop).mono_ms + sink->lends->values.shutdown.timeout_ms;

    sink->next = a->leaving;
    a->leaving = sink;
    outbox_flush(sink->outbox, deadline, on_left, sink);
}

/* Takes the sink out of the list that does what `conf` says. */
static struct agent_sink *take_sink(struct agent *a, struct agent_sink **sinks,
                                    size_t count,
                                    const struct settings_sink *conf)
{
    for (size_t i = 0; i < count; i++) {
        struct agent_sink *sink = sinks[i];

        if (sink && sink->conf->type == conf->type &&
            conf_same(conf->type->keys, sink->conf->conf, conf->conf) &&
            conf_same(deliver_keys, &sink->lends->values.deliver,
                      &a->settings->values.deliver)) {
            sinks[i] = NULL;
            return sink;
        }
    }
    return NULL;
}

void parts_reload_sinks(struct agent *a, struct reloaded *out)
{
    const struct settings *s = a->settings;
    struct agent_sink **old = a->sinks;
    size_t old_count = a->sink_count;

    a->sink_count = s->sink_count;
    a->sinks = xcalloc(a->sink_count + 1, sizeof(*a->sinks));
    for (size_t i = 0; i < a->sink_count; i++) {
        a->sinks[i] = take_sink(a, old, old_count, &s->sinks[i]);
        if (a->sinks[i])
            continue;
        a->sinks[i] = make_sink(a, &s->sinks[i], true);
        out->added++;
    }
    for (size_t i = 0; i < old_count; i++) {
        out->removed += old[i] != NULL;
        if (old[i])
            leave(a, old[i]);
    }
    free(old);
}
