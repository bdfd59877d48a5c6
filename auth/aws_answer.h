/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws_answer.h - the errors of AWS services, whatever their protocol.
 *
 * A code stands in x-amzn-query-error, in the JSON member __type, in
 * X-Amzn-Errortype or in the XML element Code (Smithy: awsJson1_0,
 * awsQueryCompatible and awsQuery protocols); there may be none at all, and
 * the body may be empty, cut off or somebody else's.  Which codes mean what:
 * botocore retries/standard.py, and the JavaScript SDK's classification.
 */
#ifndef AUTH_AWS_ANSWER_H
#define AUTH_AWS_ANSWER_H

#include "agent/io/message.h"

enum aws_fault {
    AWS_FAULT_OTHER,     /* a code that says none of the below */
    AWS_FAULT_FOREIGN,   /* no code: perhaps not AWS that answers */
    AWS_FAULT_THROTTLED, /* we, or the account, are too fast */
    AWS_FAULT_TRANSIENT, /* the service's own trouble */
    AWS_FAULT_CLOCK,     /* our time stamp is off */
    AWS_FAULT_SIGNATURE, /* does not match: wrong secret, or the clock */
    AWS_FAULT_KEYS,      /* expired or unknown credentials */
    AWS_FAULT_DENIED,    /* known, but not permitted */
    AWS_FAULT_TOO_LARGE, /* send less at once */
    AWS_FAULT_CONTENT,   /* what was sent is wrong */
};

struct aws_answer {
    enum aws_fault fault;
    struct str code;    /* without name space; empty where there is none */
    struct str message; /* one line, no secrets, at most some 400 bytes */
};

/* For an answer that is no success; texts live in `arena`. */
void aws_answer_read(const struct http_response *res, struct arena *arena,
                     struct aws_answer *out);
/* The text of the first <name> that has no attributes, its entities resolved;
 * in `arena`, empty where there is none. */
struct str aws_xml_text(struct str xml, const char *name, struct arena *arena);
/* At most `most` bytes of `s` as one line of printable UTF-8. */
struct str aws_one_line(struct str s, size_t most, struct arena *arena);

/* How long the service asks us to wait: Retry-After (seconds or a date) and
 * x-amz-retry-after (milliseconds), at most 15 minutes; 0: it does not. */
int64_t aws_retry_after_ms(const struct http_response *res, int64_t now_ms);
/* Whether our clock is off by 4 minutes or more, as far as Date can tell. */
bool aws_clock_off(const struct http_response *res, int64_t now_ms);

#endif
