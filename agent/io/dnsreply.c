/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/dnsreply.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <limits.h>

#define HEADER_BYTES 12 /* RFC 1035 section 4.1.1 */
#define RECORD_BYTES 10 /* type, class, TTL, RDLENGTH: section 4.1.3 */
#define SRV_BYTES    6  /* priority, weight, port: RFC 2782 */

struct reader {
    const unsigned char *start, *at, *end;
};

static unsigned u16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static size_t left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

/* Reads the name at `at`, following pointers; `*used` are its bytes here. */
static char *read_name(const struct reader *r, const unsigned char *at,
                       size_t *used)
{
    char *name = NULL;
    long n = 0;

    if (at >= r->end || ares_expand_name(at, r->start, (int)(r->end - r->start),
                                         &name, &n) != ARES_SUCCESS)
        return NULL;
    *used = (size_t)n;
    return name;
}

static bool skip_name(struct reader *r)
{
    size_t used;
    char *name = read_name(r, r->at, &used);

    if (!name || used > left(r)) {
        ares_free_string(name);
        return false;
    }
    ares_free_string(name);
    r->at += used;
    return true;
}

static bool read_srv(const struct reader *r, size_t bytes, int64_t ttl_s,
                     dns_srv_fn *fn, void *arg)
{
    struct dns_srv srv = {.ttl_s = ttl_s};
    size_t used;
    char *name;

    if (bytes < SRV_BYTES + 1)
        return false;
    srv.port = (uint16_t)u16(r->at + 4);
    name = read_name(r, r->at + SRV_BYTES, &used);
    if (!name || used != bytes - SRV_BYTES) {
        ares_free_string(name);
        return false;
    }
    srv.target = name;
    if (name[0])
        fn(arg, &srv);
    ares_free_string(name);
    return true;
}

static bool read_record(struct reader *r, dns_srv_fn *fn, void *arg)
{
    unsigned type, class, bytes;
    int64_t ttl_s;
    bool ok = true;

    if (!skip_name(r) || left(r) < RECORD_BYTES)
        return false;
    type = u16(r->at);
    class = u16(r->at + 2);
    ttl_s = (int64_t)u16(r->at + 4) << 16 | u16(r->at + 6);
    if (ttl_s > INT32_MAX) /* RFC 2181 section 8 */
        ttl_s = 0;
    bytes = u16(r->at + 8);
    r->at += RECORD_BYTES;
    if (left(r) < bytes)
        return false;
    if (type == T_SRV && class == C_IN)
        ok = read_srv(r, bytes, ttl_s, fn, arg);
    r->at += bytes;
    return ok;
}

bool dns_read_srv(const unsigned char *message, size_t len, dns_srv_fn *fn,
                  void *arg)
{
    struct reader r = {message, message + HEADER_BYTES, message + len};
    unsigned questions, answers;

    if (len < HEADER_BYTES || len > INT_MAX)
        return false;
    questions = u16(message + 4);
    answers = u16(message + 6);
    while (questions-- > 0) {
        if (!skip_name(&r) || left(&r) < 4)
            return false;
        r.at += 4;
    }
    while (answers-- > 0)
        if (!read_record(&r, fn, arg))
            return false;
    return true;
}
