/* SPDX-License-Identifier: Apache-2.0 */
#define ZLIB_CONST
#include "agent/base/gzip.h"

#include "agent/base/mem.h"

#include <stdlib.h>
#include <zlib.h>

#define CHUNK        ((size_t)16 * 1024)
#define MOST_A_CALL  ((size_t)1 << 30) /* zlib counts in unsigned int */
#define GZIP_WINDOW  (15 + 16)
#define MEMORY_LEVEL 8

struct gunzip {
    z_stream z;
    gunzip_fn *fn;
    void *arg;
    bool within; /* a member has begun and not ended */
    bool any;    /* a member has ended */
    bool failed;
    struct err err; /* why, once it failed */
    unsigned char chunk[CHUNK];
};

/* Out of memory ends the process here as anywhere. */
static void *take(void *opaque, uInt count, uInt size)
{
    (void)opaque;
    return xcalloc(count, size);
}

static void give(void *opaque, void *p)
{
    (void)opaque;
    free(p);
}

struct gunzip *gunzip_new(gunzip_fn *fn, void *arg)
{
    struct gunzip *g = xcalloc(1, sizeof(*g));

    g->fn = fn;
    g->arg = arg;
    g->z.zalloc = take;
    g->z.zfree = give;
    if (inflateInit2(&g->z, GZIP_WINDOW) != Z_OK)
        abort(); /* only a zlib of another version refuses */
    return g;
}

void gunzip_free(struct gunzip *g)
{
    if (!g)
        return;
    (void)inflateEnd(&g->z);
    free(g);
}

/* Unpacks until the input is used up or the member ends. */
static bool unpack(struct gunzip *g)
{
    int rc = Z_OK;

    do {
        g->z.next_out = g->chunk;
        g->z.avail_out = (uInt)CHUNK;
        rc = inflate(&g->z, Z_NO_FLUSH);
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
            return err_set(&g->err, ERR_INPUT, "gzip: %s",
                           g->z.msg ? g->z.msg : "damaged data");
        if (g->z.avail_out < CHUNK && !g->fn(g->arg, (const char *)g->chunk,
                                             CHUNK - g->z.avail_out, &g->err))
            return false;
    } while (rc == Z_OK && (g->z.avail_in || g->z.avail_out == 0));
    g->within = rc != Z_STREAM_END;
    if (rc == Z_STREAM_END) {
        g->any = true;
        (void)inflateReset(&g->z);
    }
    return true;
}

bool gunzip_feed(struct gunzip *g, const char *p, size_t n, struct err *err)
{
    while (n && !g->failed) {
        size_t part = n < MOST_A_CALL ? n : MOST_A_CALL;

        g->z.next_in = (const unsigned char *)p;
        g->z.avail_in = (uInt)part;
        while (g->z.avail_in && !g->failed)
            g->failed = !unpack(g);
        p += part;
        n -= part;
    }
    if (g->failed && err)
        *err = g->err;
    return !g->failed;
}

bool gunzip_end(struct gunzip *g, struct err *err)
{
    if (g->failed) {
        if (err)
            *err = g->err;
        return false;
    }
    if (g->within || !g->any)
        return err_set(err, ERR_INPUT, "gzip: the stream is cut short");
    return true;
}

static void drain(z_stream *z, struct buf *out, int flush)
{
    unsigned char chunk[CHUNK];

    do {
        z->next_out = chunk;
        z->avail_out = (uInt)sizeof(chunk);
        (void)deflate(z, flush); /* fails on a wrong state only */
        buf_add(out, chunk, sizeof(chunk) - z->avail_out);
    } while (z->avail_out == 0);
}

bool gzip_pack(struct buf *out, struct str in, struct err *err)
{
    z_stream z = {.zalloc = take, .zfree = give};

    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW,
                     MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return err_set(err, ERR_INTERNAL, "gzip: zlib does not start");
    while (in.len > MOST_A_CALL) {
        z.next_in = (const unsigned char *)in.ptr;
        z.avail_in = (uInt)MOST_A_CALL;
        drain(&z, out, Z_NO_FLUSH);
        in = str_from(in, MOST_A_CALL);
    }
    z.next_in = (const unsigned char *)in.ptr;
    z.avail_in = (uInt)in.len;
    drain(&z, out, Z_FINISH);
    (void)deflateEnd(&z);
    if (!buf_ok(out))
        return err_set(err, ERR_LIMIT, "gzip: over %zu bytes", out->max);
    return true;
}
