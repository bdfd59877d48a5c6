/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers, as seen in the wild (telegraf's tests and issues 7318, 10875) and
 * as in the swagger of 2018-09-01-preview:
 *
 *     {"error": {"code": "BadRequest", "message": "..."}}
 *     {"statusCode": 400, "apiFailureResponse": {"error": {...}}}
 *
 * and any body, or none, with 2xx is success, unless it is a page of HTML.
 */
#include "agent/base/jsonr.h"
#include "auth/aws_answer.h"
#include "sinks/azure_monitor.h"

#include <json-c/json.h>
#include <stdio.h>

#define MESSAGE_MAX 300
/* A role takes effect within half an hour; this is no hurry. */
#define DENIED_PAUSE (2 * WHEN_MINUTE)

struct said {
    struct str code, message;
    bool error; /* the body says that it is one */
};

static struct str text_of(struct json_object *o, const char *key,
                          struct arena *arena)
{
    return aws_one_line(str_trim(jsonr_text_or(o, key, STR_NONE)), MESSAGE_MAX,
                        arena);
}

static struct json_object *object_in(struct json_object *o, const char *key)
{
    struct json_object *in = jsonr_get(o, key);

    return json_object_is_type(in, json_type_object) ? in : NULL;
}

static bool read_json(struct str body, struct arena *arena, struct said *out)
{
    struct json_object *root, *error;

    if (body.len == 0 || body.ptr[0] != '{' || !jsonr_parse(body, &root, NULL))
        return false;
    error = object_in(root, "error");
    if (!error)
        error = object_in(root, "Error");
    if (!error) {
        struct json_object *outer = object_in(root, "apiFailureResponse");

        error = outer ? object_in(outer, "error") : NULL;
    }
    out->error = error != NULL;
    if (!error)
        error = root;
    out->code = text_of(error, "code", arena);
    out->message = text_of(error, "message", arena);
    json_object_put(root);
    return true;
}

static struct said read_answer(const struct http_response *res,
                               struct arena *arena)
{
    struct said said = {0};
    struct str body = str_trim(res->body);

    if (!read_json(body, arena, &said) ||
        (said.code.len == 0 && said.message.len == 0))
        said.message = aws_one_line(body, MESSAGE_MAX, arena);
    return said;
}

static bool is_html(const struct http_response *res)
{
    struct str type = str_trim(http_get(res, STR("Content-Type")));

    return type.len >= 9 && str_eqi(str_n(type.ptr, 9), STR("text/html"));
}

static void tell(struct verdict *out, enum err_kind kind,
                 const struct http_response *res, const struct said *said,
                 const char *mend)
{
    struct str message = said->message;

    while (message.len > 0 && message.ptr[message.len - 1] == '.')
        message.len--;
    (void)err_set(&out->err, kind, "azure_monitor answered %d%s%.*s%s%.*s%s%s",
                  res->status, said->code.len ? " " : "", STR_ARG(said->code),
                  message.len ? ": " : "", STR_ARG(message), mend ? "; " : "",
                  mend ? mend : "");
}

static void judge_denied(const struct azure_monitor_conf *c,
                         const struct http_response *res,
                         const struct said *said, struct verdict *out)
{
    char mend[700];

    (void)snprintf(mend, sizeof(mend),
                   "grant the identity the role Monitoring Metrics Publisher "
                   "on scope %.400s (az role assignment create); it takes up "
                   "to 30 minutes to have effect",
                   c->resource_id);
    out->kind = VERDICT_REJECTED;
    out->denied = true;
    if (out->after_ms < DENIED_PAUSE)
        out->after_ms = DENIED_PAUSE;
    tell(out, ERR_DENIED, res, said, mend);
}

/* Every point would meet the same answer: they wait until it is mended. */
static void judge_region(const struct azure_monitor_conf *c,
                         const struct http_response *res,
                         const struct said *said, struct verdict *out)
{
    char mend[700];

    (void)snprintf(mend, sizeof(mend),
                   "region: \"%.40s\" is not that of the resource: write what "
                   "`az resource show --ids %.400s --query location` tells, "
                   "without blanks",
                   c->home.len ? c->home.ptr : c->region, c->resource_id);
    out->kind = VERDICT_REJECTED;
    out->denied = true;
    tell(out, ERR_CONFIG, res, said, mend);
}

static bool says(struct str s, const char *part)
{
    return s.len > 0 && memmem(s.ptr, s.len, part, strlen(part)) != NULL;
}

/* One bad point spoils the request: the outbox finds it by cutting. */
static void judge_content(const struct http_response *res,
                          const struct said *said, int64_t now_ms,
                          struct verdict *out)
{
    bool of_time = says(said->message, "'time'");
    bool clock = of_time && aws_clock_off(res, now_ms);

    out->kind = clock ? VERDICT_CLOCK : VERDICT_REJECTED;
    tell(out, ERR_INPUT, res, said,
         clock     ? "this machine's clock is off by minutes: set it"
         : of_time ? "is this machine's clock right"
                   : NULL);
}

static void judge_400(const struct azure_monitor_conf *c,
                      const struct http_response *res, const struct said *said,
                      int64_t now_ms, struct verdict *out)
{
    if (str_eqi(said->code, STR("RegionMismatch")) ||
        says(said->message, "does not accept metrics for the resource"))
        judge_region(c, res, said, out);
    else
        judge_content(res, said, now_ms, out);
}

static const char *mend_of(int status)
{
    if (status == 404)
        return "azure does not know the resource yet, or resource_id is wrong";
    if (status < 400 || status == 407)
        return "that is no answer of azure monitor: look at the endpoint, and "
               "at the proxy on the way";
    return NULL;
}

static void judge_status(const struct azure_monitor_conf *c,
                         const struct http_response *res,
                         const struct said *said, int64_t now_ms,
                         struct verdict *out)
{
    int status = res->status;

    if (status == 401) {
        out->kind = VERDICT_REAUTH;
        tell(out, ERR_DENIED, res, said,
             "the token is expired, or for another audience");
    } else if (status == 403) {
        judge_denied(c, res, said, out);
    } else if (status == 413) {
        out->kind = VERDICT_SPLIT;
        tell(out, ERR_LIMIT, res, said, NULL);
    } else if (status == 429) {
        out->throttled = true;
        tell(out, ERR_LIMIT, res, said, NULL);
    } else if (status < 400 || status >= 500 || status == 404 ||
               status == 407 || status == 408) {
        tell(out, ERR_NETWORK, res, said, mend_of(status));
    } else {
        judge_400(c, res, said, now_ms, out);
    }
}

void azure_judge(const void *conf, const struct http_response *res,
                 const struct batch *sent, int64_t now_ms, struct arena *arena,
                 struct verdict *out)
{
    struct said said = {0};
    bool success = res->status >= 200 && res->status < 300;

    (void)sent;
    *out = (struct verdict){.kind = VERDICT_RETRY};
    if (is_html(res) && success) {
        tell(out, ERR_NETWORK, res, &said, mend_of(0));
        return;
    }
    if (!is_html(res)) /* a proxy's page is of no use in a log */
        said = read_answer(res, arena);
    if (success && !said.error) {
        out->kind = VERDICT_ACCEPTED;
        return;
    }
    out->after_ms = aws_retry_after_ms(res, now_ms);
    if (success) /* the error stands in the body alone */
        judge_400(conf, res, &said, now_ms, out);
    else
        judge_status(conf, res, &said, now_ms, out);
}
