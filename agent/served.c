/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/served.h"

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/io/listen.h"
#include "agent/report/web.h"
#include "auth/crypto.h"

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
    struct settings *from;     /* whose section `listen` is in force */
    struct listener *listener; /* NULL: could not be opened again */
    unsigned char pems[CRYPTO_SHA256];
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
    w->token = str_of(s->from->values.listen.token);
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

/* What the settings name, read anew each time. */
struct pems {
    struct buf certificate, key;
    unsigned char digest[CRYPTO_SHA256];
};

static void free_pems(struct pems *p)
{
    if (p->key.data)
        explicit_bzero(p->key.data, p->key.len);
    buf_fini(&p->key);
    buf_fini(&p->certificate);
}

/* To be freed in any case. */
static bool read_pems(const struct settings_listen *l, struct pems *p,
                      struct err *err)
{
    unsigned char both[2 * CRYPTO_SHA256];

    buf_init(&p->certificate, PEM_MAX);
    buf_init(&p->key, PEM_MAX);
    if (!read_pem(l->certificate, &p->certificate, err) ||
        !read_pem(l->key, &p->key, err))
        return false;
    crypto_sha256(buf_str(&p->certificate), both);
    crypto_sha256(buf_str(&p->key), both + CRYPTO_SHA256);
    crypto_sha256(str_n((const char *)both, sizeof(both)), p->digest);
    return true;
}

static struct listener *open_at(struct served *s, struct str address,
                                const struct pems *p, struct err *err)
{
    struct listen_options options = {.address = address, .post_max = FORM_MAX};

    if (p->certificate.len > 0) {
        options.certificate = buf_z(&p->certificate);
        options.key = buf_z(&p->key);
    }
    return listen_with(s->agent->loop, &options, on_request, s, err);
}

static void take(struct served *s, struct settings *from, const struct pems *p)
{
    struct settings *before = s->from;

    s->from = settings_ref(from);
    settings_free(before);
    memcpy(s->pems, p->digest, sizeof(s->pems));
}

static bool open_as(struct served *s, struct settings *from,
                    const struct pems *p, struct err *err)
{
    const struct settings_listen *l = &from->values.listen;

    s->listener = open_at(s, str_of(l->address), p, err);
    if (!s->listener)
        return false;
    take(s, from, p);
    log_info("listening", log_z("address", l->address),
             log_i("port", listen_port(s->listener)));
    return true;
}

bool served_new(struct agent *a, struct served **out, struct err *err)
{
    struct served *s;
    struct pems p;
    bool ok;

    *out = NULL;
    if (a->settings->values.listen.address[0] == '\0')
        return true;
    s = xcalloc(1, sizeof(*s));
    s->agent = a;
    s->started_ms = loop_now(a->loop).wall_ms;
    ok = read_pems(&a->settings->values.listen, &p, err) &&
         open_as(s, a->settings, &p, err);
    free_pems(&p);
    if (ok)
        *out = s;
    else
        served_free(s);
    return ok;
}

/* The old listener holds the port, so a certificate is tried elsewhere before
 * it is let go. */
static bool usable(struct served *s, const struct pems *p, struct err *err)
{
    struct listener *trial;

    if (p->certificate.len == 0)
        return true;
    trial = open_at(s, STR("127.0.0.1:0"), p, err);
    listen_free(trial);
    return trial != NULL;
}

static void open_again(struct served *s)
{
    struct pems p;
    struct err err;

    if (!read_pems(&s->from->values.listen, &p, &err) ||
        !open_as(s, s->from, &p, &err))
        log_error("listening_ended", log_z("reason", err.text));
    free_pems(&p);
}

static bool change(struct served *s, const struct pems *p, struct err *err)
{
    struct settings *fresh = s->agent->settings;
    bool same = strcmp(fresh->values.listen.address,
                       s->from->values.listen.address) == 0 &&
                memcmp(p->digest, s->pems, sizeof(s->pems)) == 0;

    if (same && s->listener) {
        take(s, fresh, p);
        return true;
    }
    if (!usable(s, p, err))
        return false;
    listen_free(s->listener);
    if (open_as(s, fresh, p, err))
        return true;
    open_again(s);
    return false;
}

void served_reload(struct agent *a, struct served **s)
{
    struct pems p;
    struct err err;
    bool ok;

    if (*s && a->settings->values.listen.address[0] == '\0') {
        log_info("listening_ended");
        served_free(*s);
        *s = NULL;
        return;
    }
    if (!*s) {
        if (!served_new(a, s, &err))
            log_error("listen_failed", log_z("reason", err.text));
        return;
    }
    ok = read_pems(&a->settings->values.listen, &p, &err) &&
         change(*s, &p, &err);
    free_pems(&p);
    if (!ok)
        log_error("listen_failed", log_z("reason", err.text));
}

void served_free(struct served *s)
{
    if (!s)
        return;
    listen_free(s->listener);
    settings_free(s->from);
    free(s);
}
