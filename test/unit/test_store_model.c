/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store against a model that cannot be wrong: a list of series with all
 * their samples, searched from end to end.  Random operations, fixed seeds.
 */
#include "agent/base/mem.h"
#include "agent/store/store.h"
#include "test/lib/unit.h"

#include <stdlib.h>

enum { MAX_SERIES = 120, MAX_SAMPLES = 400 };

struct model_series {
    struct labels *labels; /* NULL: not there */
    struct series *real;
    struct sample samples[MAX_SAMPLES];
    size_t count;
    unsigned refs;
};

struct world {
    struct store *store;
    struct model_series model[MAX_SERIES];
    int64_t now, retention;
    uint64_t seed, refused;
};

static uint64_t draw(struct world *w, uint64_t below)
{
    w->seed ^= w->seed << 13;
    w->seed ^= w->seed >> 7;
    w->seed ^= w->seed << 17;
    return w->seed % below;
}

/* Six names, one of them none; the number makes the set unique. */
static struct labels *labels_of(size_t i)
{
    static const char *const names[] = {"", "a", "b", "up", "x.y", "long_name"};
    static const char *const jobs[] = {"", "api", "runner"};
    char digits[2] = {(char)('A' + i % 26), (char)('a' + i / 26)};
    struct labels_builder b = {0};
    struct labels *l;

    labels_set(&b, LABEL_NAME, str_of(names[i % 6]));
    labels_set(&b, LABEL_JOB, str_of(jobs[i / 6 % 3]));
    labels_set(&b, STR("n"), str_n(digits, 2));
    l = labels_build(&b, NULL);
    labels_builder_fini(&b);
    return l;
}

static size_t model_count(const struct world *w)
{
    size_t n = 0;

    for (size_t i = 0; i < MAX_SERIES; i++)
        n += w->model[i].labels != NULL;
    return n;
}

static void model_drop(struct model_series *m)
{
    free(m->labels);
    *m = (struct model_series){0};
}

static void do_append(struct world *w)
{
    size_t i = draw(w, MAX_SERIES);
    struct model_series *m = &w->model[i];
    int64_t t = w->now + (int64_t)draw(w, 40) - 30;
    double v = (double)draw(w, 1000);
    bool fits;

    if (!m->labels)
        m->labels = labels_of(i);
    m->real = store_series(w->store, m->labels);
    assert_non_null(m->real);
    if (m->count == MAX_SAMPLES)
        return;
    fits = m->count == 0 || m->samples[m->count - 1].t_ms < t;
    assert_int_equal(series_append(m->real, t, v), fits);
    if (fits)
        m->samples[m->count++] = (struct sample){t, v};
    else
        w->refused++;
}

static void do_expire(struct world *w)
{
    store_expire(w->store, w->now);
    for (size_t i = 0; i < MAX_SERIES; i++) {
        struct model_series *m = &w->model[i];
        size_t kept = 0;

        for (size_t j = 0; j < m->count; j++)
            if (m->samples[j].t_ms > w->now - w->retention)
                m->samples[kept++] = m->samples[j];
        m->count = kept;
        if (m->labels && kept == 0 && m->refs == 0)
            model_drop(m);
    }
}

static void do_hold(struct world *w)
{
    struct model_series *m = &w->model[draw(w, MAX_SERIES)];

    if (!m->labels)
        return;
    if (m->refs > 0 && draw(w, 2)) {
        series_unref(m->real);
        m->refs--;
    } else {
        series_ref(m->real);
        m->refs++;
    }
}

static void check_window(struct world *w, const struct model_series *m)
{
    int64_t from = w->now - (int64_t)draw(w, 600);
    int64_t to = from + (int64_t)draw(w, 400) - 50;
    struct series_window window = series_between(m->real, from, to);
    const struct sample *newest = series_newest(m->real, from, to);
    size_t n = 0;

    for (size_t j = 0; j < m->count; j++) {
        const struct sample *want = &m->samples[j];

        if (want->t_ms <= from || want->t_ms > to)
            continue;
        assert_true(n < window_count(&window));
        assert_int_equal(window_at(&window, n)->t_ms, want->t_ms);
        assert_true(window_at(&window, n)->v == want->v);
        n++;
    }
    assert_int_equal(window_count(&window), n);
    if (n == 0)
        assert_null(newest);
    else
        assert_ptr_equal(newest, window_at(&window, n - 1));
}

static void check_series(struct world *w)
{
    size_t i = draw(w, MAX_SERIES);
    struct labels *l = labels_of(i);
    const struct model_series *m = &w->model[i];

    assert_ptr_equal(store_find(w->store, l), m->real);
    free(l);
    if (m->labels) {
        assert_true(labels_eq(series_labels(m->real), m->labels));
        check_window(w, m);
    }
}

struct found {
    const struct series *series[MAX_SERIES];
    size_t count;
};

static void note_series(void *arg, struct series *se)
{
    struct found *f = arg;

    assert_true(f->count < MAX_SERIES);
    for (size_t i = 0; i < f->count; i++)
        assert_ptr_not_equal(f->series[i], se);
    f->series[f->count++] = se;
}

static bool is_found(const struct found *f, const struct series *se)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->series[i] == se)
            return true;
    return false;
}

static bool model_matches(const struct matcher *m, const struct labels *l)
{
    struct labels_iter it = labels_iter(l);
    struct label pair;
    struct str value = STR_NONE;

    while (labels_next(&it, &pair))
        if (str_eq(pair.name, m->name))
            value = pair.value;
    return str_eq(value, m->value) == (m->op == MATCH_EQ);
}

static struct matcher some_matcher(struct world *w)
{
    static const char *const pairs[][2] = {
        {"__name__", "a"},  {"__name__", "up"}, {"__name__", "x.y"},
        {"__name__", ""},   {"__name__", "no"}, {"job", "api"},
        {"job", "runner"},  {"job", ""},        {"n", "Aa"},
        {"absent", "some"}, {"absent", ""},
    };
    size_t i = draw(w, sizeof(pairs) / sizeof(pairs[0]));

    return (struct matcher){.op = draw(w, 3) ? MATCH_EQ : MATCH_NE,
                            .name = str_of(pairs[i][0]),
                            .value = str_of(pairs[i][1])};
}

static void check_select(struct world *w)
{
    size_t count = draw(w, 4), want = 0;
    struct matcher matchers[3];
    struct found f = {.count = 0};

    for (size_t i = 0; i < count; i++)
        matchers[i] = some_matcher(w);
    store_select(w->store, matchers, count, note_series, &f);
    for (size_t i = 0; i < MAX_SERIES; i++) {
        const struct model_series *m = &w->model[i];
        bool fits = m->labels != NULL;

        for (size_t j = 0; j < count && fits; j++)
            fits = model_matches(&matchers[j], m->labels);
        if (fits)
            assert_true(is_found(&f, m->real));
        want += fits;
    }
    assert_int_equal(f.count, want);
}

static void step(struct world *w)
{
    uint64_t what = draw(w, 100);

    w->now += (int64_t)draw(w, 3);
    if (what < 60)
        do_append(w);
    else if (what < 63)
        do_expire(w);
    else if (what < 68)
        do_hold(w);
    else if (what < 85)
        check_series(w);
    else
        check_select(w);
    /* Now and then a silence in which nearly everything is forgotten. */
    if (draw(w, 2000) == 0)
        w->now += w->retention;
    assert_int_equal(store_count(w->store), model_count(w));
    assert_int_equal(store_refused(w->store), w->refused);
}

static void live(uint64_t seed, int64_t retention, size_t steps)
{
    struct world *w = xcalloc(1, sizeof(*w));

    w->seed = seed;
    w->retention = retention;
    w->now = 1000000;
    w->store = store_new(&(struct store_options){.retention_ms = retention});
    for (size_t i = 0; i < steps; i++)
        step(w);
    for (size_t i = 0; i < MAX_SERIES; i++)
        model_drop(&w->model[i]);
    store_free(w->store);
    free(w);
}

static void test_a_store_of_short_memory_is_as_its_model(void **state)
{
    (void)state;
    live(0x5ca1eb41d6e, 50, 20000);
}

static void test_a_store_of_long_memory_is_as_its_model(void **state)
{
    (void)state;
    live(0x2545f4914f6cdd1d, 500, 20000);
}

static void test_a_store_without_memory_is_as_its_model(void **state)
{
    (void)state;
    live(0x9e3779b97f4a7c15, 0, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_store_of_short_memory_is_as_its_model),
        cmocka_unit_test(test_a_store_of_long_memory_is_as_its_model),
        cmocka_unit_test(test_a_store_without_memory_is_as_its_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
