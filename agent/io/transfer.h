/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer.h - one HTTP exchange as libcurl sees it; for http.c alone.
 *
 * A transfer copies its request, sets up a libcurl handle for it, collects
 * what arrives within the request's limits, and puts what went wrong into
 * words.  It knows neither loop nor multi handle.
 */
#ifndef AGENT_IO_TRANSFER_H
#define AGENT_IO_TRANSFER_H

#include "agent/base/arena.h"
#include "agent/base/buf.h"
#include "agent/io/http.h"

#include <curl/curl.h>

#define TRANSFER_FIELDS_MAX 128   /* headers of an answer */
#define TRANSFER_HEAD_MAX   65536 /* bytes of all header lines */

/* What all transfers of one http share; NULL: libcurl's own default. */
struct transfer_conf {
    char *user_agent;
    char *ca_file;
    char *ca_path;
};

struct http_transfer {
    struct list_node node;
    struct http_call *call; /* NULL once cancelled */
    struct http_hooks hooks;
    void *arg;
    bool in_hook;
    struct timer deadline;
    int64_t start_ms;

    struct arena arena;
    const struct http_request *req; /* defaults filled in */
    struct str shown;               /* the URL, for errors */
    CURL *easy;                     /* NULL before transfer_setup() */
    CURLcode refused;               /* the first option it did not take */
    bool added;                     /* to the multi handle */
    struct curl_slist *fields_out;

    int status;
    bool head_done;
    struct http_header *fields;
    size_t field_count, field_cap;
    size_t head_bytes; /* of interim answers, too */
    struct buf body;
    size_t wire_bytes;

    struct err err; /* ours; ERR_NONE: libcurl's code tells */
    char curl_text[CURL_ERROR_SIZE];
};

struct http_transfer *transfer_new(const struct http_request *req,
                                   const struct http_hooks *hooks, void *arg);
void transfer_free(struct http_transfer *t); /* taken out of the multi first */
must_check bool transfer_setup(struct http_transfer *t,
                               const struct transfer_conf *conf,
                               struct err *err);
struct http_response transfer_response(const struct http_transfer *t);

/* What went wrong, in words; `err` is written when `code` is not CURLE_OK or
 * t->err is set. */
must_check bool transfer_ok(const struct http_transfer *t, CURLcode code,
                            struct err *err);
/* What was being waited for when the time was over. */
void transfer_late(const struct http_transfer *t, struct err *err);

#endif
