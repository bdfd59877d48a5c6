/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/scrape/body.h"

#include "agent/scrape/ask.h"

/* Of labels as exposed, so that with those of the target the limit is kept.
 * With honor_labels they may be the same ones: merge_within() tells. */
static bool label_room(const struct ingest *in, size_t *room, struct err *err)
{
    size_t limit = (size_t)in->conf->label_limit;
    size_t own = in->conf->honor_labels ? 0 : in->target->count;

    if (limit > 0 && limit <= own)
        return err_set(err, ERR_LIMIT,
                       "label_limit exceeded: the target itself has %zu "
                       "labels, and the limit is %zu",
                       own, limit);
    *room = limit > 0 ? limit - own : 0;
    return true;
}

static bool start_parser(struct body *b, enum parse_format format,
                         struct err *err)
{
    struct ingest *in = b->ingest;
    const struct scrape_conf *conf = in->conf;
    struct parse_options options = {
        .format = format,
        .limits =
            {
                .samples = (uint64_t)conf->sample_limit,
                .label_name_bytes = (size_t)conf->label_name_length_limit,
                .label_value_bytes = (size_t)conf->label_value_length_limit,
            },
        .wanted = b->wanted,
        .memory = in->known->texts,
        .sample = ingest_sample,
        .arg = in,
    };

    if (in->relabel) { /* limits are for what the rules leave */
        options.limits = (struct parse_limits){0};
        options.wanted = NULL;
    } else if (!label_room(in, &options.limits.labels, err)) {
        return false;
    }
    b->parser = parser_new(&options);
    return true;
}

/* What was unpacked, or came plain. */
static bool take(void *arg, const char *p, size_t n, struct err *err)
{
    struct body *b = arg;

    b->bytes += n;
    if (b->bytes > (uint64_t)b->ingest->conf->body_limit)
        return err_set(err, ERR_LIMIT,
                       "body size limit exceeded: more than %lld bytes",
                       (long long)b->ingest->conf->body_limit);
    return parser_feed(b->parser, str_n(p, n), err);
}

bool body_begin(struct body *b, const struct http_response *head,
                struct err *err)
{
    enum parse_format format;
    bool gzip = false;

    if (!ask_answered(head, &gzip, err) ||
        !parse_format_of(http_get(head, STR("Content-Type")),
                         scrape_fallback(b->ingest->conf), &format, err) ||
        !start_parser(b, format, err))
        return false;
    if (gzip)
        b->gunzip = gunzip_new(take, b);
    return true;
}

bool body_feed(struct body *b, struct str piece, struct err *err)
{
    b->wire_bytes += piece.len;
    if (b->gunzip)
        return gunzip_feed(b->gunzip, piece.ptr, piece.len, err);
    return take(b, piece.ptr, piece.len, err);
}

bool body_end(struct body *b, struct err *err)
{
    if (!b->parser)
        return err_set(err, ERR_INTERNAL, "the answer has no head");
    if (b->gunzip && !gunzip_end(b->gunzip, err))
        return false;
    return parser_end(b->parser, err);
}

void body_fini(struct body *b)
{
    gunzip_free(b->gunzip);
    parser_free(b->parser);
    b->gunzip = NULL;
    b->parser = NULL;
}

uint64_t body_samples(const struct body *b)
{
    return b->parser ? parser_counters(b->parser).samples : 0;
}
