/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/mem.h"
#include "agent/base/regex.h"
#include "agent/store/store.h"
#include "test/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>

static struct labels *make(const char *name, const char *key, const char *value)
{
    struct labels_builder b = {0};
    struct labels *l;

    labels_set(&b, LABEL_NAME, str_of(name));
    labels_set(&b, str_of(key), str_of(value));
    l = labels_build(&b, NULL);
    labels_builder_fini(&b);
    return l;
}

static struct store *make_store(int64_t retention_ms, size_t max_series)
{
    return store_new(&(struct store_options){.retention_ms = retention_ms,
                                             .max_series = max_series});
}

static struct series *add(struct store *s, const char *name, const char *key,
                          const char *value)
{
    struct labels *l = make(name, key, value);
    struct series *se = store_series(s, l);

    free(l);
    return se;
}

static void count_one(void *arg, struct series *se)
{
    assert_non_null(se);
    ++*(size_t *)arg;
}

static size_t selected(const struct store *s, const struct matcher *m,
                       size_t count)
{
    size_t n = 0;

    store_select(s, m, count, count_one, &n);
    return n;
}

static void test_a_window_is_open_on_the_left(void **state)
{
    struct store *s = make_store(INT64_MAX, 0);
    struct series *se = add(s, "m", "a", "1");
    struct series_window w;

    (void)state;
    for (int64_t t = 1; t <= 10; t++)
        assert_true(series_append(se, t * 1000, (double)t));
    w = series_between(se, 2000, 5000);
    assert_int_equal(window_count(&w), 3);
    assert_int_equal(window_at(&w, 0)->t_ms, 3000);
    assert_int_equal(window_at(&w, 2)->t_ms, 5000);
    w = series_between(se, 5000, 5000);
    assert_int_equal(window_count(&w), 0);
    w = series_between(se, 6000, 5000);
    assert_int_equal(window_count(&w), 0);
    w = series_between(se, INT64_MIN, INT64_MAX);
    assert_int_equal(window_count(&w), 10);
    store_free(s);
}

static void test_the_newest_sample_is_sought_in_the_same_window(void **state)
{
    struct store *s = make_store(INT64_MAX, 0);
    struct series *se = add(s, "m", "a", "1");

    (void)state;
    assert_null(series_newest(se, INT64_MIN, INT64_MAX));
    assert_true(series_append(se, 1000, 1));
    assert_true(series_append(se, 2000, 2));
    assert_int_equal(series_newest(se, 0, 9000)->t_ms, 2000);
    assert_int_equal(series_newest(se, 0, 1999)->t_ms, 1000);
    assert_int_equal(series_newest(se, 0, 2000)->t_ms, 2000);
    assert_null(series_newest(se, 2000, 9000));
    assert_null(series_newest(se, 0, 999));
    store_free(s);
}

static void test_what_comes_out_of_order_is_refused_and_counted(void **state)
{
    struct store *s = make_store(INT64_MAX, 0);
    struct series *se = add(s, "m", "a", "1");

    (void)state;
    assert_true(series_append(se, 1000, 1));
    assert_false(series_append(se, 1000, 2));
    assert_false(series_append(se, 999, 2));
    assert_true(series_append(se, 1001, 3));
    assert_int_equal(store_refused(s), 2);
    assert_true(series_newest(se, 0, 1000)->v == 1);
    store_free(s);
}

static void test_equal_labels_are_one_series(void **state)
{
    struct store *s = make_store(INT64_MAX, 0);
    struct labels *l = make("m", "a", "1");

    (void)state;
    assert_null(store_find(s, l));
    assert_ptr_equal(store_series(s, l), store_series(s, l));
    assert_ptr_equal(store_find(s, l), store_series(s, l));
    assert_true(labels_eq(series_labels(store_find(s, l)), l));
    assert_int_equal(store_count(s), 1);
    free(l);
    store_free(s);
}

static void test_over_the_limit_there_are_no_new_series(void **state)
{
    struct store *s = make_store(1000, 2);
    struct series *first = add(s, "m", "a", "1");

    (void)state;
    assert_non_null(add(s, "m", "a", "2"));
    assert_null(add(s, "m", "a", "3"));
    assert_ptr_equal(add(s, "m", "a", "1"), first);
    store_expire(s, 5000);
    assert_non_null(add(s, "m", "a", "3"));
    store_free(s);
}

static void test_what_is_older_than_the_retention_is_forgotten(void **state)
{
    struct store *s = make_store(10000, 0);
    struct series *old = add(s, "m", "a", "old");
    struct series *young = add(s, "m", "a", "young");
    struct series_window w;

    (void)state;
    assert_true(series_append(old, 5000, 1));
    for (int64_t t = 1000; t <= 20000; t += 1000)
        assert_true(series_append(young, t, 1));
    store_expire(s, 16000);
    assert_int_equal(store_count(s), 1);
    w = series_between(young, INT64_MIN, INT64_MAX);
    assert_int_equal(window_count(&w), 14);
    assert_int_equal(window_at(&w, 0)->t_ms, 7000);
    store_set_retention(s, 1000);
    store_expire(s, 16000);
    w = series_between(young, INT64_MIN, INT64_MAX);
    assert_int_equal(window_count(&w), 5);
    store_expire(s, INT64_MAX);
    assert_int_equal(store_count(s), 0);
    store_free(s);
}

static void test_a_clock_that_went_back_is_followed(void **state)
{
    struct store *s = make_store(INT64_MAX, 0);
    struct series *se = add(s, "m", "a", "1");
    struct series *later = add(s, "n", "a", "1");

    (void)state;
    for (int64_t t = 1; t <= 10; t++)
        assert_true(series_append(se, t * 1000, (double)t));
    assert_true(series_append(later, 10000, 1));
    store_rewind(s, 4999);
    assert_int_equal(series_newest(se, INT64_MIN, INT64_MAX)->t_ms, 4000);
    assert_null(series_newest(later, INT64_MIN, INT64_MAX));
    assert_true(series_append(se, 5000, 50));
    assert_true(series_append(later, 5000, 50));
    store_free(s);
}

static void test_a_held_series_stays_until_it_is_let_go(void **state)
{
    struct store *s = make_store(1000, 0);
    struct series *se = add(s, "m", "a", "1");

    (void)state;
    series_ref(se);
    assert_true(series_append(se, 1000, 1));
    store_expire(s, 60000);
    assert_int_equal(store_count(s), 1);
    assert_null(series_newest(se, INT64_MIN, INT64_MAX));
    assert_true(series_append(se, 60000, 2));
    series_unref(se);
    store_expire(s, 60500);
    assert_int_equal(store_count(s), 1);
    store_expire(s, 61000);
    assert_int_equal(store_count(s), 0);
    store_free(s);
}

static void test_an_absent_label_matches_as_empty(void **state)
{
    struct store *s = make_store(INT64_MAX, 0);
    const struct matcher equal = {MATCH_EQ, STR("b"), STR(""), NULL};
    const struct matcher other = {MATCH_NE, STR("b"), STR("x"), NULL};
    const struct matcher named[] = {{MATCH_EQ, LABEL_NAME, STR("m"), NULL},
                                    {MATCH_NE, STR("b"), STR(""), NULL}};

    (void)state;
    add(s, "m", "a", "1");
    add(s, "m", "b", "x");
    add(s, "n", "b", "y");
    assert_int_equal(selected(s, &equal, 1), 1);
    assert_int_equal(selected(s, &other, 1), 2);
    assert_int_equal(selected(s, named, 2), 1);
    assert_int_equal(selected(s, NULL, 0), 3);
    store_free(s);
}

static void test_a_name_can_be_matched_by_a_pattern(void **state)
{
    struct store *s = make_store(INT64_MAX, 0);
    struct regex *re = regex_new(STR("m|n.*"), NULL);
    const struct matcher like = {MATCH_RE, LABEL_NAME, STR("m|n.*"), re};
    const struct matcher unlike = {MATCH_NRE, LABEL_NAME, STR("m|n.*"), re};
    const struct matcher both[] = {like,
                                   {MATCH_EQ, LABEL_NAME, STR("n2"), NULL}};

    (void)state;
    add(s, "m", "a", "1");
    add(s, "n1", "a", "1");
    add(s, "n2", "a", "1");
    add(s, "mm", "a", "1");
    assert_int_equal(selected(s, &like, 1), 3);
    assert_int_equal(selected(s, &unlike, 1), 1);
    assert_int_equal(selected(s, both, 2), 1);
    regex_free(re);
    store_free(s);
}

static void note_name(void *arg, struct str name, size_t series)
{
    size_t *seen = arg;

    if (str_eqz(name, "m"))
        seen[0] += series;
    else if (str_eqz(name, "n"))
        seen[1] += series;
    else
        fail();
}

static void test_names_are_listed_with_their_series(void **state)
{
    struct store *s = make_store(INT64_MAX, 0);
    size_t seen[2] = {0, 0};

    (void)state;
    add(s, "m", "a", "1");
    add(s, "m", "a", "2");
    add(s, "n", "a", "1");
    store_names(s, note_name, seen);
    assert_int_equal(seen[0], 2);
    assert_int_equal(seen[1], 1);
    store_free(s);
}

/* A pod's worth of labels as Membrane's replicas would carry them. */
static struct series *add_typical(struct store *s, size_t i)
{
    struct labels_builder b = {0};
    char instance[32];
    struct labels *l;
    struct series *se;

    snprintf(instance, sizeof(instance), "10.0.%zu.%zu:5000", i / 250, i % 250);
    labels_set(&b, LABEL_NAME, STR("custom_code_runner_total_job_spaces"));
    labels_set(&b, LABEL_JOB, STR("custom-code-runner"));
    labels_set(&b, LABEL_INSTANCE, str_of(instance));
    l = labels_build(&b, NULL);
    se = store_series(s, l);
    labels_builder_fini(&b);
    free(l);
    return se;
}

static void test_a_series_seen_once_takes_at_most_200_bytes(void **state)
{
    enum { N = 10000 };
    struct store *s = make_store(INT64_MAX, 0);

    (void)state;
    for (size_t i = 0; i < N; i++)
        assert_true(series_append(add_typical(s, i), 1000, 1));
    assert_in_range(store_bytes(s) / N, 100, 200);
    store_free(s);
}

static void test_memory_is_given_back(void **state)
{
    enum { N = 5000 };
    struct store *s = make_store(60000, 0);
    size_t empty = store_bytes(s), full;
    struct series *se = add_typical(s, 0);

    (void)state;
    for (int64_t t = 0; t < 60000; t += 10)
        assert_true(series_append(se, t, 1));
    for (size_t i = 1; i < N; i++)
        assert_true(series_append(add_typical(s, i), 1000, 1));
    full = store_bytes(s);
    assert_true(full > (size_t)N * 100 + 6000 * sizeof(struct sample));
    assert_true(series_append(se, 110000, 1));
    store_expire(s, 120000);
    assert_int_equal(store_count(s), 1);
    assert_true(store_bytes(s) < empty + 2000);
    store_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_window_is_open_on_the_left),
        cmocka_unit_test(test_the_newest_sample_is_sought_in_the_same_window),
        cmocka_unit_test(test_what_comes_out_of_order_is_refused_and_counted),
        cmocka_unit_test(test_equal_labels_are_one_series),
        cmocka_unit_test(test_over_the_limit_there_are_no_new_series),
        cmocka_unit_test(test_what_is_older_than_the_retention_is_forgotten),
        cmocka_unit_test(test_a_clock_that_went_back_is_followed),
        cmocka_unit_test(test_a_held_series_stays_until_it_is_let_go),
        cmocka_unit_test(test_an_absent_label_matches_as_empty),
        cmocka_unit_test(test_a_name_can_be_matched_by_a_pattern),
        cmocka_unit_test(test_names_are_listed_with_their_series),
        cmocka_unit_test(test_a_series_seen_once_takes_at_most_200_bytes),
        cmocka_unit_test(test_memory_is_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
