/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/list.h"
#include "agent/io/http.h"
#include "agent/settings/settings.h"

#define TIMEOUT (3 * WHEN_SECOND)

static const struct command_option options[] = {
    {"config", "FILE", "The configuration of the running agent."},
    {"ready", NULL, "Ask whether values can be had, not only for a sign."},
    {"log-level", "LEVEL", "As for run."},
    {"log-format", "FORMAT", "As for run."},
    {NULL, NULL, NULL},
};

struct question {
    struct loop *loop;
    bool good;
    struct buf said;
    struct err err;
};

static void on_done(void *arg, const struct http_response *res,
                    const struct err *err)
{
    struct question *q = arg;

    if (err)
        q->err = *err;
    else
        buf_adds(&q->said, res->body);
    q->good = !err && res->status == 200;
    loop_stop(q->loop);
}

/* An address that stands for all of a machine's is asked on loopback. */
static void write_url(const struct settings_listen *l, const char *path,
                      struct buf *url)
{
    struct str address = str_of(l->address);
    struct str any = STR("0.0.0.0:"), any6 = STR("[::]:");

    buf_addz(url, l->certificate[0] ? "https://" : "http://");
    if (str_starts(address, any))
        buf_addf(url, "127.0.0.1:%.*s", STR_ARG(str_from(address, any.len)));
    else if (str_starts(address, any6))
        buf_addf(url, "[::1]:%.*s", STR_ARG(str_from(address, any6.len)));
    else
        buf_adds(url, address);
    buf_addz(url, path);
}

static void ask(const struct settings_listen *l, const char *path,
                struct question *q)
{
    struct http_options options_of = {0};
    struct http *http = http_new(q->loop, &options_of);
    struct http_hooks hooks = {.done = on_done};
    struct http_call call = {0};
    struct http_request req = {.method = STR("GET"),
                               .ca_file = str_of(l->certificate),
                               .timeout_ms = TIMEOUT,
                               .max_response = 65536};
    struct buf url;

    buf_init(&url, BUF_NO_LIMIT);
    write_url(l, path, &url);
    req.url = buf_str(&url);
    http_start(http, &call, &req, &hooks, q);
    loop_run(q->loop);
    http_cancel(&call);
    http_free(http);
    buf_fini(&url);
}

static enum exit_status run_health(const struct command_line *line)
{
    struct settings *s = run_settings(line, command_value(line, "config"));
    bool ready = command_given(line, "ready");
    struct question q = {.good = false};
    struct err err;

    if (!s)
        return EXIT_USAGE;
    if (s->values.listen.address[0] == '\0') {
        settings_free(s);
        (void)err_set(&err, ERR_CONFIG,
                      "listen.address is not set, so that the agent answers "
                      "nowhere; set SCALEBRIDGE_LISTEN_ADDRESS, as "
                      "127.0.0.1:9464");
        return command_fail(line, EXIT_USAGE, &err);
    }
    q.loop = loop_new();
    buf_init(&q.said, BUF_NO_LIMIT);
    ask(&s->values.listen, ready ? "/readyz" : "/healthz", &q);
    (void)command_print(buf_str(&q.said));
    buf_fini(&q.said);
    loop_free(q.loop);
    settings_free(s);
    if (q.err.kind != ERR_NONE)
        return command_fail(line, EXIT_FAILED, &q.err);
    return q.good ? EXIT_WELL : EXIT_FAILED;
}

const struct command command_health = {
    .name = "health",
    .arguments = "",
    .help = "Ask the running agent whether it is well, for HEALTHCHECK.",
    .details =
        "Reads the configuration as run does, asks /healthz at listen.address "
        "(with\n--ready /readyz), and ends with 0 when it is well, with 1 when "
        "it is not.  No\ntoken is needed.  With listen.certificate that "
        "certificate is trusted; it must\nbe good for the address.\n",
    .options = options,
    .run = run_health,
};
