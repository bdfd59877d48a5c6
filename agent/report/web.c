/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/report/web.h"

#include "agent/base/enc.h"
#include "agent/base/jsonw.h"
#include "agent/base/when.h"
#include "auth/crypto.h"

/* Wrong tokens of one client that are told so, a period. */
#define WRONG_MAX    5
#define WRONG_PERIOD (60 * WHEN_SECOND)

#define JSON_TYPE STR("application/json")
#define TEXT_TYPE STR("text/plain; charset=utf-8")
#define OPENMETRICS_TYPE \
    STR("application/openmetrics-text; version=1.0.0; charset=utf-8")
#define PROMETHEUS_TYPE STR("text/plain; version=0.0.4; charset=utf-8")
#define VALUES          STR("/api/v1/metrics/")

static void answer_text(struct web_reply *reply, int status, const char *text)
{
    reply->status = status;
    reply->content_type = TEXT_TYPE;
    buf_addz(reply->body, text);
}

static void answer_error(struct web_reply *reply, int status, struct str text)
{
    struct jsonw w;

    reply->status = status;
    reply->content_type = JSON_TYPE;
    jsonw_init(&w, reply->body, 0);
    jsonw_object(&w);
    jsonw_key(&w, "error");
    jsonw_text(&w, text);
    jsonw_object_end(&w);
}

/*
 * Parameters.
 */
static void decode(struct str text, struct buf *out, bool *ok)
{
    struct buf spaced;

    buf_init(&spaced, BUF_NO_LIMIT);
    buf_adds(&spaced, text);
    for (size_t i = 0; i < spaced.len; i++)
        if (spaced.data[i] == '+')
            spaced.data[i] = ' ';
    *ok = dec_percent(out, buf_str(&spaced));
    buf_fini(&spaced);
}

bool web_param(struct str params, const char *name, struct buf *out)
{
    struct str part;
    bool ok = false;

    while (str_next(&params, '&', &part)) {
        size_t eq = str_find(part, '=');

        if (!str_eqz(str_n(part.ptr, eq), name) || eq == part.len)
            continue;
        decode(str_from(part, eq + 1), out, &ok);
        return ok;
    }
    return false;
}

/*
 * Who may read.
 */
static struct web_peer *find_peer(struct web_guard *guard, struct str name,
                                  int64_t now_ms)
{
    struct web_peer *peers = guard->peers;
    size_t oldest = 0; /* an unused one has begun at 0 */

    for (size_t i = 0; i < WEB_PEERS; i++) {
        if (str_eqz(name, peers[i].name))
            return &peers[i];
        if (peers[i].since_ms < peers[oldest].since_ms)
            oldest = i;
    }
    peers[oldest] = (struct web_peer){.since_ms = now_ms};
    if (name.len < sizeof(peers->name) && name.len > 0)
        memcpy(peers[oldest].name, name.ptr, name.len);
    return &peers[oldest];
}

/* Digests have one length, so that nothing of the token's shows in time. */
static bool right_token(struct str token, struct str authorization)
{
    unsigned char want[CRYPTO_SHA256], got[CRYPTO_SHA256];
    struct str scheme = STR("Bearer ");

    if (authorization.len < scheme.len ||
        !str_eqi(str_n(authorization.ptr, scheme.len), scheme))
        return false;
    crypto_sha256(token, want);
    crypto_sha256(str_trim(str_from(authorization, scheme.len)), got);
    return crypto_equal(want, got, sizeof(want));
}

/* Counts one more of this client's; 0, or for how long it has to wait. */
static int count_wrong(const struct web *w, struct str name)
{
    struct web_peer *peer = find_peer(w->guard, name, w->mono_ms);

    if (w->mono_ms - peer->since_ms >= WRONG_PERIOD) {
        peer->wrong = 0;
        peer->since_ms = w->mono_ms;
    }
    if (peer->wrong++ < WRONG_MAX)
        return 0;
    peer->wrong = WRONG_MAX;
    return (int)((peer->since_ms + WRONG_PERIOD - w->mono_ms) / WHEN_SECOND) +
           1;
}

static bool may_read(const struct web *w, const struct web_request *req)
{
    return w->token.len == 0 || right_token(w->token, req->authorization);
}

/* The right token is served whatever others do: behind an ingress all clients
 * have one address, and a stranger must not be able to stop the scaling. */
static void refuse(const struct web *w, const struct web_request *req,
                   struct web_reply *reply)
{
    if (req->authorization.len > 0)
        reply->retry_after = count_wrong(w, req->peer);
    if (reply->retry_after > 0) {
        answer_error(reply, 429, STR("too many wrong tokens; wait"));
        return;
    }
    reply->challenge = "Bearer realm=\"scalebridge\"";
    answer_error(reply, 401,
                 STR("send the token of listen.token as Authorization: "
                     "Bearer"));
}

/*
 * Values.
 */
bool web_stale(const struct web *w, struct buf *why)
{
    int64_t age = w->wall_ms - w->report->wall_ms;
    char text[WHEN_TEXT];

    if (w->report->wall_ms == 0) {
        buf_addz(why, "nothing has been evaluated yet");
        return true;
    }
    if (age <= w->stale_ms && age >= -w->stale_ms)
        return false;
    when_duration_format(age < 0 ? 0 : age, text);
    buf_addf(why, "the newest evaluation is %s old", text);
    return true;
}

static bool same_row(const struct report_metric *m, struct str params)
{
    struct str part;

    while (str_next(&params, '&', &part)) {
        size_t eq = str_find(part, '=');
        struct str name = str_n(part.ptr, eq);
        bool ok = false, same;
        struct buf value;

        if (part.len == 0)
            continue;
        buf_init(&value, BUF_NO_LIMIT);
        decode(str_from(part, eq < part.len ? eq + 1 : eq), &value, &ok);
        same = ok && m->labels &&
               str_eq(labels_get(m->labels, name), buf_str(&value));
        buf_fini(&value);
        if (!same)
            return false;
    }
    return true;
}

static void answer_number(struct web_reply *reply,
                          const struct report_metric *m)
{
    struct jsonw w;

    reply->status = 200;
    reply->content_type = JSON_TYPE;
    jsonw_init(&w, reply->body, 0);
    jsonw_object(&w);
    jsonw_key(&w, "value");
    jsonw_num(&w, m->value);
    jsonw_object_end(&w);
}

static void answer_row(const struct web *w, const struct report_metric *m,
                       struct web_reply *reply)
{
    struct buf why;

    buf_init(&why, BUF_NO_LIMIT);
    if (web_stale(w, &why))
        answer_error(reply, 503, buf_str(&why));
    else if (m->has_value && !m->held && m->reason.len == 0)
        answer_number(reply, m);
    else
        answer_error(reply, 503,
                     m->reason.len ? m->reason : STR("no value is known"));
    buf_fini(&why);
}

static void answer_unknown(const struct web *w, struct str name,
                           struct web_reply *reply)
{
    struct buf text;

    buf_init(&text, BUF_NO_LIMIT);
    buf_addf(&text, "there is no metric \"%.*s\"; there are", STR_ARG(name));
    for (size_t i = 0; i < w->report->metric_count; i++) {
        struct str other = w->report->metrics[i].name;

        if (i == 0 || !str_eq(other, w->report->metrics[i - 1].name))
            buf_addf(&text, " %.*s", STR_ARG(other));
    }
    /* Before the first evaluation nobody knows what there is. */
    answer_error(reply, w->report->wall_ms == 0 ? 503 : 404,
                 w->report->wall_ms == 0 ? STR("nothing has been evaluated yet")
                                         : buf_str(&text));
    buf_fini(&text);
}

static void answer_value(const struct web *w, struct str name,
                         struct str params, struct web_reply *reply)
{
    const struct report_metric *found = NULL;
    size_t named = 0, rows = 0;

    for (size_t i = 0; i < w->report->metric_count; i++) {
        const struct report_metric *m = &w->report->metrics[i];

        if (!str_eq(m->name, name))
            continue;
        named++;
        if (!same_row(m, params))
            continue;
        rows++;
        found = m;
    }
    if (named == 0)
        answer_unknown(w, name, reply);
    else if (rows > 1)
        answer_error(reply, 400,
                     STR("the metric has several rows; choose one by its "
                         "labels, as ?label=value"));
    else if (!found)
        answer_error(reply, 503, STR("no row of the metric has these labels"));
    else
        answer_row(w, found, reply);
}

/*
 * Health.
 */
static void add_failing(const struct web *w, struct buf *out)
{
    for (size_t i = 0; i < w->report->target_count; i++) {
        const struct report_target *t = &w->report->targets[i];

        if (!t->up)
            buf_addf(out, "target %.*s: %.*s\n", STR_ARG(t->url),
                     STR_ARG(t->error));
    }
    for (size_t i = 0; i < w->sink_count; i++)
        if (!w->sinks[i].healthy)
            buf_addf(out, "sink %.*s: the last request failed\n",
                     STR_ARG(w->sinks[i].name));
}

static bool has_values(const struct web *w)
{
    for (size_t i = 0; i < w->report->metric_count; i++)
        if (w->report->metrics[i].has_value)
            return true;
    return false;
}

static void answer_ready(const struct web *w, bool told,
                         struct web_reply *reply)
{
    struct buf why;

    buf_init(&why, BUF_NO_LIMIT);
    if (!web_stale(w, &why) && !has_values(w))
        buf_addz(&why, "no metric has a value");
    if (why.len) {
        answer_text(reply, 503, "not ready: ");
        buf_addf(reply->body, "%s\n", buf_z(&why));
    } else {
        answer_text(reply, 200, "ready\n");
    }
    if (told)
        add_failing(w, reply->body);
    buf_fini(&why);
}

static void answer_metrics(const struct web *w, const struct web_request *req,
                           struct web_reply *reply)
{
    struct str accept = req->accept, part;
    bool openmetrics = false;

    while (str_next(&accept, ',', &part))
        openmetrics =
            openmetrics || str_starts(str_trim(part), STR("application/"
                                                          "openmetrics-text"));
    reply->status = 200;
    reply->content_type = openmetrics ? OPENMETRICS_TYPE : PROMETHEUS_TYPE;
    web_metrics(w, openmetrics, reply->body);
}

static bool answer_open(const struct web *w, const struct web_request *req,
                        struct web_reply *reply)
{
    if (str_eqz(req->path, "/healthz"))
        answer_text(reply, 200, "ok\n");
    else if (str_eqz(req->path, "/readyz"))
        answer_ready(w, may_read(w, req), reply);
    else
        return false;
    return true;
}

void web_answer(const struct web *w, const struct web_request *req,
                struct web_reply *reply)
{
    bool query = str_eqz(req->path, "/api/v1/query");
    bool post = str_eqz(req->method, "POST");

    if (post && !query)
        answer_text(reply, 405, "only GET and HEAD are served here\n");
    else if (answer_open(w, req, reply))
        return;
    else if (!may_read(w, req))
        refuse(w, req, reply);
    else if (query)
        web_query(w, post ? req->body : req->query, reply);
    else if (str_eqz(req->path, "/metrics"))
        answer_metrics(w, req, reply);
    else if (str_starts(req->path, VALUES))
        answer_value(w, str_from(req->path, VALUES.len), req->query, reply);
    else
        answer_text(reply, 404,
                    "there are /metrics, /healthz, /readyz, "
                    "/api/v1/metrics/NAME and /api/v1/query?query=EXPR\n");
}
