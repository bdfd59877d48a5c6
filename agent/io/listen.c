/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/listen.h"

#include "agent/base/mem.h"
#include "agent/io/ready.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64U
#define IDLE_SECONDS    10U
#define BACKLOG         64
/* Of a request line with its headers. */
#define CONNECTION_BYTES_MAX ((size_t)16 * 1024)

struct listener {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct ready *ready; /* of the daemon's epoll descriptor */
    struct timer timer;
    uint16_t port;
    size_t post_max;
    listen_fn *fn;
    void *arg;
};

union address {
    struct sockaddr any;
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
};

/* From the request line until MHD says that the request is over. */
struct exchange {
    struct listen_request req; /* first: what `header` gets back */
    struct MHD_Connection *connection;
    char *target; /* path?query as it was sent */
    bool head_seen;
    struct buf body; /* over its limit: too large */
    char peer[INET6_ADDRSTRLEN];
};

static struct str get_header(const struct listen_request *req, const char *name)
{
    const struct exchange *x = (const struct exchange *)(const void *)req;

    return str_of(
        MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name));
}

static void set_peer(struct exchange *x)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    union address a = {.any = {0}};
    const void *at = &a.ip4.sin_addr;

    if (!info || !info->client_addr)
        return;
    if (info->client_addr->sa_family == AF_INET6) {
        memcpy(&a.ip6, info->client_addr, sizeof(a.ip6));
        at = &a.ip6.sin6_addr;
    } else {
        memcpy(&a.ip4, info->client_addr, sizeof(a.ip4));
    }
    if (inet_ntop(a.any.sa_family, at, x->peer, sizeof(x->peer)))
        x->req.peer = str_of(x->peer);
}

/* Called before anything is decoded: MHD would unescape the path. */
static void *on_target(void *arg, const char *target,
                       struct MHD_Connection *connection)
{
    struct exchange *x = xcalloc(1, sizeof(*x));
    const struct listener *l = arg;
    struct str rest;
    size_t mark;

    x->connection = connection;
    buf_init(&x->body, l->post_max);
    set_peer(x);
    x->target = xstrdup(target);
    rest = str_of(x->target);
    mark = str_find(rest, '?');
    x->req.path = str_n(rest.ptr, mark);
    x->req.query = str_from(rest, mark < rest.len ? mark + 1 : mark);
    x->req.header = get_header;
    return x;
}

static void on_completed(void *arg, struct MHD_Connection *connection,
                         void **context, enum MHD_RequestTerminationCode why)
{
    struct exchange *x = *context;

    (void)arg;
    (void)connection;
    (void)why;
    if (x) {
        free(x->target);
        buf_fini(&x->body);
    }
    free(x);
    *context = NULL;
}

static void add_headers(struct MHD_Response *response,
                        const struct listen_reply *reply)
{
    char seconds[16];

    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                                  "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options",
                                  "nosniff");
    if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
                                      "GET, HEAD");
    if (reply->challenge)
        (void)MHD_add_response_header(
            response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, reply->challenge);
    if (reply->retry_after > 0) {
        (void)snprintf(seconds, sizeof(seconds), "%d", reply->retry_after);
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER,
                                      seconds);
    }
}

static enum MHD_Result send_reply(struct MHD_Connection *connection,
                                  struct listen_reply *reply)
{
    size_t len = reply->body.len;
    struct MHD_Response *response;
    enum MHD_Result rc;

    response = MHD_create_response_from_buffer(len, buf_take(&reply->body),
                                               MHD_RESPMEM_MUST_FREE);
    if (!response)
        return MHD_NO;
    if (reply->content_type.len > 0) {
        char *type = xstrndup(reply->content_type.ptr, reply->content_type.len);

        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                      type);
        free(type);
    }
    add_headers(response, reply);
    rc = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return rc;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, int status,
                              const char *text)
{
    struct listen_reply reply = {.status = status,
                                 .content_type = STR("text/plain")};

    buf_init(&reply.body, BUF_NO_LIMIT);
    buf_addz(&reply.body, text);
    return send_reply(connection, &reply);
}

static bool has_body(const struct exchange *x)
{
    struct str length = get_header(&x->req, MHD_HTTP_HEADER_CONTENT_LENGTH);
    struct str coding = get_header(&x->req, MHD_HTTP_HEADER_TRANSFER_ENCODING);

    return coding.len > 0 || (length.len > 0 && !str_eqz(length, "0"));
}

/* An answer to the head closes the connection, so no body is ever read. */
static enum MHD_Result on_head(const struct listener *l,
                               struct MHD_Connection *connection,
                               struct exchange *x, const char *method)
{
    x->head_seen = true;
    x->req.method = str_of(method);
    if (l->post_max > 0 && str_eqz(x->req.method, "POST"))
        return MHD_YES;
    if (!str_eqz(x->req.method, "GET") && !str_eqz(x->req.method, "HEAD"))
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                      "only GET and HEAD are served here\n");
    if (has_body(x))
        return refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE,
                      "a request with a body is not served here\n");
    return MHD_YES;
}

/* MHD comes twice: with the head, then when the request is complete. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *upload,
                                  size_t *upload_size, void **context)
{
    struct listener *l = arg;
    struct exchange *x = *context;
    struct listen_reply reply = {.status = MHD_HTTP_OK};

    (void)url;
    (void)version;
    if (!x)
        return MHD_NO;
    if (!x->head_seen)
        return on_head(l, connection, x, method);
    if (*upload_size > 0) {
        buf_add(&x->body, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    if (!buf_ok(&x->body))
        return refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE,
                      "the body is too large\n");
    x->req.body = buf_str(&x->body);
    buf_init(&reply.body, BUF_NO_LIMIT);
    l->fn(l->arg, &x->req, &reply);
    return send_reply(connection, &reply);
}

static void serve(void *arg)
{
    struct listener *l = arg;
    MHD_UNSIGNED_LONG_LONG wait;

    (void)MHD_run(l->daemon);
    if (MHD_get_timeout(l->daemon, &wait) == MHD_YES)
        timer_arm(l->loop, &l->timer, loop_now(l->loop).mono_ms + (int64_t)wait,
                  serve, l);
    else
        timer_disarm(&l->timer);
}

static void on_ready(void *arg, const struct ready_now *now)
{
    (void)now;
    serve(arg);
}

/* The address. */

static bool read_address(struct str text, union address *out, socklen_t *size)
{
    size_t colon = text.len;
    char host[INET6_ADDRSTRLEN];
    struct str name;
    int64_t port;
    bool six = text.len > 0 && text.ptr[0] == '[';

    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    if (colon == 0 || !str_int(str_from(text, colon), &port) || port < 0 ||
        port > UINT16_MAX)
        return false;
    name = str_n(text.ptr, colon - 1);
    if (six && (name.len < 2 || name.ptr[name.len - 1] != ']'))
        return false;
    if (six)
        name = str_n(name.ptr + 1, name.len - 2);
    if (name.len >= sizeof(host))
        return false;
    memcpy(host, name.ptr, name.len);
    host[name.len] = '\0';
    *out = (union address){.any = {0}};
    if (six) {
        out->ip6.sin6_family = AF_INET6;
        out->ip6.sin6_port = htons((uint16_t)port);
        *size = sizeof(out->ip6);
        return inet_pton(AF_INET6, host, &out->ip6.sin6_addr) == 1;
    }
    out->ip4.sin_family = AF_INET;
    out->ip4.sin_port = htons((uint16_t)port);
    *size = sizeof(out->ip4);
    return inet_pton(AF_INET, host, &out->ip4.sin_addr) == 1;
}

/* -1 where the system refuses; errno tells why. */
static int open_socket(const union address *address, socklen_t size)
{
    int one = 1;
    int fd = socket(address->any.sa_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, &address->any, size) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    one = errno;
    close(fd);
    errno = one;
    return -1;
}

static uint16_t port_of(int fd)
{
    union address bound = {.any = {0}};
    socklen_t size = sizeof(bound);

    if (getsockname(fd, &bound.any, &size) != 0)
        return 0;
    return ntohs(bound.any.sa_family == AF_INET6 ? bound.ip6.sin6_port
                                                 : bound.ip4.sin_port);
}

/* Life. */

/* GnuTLS' own default still speaks TLS 1.0 (RFC 8996: it must not). */
#define TLS_VERSIONS "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

static bool start(struct listener *l, int fd, const struct listen_options *o)
{
    const union MHD_DaemonInfo *info;
    bool tls = o->certificate && o->key;
    char *certificate = tls ? xstrdup(o->certificate) : NULL;
    char *key = tls ? xstrdup(o->key) : NULL;
    char versions[] = TLS_VERSIONS;
    struct MHD_OptionItem end = {MHD_OPTION_END, 0, NULL};
    struct MHD_OptionItem extra[] = {
        tls ? (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, certificate}
            : end,
        tls ? (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, key} : end,
        tls ? (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, versions}
            : end,
        end};

    l->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | (tls ? (unsigned)MHD_USE_TLS : 0U), 0, NULL, NULL,
        on_request, l, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES_MAX,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_target,
        l, MHD_OPTION_NOTIFY_COMPLETED, on_completed, l, MHD_OPTION_ARRAY,
        extra, MHD_OPTION_END);
    free(certificate); /* GnuTLS has its own copy of both */
    if (key)
        explicit_bzero(key, strlen(key));
    free(key);
    if (!l->daemon) {
        close(fd);
        return false;
    }
    info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info)
        l->ready = ready_new(l->loop, info->epoll_fd, on_ready, l);
    return l->ready && ready_want(l->ready, true, false);
}

struct listener *listen_new(struct loop *loop, struct str address,
                            listen_fn *fn, void *arg, struct err *err)
{
    struct listen_options options = {.address = address};

    return listen_with(loop, &options, fn, arg, err);
}

struct listener *listen_with(struct loop *loop,
                             const struct listen_options *options,
                             listen_fn *fn, void *arg, struct err *err)
{
    struct str address = options->address;
    union address where;
    socklen_t size;
    struct listener *l;
    int fd;

    if (!read_address(address, &where, &size)) {
        err_set(err, ERR_CONFIG,
                "\"%.*s\" is not an address to listen on, like 127.0.0.1:9090 "
                "or [::]:9090",
                STR_ARG(address));
        return NULL;
    }
    fd = open_socket(&where, size);
    if (fd < 0) {
        err_set(err, ERR_CONFIG,
                "cannot listen on %.*s: %s; choose another address or port",
                STR_ARG(address), strerror(errno));
        return NULL;
    }
    l = xcalloc(1, sizeof(*l));
    l->loop = loop;
    l->port = port_of(fd);
    l->post_max = options->post_max;
    l->fn = fn;
    l->arg = arg;
    if (start(l, fd, options))
        return l;
    err_set(err, ERR_CONFIG, "cannot serve %.*s: %s", STR_ARG(address),
            options->certificate ? "its certificate and key must be PEM and "
                                   "belong together"
                                 : "libmicrohttpd refuses");
    listen_free(l);
    return NULL;
}

uint16_t listen_port(const struct listener *l)
{
    return l->port;
}

void listen_free(struct listener *l)
{
    if (!l)
        return;
    timer_disarm(&l->timer);
    ready_free(l->ready);
    if (l->daemon)
        MHD_stop_daemon(l->daemon); /* closes the socket, too */
    free(l);
}
