/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/mem.h"
#include "agent/scrape/held.h"
#include "test/lib/unit.h"

#include <stdlib.h>

struct fixture {
    struct store *store;
    struct held_set set;
    struct labels *labels;
};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct labels_builder b = {0};

    f->store = store_new(&(struct store_options){.retention_ms = 300000});
    labels_set(&b, LABEL_NAME, STR("m"));
    f->labels = labels_build(&b, NULL);
    labels_builder_fini(&b);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    held_fini(&f->set);
    assert_int_equal(f->set.count, 0);
    store_free(f->store);
    free(f->labels);
    free(f);
    return 0;
}

/* Adds `count` series in a scrape of their own, which is good. */
static void add(struct fixture *f, struct held **into, size_t count)
{
    held_begin(&f->set);
    for (size_t i = 0; i < count; i++) {
        into[i] = held_add(&f->set, f->labels);
        held_settle(&f->set, into[i], store_series(f->store, f->labels));
    }
    held_keep(&f->set);
}

static void test_places_are_used_again_and_never_move(void **state)
{
    struct fixture *f = *state;
    struct held *old[100], *fresh[50];

    add(f, old, 100);
    held_begin(&f->set);
    for (size_t i = 0; i < 100; i += 2)
        held_see(&f->set, old[i]);
    held_keep(&f->set);
    assert_int_equal(f->set.count, 50);
    held_begin(&f->set);
    for (size_t i = 0; i < 50; i++) {
        bool reused = false;

        fresh[i] = held_add(&f->set, f->labels);
        for (size_t j = 1; j < 100; j += 2)
            reused |= fresh[i] == old[j];
        assert_true(reused);
    }
    held_undo(&f->set);
    assert_int_equal(f->set.count, 50);
    for (size_t i = 0; i < 100; i += 2)
        assert_true(old[i]->used);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_places_are_used_again_and_never_move),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
