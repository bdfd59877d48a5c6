/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/near.h"

#define LONGEST 64 /* longer names are not compared */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool swapped(struct str a, struct str b, size_t i, size_t k)
{
    return i > 1 && k > 1 && a.ptr[i - 1] == b.ptr[k - 2] &&
           a.ptr[i - 2] == b.ptr[k - 1];
}

/* Optimal string alignment; three rows of its table are enough. */
static size_t distance(struct str a, struct str b)
{
    size_t rows[3][LONGEST + 1];

    for (size_t k = 0; k <= b.len; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];

        row[0] = i;
        for (size_t k = 1; k <= b.len; k++) {
            size_t change = above[k - 1] + (a.ptr[i - 1] != b.ptr[k - 1]);

            row[k] = least(change, least(above[k], row[k - 1]) + 1);
            if (swapped(a, b, i, k))
                row[k] = least(row[k], rows[(i - 2) % 3][k - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

void near_start(struct near *n, struct str typed)
{
    *n = (struct near){.typed = typed, .distance = SIZE_MAX};
}

void near_offer(struct near *n, struct str name)
{
    size_t longer = n->typed.len > name.len ? n->typed.len : name.len;
    size_t d;

    if (longer > LONGEST)
        return;
    d = distance(n->typed, name);
    if (d > longer / 3 || d >= n->distance)
        return;
    n->best = name;
    n->distance = d;
}
