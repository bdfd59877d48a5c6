/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deliver/preview.h"

#include "agent/base/mem.h"

#include <stdlib.h>

static size_t admit(const struct preview *p, const struct batch *batch,
                    const struct point **out)
{
    size_t n = 0;
    struct err why;

    for (size_t i = 0; i < batch->count; i++)
        if (!p->type->admit || p->type->admit(p->conf, batch->points[i], &why))
            out[n++] = batch->points[i];
        else
            p->refused(p->arg, batch->points[i], &why);
    return n;
}

/* Renders the points from `batch` on; gives how many were dealt with. */
static size_t one_request(const struct preview *p, const struct batch *batch,
                          struct arena *arena)
{
    struct http_request req = {0};
    size_t taken = 0;
    struct err why;

    arena_reset(arena);
    if (p->type->render(p->conf, batch, arena, &req, &taken, &why)) {
        p->request(p->arg, &req);
        return taken;
    }
    if (batch->count > 1) /* find the one at fault */
        return one_request(p, &(struct batch){batch->points, 1}, arena);
    p->refused(p->arg, batch->points[0], &why);
    return 1;
}

void preview_batch(const struct preview *p, const struct batch *batch)
{
    const struct point **points =
        xreallocarray(NULL, batch->count + 1, sizeof(const struct point *));
    struct batch left = {points, admit(p, batch, points)};
    struct arena arena;

    arena_init(&arena, 8192);
    while (left.count > 0) {
        size_t n = one_request(p, &left, &arena);

        left.points += n;
        left.count -= n;
    }
    arena_fini(&arena);
    free(points);
}
