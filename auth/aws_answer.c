/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/aws_answer.h"

#include "agent/base/buf.h"
#include "agent/base/jsonr.h"
#include "agent/base/when.h"

#include <json-c/json.h>

#define MESSAGE_MAX   400
#define RETRY_MAX     (15 * WHEN_MINUTE)
#define SKEW_LEAST    (4 * WHEN_MINUTE)
#define DURATION_MOST (15 * WHEN_MINUTE)

/* "Exception" at the end is left out on both sides. */
static const struct {
    const char *code;
    enum aws_fault fault;
} codes[] = {
    {"BandwidthLimitExceeded", AWS_FAULT_THROTTLED},
    {"EC2Throttled", AWS_FAULT_THROTTLED},
    {"LimitExceeded", AWS_FAULT_THROTTLED},
    {"PriorRequestNotComplete", AWS_FAULT_THROTTLED},
    {"ProvisionedThroughputExceeded", AWS_FAULT_THROTTLED},
    {"RequestLimitExceeded", AWS_FAULT_THROTTLED},
    {"RequestThrottled", AWS_FAULT_THROTTLED},
    {"SlowDown", AWS_FAULT_THROTTLED},
    {"Throttled", AWS_FAULT_THROTTLED},
    {"Throttling", AWS_FAULT_THROTTLED},
    {"TooManyRequests", AWS_FAULT_THROTTLED},
    {"TransactionInProgress", AWS_FAULT_THROTTLED},
    {"IDPCommunicationError", AWS_FAULT_TRANSIENT},
    {"InternalError", AWS_FAULT_TRANSIENT},
    {"InternalFailure", AWS_FAULT_TRANSIENT},
    {"InternalServerError", AWS_FAULT_TRANSIENT},
    {"InternalServiceError", AWS_FAULT_TRANSIENT},
    {"InternalServiceFault", AWS_FAULT_TRANSIENT},
    {"RequestTimeout", AWS_FAULT_TRANSIENT},
    {"Server", AWS_FAULT_TRANSIENT},
    {"ServiceUnavailable", AWS_FAULT_TRANSIENT},
    {"RequestExpired", AWS_FAULT_CLOCK},
    {"RequestInTheFuture", AWS_FAULT_CLOCK},
    {"RequestTimeTooSkewed", AWS_FAULT_CLOCK},
    {"AuthFailure", AWS_FAULT_SIGNATURE},
    {"InvalidSignature", AWS_FAULT_SIGNATURE},
    {"SignatureDoesNotMatch", AWS_FAULT_SIGNATURE},
    {"ExpiredToken", AWS_FAULT_KEYS},
    {"InvalidAccessKeyId", AWS_FAULT_KEYS},
    {"InvalidClientTokenId", AWS_FAULT_KEYS},
    {"InvalidToken", AWS_FAULT_KEYS},
    {"TokenRefreshRequired", AWS_FAULT_KEYS},
    {"UnrecognizedClient", AWS_FAULT_KEYS},
    {"AccessDenied", AWS_FAULT_DENIED},
    {"IncompleteSignature", AWS_FAULT_DENIED},
    {"MissingAuthenticationToken", AWS_FAULT_DENIED},
    {"NotAuthorized", AWS_FAULT_DENIED},
    {"OptInRequired", AWS_FAULT_DENIED},
    {"SubscriptionRequired", AWS_FAULT_DENIED},
    {"UnauthorizedOperation", AWS_FAULT_DENIED},
    {"RequestEntityTooLarge", AWS_FAULT_TOO_LARGE},
    {"RequestTooLarge", AWS_FAULT_TOO_LARGE},
    {"InvalidFormat", AWS_FAULT_CONTENT},
    {"InvalidParameterCombination", AWS_FAULT_CONTENT},
    {"InvalidParameterValue", AWS_FAULT_CONTENT},
    {"MalformedInput", AWS_FAULT_CONTENT},
    {"MissingParameter", AWS_FAULT_CONTENT},
    {"MissingRequiredParameter", AWS_FAULT_CONTENT},
    {"Serialization", AWS_FAULT_CONTENT},
    {"Validation", AWS_FAULT_CONTENT},
    {"ValidationError", AWS_FAULT_CONTENT},
};

static enum aws_fault fault_of_code(struct str code)
{
    if (str_ends(code, STR("Exception")))
        code.len -= sizeof("Exception") - 1;
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
        if (str_eqz(code, codes[i].code))
            return codes[i].fault;
    return AWS_FAULT_OTHER;
}

static enum aws_fault fault_of_status(int status)
{
    switch (status) {
    case 408:
        return AWS_FAULT_TRANSIENT;
    case 413:
        return AWS_FAULT_TOO_LARGE;
    case 429:
    case 509:
        return AWS_FAULT_THROTTLED;
    case 401:
    case 403:
        return AWS_FAULT_DENIED;
    default:
        return status >= 500 ? AWS_FAULT_TRANSIENT : AWS_FAULT_FOREIGN;
    }
}

struct str aws_one_line(struct str s, size_t most, struct arena *arena)
{
    struct buf out;
    struct str line;
    bool gap = false;

    buf_init(&out, BUF_NO_LIMIT);
    for (size_t i = 0; i < s.len;) {
        size_t n = str_rune(str_from(s, i), NULL);
        unsigned char c = (unsigned char)s.ptr[i];

        if (out.len + n + 1 > most)
            break;
        if (n == 0 || c <= ' ' || c == 0x7f) {
            gap = true;
            i++;
            continue;
        }
        if (gap && out.len > 0)
            buf_addc(&out, ' ');
        gap = false;
        buf_add(&out, s.ptr + i, n);
        i += n;
    }
    line = arena_str(arena, buf_str(&out));
    buf_fini(&out);
    return line;
}

/*
 * Codes and messages, by form.
 */

/* "ns#Name:uri" and "Code;Sender" are Name and Code. */
static struct str bare_code(struct str s)
{
    s = str_trim(s);
    s.len = str_find(s, ';');
    s.len = str_find(s, ':');
    if (str_find(s, '#') < s.len)
        s = str_from(s, str_find(s, '#') + 1);
    for (size_t i = 0; i < s.len; i++) /* a code is a word */
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || s.ptr[i] == '<')
            return STR_NONE;
    return s.len <= 100 ? s : STR_NONE;
}

static void read_json(struct str body, struct arena *arena,
                      struct aws_answer *out)
{
    struct json_object *o;
    struct str code, message;

    if (!jsonr_parse(body, &o, NULL))
        return;
    code = bare_code(jsonr_text_or(o, "__type", STR_NONE));
    if (code.len == 0)
        code = bare_code(jsonr_text_or(o, "code", STR_NONE));
    message =
        jsonr_text_or(o, "message", jsonr_text_or(o, "Message", STR_NONE));
    out->code = arena_str(arena, code);
    out->message = arena_str(arena, message);
    json_object_put(o);
}

static size_t find(struct str s, size_t from, const char *what)
{
    const void *at = NULL;

    if (from < s.len)
        at = memmem(s.ptr + from, s.len - from, what, strlen(what));
    return at ? (size_t)((const char *)at - s.ptr) : s.len;
}

static struct str element(struct str xml, const char *open, const char *close)
{
    size_t from = find(xml, 0, open), to;

    if (from == xml.len)
        return STR_NONE;
    from += strlen(open);
    to = find(xml, from, close);
    return to == xml.len ? STR_NONE : str_n(xml.ptr + from, to - from);
}

static struct str plain_xml(struct str s, struct arena *arena)
{
    static const struct {
        const char *name;
        char c;
    } entities[] = {
        {"&lt;", '<'},    {"&gt;", '>'},  {"&amp;", '&'}, {"&quot;", '"'},
        {"&apos;", '\''}, {"&#xA;", ' '}, {"&#10;", ' '}, {"&#39;", '\''},
    };
    struct buf out;
    struct str plain;

    buf_init(&out, BUF_NO_LIMIT);
    for (size_t i = 0; i < s.len;) {
        size_t e = 0, count = sizeof(entities) / sizeof(*entities);

        while (e < count &&
               !str_starts(str_from(s, i), str_of(entities[e].name)))
            e++;
        if (e < count) {
            buf_addc(&out, entities[e].c);
            i += strlen(entities[e].name);
        } else {
            buf_addc(&out, s.ptr[i++]);
        }
    }
    plain = arena_str(arena, buf_str(&out));
    buf_fini(&out);
    return plain;
}

struct str aws_xml_text(struct str xml, const char *name, struct arena *arena)
{
    struct str open = arena_printf(arena, "<%s>", name);
    struct str close = arena_printf(arena, "</%s>", name);

    return str_trim(plain_xml(element(xml, open.ptr, close.ptr), arena));
}

static void read_body(struct str body, struct arena *arena,
                      struct aws_answer *out)
{
    body = str_trim(body);
    if (str_starts(body, STR("{"))) {
        read_json(body, arena, out);
    } else if (str_starts(body, STR("<"))) {
        out->code = bare_code(element(body, "<Code>", "</Code>"));
        out->message =
            plain_xml(element(body, "<Message>", "</Message>"), arena);
    }
}

static struct str header_code(const struct http_response *res)
{
    struct str code = bare_code(http_get(res, STR("x-amzn-query-error")));

    return code.len > 0 ? code
                        : bare_code(http_get(res, STR("X-Amzn-Errortype")));
}

/* What follows shows our headers, the session token among them. */
static struct str without_canonical(struct str message)
{
    struct str rest =
        str_n(message.ptr, find(message, 0, "The Canonical String"));

    rest.len = find(rest, 0, "The String-to-Sign");
    return rest;
}

void aws_answer_read(const struct http_response *res, struct arena *arena,
                     struct aws_answer *out)
{
    struct str legacy = bare_code(http_get(res, STR("x-amzn-query-error")));
    struct str message;

    *out = (struct aws_answer){.fault = AWS_FAULT_FOREIGN};
    read_body(res->body, arena, out);
    if (legacy.len > 0 || out->code.len == 0)
        out->code = arena_str(arena, header_code(res));
    message = without_canonical(out->message);
    if (out->code.len == 0 && message.len == 0)
        message =
            str_n(res->body.ptr, res->body.len < 120 ? res->body.len : 120);
    out->message = aws_one_line(message, MESSAGE_MAX, arena);
    if (out->code.len > 0)
        out->fault = fault_of_code(out->code);
    if (out->fault == AWS_FAULT_OTHER || out->fault == AWS_FAULT_FOREIGN) {
        enum aws_fault status = fault_of_status(res->status);

        if (status != AWS_FAULT_FOREIGN)
            out->fault = status;
    }
}

/*
 * Headers about time.
 */
int64_t aws_retry_after_ms(const struct http_response *res, int64_t now_ms)
{
    struct str after = str_trim(http_get(res, STR("Retry-After")));
    struct str ms = str_trim(http_get(res, STR("x-amz-retry-after")));
    int64_t wait = 0, n, date;

    if (str_int(after, &n))
        wait = n > RETRY_MAX / WHEN_SECOND ? RETRY_MAX : n * WHEN_SECOND;
    else if (when_http_date_parse(after, &date))
        wait = date - now_ms;
    if (str_int(ms, &n) && n > wait)
        wait = n;
    if (wait < 0)
        return 0;
    return wait < RETRY_MAX ? wait : RETRY_MAX;
}

bool aws_clock_off(const struct http_response *res, int64_t now_ms)
{
    int64_t date, skew;

    /* A cache's Date, or one of long ago, says nothing of now. */
    if (http_get(res, STR("Age")).len > 0 || res->duration_ms > DURATION_MOST ||
        !when_http_date_parse(str_trim(http_get(res, STR("Date"))), &date))
        return false;
    skew = date > now_ms ? date - now_ms : now_ms - date;
    return skew >= SKEW_LEAST;
}
