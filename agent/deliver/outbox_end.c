/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/log.h"
#include "agent/deliver/inside.h"

#include <stdlib.h>

const char *outbox_end_name(enum outbox_end end)
{
    static const char *const names[OUTBOX_ENDS] = {
        [OUTBOX_ACCEPTED] = "accepted",     [OUTBOX_TOO_OLD] = "too_old",
        [OUTBOX_TOO_NEW] = "too_new",       [OUTBOX_CROWDED] = "queue_full",
        [OUTBOX_REFUSED] = "unsendable",    [OUTBOX_REJECTED] = "rejected",
        [OUTBOX_SUPERSEDED] = "superseded",
    };

    return names[end];
}

static void tell_drop(struct outbox *o, const struct point *p,
                      enum outbox_end end, const struct err *why)
{
    struct buf key;
    char *kept;

    buf_init(&key, 1024);
    buf_adds(&key, p->name);
    buf_addf(&key, "\n%d", (int)end);
    if (!map_get(&o->told, buf_str(&key))) {
        kept = buf_take(&key);
        map_put(&o->told, str_of(kept), kept);
        log_warn("point_dropped", log_z("sink", o->with.type->name),
                 log_s("metric", p->name),
                 log_z("reason", outbox_end_name(end)),
                 log_z("error", why ? why->text : ""));
    }
    buf_fini(&key);
}

void outbox_end_entry(struct outbox *o, struct entry *e, enum outbox_end end,
                      const struct err *why)
{
    o->stats.ended[end]++;
    if (end == OUTBOX_ACCEPTED)
        outbox_remember(o, e->point);
    else if (end != OUTBOX_SUPERSEDED)
        tell_drop(o, e->point, end, why);
    if (o->with.ended)
        o->with.ended(o->with.arg, e->point, end, why);
    queue_drop(&o->queue, e);
}

void outbox_end_batch(struct outbox *o, enum outbox_end end,
                      const struct err *why)
{
    for (size_t i = 0; i < o->taken; i++)
        if (o->batch[i])
            outbox_end_entry(o, o->batch[i], end, why);
    o->taken = 0;
}

/* What is too old or ahead of the cloud's window will never be taken. */
void outbox_expire(struct outbox *o)
{
    const struct sink_type *t = o->with.type;
    int64_t now = outbox_cloud_ms(o), limit = o->with.deliver.max_age_ms;
    struct err why;

    if (t->oldest_ms && t->oldest_ms < limit)
        limit = t->oldest_ms;
    list_for_each (&o->queue.entries, n) {
        struct entry *e = list_entry(n, struct entry, node);

        if (now - e->point->t_ms > limit) {
            (void)err_set(&why, ERR_LIMIT,
                          "not delivered within %lld s; the last failure: %s",
                          (long long)(limit / WHEN_SECOND),
                          o->stats.last_error.kind ? o->stats.last_error.text
                                                   : "none");
            outbox_end_entry(o, e, OUTBOX_TOO_OLD, &why);
        } else if (t->ahead_ms && e->point->t_ms - now > t->ahead_ms) {
            (void)err_set(&why, ERR_LIMIT,
                          "stamped %lld s in the future of this cloud's "
                          "clock; set this machine's clock",
                          (long long)((e->point->t_ms - now) / WHEN_SECOND));
            outbox_end_entry(o, e, OUTBOX_TOO_NEW, &why);
        }
    }
}

void outbox_shrink(struct outbox *o)
{
    struct entry *e;
    struct err why;

    while (queue_bytes(&o->queue) > (size_t)o->with.deliver.max_bytes &&
           (e = queue_idle(&o->queue))) {
        (void)err_set(&why, ERR_LIMIT,
                      "the queue is over max_bytes (%lld); this was its "
                      "oldest point",
                      (long long)o->with.deliver.max_bytes);
        outbox_end_entry(o, e, OUTBOX_CROWDED, &why);
    }
}

void outbox_forget_told(struct outbox *o)
{
    struct map_slot slot;
    size_t i = 0;

    while (map_next(&o->told, &i, &slot))
        free(slot.value);
    map_fini(&o->told);
}
