/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/mem.h"
#include "test/lib/unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_nothing_is_something_to_free(void **state)
{
    void *p = xmalloc(0);
    void *q = xcalloc(0, 8);

    (void)state;
    assert_non_null(p);
    assert_non_null(q);
    free(p);
    free(q);
}

static void test_copies_end_in_nul(void **state)
{
    char *p = xstrndup("abcdef", 3);
    char *q = xstrdup("");

    (void)state;
    assert_string_equal(p, "abc");
    assert_string_equal(q, "");
    free(p);
    free(q);
}

static void test_growing_keeps_what_stood_there(void **state)
{
    int *v = NULL;
    size_t cap = 0;

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        xgrow(&v, &cap, i, sizeof(*v));
        v[i] = (int)i;
    }
    assert_true(cap >= 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(v[i], i);
    free(v);
}

static void test_wiping_leaves_zeroes(void **state)
{
    char secret[] = "secret";

    (void)state;
    wipe(secret, sizeof(secret));
    for (size_t i = 0; i < sizeof(secret); i++)
        assert_int_equal(secret[i], 0);
    wipe(NULL, 5);
    wipe_free(NULL);
    wipe_free(xstrdup("secret"));
}

static void test_a_product_that_overflows_ends_the_process(void **state)
{
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        (void)close(STDERR_FILENO);
        free(xreallocarray(NULL, SIZE_MAX / 2, 3));
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_something_to_free),
        cmocka_unit_test(test_copies_end_in_nul),
        cmocka_unit_test(test_growing_keeps_what_stood_there),
        cmocka_unit_test(test_wiping_leaves_zeroes),
        cmocka_unit_test(test_a_product_that_overflows_ends_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
