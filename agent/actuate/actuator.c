/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/actuate/actuator.h"

#include "agent/base/backoff.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"

#include <assert.h>
#include <stdlib.h>

#define BACKOFF_CAP (10 * WHEN_MINUTE)
#define NONE        INT64_C(-1)

enum actuator_state { ACTUATOR_RESTING, ACTUATOR_READING, ACTUATOR_WRITING };

struct actuator {
    struct actuator_options with;
    struct actuate_limits limits;
    struct actuate_memory memory;
    enum actuator_state state;
    struct cloudrun_call call;
    struct actuate_reading reading; /* that this round decides on */
    struct actuate_decision decision;
    struct backoff backoff;
    int64_t due_ms;   /* nothing is begun before */
    int64_t stood;    /* the count that we last saw or set; NONE: not yet */
    int64_t tried;    /* set with an outcome that is not known; NONE */
    struct buf text;  /* of what was last told */
    struct buf wrote; /* of what was last logged */
};

static const struct {
    const char *name;
    unsigned next;
} states[] = {
    [ACTUATOR_RESTING] = {"resting", 1U << ACTUATOR_READING},
    [ACTUATOR_READING] = {"reading",
                          1U << ACTUATOR_WRITING | 1U << ACTUATOR_RESTING},
    [ACTUATOR_WRITING] = {"writing", 1U << ACTUATOR_RESTING},
};

/* The only way from state to state. */
static void enter(struct actuator *a, enum actuator_state next)
{
    assert(states[a->state].next & 1U << next);
    log_debug("actuator", log_z("name", a->with.conf->name),
              log_z("from", states[a->state].name),
              log_z("to", states[next].name));
    a->state = next;
}

static int64_t now_of(const struct actuator *a)
{
    return loop_now(a->with.loop).mono_ms;
}

static bool is_dry(const struct actuator *a)
{
    return a->with.dry || a->with.conf->dry_run;
}

/* ---- telling ---- */

/* One line for what is new: the same again, every 15 s, tells nobody more. */
static void write_log(struct actuator *a, enum log_level level,
                      const char *event)
{
    if (str_eq(buf_str(&a->text), buf_str(&a->wrote)))
        return;
    buf_reset(&a->wrote);
    buf_adds(&a->wrote, buf_str(&a->text));
    log_write(level, event, log_z("actuator", a->with.conf->name),
              log_z("metric", a->with.conf->metric), log_b("dry", is_dry(a)),
              log_s("reason", buf_str(&a->text)), LOG_END);
}

static void tell(struct actuator *a, bool decided)
{
    struct actuate_told told = {.conf = a->with.conf,
                                .decided = decided,
                                .decision = a->decision,
                                .text = buf_str(&a->text)};

    if (a->with.told)
        a->with.told(a->with.arg, &told);
}

static void tell_nothing(struct actuator *a, enum log_level level,
                         const char *event, struct str why)
{
    buf_reset(&a->text);
    buf_adds(&a->text, why);
    write_log(a, level, event);
    tell(a, false);
}

/* ---- the end of a round ---- */

static void rest(struct actuator *a, int64_t wait_ms)
{
    enter(a, ACTUATOR_RESTING);
    a->due_ms = now_of(a) + wait_ms;
}

static void rest_as_usual(struct actuator *a)
{
    backoff_reset(&a->backoff);
    rest(a, a->with.conf->interval_ms);
}

/* What was wanted while somebody else had the count is no ground to stand
 * on. */
static void yield(struct actuator *a, struct str why)
{
    actuate_forget(&a->memory);
    a->tried = NONE;
    backoff_reset(&a->backoff);
    rest(a, a->with.conf->yield_ms > a->with.conf->interval_ms
                ? a->with.conf->yield_ms
                : a->with.conf->interval_ms);
    tell_nothing(a, LOG_WARN, "actuate_yields", why);
}

static void fail(struct actuator *a, const struct err *err)
{
    rest(a, a->with.conf->interval_ms +
                backoff_next(&a->backoff, loop_random(a->with.loop)));
    tell_nothing(a, LOG_WARN, "actuate_failed", str_of(err->text));
}

/* ---- writing ---- */

/* After these the change may have been made all the same. */
static bool may_have_happened(enum err_kind kind)
{
    return kind == ERR_NETWORK || kind == ERR_TIMEOUT;
}

static void on_written(void *arg, const struct cloudrun_state *state,
                       const struct err *err, bool changed)
{
    struct actuator *a = arg;

    if (changed) {
        a->stood = NONE;
        yield(a, STR("somebody else changed it in the same moment; standing "
                     "back"));
        return;
    }
    if (err) {
        if (may_have_happened(err->kind) && !is_dry(a))
            a->tried = a->decision.count;
        fail(a, err);
        return;
    }
    (void)state;
    if (!is_dry(a)) {
        a->stood = a->decision.count;
        a->tried = NONE;
        actuate_changed(&a->memory, now_of(a), a->decision.current,
                        a->decision.count);
    }
    rest_as_usual(a);
    write_log(a, LOG_INFO, "actuate_set");
    tell(a, true);
}

static void write_count(struct actuator *a, struct str etag)
{
    const struct cloudrun_write write = {.count = a->decision.count,
                                         .etag = etag,
                                         .dry = is_dry(a),
                                         .timeout_ms =
                                             a->with.conf->timeout_ms};

    enter(a, ACTUATOR_WRITING);
    cloudrun_set(a->with.cloudrun, &a->call, a->with.conf->cloud_run, &write,
                 on_written, a);
}

/* ---- reading and deciding ---- */

static void decide(struct actuator *a, const struct cloudrun_state *state)
{
    const struct actuate_input in = {
        .now_ms = now_of(a),
        .current = state->count,
        .required = a->reading.required,
        .busy_floor = a->with.conf->busy[0] != '\0',
        .busy_known = a->reading.busy_known,
        .busy = a->reading.busy,
    };

    a->decision = actuate_decide(&a->limits, &a->memory, &in);
    buf_reset(&a->text);
    actuate_tell(&a->decision, &a->text);
    if (a->decision.count != state->count) {
        write_count(a, state->etag);
        return;
    }
    rest_as_usual(a);
    write_log(a, LOG_INFO, "actuate_kept");
    tell(a, true);
}

/* False where the count is not the one that we left. */
static bool is_ours(struct actuator *a, int64_t count)
{
    if (a->stood == NONE || count == a->stood)
        return true;
    if (count != a->tried)
        return false;
    actuate_changed(&a->memory, now_of(a), a->stood, count);
    return true;
}

static void on_read(void *arg, const struct cloudrun_state *state,
                    const struct err *err, bool changed)
{
    struct actuator *a = arg;
    bool ours;

    (void)changed; /* nothing was written */
    if (err) {
        fail(a, err);
        return;
    }
    if (state->reconciling) {
        rest_as_usual(a);
        tell_nothing(a, LOG_INFO, "actuate_waits",
                     STR("a change of it is still being made"));
        return;
    }
    ours = is_ours(a, state->count);
    a->stood = state->count;
    a->tried = NONE;
    if (ours)
        decide(a, state);
    else
        yield(a, STR("somebody else changed the count; standing back"));
}

void actuator_feed(struct actuator *a, const struct actuate_reading *r)
{
    if (a->state != ACTUATOR_RESTING || now_of(a) < a->due_ms)
        return;
    if (!r->known) {
        tell_nothing(a, LOG_WARN, "actuate_holds", r->why);
        return;
    }
    a->reading = *r;
    a->reading.why = STR_NONE; /* lent for the call alone */
    enter(a, ACTUATOR_READING);
    cloudrun_read(a->with.cloudrun, &a->call, a->with.conf->cloud_run,
                  a->with.conf->timeout_ms, on_read, a);
}

/* ---- life ---- */

static struct actuate_side side_of(const struct actuate_side_conf *c)
{
    return (struct actuate_side){.window_ms = c->window_ms,
                                 .workers = c->workers,
                                 .percent = c->percent,
                                 .period_ms = c->period_ms};
}

struct actuator *actuator_new(const struct actuator_options *options)
{
    struct actuator *a = xcalloc(1, sizeof(*a));
    const struct actuate_conf *c = options->conf;

    a->with = *options;
    a->limits = (struct actuate_limits){.min = c->min,
                                        .max = c->max,
                                        .up = side_of(&c->up),
                                        .down = side_of(&c->down)};
    a->stood = NONE;
    a->tried = NONE;
    a->backoff =
        (struct backoff){.base_ms = c->interval_ms, .cap_ms = BACKOFF_CAP};
    buf_init(&a->text, 1024);
    buf_init(&a->wrote, 1024);
    return a;
}

void actuator_free(struct actuator *a)
{
    if (!a)
        return;
    cloudrun_cancel(&a->call);
    actuate_forget(&a->memory);
    buf_fini(&a->text);
    buf_fini(&a->wrote);
    free(a);
}
