/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/metric/point.h"
#include "test/lib/unit.h"

#include <stdlib.h>

static const struct label dimensions[] = {
    {{"Environment", 11}, {"prod", 4}},
    {{"Region", 6}, {"eu", 2}},
};
static const struct point_value values[] = {{5, 3}, {-1.5, 1}, {8, 2}};

static const struct point sample = {
    .name = {"JobsPerWorker", 13},
    .unit = {"Count", 5},
    .description = {"jobs a worker", 13},
    .dimensions = dimensions,
    .dimension_count = 2,
    .values = values,
    .value_count = 3,
    .newest = 8,
    .start_ms = 1000,
    .t_ms = 61000,
    .resolution = 60,
};

static void test_statistics_count_every_evaluation(void **state)
{
    (void)state;
    assert_true(point_min(&sample) == -1.5);
    assert_true(point_max(&sample) == 8);
    assert_true(point_sum(&sample) == 5 * 3 - 1.5 + 8 * 2);
    assert_int_equal(point_count(&sample), 6);
}

static void test_a_series_is_its_name_and_dimensions(void **state)
{
    struct point other = sample;

    (void)state;
    other.t_ms = 0;
    other.unit = STR("None");
    assert_true(point_same_series(&sample, &other));
    other.dimension_count = 1;
    assert_false(point_same_series(&sample, &other));
    other = sample;
    other.name = STR("JobQueueLength");
    assert_false(point_same_series(&sample, &other));
}

/* The copy is read after all that the original lent is gone. */
static void test_a_copy_stands_alone(void **state)
{
    char *name = strdup("JobsPerWorker");
    struct point_value *lent = malloc(sizeof(values));
    struct point p = sample;
    struct point *copy;

    (void)state;
    assert_non_null(name);
    assert_non_null(lent);
    memcpy(lent, values, sizeof(values));
    p.name = str_of(name);
    p.values = lent;
    copy = point_copy(&p);
    free(name);
    free(lent);
    assert_true(point_same_series(copy, &sample));
    assert_true(point_sum(copy) == point_sum(&sample));
    assert_true(str_eqz(copy->unit, "Count"));
    assert_true(str_eqz(copy->description, "jobs a worker"));
    assert_int_equal(copy->t_ms, 61000);
    assert_int_equal(copy->resolution, 60);
    assert_true(point_bytes(copy) == point_bytes(&sample));
    free(copy);
}

static void test_a_point_without_dimensions_can_be_copied(void **state)
{
    struct point p = sample;
    struct point *copy;

    (void)state;
    p.dimensions = NULL;
    p.dimension_count = 0;
    p.description = STR_NONE;
    copy = point_copy(&p);
    assert_true(point_same_series(copy, &p));
    assert_int_equal(copy->description.len, 0);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statistics_count_every_evaluation),
        cmocka_unit_test(test_a_series_is_its_name_and_dimensions),
        cmocka_unit_test(test_a_copy_stands_alone),
        cmocka_unit_test(test_a_point_without_dimensions_can_be_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
