/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/scrape/ask.h"

#include "agent/base/enc.h"
#include "agent/base/mem.h"

/* What Prometheus 3.5 sends by default. */
#define ACCEPT                                                             \
    STR("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;" \
        "q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"          \
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"             \
        "text/plain;version=0.0.4;q=0.3,*/*;q=0.2")

static void add_basic(const struct scrape_basic_auth *basic, struct buf *out)
{
    struct buf pair;

    buf_init(&pair, BUF_NO_LIMIT);
    buf_addf(&pair, "%s:%s", basic->username, basic->password);
    buf_addz(out, "Basic ");
    enc_base64(out, pair.data, pair.len);
    wipe(pair.data, pair.len);
    buf_fini(&pair);
}

static void set_access(struct ask *a, const struct scrape_conf *conf)
{
    const struct scrape_authorization *token = conf->authorization;

    buf_init(&a->access, BUF_NO_LIMIT);
    if (conf->basic_auth)
        add_basic(conf->basic_auth, &a->access);
    else if (token)
        buf_addf(&a->access, "%s %s", token->type, token->credentials);
    if (a->access.len)
        http_set_secret(&a->request, STR("Authorization"), buf_str(&a->access));
}

static void set_tls(struct http_request *req, const struct scrape_tls *tls)
{
    if (*tls->ca_file)
        req->ca_file = str_of(tls->ca_file);
    req->cert_file = str_of(tls->cert_file);
    req->key_file = str_of(tls->key_file);
    req->no_verify = tls->insecure_skip_verify;
}

void ask_fini(struct ask *a)
{
    if (a->access.len)
        wipe(a->access.data, a->access.len);
    buf_fini(&a->access);
}

void ask_for(struct ask *a, struct str url, const struct scrape_conf *conf)
{
    struct http_request *req = &a->request;
    size_t len = num_plain((double)scrape_timeout(conf) / 1000, a->timeout);

    *req = (struct http_request){
        .method = STR("GET"),
        .url = url,
        .timeout_ms = scrape_timeout(conf),
        .max_response = (size_t)conf->wire_limit,
        .ca_file = str_of(conf->ca_file),
    };
    http_set(req, STR("Accept"), ACCEPT);
    http_set(req, STR("Accept-Encoding"),
             conf->enable_compression ? STR("gzip") : STR("identity"));
    http_set(req, STR("X-Prometheus-Scrape-Timeout-Seconds"),
             str_n(a->timeout, len));
    set_access(a, conf);
    if (conf->tls_config)
        set_tls(req, conf->tls_config);
}

/* RFC 9110 section 15, RFC 6585; what a target or a proxy may answer. */
static const struct {
    int status;
    const char *phrase;
} phrases[] = {
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Request Entity Too Large"},
    {414, "Request URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {511, "Network Authentication Required"},
};

static const char *phrase_of(int status)
{
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "";
}

static bool bad_status(int status, struct err *err)
{
    const char *phrase = phrase_of(status);
    const char *mend = "";

    if (status >= 300 && status < 400)
        mend = "; redirects are not followed: name the final URL";
    return err_set(err, ERR_INPUT, "server returned HTTP status %d%s%s%s",
                   status, *phrase ? " " : "", phrase, mend);
}

bool ask_answered(const struct http_response *res, bool *gzip, struct err *err)
{
    struct str encoding = http_get(res, STR("Content-Encoding"));

    if (res->status != 200)
        return bad_status(res->status, err);
    if (encoding.len > 0 && !str_eqi(encoding, STR("gzip")) &&
        !str_eqi(encoding, STR("identity")))
        return err_set(err, ERR_INPUT,
                       "the body comes in Content-Encoding \"%.*s\", which was "
                       "not asked for",
                       STR_ARG(encoding));
    *gzip = str_eqi(encoding, STR("gzip"));
    return true;
}
