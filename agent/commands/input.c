/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/input.h"

#include "agent/base/gzip.h"
#include "agent/io/http.h"

#include <errno.h>
#include <stdio.h>

static bool too_large(const char *what, struct err *err)
{
    return err_set(err, ERR_LIMIT, "%s: larger than %zu MiB", what,
                   INPUT_MAX >> 20);
}

static bool read_stream(FILE *f, const char *what, struct buf *out,
                        struct err *err)
{
    char piece[65536];
    size_t n;

    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(out, piece, n);
    if (ferror(f))
        return err_set(err, ERR_INPUT, "%s: %s", what, strerror(errno));
    return buf_ok(out) || too_large(what, err);
}

static bool read_file(const char *what, struct buf *out, struct err *err)
{
    FILE *f;
    bool ok;

    if (strcmp(what, "-") == 0)
        return read_stream(stdin, "standard input", out, err);
    f = fopen(what, "rb");
    if (!f)
        return err_set(err, ERR_INPUT, "%s: %s", what, strerror(errno));
    ok = read_stream(f, what, out, err);
    (void)fclose(f);
    return ok;
}

/* One GET on a loop of its own. */
struct fetch {
    struct loop *loop;
    struct input *in;
    const char *what;
    bool ok;
    struct err err;
};

static bool add_piece(void *arg, const char *p, size_t n, struct err *err)
{
    struct fetch *f = arg;

    buf_add(&f->in->text, p, n);
    return buf_ok(&f->in->text) || too_large(f->what, err);
}

static bool unpack(struct fetch *f, struct str body)
{
    struct gunzip *g = gunzip_new(add_piece, f);
    bool ok =
        gunzip_feed(g, body.ptr, body.len, &f->err) && gunzip_end(g, &f->err);

    gunzip_free(g);
    return ok;
}

static void fetch_done(void *arg, const struct http_response *res,
                       const struct err *err)
{
    struct fetch *f = arg;

    if (err) {
        f->err = *err;
    } else if (res->status != 200) {
        (void)err_set(&f->err, ERR_NETWORK, "%s: answered %d", f->what,
                      res->status);
    } else {
        buf_adds(&f->in->content_type, http_get(res, STR("Content-Type")));
        if (str_eqi(http_get(res, STR("Content-Encoding")), STR("gzip")))
            f->ok = unpack(f, res->body);
        else
            f->ok = add_piece(f, res->body.ptr, res->body.len, &f->err);
    }
    loop_stop(f->loop);
}

static bool read_url(const char *what, struct input *in, struct err *err)
{
    struct fetch f = {.loop = loop_new(), .in = in, .what = what};
    struct http_options options = {0};
    struct http_hooks hooks = {.done = fetch_done};
    struct http *http = http_new(f.loop, &options);
    struct http_request req = {
        .method = STR("GET"), .url = str_of(what), .max_response = INPUT_MAX};
    struct http_call call = {0};

    in->is_url = true;
    http_set(&req, STR("Accept"),
             STR("application/openmetrics-text;version=1.0.0;q=0.6,"
                 "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"));
    http_set(&req, STR("Accept-Encoding"), STR("gzip"));
    http_start(http, &call, &req, &hooks, &f);
    loop_run(f.loop);
    http_cancel(&call);
    http_free(http);
    loop_free(f.loop);
    return f.ok || err_set(err, f.err.kind, "%s", f.err.text);
}

bool input_read(const char *what, struct input *in, struct err *err)
{
    struct str s = str_of(what);
    bool ok;

    *in = (struct input){0};
    buf_init(&in->text, INPUT_MAX);
    buf_init(&in->content_type, 1024);
    ok = str_starts(s, STR("http://")) || str_starts(s, STR("https://"))
             ? read_url(what, in, err)
             : read_file(what, &in->text, err);
    if (!ok)
        input_fini(in);
    return ok;
}

void input_fini(struct input *in)
{
    buf_fini(&in->text);
    buf_fini(&in->content_type);
}
