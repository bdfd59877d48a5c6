/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/sigv4.h"

#include "agent/base/enc.h"
#include "agent/base/mem.h"
#include "agent/base/when.h"
#include "auth/crypto.h"

#include <stdio.h>
#include <stdlib.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define DAY_LEN   8 /* YYYYMMDD */

/* Proxies and libraries add, drop or rewrite these on the way. */
static const char *const unsigned_headers[] = {
    "authorization",
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
};

static void add_hex_sha256(struct buf *out, struct str data)
{
    unsigned char digest[CRYPTO_SHA256];

    crypto_sha256(data, digest);
    enc_hex(out, digest, sizeof(digest));
}

/*
 * Path: RFC 3986 section 5.2.4 without dot segments, and without empty ones.
 */
static bool segment_counts(struct str s)
{
    return s.len > 0 && !str_eq(s, STR(".")) && !str_eq(s, STR(".."));
}

static void drop_last_segment(struct buf *path)
{
    while (path->len > 0 && path->data[--path->len] != '/')
        ;
}

static void normalise(struct str path, struct buf *out)
{
    struct str rest = path, segment;

    while (str_next(&rest, '/', &segment)) {
        if (segment_counts(segment)) {
            buf_addc(out, '/');
            buf_adds(out, segment);
        } else if (str_eq(segment, STR(".."))) {
            drop_last_segment(out);
        }
    }
    if (out->len == 0 || path.ptr[path.len - 1] == '/')
        buf_addc(out, '/');
}

static void canonical_path(const struct sigv4 *s, struct str path,
                           struct buf *out)
{
    struct buf clean;

    if (path.len == 0)
        path = STR("/");
    if (s->s3_path) {
        buf_adds(out, path);
        return;
    }
    buf_init(&clean, BUF_NO_LIMIT);
    normalise(path, &clean);
    enc_percent(out, buf_str(&clean), "/");
    buf_fini(&clean);
}

/*
 * Query: pairs sorted by encoded name, then encoded value.
 */
struct pair {
    char *name, *value;
};

static char *recode(struct str s)
{
    struct buf plain, coded;

    buf_init(&plain, BUF_NO_LIMIT);
    buf_init(&coded, BUF_NO_LIMIT);
    if (!dec_percent(&plain, s)) { /* a stray % stands for itself */
        buf_reset(&plain);
        buf_adds(&plain, s);
    }
    enc_percent(&coded, buf_str(&plain), "");
    buf_fini(&plain);
    return buf_take(&coded);
}

static int by_name_then_value(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order ? order : strcmp(x->value, y->value);
}

static size_t split_query(struct str query, struct pair **out)
{
    struct str rest = query, part;
    size_t n = 0, cap = 0;

    *out = NULL;
    while (query.len > 0 && str_next(&rest, '&', &part)) {
        size_t eq = str_find(part, '=');

        if (part.len == 0)
            continue;
        xgrow(out, &cap, n, sizeof(**out));
        (*out)[n++] = (struct pair){recode(str_n(part.ptr, eq)),
                                    recode(str_from(part, eq + 1))};
    }
    return n;
}

static void canonical_query(struct str query, struct buf *out)
{
    struct pair *pairs;
    size_t n = split_query(query, &pairs);

    if (n > 1)
        qsort(pairs, n, sizeof(*pairs), by_name_then_value);
    for (size_t i = 0; i < n; i++) {
        buf_addf(out, "%s%s=%s", i ? "&" : "", pairs[i].name, pairs[i].value);
        free(pairs[i].name);
        free(pairs[i].value);
    }
    free(pairs);
}

/*
 * Headers: lower case, sorted, blanks collapsed, equal names joined in order.
 */
struct line {
    char *name;
    struct str value;
    size_t order; /* as it stands in the request; qsort is not stable */
};

struct lines {
    struct line all[HTTP_HEADERS_MAX + 1];
    size_t count;
    char host[320];
};

static char *lower(struct str s)
{
    char *z = xstrndup(s.ptr, s.len);

    for (char *c = z; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return z;
}

static bool is_signed(struct str name)
{
    for (size_t i = 0; i < sizeof(unsigned_headers) / sizeof(*unsigned_headers);
         i++)
        if (str_eqi(name, str_of(unsigned_headers[i])))
            return false;
    return true;
}

static void add_line(struct lines *l, struct str name, struct str value)
{
    struct line *line = &l->all[l->count];

    *line = (struct line){lower(name), value, l->count};
    l->count++;
}

static bool default_port(const struct http_url *u)
{
    return u->port.len == 0 ||
           (str_eqi(u->scheme, STR("https")) ? str_eq(u->port, STR("443"))
                                             : str_eq(u->port, STR("80")));
}

/* What will stand in Host: the request's own, else host and odd port. */
static bool add_host(struct lines *l, const struct http_url *u, struct err *err)
{
    size_t n = u->host.len;
    int port = 0;

    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->all[i].name, "host") == 0)
            return true;
    if (n + u->port.len + 2 > sizeof(l->host))
        return err_set(err, ERR_INPUT, "the host name in the url is too long");
    memcpy(l->host, u->host.ptr, n);
    for (size_t i = 0; i < n; i++)
        if (l->host[i] >= 'A' && l->host[i] <= 'Z')
            l->host[i] = (char)(l->host[i] - 'A' + 'a');
    if (!default_port(u))
        port = snprintf(l->host + n, sizeof(l->host) - n, ":%.*s",
                        STR_ARG(u->port));
    add_line(l, STR("host"), str_n(l->host, n + (size_t)port));
    return true;
}

static int by_name_then_order(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    if (order)
        return order;
    return (x->order > y->order) - (x->order < y->order);
}

static bool blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void add_value(struct buf *out, struct str value)
{
    bool gap = false, any = false;

    for (size_t i = 0; i < value.len; i++) {
        if (blank(value.ptr[i])) {
            gap = true;
            continue;
        }
        if (gap && any)
            buf_addc(out, ' ');
        buf_addc(out, value.ptr[i]);
        gap = false;
        any = true;
    }
}

static void write_lines(const struct lines *l, struct buf *out,
                        struct buf *names)
{
    const char *last = NULL;

    for (size_t i = 0; i < l->count; i++) {
        const struct line *line = &l->all[i];

        if (last && strcmp(last, line->name) == 0) {
            buf_addc(out, ',');
        } else {
            buf_addf(out, "%s%s:", last ? "\n" : "", line->name);
            buf_addf(names, "%s%s", last ? ";" : "", line->name);
        }
        add_value(out, line->value);
        last = line->name;
    }
    buf_addc(out, '\n');
}

static bool canonical_headers(const struct http_request *req,
                              const struct http_url *u, struct buf *out,
                              struct buf *names, struct err *err)
{
    struct lines l = {.count = 0};
    bool ok;

    for (size_t i = 0; i < req->header_count; i++)
        if (is_signed(req->headers[i].name))
            add_line(&l, req->headers[i].name, req->headers[i].value);
    ok = add_host(&l, u, err);
    if (ok) {
        qsort(l.all, l.count, sizeof(l.all[0]), by_name_then_order);
        write_lines(&l, out, names);
    }
    for (size_t i = 0; i < l.count; i++)
        free(l.all[i].name);
    return ok;
}

/* Services that want x-amz-content-sha256 get what that header says. */
static void payload_hash(const struct http_request *req, struct buf *out)
{
    for (size_t i = 0; i < req->header_count; i++)
        if (str_eqi(req->headers[i].name, STR("x-amz-content-sha256"))) {
            buf_adds(out, req->headers[i].value);
            return;
        }
    add_hex_sha256(out, req->body);
}

bool sigv4_canonical(const struct sigv4 *s, const struct http_request *req,
                     struct buf *out, struct buf *signed_headers,
                     struct err *err)
{
    struct http_url u;

    if (!http_url_parse(req->url, &u))
        return err_set(err, ERR_INPUT, "%.*s: not an absolute http(s) url",
                       STR_ARG(req->url));
    buf_adds(out, req->method);
    buf_addc(out, '\n');
    canonical_path(s, u.path, out);
    buf_addc(out, '\n');
    canonical_query(u.query, out);
    buf_addc(out, '\n');
    if (!canonical_headers(req, &u, out, signed_headers, err))
        return false;
    buf_addc(out, '\n');
    buf_adds(out, buf_str(signed_headers));
    buf_addc(out, '\n');
    payload_hash(req, out);
    return true;
}

void sigv4_stamp(const struct sigv4 *s, struct arena *arena,
                 struct http_request *req)
{
    char date[WHEN_TEXT];

    when_iso_basic(s->wall_ms, date);
    http_set(req, STR("X-Amz-Date"), arena_str(arena, str_of(date)));
    if (s->token.len > 0)
        http_set_secret(req, STR("X-Amz-Security-Token"),
                        arena_str(arena, s->token));
}

static void add_scope(const struct sigv4 *s, struct buf *out)
{
    char date[WHEN_TEXT];

    when_iso_basic(s->wall_ms, date);
    buf_addf(out, "%.*s/%.*s/%.*s/aws4_request", DAY_LEN, date,
             STR_ARG(s->region), STR_ARG(s->service));
}

void sigv4_string_to_sign(const struct sigv4 *s, struct str canonical,
                          struct buf *out)
{
    char date[WHEN_TEXT];

    when_iso_basic(s->wall_ms, date);
    buf_addf(out, ALGORITHM "\n%s\n", date);
    add_scope(s, out);
    buf_addc(out, '\n');
    add_hex_sha256(out, canonical);
}

static struct str digest_str(const unsigned char digest[CRYPTO_SHA256])
{
    return str_n((const char *)digest, CRYPTO_SHA256);
}

/* The key of one day, region and service. */
static void signing_key(const struct sigv4 *s, unsigned char key[CRYPTO_SHA256])
{
    struct buf seed;
    char date[WHEN_TEXT];

    when_iso_basic(s->wall_ms, date);
    buf_init(&seed, BUF_NO_LIMIT);
    buf_adds(&seed, STR("AWS4"));
    buf_adds(&seed, s->secret);
    crypto_hmac_sha256(buf_str(&seed), str_n(date, DAY_LEN), key);
    wipe(seed.data, seed.len);
    buf_fini(&seed);
    crypto_hmac_sha256(digest_str(key), s->region, key);
    crypto_hmac_sha256(digest_str(key), s->service, key);
    crypto_hmac_sha256(digest_str(key), STR("aws4_request"), key);
}

void sigv4_signature(const struct sigv4 *s, struct str string_to_sign,
                     char hex[SIGV4_HEX])
{
    unsigned char key[CRYPTO_SHA256], mac[CRYPTO_SHA256];
    struct buf out;

    signing_key(s, key);
    crypto_hmac_sha256(digest_str(key), string_to_sign, mac);
    wipe(key, sizeof(key));
    buf_init(&out, SIGV4_HEX);
    enc_hex(&out, mac, sizeof(mac));
    memcpy(hex, out.data, SIGV4_HEX);
    buf_fini(&out);
}

void sigv4_authorization(const struct sigv4 *s, struct str signed_headers,
                         const char *signature, struct buf *out)
{
    buf_addf(out, ALGORITHM " Credential=%.*s/", STR_ARG(s->key_id));
    add_scope(s, out);
    buf_addf(out, ", SignedHeaders=%.*s, Signature=%s", STR_ARG(signed_headers),
             signature);
}

bool sigv4_sign(const struct sigv4 *s, struct arena *arena,
                struct http_request *req, struct err *err)
{
    struct buf canonical, names, text;
    bool ok;

    buf_init(&canonical, BUF_NO_LIMIT);
    buf_init(&names, BUF_NO_LIMIT);
    buf_init(&text, BUF_NO_LIMIT);
    sigv4_stamp(s, arena, req);
    ok = sigv4_canonical(s, req, &canonical, &names, err);
    if (ok) {
        char signature[SIGV4_HEX];

        sigv4_string_to_sign(s, buf_str(&canonical), &text);
        sigv4_signature(s, buf_str(&text), signature);
        buf_reset(&text);
        sigv4_authorization(s, buf_str(&names), signature, &text);
        http_set_secret(req, STR("Authorization"),
                        arena_str(arena, buf_str(&text)));
    }
    wipe(canonical.data, canonical.len); /* it holds the session token */
    buf_fini(&canonical);
    buf_fini(&names);
    buf_fini(&text);
    return ok;
}
