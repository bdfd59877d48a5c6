/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/jsonr.h"
#include "auth/aws_answer.h"
#include "sinks/cloudwatch.h"

#include <json-c/json.h>
#include <stdio.h>

/*
 * Success, or somebody who says so.
 */
static bool is_json_success(struct str body)
{
    struct json_object *o;
    bool ok;

    if (!jsonr_parse(body, &o, NULL))
        return false;
    ok = json_object_is_type(o, json_type_object) && !jsonr_get(o, "__type");
    json_object_put(o);
    return ok;
}

static bool is_success(const struct http_response *res)
{
    struct str body = str_trim(res->body);
    struct str type = str_trim(http_get(res, STR("Content-Type")));

    if (type.len >= 9 && str_eqi(str_n(type.ptr, 9), STR("text/html")))
        return false;
    if (body.len == 0)
        return true;
    if (body.ptr[0] == '{')
        return is_json_success(body);
    return str_starts(body, STR("<PutMetricDataResponse")) ||
           (str_starts(body, STR("<?xml")) &&
            memmem(body.ptr, body.len, "<PutMetricDataResponse", 22));
}

/*
 * MetricData.member.N, and metricData.N.member as newer services write it;
 * N counts from 1.
 */
static bool take(struct str *s, const char *word)
{
    size_t n = strlen(word);

    if (s->len < n || !str_eqi(str_n(s->ptr, n), str_n(word, n)))
        return false;
    *s = str_from(*s, n);
    return true;
}

static bool take_number(struct str *s, size_t *n)
{
    size_t digits = 0;
    int64_t value;

    while (digits < s->len && s->ptr[digits] >= '0' && s->ptr[digits] <= '9')
        digits++;
    if (!str_int(str_n(s->ptr, digits), &value) || value < 1)
        return false;
    *s = str_from(*s, digits);
    *n = (size_t)value;
    return true;
}

/* The next datum that `*message` names, from 0; false when there is none. */
static bool next_named(struct str *message, size_t *datum)
{
    while (message->len > 0) {
        struct str s = *message;
        size_t n;

        *message = str_from(s, 1);
        if (!take(&s, "MetricData."))
            continue;
        if ((take(&s, "member.") && take_number(&s, &n)) ||
            (take_number(&s, &n) && take(&s, ".member"))) {
            *message = s;
            *datum = n - 1;
            return true;
        }
    }
    return false;
}

/* Which point each datum belongs to, as render() laid them out. */
static size_t *owners(const struct batch *sent, struct arena *arena,
                      size_t *count)
{
    size_t *owner = arena_array(arena, CLOUDWATCH_DATUMS, sizeof(*owner));
    size_t n = 0;

    for (size_t i = 0; i < sent->count; i++) {
        const struct point_value *values;
        size_t more = cloudwatch_datums(
            cloudwatch_values(sent->points[i], arena, &values));

        while (more-- > 0 && n < CLOUDWATCH_DATUMS)
            owner[n++] = i;
    }
    *count = n;
    return owner;
}

static void name_bad(struct str message, const struct batch *sent,
                     struct arena *arena, struct verdict *out)
{
    bool *bad = arena_array(arena, sent->count + 1, sizeof(*bad));
    size_t *list = arena_array(arena, sent->count + 1, sizeof(*list));
    size_t datum, datums, n = 0;
    const size_t *owner = owners(sent, arena, &datums);

    while (next_named(&message, &datum))
        if (datum < datums)
            bad[owner[datum]] = true;
    for (size_t i = 0; i < sent->count; i++)
        if (bad[i])
            list[n++] = i;
    if (n > 0) {
        out->kind = VERDICT_PARTIAL;
        out->bad = list;
        out->bad_count = n;
    }
}

/*
 * Errors.
 */
static void tell(struct verdict *out, enum err_kind kind,
                 const struct http_response *res, const struct aws_answer *a,
                 const char *mend)
{
    struct str message = a->message;

    if (str_ends(message, STR(".")))
        message.len--;
    (void)err_set(&out->err, kind, "cloudwatch answered %d%s%.*s%s%.*s%s%s",
                  res->status, a->code.len ? " " : "", STR_ARG(a->code),
                  message.len ? ": " : "", STR_ARG(message), mend ? "; " : "",
                  mend ? mend : "");
}

/* By what the caller's clock is off decides between two readings. */
static bool judge_clock(const struct http_response *res,
                        const struct aws_answer *a, int64_t now_ms,
                        struct verdict *out)
{
    bool suspect = a->fault == AWS_FAULT_CLOCK ||
                   a->fault == AWS_FAULT_SIGNATURE ||
                   a->fault == AWS_FAULT_DENIED;

    if (!suspect || !aws_clock_off(res, now_ms))
        return false;
    out->kind = VERDICT_CLOCK;
    tell(out, ERR_DENIED, res, a,
         "this machine's clock is off by minutes: set it");
    return true;
}

static void judge_denied(const struct cloudwatch_conf *c,
                         const struct http_response *res,
                         const struct aws_answer *a, struct verdict *out)
{
    char grant[400];
    const char *mend = NULL;

    (void)snprintf(grant, sizeof(grant),
                   "grant this identity cloudwatch:PutMetricData on * (a "
                   "condition may name cloudwatch:namespace \"%.255s\")",
                   c->namespace);
    if (a->code.len == 0)
        mend = "that is no answer of AWS: look at the proxy or firewall on "
               "the way";
    else if (str_starts(a->code, STR("AccessDenied")) ||
             str_starts(a->code, STR("NotAuthorized")) ||
             str_starts(a->code, STR("Unauthorized")))
        mend = grant;
    out->kind = VERDICT_REJECTED;
    out->denied = true;
    tell(out, ERR_DENIED, res, a, mend);
}

static void judge_content(const struct http_response *res,
                          const struct batch *sent, struct arena *arena,
                          const struct aws_answer *a, struct verdict *out)
{
    out->kind = VERDICT_REJECTED;
    tell(out, ERR_INPUT, res, a, NULL);
    /* In the whole body, as the line for people is cut. */
    name_bad(res->body, sent, arena, out);
}

static void judge_fault(const struct cloudwatch_conf *c,
                        const struct http_response *res,
                        const struct batch *sent, struct arena *arena,
                        const struct aws_answer *a, struct verdict *out)
{
    switch (a->fault) {
    case AWS_FAULT_THROTTLED:
        out->throttled = true;
        tell(out, ERR_LIMIT, res, a, NULL);
        break;
    case AWS_FAULT_TRANSIENT:
    case AWS_FAULT_CLOCK: /* and yet it is right: late on the way */
        tell(out, ERR_NETWORK, res, a, NULL);
        break;
    case AWS_FAULT_SIGNATURE:
        out->kind = VERDICT_REAUTH;
        tell(out, ERR_DENIED, res, a,
             "the secret key does not fit the key id: copy both again");
        break;
    case AWS_FAULT_KEYS:
        out->kind = VERDICT_REAUTH;
        tell(out, ERR_DENIED, res, a,
             "the credentials are expired or unknown in this partition");
        break;
    case AWS_FAULT_DENIED:
        judge_denied(c, res, a, out);
        break;
    case AWS_FAULT_TOO_LARGE:
        out->kind = VERDICT_SPLIT;
        tell(out, ERR_LIMIT, res, a, NULL);
        break;
    case AWS_FAULT_CONTENT:
        judge_content(res, sent, arena, a, out);
        break;
    case AWS_FAULT_OTHER:
        out->kind = res->status == 400 ? VERDICT_REJECTED : VERDICT_RETRY;
        tell(out, ERR_INPUT, res, a,
             res->status == 400
                 ? NULL
                 : "look at the endpoint: is it one of CloudWatch's");
        break;
    case AWS_FAULT_FOREIGN:
        tell(out, ERR_NETWORK, res, a,
             "that is no answer of CloudWatch: look at the endpoint, and at "
             "the proxy on the way");
        break;
    }
}

void cloudwatch_judge(const void *conf, const struct http_response *res,
                      const struct batch *sent, int64_t now_ms,
                      struct arena *arena, struct verdict *out)
{
    struct aws_answer a;

    *out = (struct verdict){.kind = VERDICT_RETRY};
    if (res->status >= 200 && res->status < 300 && is_success(res)) {
        out->kind = VERDICT_ACCEPTED;
        return;
    }
    aws_answer_read(res, arena, &a);
    if (res->status < 400) /* only an error status makes a code believed */
        a.fault = AWS_FAULT_FOREIGN;
    out->after_ms = aws_retry_after_ms(res, now_ms);
    if (!judge_clock(res, &a, now_ms, out))
        judge_fault(conf, res, sent, arena, &a, out);
}
