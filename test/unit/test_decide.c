/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/actuate/decide.h"
#include "test/lib/unit.h"

#include <math.h>

#define S INT64_C(1000)

/* Kubernetes' own: up at once by 100 % or four, down after five minutes. */
static const struct actuate_limits usual = {
    .min = 1,
    .max = 50,
    .up = {.window_ms = 0, .workers = 4, .percent = 100, .period_ms = 15 * S},
    .down = {.window_ms = 300 * S, .percent = 100, .period_ms = 15 * S},
};

static struct actuate_decision decide(const struct actuate_limits *limits,
                                      struct actuate_memory *m, int64_t at_s,
                                      int64_t current, double required)
{
    struct actuate_input in = {
        .now_ms = at_s * S, .current = current, .required = required};

    return actuate_decide(limits, m, &in);
}

#define ASSERT_DECIDED(d, n, reason)                   \
    do {                                               \
        struct actuate_decision got = (d);             \
        assert_int_equal(got.count, (n));              \
        assert_int_equal((int)got.why, (int)(reason)); \
    } while (0)

static void test_up_is_fast_within_the_step(void **state)
{
    struct actuate_memory m = {0};

    (void)state;
    ASSERT_DECIDED(decide(&usual, &m, 0, 2, 20), 6, ACTUATE_STEP);
    actuate_changed(&m, 0, 2, 6);
    ASSERT_DECIDED(decide(&usual, &m, 5, 6, 20), 6, ACTUATE_STEP);
    ASSERT_DECIDED(decide(&usual, &m, 15, 6, 20), 12, ACTUATE_STEP);
    actuate_changed(&m, 15 * S, 6, 12);
    ASSERT_DECIDED(decide(&usual, &m, 30, 12, 20), 20, ACTUATE_REQUIRED);
    actuate_forget(&m);
}

static void test_down_waits_until_the_whole_window_agrees(void **state)
{
    struct actuate_memory m = {0};

    (void)state;
    ASSERT_DECIDED(decide(&usual, &m, 0, 10, 10), 10, ACTUATE_EQUAL);
    ASSERT_DECIDED(decide(&usual, &m, 30, 10, 4), 10, ACTUATE_WINDOW);
    ASSERT_DECIDED(decide(&usual, &m, 299, 10, 3), 10, ACTUATE_WINDOW);
    ASSERT_DECIDED(decide(&usual, &m, 300, 10, 3), 4, ACTUATE_WINDOW);
    ASSERT_DECIDED(decide(&usual, &m, 330, 4, 3), 3, ACTUATE_REQUIRED);
    actuate_forget(&m);
}

static void test_a_start_lowers_nothing_for_a_window(void **state)
{
    struct actuate_memory m = {0};

    (void)state;
    ASSERT_DECIDED(decide(&usual, &m, 1000, 30, 2), 30, ACTUATE_WINDOW);
    ASSERT_DECIDED(decide(&usual, &m, 1299, 30, 2), 30, ACTUATE_WINDOW);
    ASSERT_DECIDED(decide(&usual, &m, 1300, 30, 2), 2, ACTUATE_REQUIRED);
    actuate_forget(&m);
}

static void test_min_and_max_hold_and_a_computed_three_is_three(void **state)
{
    struct actuate_memory m = {0};
    struct actuate_limits at_once = usual;

    (void)state;
    at_once.down.window_ms = 0;
    at_once.up.percent = 1000000;
    ASSERT_DECIDED(decide(&at_once, &m, 0, 5, 1e300), 50, ACTUATE_MAX);
    ASSERT_DECIDED(decide(&at_once, &m, 1, 5, -3), 1, ACTUATE_MIN);
    ASSERT_DECIDED(decide(&at_once, &m, 2, 5, 3 + 1e-9), 3, ACTUATE_REQUIRED);
    ASSERT_DECIDED(decide(&at_once, &m, 3, 5, 3.1), 4, ACTUATE_REQUIRED);
    ASSERT_DECIDED(decide(&at_once, &m, 4, 0, 0), 1, ACTUATE_MIN);
    actuate_forget(&m);
}

static void test_busy_workers_are_not_taken_away(void **state)
{
    struct actuate_memory m = {0};
    struct actuate_limits at_once = usual;
    struct actuate_input in = {.current = 10,
                               .required = 2,
                               .busy_floor = true,
                               .busy_known = true,
                               .busy = 7};

    (void)state;
    at_once.down.window_ms = 0;
    ASSERT_DECIDED(actuate_decide(&at_once, &m, &in), 7, ACTUATE_BUSY);
    in.busy = 12; /* it is a floor for lowering, never a reason to add */
    ASSERT_DECIDED(actuate_decide(&at_once, &m, &in), 10, ACTUATE_BUSY);
    in.busy_known = false;
    ASSERT_DECIDED(actuate_decide(&at_once, &m, &in), 10, ACTUATE_UNKNOWN);
    in.required = 12; /* adding needs no floor */
    ASSERT_DECIDED(actuate_decide(&at_once, &m, &in), 12, ACTUATE_REQUIRED);
    actuate_forget(&m);
}

static void test_without_a_step_a_direction_is_closed(void **state)
{
    struct actuate_memory m = {0};
    struct actuate_limits up_only = usual;

    (void)state;
    up_only.down = (struct actuate_side){.period_ms = 15 * S};
    ASSERT_DECIDED(decide(&up_only, &m, 0, 10, 2), 10, ACTUATE_STEP);
    actuate_forget(&m);
}

/* ---- against a model ---- */

#define STEPS 400

/* Everything that ever happened, and no pruning. */
struct model {
    int64_t at[STEPS], wanted[STEPS], delta[STEPS];
    size_t n;
};

static int64_t model_start(const struct model *m, int64_t now, int64_t period,
                           int64_t current)
{
    for (size_t i = 0; i < m->n; i++)
        if (now - m->at[i] < period)
            current -= m->delta[i];
    return current;
}

static int64_t model_stable(const struct model *m,
                            const struct actuate_limits *l, int64_t now,
                            int64_t current, int64_t wanted)
{
    int64_t up = wanted, down = wanted;

    for (size_t i = 0; i < m->n; i++) {
        if (now - m->at[i] < l->up.window_ms && m->wanted[i] < up)
            up = m->wanted[i];
        if (now - m->at[i] < l->down.window_ms && m->wanted[i] > down)
            down = m->wanted[i];
    }
    return current < up ? up : current > down ? down : current;
}

static int64_t model_step(const struct model *m, const struct actuate_limits *l,
                          int64_t now, int64_t current, int64_t count)
{
    double up = (double)model_start(m, now, l->up.period_ms, current);
    double down = (double)model_start(m, now, l->down.period_ms, current);
    double high = fmax(up + (double)l->up.workers,
                       ceil(up * (100 + (double)l->up.percent) / 100));
    double low = fmin(down - (double)l->down.workers,
                      trunc(down * (100 - (double)l->down.percent) / 100));

    if (current == 0 && l->up.percent > 0)
        high = fmax(high, 1);
    high = fmax(high, (double)(current > l->min ? current : l->min));
    low = fmin(fmax(low, 0), (double)(current < l->max ? current : l->max));
    return (int64_t)fmin(fmax((double)count, low), high);
}

static uint64_t dice(uint64_t *seed)
{
    *seed =
        *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static void run_history(uint64_t seed)
{
    const struct actuate_limits l = {
        .min = (int64_t)(dice(&seed) % 3),
        .max = 20 + (int64_t)(dice(&seed) % 20),
        .up = {(int64_t)(dice(&seed) % 60) * S, (int64_t)(dice(&seed) % 5),
               (int64_t)(dice(&seed) % 150), 15 * S},
        .down = {(int64_t)(dice(&seed) % 120) * S, (int64_t)(dice(&seed) % 5),
                 (int64_t)(dice(&seed) % 101), 30 * S},
    };
    struct actuate_memory memory = {0};
    struct model m = {.at = {0}, .wanted = {0}, .delta = {0}, .n = 0};
    int64_t now = 0, current = (int64_t)(dice(&seed) % 30);

    m.wanted[m.n++] = current; /* what is taken for wanted at the start */
    while (m.n < STEPS) {
        int64_t required = (int64_t)(dice(&seed) % 45), wanted, expected;
        struct actuate_decision d;

        wanted = required < l.min ? l.min : required > l.max ? l.max : required;
        expected = model_stable(&m, &l, now, current, wanted);
        expected = model_step(&m, &l, now, current, expected);
        d = decide(&l, &memory, now / S, current, (double)required);
        assert_int_equal(d.count, expected);
        m.at[m.n] = now;
        m.wanted[m.n] = wanted;
        m.delta[m.n++] = d.count - current;
        actuate_changed(&memory, now, current, d.count);
        current = d.count;
        now += (int64_t)(1 + dice(&seed) % 20) * S;
    }
    actuate_forget(&memory);
}

static void test_histories_agree_with_a_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++)
        run_history(seed);
}

static void test_a_decision_is_told_with_its_reason(void **state)
{
    const struct actuate_decision d = {
        .current = 5, .required = 8, .count = 7, .why = ACTUATE_STEP};
    struct buf b;

    (void)state;
    buf_init(&b, 200);
    actuate_tell(&d, &b);
    assert_string_equal(buf_z(&b), "8 required, 5 now: set 7, as far as the "
                                   "step limit allows");
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up_is_fast_within_the_step),
        cmocka_unit_test(test_down_waits_until_the_whole_window_agrees),
        cmocka_unit_test(test_a_start_lowers_nothing_for_a_window),
        cmocka_unit_test(test_min_and_max_hold_and_a_computed_three_is_three),
        cmocka_unit_test(test_busy_workers_are_not_taken_away),
        cmocka_unit_test(test_without_a_step_a_direction_is_closed),
        cmocka_unit_test(test_histories_agree_with_a_model),
        cmocka_unit_test(test_a_decision_is_told_with_its_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
