/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/message.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>

#define HOST_MAX 255 /* bytes of a DNS name, RFC 1035 section 2.3.4 */

static void set(struct http_request *req, struct http_header header)
{
    for (size_t i = 0; i < req->header_count; i++) {
        if (str_eqi(req->headers[i].name, header.name)) {
            req->headers[i] = header;
            return;
        }
    }
    assert(req->header_count < HTTP_HEADERS_MAX);
    req->headers[req->header_count++] = header;
}

void http_set(struct http_request *req, struct str name, struct str value)
{
    set(req, (struct http_header){.name = name, .value = value});
}

void http_set_secret(struct http_request *req, struct str name,
                     struct str value)
{
    set(req,
        (struct http_header){.name = name, .value = value, .secret = true});
}

struct str http_get(const struct http_response *res, struct str name)
{
    for (size_t i = 0; i < res->header_count; i++)
        if (str_eqi(res->headers[i].name, name))
            return res->headers[i].value;
    return STR_NONE;
}

struct http_request *http_request_copy(const struct http_request *req,
                                       struct arena *a)
{
    struct http_request *copy = arena_alloc(a, sizeof(*copy));

    *copy = *req;
    copy->method = arena_str(a, req->method);
    copy->url = arena_str(a, req->url);
    copy->body = arena_str(a, req->body);
    copy->ca_file = arena_str(a, req->ca_file);
    copy->cert_file = arena_str(a, req->cert_file);
    copy->key_file = arena_str(a, req->key_file);
    for (size_t i = 0; i < req->header_count; i++) {
        copy->headers[i].name = arena_str(a, req->headers[i].name);
        copy->headers[i].value = arena_str(a, req->headers[i].value);
    }
    return copy;
}

/* RFC 3986 wants everything else percent-encoded. */
static bool visible(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return false;
    return true;
}

/* The part of `s` before the first of `stops`. */
static struct str until(struct str s, const char *stops)
{
    size_t n = 0;

    while (n < s.len && !strchr(stops, s.ptr[n]))
        n++;
    return str_n(s.ptr, n);
}

static bool take_scheme(struct str *rest, struct str *scheme)
{
    size_t n = str_find(*rest, ':');

    *scheme = str_n(rest->ptr, n);
    if (!str_eqi(*scheme, STR("http")) && !str_eqi(*scheme, STR("https")))
        return false;
    *rest = str_from(*rest, n);
    if (!str_starts(*rest, STR("://")))
        return false;
    *rest = str_from(*rest, 3);
    return true;
}

static bool good_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';

        if (!letter && !digit && c != '-' && c != '.' && c != '_')
            return false;
    }
    return s.len > 0 && s.len <= HOST_MAX && s.ptr[0] != '.';
}

/* "[::1]"; zones are refused, they mean nothing to another machine. */
static bool read_ip6(struct str bracketed, struct in6_addr *out)
{
    char text[INET6_ADDRSTRLEN];
    size_t n = bracketed.len;

    if (n < 2 || n - 2 >= sizeof(text) || bracketed.ptr[0] != '[' ||
        bracketed.ptr[n - 1] != ']')
        return false;
    memcpy(text, bracketed.ptr + 1, n - 2);
    text[n - 2] = '\0';
    return strlen(text) == n - 2 && inet_pton(AF_INET6, text, out) == 1;
}

static bool read_ip4(struct str s, struct in_addr *out)
{
    char text[INET_ADDRSTRLEN];

    if (s.len == 0 || s.len >= sizeof(text))
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return strlen(text) == s.len && inet_pton(AF_INET, text, out) == 1;
}

static bool good_port(struct str s)
{
    int64_t port;

    return s.len <= 5 && visible(s) && s.len > 0 && s.ptr[0] != '+' &&
           s.ptr[0] != '-' && str_int(s, &port) && port > 0 && port <= 65535;
}

static bool read_authority(struct str authority, struct http_url *u)
{
    struct in6_addr ip6;
    size_t n = str_find(authority, ':');

    if (authority.len > 0 && authority.ptr[0] == '[') {
        n = str_find(authority, ']');
        n += n < authority.len;
    }
    u->host = str_n(authority.ptr, n);
    if (!read_ip6(u->host, &ip6) && !good_name(u->host))
        return false;
    if (n == authority.len)
        return true;
    u->port = str_from(authority, n + 1);
    return authority.ptr[n] == ':' && good_port(u->port);
}

bool http_url_parse(struct str url, struct http_url *out)
{
    struct http_url u = {0};
    struct str rest = until(url, "#"); /* a fragment never leaves the client */
    struct str authority;

    if (!visible(url) || !take_scheme(&rest, &u.scheme))
        return false;
    authority = until(rest, "/?\\");
    if (!read_authority(authority, &u)) /* refuses '@', so user info, too */
        return false;
    rest = str_from(rest, authority.len);
    u.path = until(rest, "?");
    if (u.path.len > 0 && u.path.ptr[0] != '/')
        return false;
    if (u.path.len < rest.len)
        u.query = str_from(rest, u.path.len + 1);
    *out = u;
    return true;
}

struct str http_url_shown(struct str url, struct arena *a)
{
    struct str rest = until(url, "?#");
    size_t scheme = str_find(rest, ':');
    size_t user = rest.len;
    char *z;

    while (user > 0 && rest.ptr[user - 1] != '@')
        user--;
    z = arena_strdup(a, user > 0 ? str_from(rest, user) : rest);
    if (user > 0 && str_find(rest, '@') > scheme &&
        str_starts(str_from(rest, scheme), STR("://")))
        z = arena_strdup(
            a, arena_printf(a, "%.*s://%s", (int)scheme, rest.ptr, z));
    for (char *c = z; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return str_of(z);
}

bool http_url_is_loopback(const struct http_url *u)
{
    struct in_addr ip4;
    struct in6_addr ip6;

    if (str_eqi(u->host, STR("localhost")))
        return true;
    if (read_ip4(u->host, &ip4))
        return ntohl(ip4.s_addr) >> 24 == IN_LOOPBACKNET;
    if (!read_ip6(u->host, &ip6))
        return false;
    return IN6_IS_ADDR_LOOPBACK(&ip6) ||
           (IN6_IS_ADDR_V4MAPPED(&ip6) && ip6.s6_addr[12] == IN_LOOPBACKNET);
}
