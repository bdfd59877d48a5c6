/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnsreply.h - the SRV records of a DNS message (RFC 1035 section 4, RFC
 * 2782); pure.
 *
 * c-ares reads them, too, but leaves the time to live out.
 */
#ifndef AGENT_IO_DNSREPLY_H
#define AGENT_IO_DNSREPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns_srv {
    const char *target; /* without a final dot; lent for the call */
    uint16_t port;
    int64_t ttl_s;
};

typedef void dns_srv_fn(void *arg, const struct dns_srv *srv);

/* False for a malformed message; `fn` may have been called for records before
 * the fault.  The target "." (no such service here) is left out. */
bool dns_read_srv(const unsigned char *message, size_t len, dns_srv_fn *fn,
                  void *arg);

#endif
