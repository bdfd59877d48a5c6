/* SPDX-License-Identifier: Apache-2.0 */
/* transfer_err.c - what libcurl says, as operators need it. */
#include "agent/base/when.h"
#include "agent/io/transfer.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define DETAIL 256
/* X509_V_ERR_UNSPECIFIED: where libcurl stops between chain and name. */
#define UNSPECIFIED 1

/* libcurl's own words as one line that begins in lower case: they may quote
 * what a peer sent. */
static const char *detail(const struct http_transfer *t, CURLcode code,
                          char out[DETAIL])
{
    const char *said =
        t->curl_text[0] ? t->curl_text : curl_easy_strerror(code);
    size_t n = 0;

    memset(out, 0, DETAIL);
    while (n < DETAIL - 1 && said[n]) {
        out[n] = said[n];
        if (out[n] < ' ' || out[n] > '~')
            out[n] = '?';
        n++;
    }
    if (isupper((unsigned char)out[0]) && islower((unsigned char)out[1]))
        out[0] = (char)tolower((unsigned char)out[0]);
    return out;
}

void transfer_late(const struct http_transfer *t, struct err *err)
{
    curl_off_t ready = 0;
    const char *what = "no answer";
    const char *mend = "is the service busy, or its timeout too short";
    char after[WHEN_TEXT];

    if (t->easy)
        curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &ready);
    when_duration_format(t->req->timeout_ms, after);
    if (t->head_done)
        what = "the body was not complete";
    else if (ready == 0) { /* with TLS, where the URL says so */
        what = "no connection";
        mend = "can this host be reached from here";
    }
    err_set(err, ERR_TIMEOUT, "%s: %s after %s; %s", t->shown.ptr, what, after,
            mend);
}

static void refused(const struct http_transfer *t, struct err *err)
{
    long number = 0;
    char text[DETAIL];

    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number);
    if (number == ECONNREFUSED)
        err_set(err, ERR_NETWORK,
                "%s: connection refused; does the service run, and on this "
                "port",
                t->shown.ptr);
    else
        err_set(err, ERR_NETWORK,
                "%s: cannot connect: %s; can this host be reached from here",
                t->shown.ptr,
                number ? strerror((int)number)
                       : detail(t, CURLE_COULDNT_CONNECT, text));
}

static void untrusted(const struct http_transfer *t, struct err *err)
{
    long verify = 0;
    char text[DETAIL];

    curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &verify);
    if (verify > UNSPECIFIED)
        err_set(err, ERR_NETWORK,
                "%s: its certificate is not trusted: %s; name the authority "
                "that signed it with a CA file",
                t->shown.ptr, detail(t, CURLE_PEER_FAILED_VERIFICATION, text));
    else
        err_set(err, ERR_NETWORK,
                "%s: its certificate is for another host: %s; use the name "
                "that stands in it",
                t->shown.ptr, detail(t, CURLE_PEER_FAILED_VERIFICATION, text));
}

static void cut_off(const struct http_transfer *t, CURLcode code,
                    struct err *err)
{
    long proxy = 0;
    char text[DETAIL];

    curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &proxy);
    if (proxy >= 300)
        err_set(err, ERR_NETWORK,
                "%s: the proxy refused the connection with status %ld; set "
                "no_proxy for this host, or allow it there",
                t->shown.ptr, proxy);
    else if (t->head_done)
        err_set(err, ERR_NETWORK,
                "%s: the connection was closed after %zu bytes of the body",
                t->shown.ptr, t->wire_bytes);
    else
        err_set(err, ERR_NETWORK,
                "%s: the connection was closed before an answer: %s",
                t->shown.ptr, detail(t, code, text));
}

static enum err_kind kind_of(CURLcode code)
{
    switch ((int)code) {
    case CURLE_SSL_CACERT_BADFILE:
        return ERR_CONFIG;
    case CURLE_OUT_OF_MEMORY: /* a header line over libcurl's own limit */
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE:
#endif
        return ERR_LIMIT;
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9 */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return ERR_INPUT;
    default:
        return ERR_NETWORK;
    }
}

static void other(const struct http_transfer *t, CURLcode code, struct err *err)
{
    char text[DETAIL];

    if (code == CURLE_SSL_CACERT_BADFILE)
        err_set(err, ERR_CONFIG,
                "%s: its CA file cannot be read: %s; it must hold "
                "certificates in PEM form",
                t->shown.ptr, detail(t, code, text));
    else
        err_set(err, kind_of(code), "%s: %s", t->shown.ptr,
                detail(t, code, text));
}

static void no_name(const struct http_transfer *t, const char *whose,
                    struct err *err)
{
    char text[DETAIL];

    err_set(err, ERR_NETWORK,
            "%s: %s is not known to DNS: %s; check its spelling, and the "
            "resolver of this machine",
            t->shown.ptr, whose, detail(t, CURLE_COULDNT_RESOLVE_HOST, text));
}

bool transfer_ok(const struct http_transfer *t, CURLcode code, struct err *err)
{
    if (t->err.kind != ERR_NONE) {
        *err = t->err;
        return false;
    }
    switch ((int)code) {
    case CURLE_OK:
        return true;
    case CURLE_COULDNT_RESOLVE_HOST:
        no_name(t, "its host", err);
        break;
    case CURLE_COULDNT_RESOLVE_PROXY:
        no_name(t, "the proxy's host", err);
        break;
    case CURLE_COULDNT_CONNECT:
        refused(t, err);
        break;
    case CURLE_OPERATION_TIMEDOUT:
        transfer_late(t, err);
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
        untrusted(t, err);
        break;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        cut_off(t, code, err);
        break;
    default:
        other(t, code, err);
    }
    return false;
}
