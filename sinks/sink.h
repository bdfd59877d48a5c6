/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink.h - how a cloud takes points.
 *
 * A sink is two pure functions: render() writes points as one HTTP request,
 * judge() reads the answer.  Sinks never wait, retry, sign by themselves or
 * send; that is the work of agent/deliver, the same for all of them.
 *
 * To add a cloud: write sinks/<name>.c, list it in sinks/sinks.c, and put
 * points and the expected request in test/data/sinks/<name>/.
 */
#ifndef SINKS_SINK_H
#define SINKS_SINK_H

#include "agent/base/arena.h"
#include "agent/base/err.h"
#include "agent/config/conf.h"
#include "agent/io/message.h"
#include "agent/metric/batch.h"
#include "auth/auth.h"

enum verdict_kind {
    VERDICT_ACCEPTED, /* the cloud has the points; forget them */
    VERDICT_RETRY,    /* the same request may succeed later */
    VERDICT_REAUTH,   /* sign again with fresh credentials, once */
    VERDICT_CLOCK,    /* our clock is off: correct it by Date, sign again */
    VERDICT_SPLIT,    /* too large: cut in two and send both */
    VERDICT_PARTIAL,  /* `bad` will never succeed; see rest_delivered */
    VERDICT_REJECTED, /* none will ever succeed; count them as lost */
};

struct verdict {
    enum verdict_kind kind;
    bool throttled;    /* VERDICT_RETRY because we are too fast */
    int64_t after_ms;  /* wait at least this long; 0: the cloud says not */
    const size_t *bad; /* VERDICT_PARTIAL: indices into the batch, rising */
    size_t bad_count;
    bool rest_delivered; /* VERDICT_PARTIAL: the others are in (else resend) */
    /* VERDICT_PARTIAL, each as `bad`: a newer one is in, so that nothing is
     * lost; and those that may be taken later, as they or a fresher value. */
    const size_t *superseded, *again;
    size_t superseded_count, again_count;
    bool denied;    /* until people mend it (a permission is missing), all
                       points wait: the text says what */
    struct err err; /* the cloud's own words, and the mend */
};

/* What check() is told of a metric that will be published. */
struct sink_metric {
    struct str name, unit, description;
    const struct str *dimensions; /* label names that become dimensions */
    size_t dimension_count;
    unsigned resolution; /* seconds: 1 or 60 */
};

struct sink_type {
    const char *name;            /* as written in the configuration */
    const char *help;            /* one sentence */
    const struct conf_key *keys; /* settings, read into `conf` below */
    size_t conf_size;

    /* NULL: needs no credentials. */
    const struct provider_type *const *providers;
    const char *no_credentials; /* the mend when no provider is configured */
    /* The environment as those providers are to see it: `under`, with what the
     * settings say of identities laid over it; lives in `arena`.  May be NULL.
     */
    const struct auth_env *(*auth_env)(const void *conf,
                                       const struct auth_env *under,
                                       struct arena *arena);

    /* Who the credentials themselves say we are, and what they need to be
     * granted where, as one line for people; nobody is asked.  May be NULL. */
    bool (*know_who)(const void *conf, const struct credentials *creds,
                     struct arena *arena, struct str *who, struct err *err);
    /*
     * Who the cloud says that these credentials are: the request, ready for
     * the wire, and its answer as words for people.  Both may be NULL.
     */
    bool (*ask_who)(const void *conf, const struct auth_env *env,
                    const struct credentials *creds, int64_t wall_ms,
                    struct arena *arena, struct http_request *req,
                    struct err *err);
    bool (*read_who)(const struct http_response *res, struct arena *arena,
                     struct str *who, struct err *err);

    /*
     * How this cloud wants the points of one series.  each_evaluation: every
     * evaluation at once, and one at least every half minute, in place of all
     * of them together every publish.interval.  newest_wins: of those that
     * wait only the newest is sent.  least_gap_ms: none that is stamped less
     * than this after the last one that was accepted, not even at shutdown.
     * What is left out for the last two ends as superseded, which is no loss.
     */
    bool each_evaluation;
    bool newest_wins;
    int64_t least_gap_ms;

    int64_t oldest_ms; /* points older than this are dropped, never sent */
    int64_t ahead_ms;  /* nor those further ahead; 0 for both: no limit */

    /*
     * Once, after the settings were read: fills in what the environment or
     * the platform tells (region, endpoint) into `conf` (strings from
     * `arena`, which lives as long as it), and refuses what cannot work.
     */
    bool (*prepare)(void *conf, const struct auth_env *env, struct arena *arena,
                    struct err *err);
    /* What this cloud cannot take of a metric; at start and in check-config.
     * May be NULL. */
    bool (*check)(const void *conf, const struct sink_metric *metric,
                  struct err *err);
    /* Whether this very point can be sent; false with the reason: it is
     * dropped and counted.  May be NULL.  (Age is judged by the caller.) */
    bool (*admit)(const void *conf, const struct point *point, struct err *err);
    /*
     * Writes one request for the first `*taken` points of `batch`, as many
     * as fit this cloud's limits (at least one).  Inputs are lent; what `req`
     * points to lives in `arena`.  Not yet signed.  A sink that sends nothing
     * over HTTP leaves req->url empty and writes what it has to say to
     * req->body; it goes to standard output (stdout) or nowhere (none).
     */
    bool (*render)(const void *conf, const struct batch *batch,
                   struct arena *arena, struct http_request *req, size_t *taken,
                   struct err *err);
    /* Makes the request ready for the wire: compresses a long body (so that a
     * dry run shows it readable) and adds the signature; `wall_ms` is the
     * corrected clock.  May be NULL. */
    bool (*sign)(const void *conf, const struct credentials *creds,
                 int64_t wall_ms, struct arena *arena, struct http_request *req,
                 struct err *err);
    /* What the answer to the request for `sent` means: the very points that
     * render() took, so that a cloud's own numbering can be traced back to
     * them.  `bad` indexes `sent` and lives in `arena`. */
    void (*judge)(const void *conf, const struct http_response *res,
                  const struct batch *sent, int64_t now_ms, struct arena *arena,
                  struct verdict *out);
};

/* That `base` is an endpoint that a token may be sent to: https, or plain http
 * on loopback, without user and query.  Slashes at its end are cut off.  The
 * text of an error begins with "endpoint". */
must_check bool sink_endpoint(struct str *base, const char *example,
                              struct err *err);

/* All of them, NULL at the end; sinks/sinks.c. */
extern const struct sink_type *const sink_types[];
/* The one called `name`, or NULL. */
const struct sink_type *sink_find(struct str name);

#endif
