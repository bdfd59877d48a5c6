/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide.h - how many workers there shall be; pure.
 *
 * The rules are those of Kubernetes' HorizontalPodAutoscaler (autoscaling/v2,
 * `behavior`): a direction waits until its whole window agrees (going up the
 * least that was wanted in it, going down the most), and changes no more in a
 * period than the larger of a number and a share allows.  On top of them, when
 * asked so, the count is never lowered below the jobs that are being worked
 * on.  Times are milliseconds of the monotonic clock.
 */
#ifndef AGENT_ACTUATE_DECIDE_H
#define AGENT_ACTUATE_DECIDE_H

#include "agent/base/buf.h"

/* No count is larger; also so that sums cannot overflow. */
#define ACTUATE_MOST INT64_C(1000000)

struct actuate_side {
    int64_t window_ms;
    int64_t workers; /* as many in a period, or `percent`, whatever is more; */
    int64_t percent; /* both 0: never in this direction */
    int64_t period_ms;
};

struct actuate_limits {
    int64_t min, max;
    struct actuate_side up, down;
};

struct actuate_event {
    int64_t at_ms, count;
};

struct actuate_events {
    struct actuate_event *items;
    size_t count, cap;
};

/* All-zero when new. */
struct actuate_memory {
    struct actuate_events wanted;
    struct actuate_events added, taken; /* workers, by changes of ours */
};

void actuate_forget(struct actuate_memory *m); /* frees; all-zero again */

struct actuate_input {
    int64_t now_ms;
    int64_t current;
    double required; /* finite; rounded up */
    bool busy_floor; /* never lower below `busy` */
    bool busy_known;
    double busy;
};

enum actuate_why {
    ACTUATE_EQUAL,    /* as many as are required */
    ACTUATE_REQUIRED, /* changes to what is required */
    ACTUATE_WINDOW,   /* the window does not agree, wholly or in part */
    ACTUATE_STEP,     /* the step limit */
    ACTUATE_MIN,
    ACTUATE_MAX,
    ACTUATE_BUSY,    /* that many jobs are being worked on */
    ACTUATE_UNKNOWN, /* how many jobs are being worked on is not known */
};

struct actuate_decision {
    int64_t current, required; /* required: rounded, before all limits */
    int64_t count;
    enum actuate_why why; /* what set `count` in the end */
};

/*
 * Remembers what was required, and decides.  The first time the count that
 * stands is taken for what was wanted so far, so that a start of this program
 * lowers nothing before a window has passed.
 */
struct actuate_decision actuate_decide(const struct actuate_limits *limits,
                                       struct actuate_memory *m,
                                       const struct actuate_input *in);
/* The count was changed by us. */
void actuate_changed(struct actuate_memory *m, int64_t now_ms, int64_t from,
                     int64_t to);
/* "8 required, 5 now: 7, the most that one step may add". */
void actuate_tell(const struct actuate_decision *d, struct buf *out);

#endif
