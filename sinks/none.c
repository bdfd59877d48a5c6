/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/sinks.h"

struct none_conf {
    bool nothing; /* no settings; a struct needs a member */
};

static const struct conf_key keys[] = {CONF_END};

static bool render(const void *conf, const struct batch *batch,
                   struct arena *arena, struct http_request *req, size_t *taken,
                   struct err *err)
{
    (void)conf;
    (void)arena;
    (void)err;
    req->body = STR_NONE;
    *taken = batch->count;
    return true;
}

const struct sink_type none_sink = {
    .name = "none",
    .help = "Takes every point and sends it nowhere; for /metrics alone.",
    .keys = keys,
    .conf_size = sizeof(struct none_conf),
    .render = render,
    .judge = sink_nobody_answers,
};
