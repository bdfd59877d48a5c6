/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask.h - the request of a scrape, and the head of its answer; pure.
 */
#ifndef AGENT_SCRAPE_ASK_H
#define AGENT_SCRAPE_ASK_H

#include "agent/base/num.h"
#include "agent/io/message.h"
#include "agent/scrape/scrape.h"

struct ask {
    struct http_request request;
    char timeout[NUM_MAX]; /* of the header; lent to the request */
    struct buf access;     /* the same */
};

/* `url` and `conf` are lent to the request. */
void ask_for(struct ask *a, struct str url, const struct scrape_conf *conf);
void ask_fini(struct ask *a); /* wipes what is secret */
/* True for status 200 in an encoding that was asked for. */
must_check bool ask_answered(const struct http_response *res, bool *gzip,
                             struct err *err);

#endif
