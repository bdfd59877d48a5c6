/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Never a wrong number: a fleet whose targets fail, are lost by discovery for
 * a moment, come and are replaced at random, fixed seeds, against what is
 * true.  A fresh value is the true sum, a held one was true at most two
 * minutes ago, and with all well there is a fresh one.
 */
#include "test/lib/rules_world.h"
#include "test/lib/unit.h"

#define CYCLE 15000

enum { HISTORY = 9 }; /* cycles that a value can be held over, and itself */

struct fleet {
    struct world w;
    uint64_t seed;
    size_t count;  /* targets there really are */
    size_t hidden; /* of them, not discovered, the last ones */
    int hidden_for;
    double truth[HISTORY]; /* the newest first; only where it was seen whole */
    bool known[HISTORY];
    unsigned fresh, held, missing;
};

static uint64_t draw(struct fleet *f, uint64_t below)
{
    f->seed ^= f->seed << 13;
    f->seed ^= f->seed >> 7;
    f->seed ^= f->seed << 17;
    return f->seed % below;
}

/* Discovery misses some that it knew, for at most three cycles, and says so
 * or not. */
static void glitch(struct fleet *f, bool grown)
{
    if (f->hidden > 0) {
        if (--f->hidden_for == 0)
            f->hidden = 0;
    } else if (!grown && draw(f, 12) == 0) {
        f->hidden = 1 + draw(f, f->count - 1);
        f->hidden_for = 1 + (int)draw(f, 3);
    }
    f->w.jobs[0].complete = draw(f, 20) != 0;
    f->w.jobs[0].target_count = f->count - f->hidden;
}

static bool grow(struct fleet *f)
{
    if (f->hidden > 0 || f->count == WORLD_TARGETS || draw(f, 25) != 0)
        return false;
    f->w.targets[0][f->count] = f->w.targets[0][0];
    f->w.targets[0][f->count].instance = str_n(&"abcdef"[f->count], 1);
    f->count++;
    return true;
}

/* Values of one cycle; true when all of them could be seen. */
static bool live(struct fleet *f, double *sum)
{
    bool whole = f->hidden == 0 && f->w.jobs[0].complete;

    *sum = 0;
    for (size_t i = 0; i < f->count; i++) {
        double v = (double)(1 + draw(f, 9));
        bool answers = draw(f, 15) != 0;

        *sum += v;
        if (i >= f->count - f->hidden)
            continue;
        if (answers) {
            world_up(&f->w, "one", i);
            world_set(&f->w, "depth", "one", i, v);
        } else {
            world_down(&f->w, "one", i, "gone");
        }
        whole &= answers;
    }
    return whole;
}

static void remember(struct fleet *f, bool whole, double sum)
{
    for (size_t i = HISTORY - 1; i > 0; i--) {
        f->truth[i] = f->truth[i - 1];
        f->known[i] = f->known[i - 1];
    }
    f->truth[0] = sum;
    f->known[0] = whole;
}

static bool was_true(const struct fleet *f, double v)
{
    for (size_t i = 1; i < HISTORY; i++)
        if (f->known[i] && f->truth[i] == v)
            return true;
    return false;
}

static void check(struct fleet *f, bool whole)
{
    const struct rule_result *r = world_result(&f->w, "Depth");

    if (whole)
        assert_int_equal(r->state, RULE_FRESH);
    switch (r->state) {
    case RULE_FRESH:
        assert_true(whole && r->complete);
        assert_true(world_value(&f->w, "Depth") == f->truth[0]);
        f->fresh++;
        break;
    case RULE_HELD:
        assert_true(was_true(f, world_value(&f->w, "Depth")));
        assert_true(r->reason.len > 0);
        f->held++;
        break;
    case RULE_MISSING:
        assert_int_equal(r->row_count, 0);
        assert_true(r->reason.len > 0);
        f->missing++;
        break;
    case RULE_SUBSTITUTED:
    case RULE_OFF:
        fail();
    }
}

static void run(uint64_t seed, int cycles)
{
    struct fleet f = {.seed = seed, .count = 3};

    world_init(&f.w);
    world_metric(&f.w, "Depth", "sum(depth)");
    assert_true(world_start(&f.w));
    world_job(&f.w, "one", 3);
    for (int i = 0; i < cycles; i++) {
        double sum;
        bool whole;

        world_pass(&f.w, CYCLE);
        glitch(&f, grow(&f) || i == 0);
        whole = live(&f, &sum);
        remember(&f, whole, sum);
        world_evaluate(&f.w);
        check(&f, whole);
    }
    assert_true(f.fresh > 0 && f.held > 0);
    world_fini(&f.w);
}

static void test_what_is_published_was_true(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++)
        run(seed * UINT64_C(0x9e3779b97f4a7c15), 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_published_was_true),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
