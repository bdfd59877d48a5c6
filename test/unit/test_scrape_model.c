/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thousands of random scrapes, good and broken, against the plain rule: after
 * a good one the store shows exactly its series, after a bad one none.
 */
#include "test/lib/scraped.h"
#include "test/lib/unit.h"

#define SERIES 6
#define ROUNDS 3000

struct model {
    bool known[SERIES];
    int value[SERIES]; /* -1: stale */
};

static unsigned pick(struct scraped *w, unsigned below)
{
    return (unsigned)(loop_random(w->loop) % below);
}

/* A body of some series in some order, some of them twice, and what it would
 * leave behind. */
static void write_body(struct scraped *w, struct buf *body, int values[SERIES])
{
    unsigned lines = pick(w, 2 * SERIES);

    buf_reset(body);
    for (size_t i = 0; i < SERIES; i++)
        values[i] = -1;
    for (unsigned i = 0; i < lines; i++) {
        unsigned s = pick(w, 3) ? i % SERIES : pick(w, SERIES);
        int value = (int)pick(w, 100);

        buf_addf(body, "s{n=\"%u\"} %d\n", s, value);
        if (values[s] < 0)
            values[s] = value;
    }
}

static void learn(struct model *m, const int values[SERIES], bool good)
{
    for (size_t i = 0; i < SERIES; i++) {
        m->value[i] = good ? values[i] : -1;
        m->known[i] |= good && values[i] >= 0;
    }
}

static void expected(const struct model *m, struct buf *out)
{
    buf_reset(out);
    buf_addz(out, "");
    for (size_t i = 0; i < SERIES; i++) {
        if (!m->known[i])
            continue;
        buf_addf(out, "s{instance=\"a:1\", job=\"j\", n=\"%zu\"} ", i);
        if (m->value[i] < 0)
            buf_addz(out, "stale\n");
        else
            buf_addf(out, "%d\n", m->value[i]);
    }
}

/* Half of the answers are good, the others broken somewhere. */
static void choose_fate(struct scraped *w, struct buf *body)
{
    switch (pick(w, 8)) {
    case 0:
        w->page.error = ERR_NETWORK;
        w->page.cut_at = body->len > 0 ? 1 + pick(w, (unsigned)body->len) : 0;
        break;
    case 1:
        w->page.status = 500;
        break;
    case 2:
        buf_addz(body, "s{n=\"0\" 1\n");
        break;
    case 3:
        w->page.never = true;
        break;
    default:
        break;
    }
    w->page.body = buf_str(body);
    w->page.piece = pick(w, 9);
}

static void test_random_scrapes_follow_the_rule(void **state)
{
    struct scraped *w = scraped_new();
    struct model model = {0};
    struct buf body, want;
    size_t good = 0;

    (void)state;
    buf_init(&body, BUF_NO_LIMIT);
    buf_init(&want, BUF_NO_LIMIT);
    scraped_targets(w, "http://a:1/m");
    for (int round = 0; round < ROUNDS; round++) {
        int values[SERIES];
        bool ok;

        write_body(w, &body, values);
        scraped_page(w, TEXT_PLAIN, STR_NONE);
        choose_fate(w, &body);
        ok = scraped_once(w);
        good += ok;
        learn(&model, values, ok);
        expected(&model, &want);
        assert_string_equal(scraped_dump(w, false), buf_z(&want));
        store_expire(w->store, loop_now(w->loop).wall_ms);
    }
    assert_in_range(good, ROUNDS / 3, 2 * ROUNDS / 3);
    buf_fini(&body);
    buf_fini(&want);
    scraped_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_scrapes_follow_the_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
