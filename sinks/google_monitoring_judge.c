/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers: {"error": {"code", "status", "message", "details"}}.  What failed of
 * a request stands in the message alone, in one of two forms, several of them
 * joined by "; ":
 *
 *     REASON: timeSeries[0-6,9]
 *     timeSeries[0-6] (example ...): write for ... failed with: REASON
 *
 * (telegraf issue 13826, micrometer issue 2160, opentelemetry-operations-
 * collector issue 360); all others of that request are in.  A request that is
 * refused as a whole says "Field timeSeries[3] had an invalid value" instead.
 */
#include "agent/base/jsonr.h"
#include "auth/aws_answer.h"
#include "sinks/google_monitoring.h"

#include <json-c/json.h>
#include <stdio.h>

#define MESSAGE_MAX  400
#define PARSE_MAX    ((size_t)64 << 10)
#define DENIED_PAUSE WHEN_MINUTE
#define MARK         "timeSeries["

enum fate { FATE_IN, FATE_BAD, FATE_SUPERSEDED, FATE_AGAIN };

struct said {
    struct str status;  /* "INVALID_ARGUMENT" */
    struct str message; /* whole */
    bool partial;       /* the others are in */
};

static bool says(struct str s, const char *part)
{
    return s.len > 0 && memmem(s.ptr, s.len, part, strlen(part)) != NULL;
}

static bool has_summary(struct json_object *error)
{
    struct json_object *details = jsonr_get(error, "details");

    if (!json_object_is_type(details, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(details); i++) {
        struct json_object *d = json_object_array_get_idx(details, i);

        if (str_ends(jsonr_text_or(d, "@type", STR_NONE),
                     STR("google.monitoring.v3.CreateTimeSeriesSummary")))
            return true;
    }
    return false;
}

static struct said read_answer(const struct http_response *res,
                               struct arena *arena)
{
    struct said said = {0};
    struct json_object *root, *error;

    if (!jsonr_parse(res->body, &root, NULL))
        return said;
    error = jsonr_get(root, "error");
    said.status = aws_one_line(
        str_trim(jsonr_text_or(error, "status", STR_NONE)), 60, arena);
    said.message = aws_one_line(
        str_trim(jsonr_text_or(error, "message", STR_NONE)), PARSE_MAX, arena);
    said.partial = has_summary(error) || says(said.message, "could not be "
                                                            "written");
    json_object_put(root);
    return said;
}

static void tell(struct verdict *out, enum err_kind kind,
                 const struct http_response *res, const struct said *said,
                 const char *mend)
{
    struct str m = said->message;

    if (m.len > MESSAGE_MAX) {
        m.len = MESSAGE_MAX;
        while (m.len > 0 && ((unsigned char)m.ptr[m.len] & 0xc0) == 0x80)
            m.len--;
    }
    while (m.len > 0 && m.ptr[m.len - 1] == '.')
        m.len--;
    (void)err_set(
        &out->err, kind, "google_monitoring answered %d%s%.*s%s%.*s%s%s",
        res->status, said->status.len ? " " : "", STR_ARG(said->status),
        m.len ? ": " : "", STR_ARG(m), mend ? "; " : "", mend ? mend : "");
}

/*
 * Which series failed, and why.
 */
static enum fate fate_of(struct str reason)
{
    static const char *const superseded[] = {
        "more frequently", "must be written in order", "older start time",
        "older end time", "Duplicate TimeSeries"};
    static const char *const again[] = {
        "nternal error", "backendError", "Please retry", "UNAVAILABLE",
        "unavailable",   "eadline",      "quota"};

    for (size_t i = 0; i < sizeof(superseded) / sizeof(*superseded); i++)
        if (says(reason, superseded[i]))
            return FATE_SUPERSEDED;
    for (size_t i = 0; i < sizeof(again) / sizeof(*again); i++)
        if (says(reason, again[i]))
            return FATE_AGAIN;
    return FATE_BAD;
}

/* "3" or "0-6". */
static void mark_range(unsigned char *fates, size_t count, struct str range,
                       enum fate fate)
{
    struct str from, rest = str_trim(range);
    int64_t first, last;

    if (!str_next(&rest, '-', &from) || !str_int(from, &first))
        return;
    last = first;
    if (rest.ptr && !str_int(rest, &last))
        return;
    for (int64_t i = first; i >= 0 && i <= last && (size_t)i < count; i++)
        fates[i] = (unsigned char)fate;
}

/* The lists of one clause, whose reason is all of it. */
static void mark_clause(unsigned char *fates, size_t count, struct str clause)
{
    enum fate fate = fate_of(clause);
    const char *at;

    while (clause.len > 0 &&
           (at = memmem(clause.ptr, clause.len, MARK, strlen(MARK)))) {
        struct str list, one;

        clause = str_from(clause, (size_t)(at - clause.ptr) + strlen(MARK));
        list = str_n(clause.ptr, str_find(clause, ']'));
        clause = str_from(clause, list.len);
        while (str_next(&list, ',', &one))
            mark_range(fates, count, one, fate);
    }
}

/* Where the clause ends: before the "; " that a list precedes or follows
 * shortly; a reason itself may hold one. */
static size_t clause_end(struct str s)
{
    bool listed = false;

    for (size_t i = 0; i < s.len; i++) {
        struct str here = str_from(s, i);

        if (str_starts(here, STR(MARK)))
            listed = true;
        if (listed && str_starts(here, STR("; ")) &&
            says(str_from(here, 2), MARK))
            return i;
    }
    return s.len;
}

static void read_fates(unsigned char *fates, size_t count, struct str message)
{
    while (message.len > 0) {
        size_t n = clause_end(message);

        mark_clause(fates, count, str_n(message.ptr, n));
        message = str_from(message, n < message.len ? n + 2 : n);
    }
}

static size_t gather(const unsigned char *fates, size_t count, enum fate fate,
                     struct arena *arena, const size_t **out)
{
    size_t *all = arena_array(arena, count + 1, sizeof(*all));
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (fates[i] == (unsigned char)fate)
            all[n++] = i;
    *out = all;
    return n;
}

static const char *mend_of_series(struct str message)
{
    if (says(message, "alue type") || says(message, "conflicts with"))
        return "the metric exists with another type: delete its descriptor, or "
               "publish under another name";
    if (says(message, "Missing labels") || says(message, "resource labels"))
        return "look at resource_type and resource_labels";
    if (says(message, "nrecognized") && says(message, "label"))
        return "the metric exists with other labels, and has too many with "
               "these: delete its descriptor, or publish under another name";
    return NULL;
}

/* True when the message names series of ours. */
static bool judge_series(const struct http_response *res,
                         const struct said *said, const struct batch *sent,
                         struct arena *arena, struct verdict *out)
{
    unsigned char *fates = arena_zalloc(arena, sent->count + 1);

    read_fates(fates, sent->count, said->message);
    out->bad_count = gather(fates, sent->count, FATE_BAD, arena, &out->bad);
    out->superseded_count =
        gather(fates, sent->count, FATE_SUPERSEDED, arena, &out->superseded);
    out->again_count =
        gather(fates, sent->count, FATE_AGAIN, arena, &out->again);
    if (out->bad_count + out->superseded_count + out->again_count == 0)
        return false;
    out->kind = VERDICT_PARTIAL;
    out->rest_delivered = said->partial || out->again_count > 0;
    tell(out, out->bad_count ? ERR_INPUT : ERR_LIMIT, res, said,
         out->bad_count          ? mend_of_series(said->message)
         : out->superseded_count ? "does another agent publish with the same "
                                   "task_id"
                                 : NULL);
    return true;
}

/*
 * The whole request.
 */
static void judge_denied(const struct google_monitoring_conf *c,
                         const struct http_response *res,
                         const struct said *said, struct verdict *out)
{
    bool later = str_eqz(c->project_id, GOOGLE_PROJECT_LATER);
    struct str project = later ? STR("of the metadata server") : c->project_id;
    char mend[400];

    out->kind = VERDICT_REJECTED;
    out->denied = true;
    if (out->after_ms < DENIED_PAUSE)
        out->after_ms = DENIED_PAUSE;
    if (says(said->message, "has not been used") ||
        says(said->message, "is disabled"))
        (void)snprintf(mend, sizeof(mend),
                       "enable the API: gcloud services enable "
                       "monitoring.googleapis.com");
    else if (says(said->message, "serviceusage"))
        (void)snprintf(mend, sizeof(mend),
                       "grant the role roles/serviceusage."
                       "serviceUsageConsumer on the quota project, or leave "
                       "quota_project out");
    else if (says(said->message, "scope"))
        (void)snprintf(mend, sizeof(mend),
                       "the token lacks the scope monitoring.write: give the "
                       "instance the access scope cloud-platform");
    else
        (void)snprintf(mend, sizeof(mend),
                       "grant the identity the role "
                       "roles/monitoring.metricWriter on project %.*s",
                       (int)(project.len < 100 ? project.len : 100),
                       project.len ? project.ptr : "");
    tell(out, ERR_DENIED, res, said, mend);
}

static void judge_400(const struct http_response *res, const struct said *said,
                      int64_t now_ms, struct verdict *out)
{
    bool of_time = says(said->message, "ndTime") ||
                   says(said->message, "end time") ||
                   says(said->message, "future");
    bool clock = of_time && aws_clock_off(res, now_ms);

    out->kind = clock ? VERDICT_CLOCK : VERDICT_REJECTED;
    tell(out, ERR_INPUT, res, said,
         clock ? "this machine's clock is off by minutes: set it" : NULL);
}

static void judge_status(const struct google_monitoring_conf *c,
                         const struct http_response *res,
                         const struct said *said, int64_t now_ms,
                         struct verdict *out)
{
    int status = res->status;

    if (status == 401) {
        out->kind = VERDICT_REAUTH;
        tell(out, ERR_DENIED, res, said,
             "the token is expired, or the project is misspelt");
    } else if (status == 403 || (status == 404 && said->status.len > 0)) {
        judge_denied(c, res, said, out);
    } else if (status == 413) {
        out->kind = VERDICT_SPLIT;
        tell(out, ERR_LIMIT, res, said, NULL);
    } else if (status == 429) {
        out->throttled = true;
        tell(out, ERR_LIMIT, res, said, NULL);
    } else if (status < 400 || status >= 500 || status == 404 ||
               status == 407 || status == 408) {
        tell(out, ERR_NETWORK, res, said,
             said->status.len ? NULL
                              : "that is no answer of google's: look at the "
                                "endpoint, and at the proxy on the way");
    } else {
        judge_400(res, said, now_ms, out);
    }
}

void google_judge(const void *conf, const struct http_response *res,
                  const struct batch *sent, int64_t now_ms, struct arena *arena,
                  struct verdict *out)
{
    struct str body = str_trim(res->body);
    struct said said;

    *out = (struct verdict){.kind = VERDICT_RETRY};
    said = read_answer(res, arena);
    if (res->status >= 200 && res->status < 300 && said.status.len == 0 &&
        (body.len == 0 || body.ptr[0] == '{')) {
        out->kind = VERDICT_ACCEPTED;
        return;
    }
    out->after_ms = aws_retry_after_ms(res, now_ms);
    if ((res->status == 400 || res->status >= 500) &&
        judge_series(res, &said, sent, arena, out))
        return;
    judge_status(conf, res, &said, now_ms, out);
}
