/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/transfer.h"

#include "agent/base/mem.h"

#include <stdlib.h>

#define ARENA_BLOCK      2048
#define RECEIVE_BYTES    (64L * 1024)
#define CA_CACHE_SECONDS 3600 /* a bundle is parsed once, renewed hourly */

struct http_transfer *transfer_new(const struct http_request *req,
                                   const struct http_hooks *hooks, void *arg)
{
    struct http_transfer *t = xcalloc(1, sizeof(*t));
    struct http_request *copy;

    arena_init(&t->arena, ARENA_BLOCK);
    copy = http_request_copy(req, &t->arena);
    if (copy->timeout_ms <= 0)
        copy->timeout_ms = HTTP_TIMEOUT_DEFAULT_MS;
    if (copy->max_response == 0)
        copy->max_response = HTTP_RESPONSE_DEFAULT_MAX;
    buf_init(&t->body, copy->max_response);
    t->req = copy;
    t->shown = http_url_shown(req->url, &t->arena);
    t->hooks = *hooks;
    t->arg = arg;
    return t;
}

void transfer_free(struct http_transfer *t)
{
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->fields_out);
    buf_fini(&t->body);
    free(t->fields);
    arena_fini(&t->arena);
    free(t);
}

struct http_response transfer_response(const struct http_transfer *t)
{
    return (struct http_response){
        .status = t->status,
        .headers = t->fields,
        .header_count = t->field_count,
        .body = buf_str(&t->body),
    };
}

/* What arrives. */

static bool add_field(struct http_transfer *t, struct str line)
{
    size_t colon = str_find(line, ':');

    if (colon == line.len) /* not a field; libcurl let it pass, so do we */
        return true;
    if (t->field_count == TRANSFER_FIELDS_MAX)
        return err_set(&t->err, ERR_LIMIT,
                       "%s: more than %d headers in the answer", t->shown.ptr,
                       TRANSFER_FIELDS_MAX);
    xgrow((void *)&t->fields, &t->field_cap, t->field_count,
          sizeof(*t->fields));
    t->fields[t->field_count++] = (struct http_header){
        .name = arena_str(&t->arena, str_n(line.ptr, colon)),
        .value = arena_str(&t->arena, str_trim(str_from(line, colon + 1))),
    };
    return true;
}

static bool over_limit(struct http_transfer *t)
{
    return err_set(&t->err, ERR_LIMIT,
                   "%s: the body is larger than the limit of %zu bytes",
                   t->shown.ptr, t->req->max_response);
}

/* A body that is announced as too large is not even begun. */
static bool announced_fits(struct http_transfer *t,
                           const struct http_response *res)
{
    int64_t length;

    if (str_eqz(t->req->method, "HEAD") ||
        !str_int(http_get(res, STR("Content-Length")), &length) ||
        length <= 0 || (uint64_t)length <= t->req->max_response)
        return true;
    return over_limit(t);
}

static bool end_of_head(struct http_transfer *t)
{
    struct http_response res;
    long status = 0;
    bool go_on;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    t->status = (int)status;
    if (status < 200) /* an interim answer, RFC 9110 section 15.2 */
        return true;
    t->head_done = true;
    res = transfer_response(t);
    if (!announced_fits(t, &res))
        return false;
    if (!t->hooks.head)
        return true;
    t->in_hook = true;
    go_on = t->hooks.head(t->arg, &res, &t->err);
    t->in_hook = false;
    return go_on;
}

static bool take_line(struct http_transfer *t, struct str line)
{
    struct str text = str_trim(line);

    if (!t->call)
        return false;
    if (t->head_done) /* a trailer, which nobody reads */
        return true;
    t->head_bytes += line.len;
    if (t->head_bytes > TRANSFER_HEAD_MAX)
        return err_set(&t->err, ERR_LIMIT,
                       "%s: the answer's headers are over %d bytes",
                       t->shown.ptr, TRANSFER_HEAD_MAX);
    if (text.len == 0)
        return end_of_head(t);
    if (str_starts(text, STR("HTTP/"))) {
        t->field_count = 0;
        return true;
    }
    return add_field(t, text);
}

static size_t on_header(char *p, size_t size, size_t count, void *arg)
{
    return take_line(arg, str_n(p, size * count)) ? size * count : 0;
}

static bool take_piece(struct http_transfer *t, struct str piece)
{
    bool go_on = true;

    if (!t->call)
        return false;
    t->wire_bytes += piece.len;
    if (t->wire_bytes > t->req->max_response)
        return over_limit(t);
    if (!t->hooks.data) {
        buf_adds(&t->body, piece);
        return true;
    }
    t->in_hook = true;
    go_on = t->hooks.data(t->arg, piece, &t->err);
    t->in_hook = false;
    return go_on;
}

static size_t on_piece(char *p, size_t size, size_t count, void *arg)
{
    return take_piece(arg, str_n(p, size * count)) ? size * count : 0;
}

/* What is asked for. */

static void took(struct http_transfer *t, CURLcode rc)
{
    if (t->refused == CURLE_OK)
        t->refused = rc;
}

static void set_long(struct http_transfer *t, CURLoption option, long value)
{
    took(t, curl_easy_setopt(t->easy, option, value));
}

/* NULL is libcurl's "none". */
static void set_text(struct http_transfer *t, CURLoption option,
                     const char *text)
{
    took(t, curl_easy_setopt(t->easy, option, text));
}

static void set_basics(struct http_transfer *t,
                       const struct transfer_conf *conf)
{
    set_text(t, CURLOPT_URL, arena_strdup(&t->arena, t->req->url));
    set_text(t, CURLOPT_PROTOCOLS_STR, "http,https");
    set_long(t, CURLOPT_FOLLOWLOCATION, 0);
    set_long(t, CURLOPT_PATH_AS_IS, 1);
    set_text(t, CURLOPT_USERAGENT, conf->user_agent);
    set_long(t, CURLOPT_NOSIGNAL, 1);
    /* Addresses share the time, so that a dead one leaves some to the next. */
    set_long(t, CURLOPT_CONNECTTIMEOUT_MS, (long)t->req->timeout_ms);
    /* Else giving up would wait for a running getaddrinfo(). */
    set_long(t, CURLOPT_QUICK_EXIT, 1);
    set_long(t, CURLOPT_TCP_KEEPALIVE, 1);
    set_long(t, CURLOPT_BUFFERSIZE, RECEIVE_BYTES);
    took(t, curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->curl_text));
    took(t, curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t));
    took(t, curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header));
    took(t, curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t));
    took(t, curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_piece));
    took(t, curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t));
}

static void set_client(struct http_transfer *t)
{
    const struct http_request *req = t->req;

    if (req->cert_file.len > 0)
        set_text(t, CURLOPT_SSLCERT, arena_strdup(&t->arena, req->cert_file));
    if (req->key_file.len > 0)
        set_text(t, CURLOPT_SSLKEY, arena_strdup(&t->arena, req->key_file));
}

static void set_tls(struct http_transfer *t, const struct transfer_conf *conf)
{
    const char *file = conf->ca_file;

    if (t->req->ca_file.len > 0)
        file = arena_strdup(&t->arena, t->req->ca_file);
    set_long(t, CURLOPT_SSL_VERIFYPEER, t->req->no_verify ? 0 : 1);
    set_long(t, CURLOPT_SSL_VERIFYHOST, t->req->no_verify ? 0 : 2);
    set_client(t);
    set_long(t, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    set_long(t, CURLOPT_CA_CACHE_TIMEOUT, CA_CACHE_SECONDS);
    if (!file && !conf->ca_path)
        return; /* as libcurl was built */
    /* Both are set: a file stands in place of the system's folder, and a
     * folder would keep the parsed file from being cached. */
    set_text(t, CURLOPT_CAINFO, file);
    set_text(t, CURLOPT_CAPATH, file ? NULL : conf->ca_path);
}

/* HTTP/2 and proxies over TLS are not in every libcurl. */
static void set_what_may_lack(struct http_transfer *t,
                              const struct transfer_conf *conf)
{
    (void)curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION,
                           (long)CURL_HTTP_VERSION_2TLS);
    if (conf->ca_file) {
        (void)curl_easy_setopt(t->easy, CURLOPT_PROXY_CAINFO, conf->ca_file);
        (void)curl_easy_setopt(t->easy, CURLOPT_PROXY_CAPATH, NULL);
    }
}

static void set_proxy(struct http_transfer *t, bool direct)
{
    set_long(t, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
    if (direct) /* else libcurl reads the variables */
        set_text(t, CURLOPT_PROXY, "");
}

static void set_method(struct http_transfer *t)
{
    const struct http_request *req = t->req;

    if (str_eqz(req->method, "HEAD"))
        set_long(t, CURLOPT_NOBODY, 1);
    if (str_eqz(req->method, "GET") || str_eqz(req->method, "HEAD"))
        return;
    /* POSTFIELDS sends "Content-Length: 0" for an empty body, too. */
    took(t, curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                             (curl_off_t)req->body.len));
    set_text(t, CURLOPT_POSTFIELDS, req->body.len > 0 ? req->body.ptr : "");
    set_text(t, CURLOPT_CUSTOMREQUEST, arena_strdup(&t->arena, req->method));
}

static bool one_line(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '\r' || s.ptr[i] == '\n' || s.ptr[i] == '\0')
            return false;
    return true;
}

static void add_line(struct http_transfer *t, const char *line)
{
    struct curl_slist *more = curl_slist_append(t->fields_out, line);

    if (!more)
        abort(); /* as mem.h has it: no memory, no agent */
    t->fields_out = more;
}

static void add_header(struct http_transfer *t, const struct http_header *h)
{
    struct buf line;

    buf_init(&line, BUF_NO_LIMIT);
    buf_adds(&line, h->name);
    if (h->value.len > 0) {
        buf_addz(&line, ": ");
        buf_adds(&line, h->value);
    } else {
        buf_addc(&line, ';'); /* how libcurl wants an empty one written */
    }
    add_line(t, buf_z(&line));
    buf_fini(&line);
}

static bool set_headers(struct http_transfer *t, struct err *err)
{
    bool typed = false;

    for (size_t i = 0; i < t->req->header_count; i++) {
        const struct http_header *h = &t->req->headers[i];

        if (h->name.len == 0 || !one_line(h->name) || !one_line(h->value) ||
            str_find(h->name, ':') < h->name.len)
            return err_set(err, ERR_CONFIG,
                           "%s: header number %zu cannot be sent: its name is "
                           "not one word, or its value not one line",
                           t->shown.ptr, i + 1);
        typed = typed || str_eqi(h->name, STR("Content-Type"));
        add_header(t, h);
    }
    add_line(t, "Expect:");
    if (!typed)
        add_line(t, "Content-Type:"); /* or libcurl makes it a form */
    (void)curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->fields_out);
    return true;
}

bool transfer_setup(struct http_transfer *t, const struct transfer_conf *conf,
                    struct err *err)
{
    struct http_url url;

    if (!http_url_parse(t->req->url, &url))
        return err_set(err, ERR_CONFIG,
                       "%s: not an absolute URL like "
                       "http://host:port/path, without user and password",
                       t->shown.len > 0 ? t->shown.ptr : "empty URL");
    t->easy = curl_easy_init();
    if (!t->easy)
        abort();
    set_basics(t, conf);
    if (str_eqi(url.scheme, STR("https")))
        set_tls(t, conf);
    set_proxy(t, t->req->no_proxy || http_url_is_loopback(&url));
    set_method(t);
    if (t->refused != CURLE_OK)
        return err_set(err, ERR_INTERNAL, "%s: this libcurl cannot do it: %s",
                       t->shown.ptr, curl_easy_strerror(t->refused));
    set_what_may_lack(t, conf);
    return set_headers(t, err);
}
