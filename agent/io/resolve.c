/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/resolve.h"

#include "agent/base/arena.h"
#include "agent/base/mem.h"
#include "agent/io/dnsreply.h"
#include "agent/io/ready.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <assert.h>
#include <netdb.h>
#include <stdlib.h>

/* One server is given up after 2 s, then 4 s; the call's own deadline rules. */
#define TRY_MS      2000
#define TRIES       2
#define ARENA_BLOCK 512

struct watched {
    struct list_node node;
    struct ready *ready;
    int fd;
};

struct resolver {
    struct loop *loop;
    ares_channel channel;
    struct list watched;
    struct timer ares_timer; /* c-ares' own retries */
    struct timer kick;       /* starts and ends queries from the loop */
    struct list starting, asking, ended;
    size_t asked; /* questions that c-ares still holds */
};

/* What c-ares holds of a query; c-ares cannot drop a single one, so this
 * outlives a query that was cancelled. */
struct question {
    struct resolver *resolver;
    struct resolve_query *query; /* NULL when nobody waits any more */
};

struct resolve_query {
    struct list_node node; /* in starting, asking or ended */
    struct resolve_call *call;
    resolve_done_fn *done;
    void *arg;
    char *name;
    enum resolve_type type;
    int64_t timeout_ms;
    struct timer deadline;
    struct question *question;
    struct arena arena;
    struct resolve_record *records;
    size_t count, cap;
    struct err err; /* ERR_NONE: an answer */
};

static void kick(struct resolver *r);

/* Sockets and time. */

static void set_timer(struct resolver *r);

static void process(struct resolver *r, ares_socket_t in, ares_socket_t out)
{
    ares_process_fd(r->channel, in, out);
    set_timer(r);
}

static void on_ares_timer(void *arg)
{
    process(arg, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void set_timer(struct resolver *r)
{
    struct timeval tv;
    int64_t wait;

    if (!ares_timeout(r->channel, NULL, &tv)) {
        timer_disarm(&r->ares_timer);
        return;
    }
    wait = (int64_t)tv.tv_sec * WHEN_SECOND + tv.tv_usec / 1000 + 1;
    timer_arm(r->loop, &r->ares_timer, loop_now(r->loop).mono_ms + wait,
              on_ares_timer, r);
}

static void on_ready(void *arg, const struct ready_now *now)
{
    bool in = now->readable || now->broken;
    bool out = now->writable || now->broken;

    process(arg, in ? now->fd : ARES_SOCKET_BAD,
            out ? now->fd : ARES_SOCKET_BAD);
}

static struct watched *find_watched(struct resolver *r, int fd)
{
    list_for_each (&r->watched, n) {
        struct watched *w = list_entry(n, struct watched, node);

        if (w->fd == fd)
            return w;
    }
    return NULL;
}

static void unwatch(struct watched *w)
{
    list_remove(&w->node);
    ready_free(w->ready);
    free(w);
}

static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct resolver *r = arg;
    struct watched *w = find_watched(r, fd);

    if (!readable && !writable) {
        if (w)
            unwatch(w);
        return;
    }
    if (!w) {
        struct ready *ready = ready_new(r->loop, fd, on_ready, r);

        if (!ready)
            return; /* the query ends at its deadline */
        w = xcalloc(1, sizeof(*w));
        w->ready = ready;
        w->fd = fd;
        list_append(&r->watched, &w->node);
    }
    (void)ready_want(w->ready, readable, writable);
}

/* Records. */

static void add_record(struct resolve_query *q, const char *address,
                       uint16_t port, int64_t ttl_s)
{
    xgrow((void *)&q->records, &q->cap, q->count, sizeof(*q->records));
    q->records[q->count++] = (struct resolve_record){
        .address = arena_str(&q->arena, str_of(address)),
        .port = port,
        .ttl_ms = ttl_s > 0 ? ttl_s * WHEN_SECOND : 0,
    };
}

static int by_address(const void *a, const void *b)
{
    const struct resolve_record *x = a, *y = b;
    int order = str_cmp(x->address, y->address);

    return order ? order : (x->port > y->port) - (x->port < y->port);
}

/* A record that stands twice (in /etc/hosts, for one) is one target. */
static void sort_records(struct resolve_query *q)
{
    size_t kept = 0;

    if (q->count == 0)
        return;
    qsort(q->records, q->count, sizeof(*q->records), by_address);
    for (size_t i = 1; i < q->count; i++) {
        struct resolve_record *last = &q->records[kept];

        if (by_address(last, &q->records[i]) != 0)
            q->records[++kept] = q->records[i];
        else if (q->records[i].ttl_ms < last->ttl_ms)
            last->ttl_ms = q->records[i].ttl_ms;
    }
    q->count = kept + 1;
}

/* Answers of c-ares: they may come while it is being asked, so they are kept
 * until the loop comes by. */

static void end(struct resolve_query *q)
{
    struct resolver *r = q->call->resolver;

    q->question = NULL;
    timer_disarm(&q->deadline);
    list_remove(&q->node);
    list_append(&r->ended, &q->node);
    kick(r);
}

/* Forgets the question; NULL when nobody waits for its answer. */
static struct resolve_query *answered(struct question *question)
{
    struct resolve_query *q = question->query;

    question->resolver->asked--;
    free(question);
    return q;
}

static const char *const type_names[] = {"A", "AAAA", "SRV"};

static bool is_answer(struct resolve_query *q, int status)
{
    if (status == ARES_SUCCESS)
        return true;
    if (status != ARES_ENOTFOUND && status != ARES_ENODATA)
        err_set(&q->err, status == ARES_EBADNAME ? ERR_CONFIG : ERR_NETWORK,
                "%s: DNS gave no answer for its %s records: %s", q->name,
                type_names[q->type], ares_strerror(status));
    return false;
}

static void add_node(struct resolve_query *q,
                     const struct ares_addrinfo_node *node)
{
    char text[INET6_ADDRSTRLEN];
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;

    if (node->ai_family == AF_INET && q->type == RESOLVE_A) {
        memcpy(&ip4, node->ai_addr, sizeof(ip4));
        inet_ntop(AF_INET, &ip4.sin_addr, text, sizeof(text));
        add_record(q, text, 0, node->ai_ttl);
    }
    if (node->ai_family == AF_INET6 && q->type == RESOLVE_AAAA) {
        memcpy(&ip6, node->ai_addr, sizeof(ip6));
        inet_ntop(AF_INET6, &ip6.sin6_addr, text, sizeof(text));
        add_record(q, text, 0, node->ai_ttl);
    }
}

static void on_addresses(void *arg, int status, int timeouts,
                         struct ares_addrinfo *info)
{
    struct resolve_query *q = answered(arg);

    (void)timeouts;
    if (q && is_answer(q, status))
        for (struct ares_addrinfo_node *n = info->nodes; n; n = n->ai_next)
            add_node(q, n);
    ares_freeaddrinfo(info);
    if (q)
        end(q);
}

static void on_service(void *arg, const struct dns_srv *srv)
{
    add_record(arg, srv->target, srv->port, srv->ttl_s);
}

static void on_services(void *arg, int status, int timeouts,
                        unsigned char *reply, int len)
{
    struct resolve_query *q = answered(arg);

    (void)timeouts;
    if (!q)
        return;
    if (is_answer(q, status) &&
        !dns_read_srv(reply, (size_t)len, on_service, q))
        err_set(&q->err, ERR_INPUT, "%s: DNS sent a malformed answer", q->name);
    end(q);
}

/* Questions. */

static struct question *ask(struct resolver *r, struct resolve_query *q)
{
    struct question *question = xcalloc(1, sizeof(*question));

    question->resolver = r;
    question->query = q;
    q->question = question;
    r->asked++;
    return question;
}

static void ask_addresses(struct resolver *r, struct resolve_query *q)
{
    const struct ares_addrinfo_hints hints = {
        .ai_flags = ARES_AI_NOSORT,
        .ai_family = q->type == RESOLVE_A ? AF_INET : AF_INET6,
    };

    ares_getaddrinfo(r->channel, q->name, NULL, &hints, on_addresses,
                     ask(r, q));
}

/* An address answers itself, without a server. */
static bool literal(struct resolve_query *q)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    enum resolve_type type;

    if (inet_pton(AF_INET, q->name, bytes) == 1)
        type = RESOLVE_A;
    else if (inet_pton(AF_INET6, q->name, bytes) == 1)
        type = RESOLVE_AAAA;
    else
        return false;
    if (type == q->type)
        add_record(q, q->name, 0, 0);
    return true;
}

/* RFC 6761 section 6.3: it is loopback, whatever a file or server says, and
 * there may be neither. */
static bool localhost(struct resolve_query *q)
{
    struct str name = str_of(q->name);

    if (str_ends(name, STR(".")))
        name.len--;
    if (!str_eqi(name, STR("localhost")) || q->type == RESOLVE_SRV)
        return false;
    add_record(q, q->type == RESOLVE_A ? "127.0.0.1" : "::1", 0, 0);
    return true;
}

static void launch(struct resolver *r, struct resolve_query *q)
{
    list_append(&r->asking, &q->node);
    if (literal(q) || localhost(q))
        end(q);
    else if (q->type == RESOLVE_SRV)
        ares_search(r->channel, q->name, C_IN, T_SRV, on_services, ask(r, q));
    else
        ask_addresses(r, q);
}

/* The call is idle before `done`, which may start it again or free it. */
static void tell(struct resolve_query *q)
{
    struct resolve_answer answer = {0};
    bool ok = q->err.kind == ERR_NONE;

    if (ok) {
        sort_records(q);
        answer = (struct resolve_answer){q->records, q->count};
    }
    *q->call = (struct resolve_call){0};
    q->done(q->arg, &answer, ok ? NULL : &q->err);
}

static void query_free(struct resolve_query *q)
{
    timer_disarm(&q->deadline);
    list_remove(&q->node);
    if (q->question)
        q->question->query = NULL;
    arena_fini(&q->arena);
    free(q->records);
    free(q->name);
    free(q);
}

static void on_kick(void *arg)
{
    struct resolver *r = arg;
    struct list starting = {0}, ended = {0};
    struct list_node *n;

    list_take(&starting, &r->starting);
    while ((n = list_pop(&starting)))
        launch(r, list_entry(n, struct resolve_query, node));
    /* Retries for nobody would keep the loop alive. */
    if (r->asking.count == 0 && r->asked > 0)
        ares_cancel(r->channel);
    set_timer(r);
    list_take(&ended, &r->ended);
    while ((n = list_pop(&ended))) {
        struct resolve_query *q = list_entry(n, struct resolve_query, node);

        tell(q); /* may free the resolver with the last one */
        query_free(q);
    }
}

static void kick(struct resolver *r)
{
    timer_arm(r->loop, &r->kick, loop_now(r->loop).mono_ms, on_kick, r);
}

static void on_deadline(void *arg)
{
    struct resolve_query *q = arg;
    char after[WHEN_TEXT];

    when_duration_format(q->timeout_ms, after);
    err_set(&q->err, ERR_TIMEOUT,
            "%s: DNS did not answer within %s; can its servers be reached",
            q->name, after);
    if (q->question)
        q->question->query = NULL;
    end(q);
}

void resolve_start(struct resolver *r, struct resolve_call *call,
                   const struct resolve_question *question,
                   resolve_done_fn *done, void *arg)
{
    struct resolve_query *q = xcalloc(1, sizeof(*q));

    assert(!call->resolver);
    *call = (struct resolve_call){r, q};
    q->call = call;
    q->done = done;
    q->arg = arg;
    q->name = xstrndup(question->name.ptr ? question->name.ptr : "",
                       question->name.len);
    q->type = question->type;
    q->timeout_ms = question->timeout_ms;
    arena_init(&q->arena, ARENA_BLOCK);
    list_append(&r->starting, &q->node);
    timer_arm(r->loop, &q->deadline, loop_now(r->loop).mono_ms + q->timeout_ms,
              on_deadline, q);
    kick(r);
}

void resolve_cancel(struct resolve_call *call)
{
    struct resolver *r = call->resolver;

    if (!r)
        return;
    query_free(call->query);
    *call = (struct resolve_call){0};
    if (r->asking.count == 0 && r->asked > 0)
        kick(r);
}

static bool set_servers(struct resolver *r, struct str servers, struct err *err)
{
    char *csv;
    int rc;

    if (servers.len == 0)
        return true;
    csv = xstrndup(servers.ptr, servers.len);
    rc = ares_set_servers_ports_csv(r->channel, csv);
    free(csv);
    if (rc != ARES_SUCCESS)
        return err_set(err, ERR_CONFIG,
                       "\"%.*s\" is not a list of DNS servers like "
                       "10.0.0.2:53,[fd00::2]:53",
                       STR_ARG(servers));
    return true;
}

struct resolver *resolver_new(struct loop *loop, struct str servers,
                              struct err *err)
{
    struct resolver *r = xcalloc(1, sizeof(*r));
    struct ares_options options = {
        .timeout = TRY_MS,
        .tries = TRIES,
        .sock_state_cb = on_socket,
        .sock_state_cb_data = r,
    };
    int rc;

    r->loop = loop;
    rc = ares_library_init(ARES_LIB_INIT_ALL);
    if (rc == ARES_SUCCESS)
        rc = ares_init_options(&r->channel, &options,
                               ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                   ARES_OPT_SOCK_STATE_CB);
    if (rc != ARES_SUCCESS) {
        err_set(err, ERR_INTERNAL, "cannot set up DNS: %s", ares_strerror(rc));
        free(r);
        return NULL;
    }
    if (!set_servers(r, servers, err)) {
        resolver_free(r);
        return NULL;
    }
    return r;
}

void resolver_free(struct resolver *r)
{
    if (!r)
        return;
    assert(r->starting.count == 0 && r->asking.count == 0);
    ares_destroy(r->channel); /* answers what is left, to nobody */
    ares_library_cleanup();
    timer_disarm(&r->ares_timer);
    timer_disarm(&r->kick);
    list_for_each (&r->watched, n)
        unwatch(list_entry(n, struct watched, node));
    free(r);
}
