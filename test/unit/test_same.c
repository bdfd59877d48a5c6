/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reload takes for unchanged: settings that say the same, however they
 * are written, and nothing else.
 */
#include "agent/settings/settings.h"
#include "test/lib/unit.h"

#define API "http://127.0.0.1:5000/prometheus"
#define BASE \
    "scrape: {jobs: [{name: api, targets: [" API "], labels: {a: b}}]}\n"

static struct settings *read_text(const char *text)
{
    const struct conf_world none = {.variables = (const char *const[]){NULL}};
    const struct settings_source from = {.text = text, .text_name = "test"};
    struct settings *s = settings_read(&none, &from);
    struct buf faults;

    buf_init(&faults, BUF_NO_LIMIT);
    settings_faults(s, &faults);
    if (!settings_good(s))
        fail_msg("%s\n%s", text, buf_z(&faults));
    buf_fini(&faults);
    return s;
}

static bool same(const char *a, const char *b)
{
    struct settings *x = read_text(a), *y = read_text(b);
    struct arena arena;
    bool is;

    arena_init(&arena, 4096);
    is = conf_same(settings_keys(&arena), &x->values, &y->values);
    arena_fini(&arena);
    settings_free(x);
    settings_free(y);
    return is;
}

static void test_another_spelling_says_the_same(void **state)
{
    (void)state;
    assert_true(same(BASE, BASE));
    assert_true(same(BASE, "{scrape: {jobs: [{labels: {a: b}, name: api, "
                           "targets: ['" API "']}]}}\n# a comment\n"));
    assert_true(same(BASE "publish: {interval: 60s}\n",
                     BASE "publish: {interval: 1m}\n"));
    assert_true(same(BASE "membrane: {jobs_per_worker: 5}\n",
                     BASE "membrane: {jobs_per_worker: 5.0}\n"));
}

static void test_any_other_value_is_a_change(void **state)
{
    static const char *const changed[] = {
        BASE "publish: {interval: 30s}\n",
        BASE "publish: {dimensions: {a: b}}\n",
        BASE "capacity: {instant-tasks-worker: {fixed: 3}}\n",
        BASE "metrics: [{name: A, expr: vector(1)}]\n",
        BASE "sinks: {none: {}}\n",
        "scrape: {jobs: [{name: api2, targets: [" API "], labels: {a: b}}]}\n",
        "scrape: {jobs: [{name: api, targets: [" API "x], labels: {a: b}}]}\n",
        "scrape: {jobs: [{name: api, targets: [" API "], labels: {a: c}}]}\n",
        "scrape: {jobs: [{name: api, targets: [" API "], labels: {c: b}}]}\n",
        "scrape: {jobs: [{name: api, targets: [" API "]}]}\n",
        "scrape: {jobs: [{name: api, targets: [" API
        ", http://127.0.0.2:5000/], "
        "labels: {a: b}}]}\n",
        "scrape: {jobs: [{name: api, targets: [" API "], labels: {a: b}, "
        "honor_labels: true}]}\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(changed) / sizeof(*changed); i++) {
        if (same(BASE, changed[i]) || same(changed[i], BASE))
            fail_msg("taken for unchanged: %s", changed[i]);
        assert_true(same(changed[i], changed[i]));
    }
}

static void test_names_of_a_mapping_and_optional_sections_count(void **state)
{
    (void)state;
    assert_false(same(BASE "capacity: {a: {fixed: 3}}\n",
                      BASE "capacity: {b: {fixed: 3}}\n"));
    assert_false(
        same(BASE "sinks: {none: {}}\n", BASE "sinks: {stdout: {}}\n"));
    assert_false(same(BASE "metrics: [{name: A, expr: vector(1), target: 1}]\n",
                      BASE
                      "metrics: [{name: A, expr: vector(1), target: 2}]\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_spelling_says_the_same),
        cmocka_unit_test(test_any_other_value_is_a_change),
        cmocka_unit_test(test_names_of_a_mapping_and_optional_sections_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
