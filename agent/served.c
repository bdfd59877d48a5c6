/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/served.h"

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/io/listen.h"
#include "agent/report/web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORM_MAX ((size_t)64 * 1024)
#define PEM_MAX  ((size_t)1024 * 1024)
/* Evaluations that may be left out before values are too old. */
#define STALE_INTERVALS 3
#define STALE_MORE      (5 * WHEN_SECOND)

struct served {
    struct agent *agent;
    struct settings *lends; /* held: what it was opened with */
    struct listener *listener;
    struct web_guard guard;
    int64_t started_ms;
};

static bool held(void *arg, struct str name)
{
    const struct agent *a = arg;

    return a->wants_all || map_get(&a->wanted, name) != NULL;
}

static const struct web_count *view_ended(const struct outbox_stats *stats,
                                          struct arena *arena)
{
    struct web_count *ended = arena_array(arena, OUTBOX_ENDS, sizeof(*ended));

    for (size_t i = 0; i < OUTBOX_ENDS; i++) {
        ended[i].name = str_of(outbox_end_name((enum outbox_end)i));
        ended[i].count = stats->ended[i];
    }
    return ended;
}

static void view_sinks(struct agent *a, struct arena *arena, struct web *w)
{
    struct web_sink *sinks = arena_array(arena, a->sink_count, sizeof(*sinks));

    for (size_t i = 0; i < a->sink_count; i++) {
        const struct outbox_stats *st = outbox_stats(a->sinks[i]->outbox);

        sinks[i] = (struct web_sink){
            .name = str_of(a->sinks[i]->conf->type->name),
            .healthy = st->healthy,
            .ended = view_ended(st, arena),
            .ended_count = OUTBOX_ENDS,
            .requests = st->requests,
            .failures = st->failures,
            .throttled = st->throttled,
            .queued = st->queued,
            .queued_bytes = st->queued_bytes,
            .oldest_ms = st->oldest_ms,
            .last_accept_ms = st->last_accept_ms,
        };
    }
    w->sinks = sinks;
    w->sink_count = a->sink_count;
}

static struct str view_lacks(const struct target_list *list,
                             struct arena *arena)
{
    if (list->complete)
        return STR_NONE;
    return list->reason.len ? arena_str(arena, list->reason)
                            : STR("its targets are not known yet");
}

static void view_jobs(struct agent *a, struct arena *arena, struct web *w)
{
    struct web_job *jobs = arena_array(arena, a->job_count, sizeof(*jobs));

    for (size_t i = 0; i < a->job_count; i++) {
        struct scrape_counters c = scrape_pool_counters(a->jobs[i]->pool);
        const struct target_list *list =
            discovery_targets(a->jobs[i]->discovery);

        jobs[i] = (struct web_job){.name = str_of(a->jobs[i]->conf->name),
                                   .lacks = view_lacks(list, arena),
                                   .scrapes = c.scrapes,
                                   .failures = c.failures,
                                   .samples = c.samples};
    }
    w->jobs = jobs;
    w->job_count = a->job_count;
}

static void view(struct served *s, struct arena *arena, struct report *report,
                 struct web *w)
{
    struct agent *a = s->agent;
    const struct settings_values *v = &a->settings->values;
    struct now now = loop_now(a->loop);

    agent_view(a, arena, report);
    view_sinks(a, arena, w);
    view_jobs(a, arena, w);
    w->token = str_of(v->listen.token);
    w->guard = &s->guard;
    w->report = report;
    w->store = a->store;
    w->held = held;
    w->held_arg = a;
    w->version = STR(PACKAGE_VERSION);
    w->evaluations = a->evaluations;
    w->wall_ms = now.wall_ms;
    w->mono_ms = now.mono_ms;
    w->started_ms = s->started_ms;
    w->stale_ms = STALE_INTERVALS * v->scrape.common.interval_ms + STALE_MORE;
}

static void on_request(void *arg, const struct listen_request *req,
                       struct listen_reply *reply)
{
    struct web_request asked = {
        .method = req->method,
        .path = req->path,
        .query = req->query,
        .body = req->body,
        .authorization = req->header(req, "Authorization"),
        .accept = req->header(req, "Accept"),
        .peer = req->peer,
    };
    struct web_reply told = {.status = reply->status, .body = &reply->body};
    struct report report = {.wall_ms = 0};
    struct web w = {.sink_count = 0};
    struct arena arena;

    arena_init(&arena, (size_t)16 * 1024);
    view(arg, &arena, &report, &w);
    web_answer(&w, &asked, &told);
    arena_fini(&arena);
    reply->status = told.status;
    reply->content_type = told.content_type;
    reply->challenge = told.challenge;
    reply->retry_after = told.retry_after;
}

static bool read_pem(const char *path, struct buf *out, struct err *err)
{
    char part[4096];
    size_t n;
    FILE *f = path[0] ? fopen(path, "re") : NULL;

    if (!path[0])
        return true;
    if (!f)
        return err_set(err, ERR_CONFIG, "listen: cannot read %s: %s", path,
                       strerror(errno));
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        buf_add(out, part, n);
    (void)fclose(f);
    return buf_ok(out) ||
           err_set(err, ERR_CONFIG, "listen: %s is no PEM file", path);
}

static bool open_listener(struct served *s, struct err *err)
{
    const struct settings_listen *l = &s->agent->settings->values.listen;
    struct listen_options options = {.address = str_of(l->address),
                                     .post_max = FORM_MAX};
    struct buf certificate, key;
    bool ok;

    buf_init(&certificate, PEM_MAX);
    buf_init(&key, PEM_MAX);
    ok = read_pem(l->certificate, &certificate, err) &&
         read_pem(l->key, &key, err);
    if (ok && l->certificate[0]) {
        options.certificate = buf_z(&certificate);
        options.key = buf_z(&key);
    }
    if (ok)
        s->listener = listen_with(s->agent->loop, &options, on_request, s, err);
    if (key.data)
        explicit_bzero(key.data, key.len);
    buf_fini(&key);
    buf_fini(&certificate);
    return s->listener != NULL;
}

bool served_new(struct agent *a, struct served **out, struct err *err)
{
    struct served *s;

    *out = NULL;
    if (a->settings->values.listen.address[0] == '\0')
        return true;
    s = xcalloc(1, sizeof(*s));
    s->agent = a;
    s->lends = settings_ref(a->settings);
    s->started_ms = loop_now(a->loop).wall_ms;
    if (!open_listener(s, err)) {
        served_free(s);
        return false;
    }
    log_info("listening", log_z("address", a->settings->values.listen.address),
             log_i("port", listen_port(s->listener)));
    *out = s;
    return true;
}

void served_free(struct served *s)
{
    if (!s)
        return;
    listen_free(s->listener);
    settings_free(s->lends);
    free(s);
}

/* A certificate may have been renewed in its file. */
static bool stays(const struct served *s, const struct settings_listen *l)
{
    const struct settings_listen *old = &s->lends->values.listen;

    return strcmp(old->address, l->address) == 0 && !old->certificate[0] &&
           !l->certificate[0];
}

void served_reload(struct agent *a, struct served **s)
{
    struct err err;

    if (*s && stays(*s, &a->settings->values.listen))
        return;
    served_free(*s);
    if (!served_new(a, s, &err))
        log_error("listen_failed", log_z("reason", err.text));
}
