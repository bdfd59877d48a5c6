/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/lines.h"
#include "test/lib/unit.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#define FIRST "{\"a\":1}\n"

struct ends {
    int ours, theirs;
    struct lines lines;
    struct err err;
};

static int setup(void **state)
{
    static struct ends e;
    int pair[2];

    assert_int_equal(pipe(pair), 0);
    e = (struct ends){.theirs = pair[0], .ours = pair[1]};
    e.lines = (struct lines){.fd = e.ours, .name = "standard output"};
    *state = &e;
    return 0;
}

static int teardown(void **state)
{
    struct ends *e = *state;

    if (e->theirs >= 0)
        (void)close(e->theirs);
    (void)close(e->ours);
    return 0;
}

static void reads(struct ends *e, const char *want)
{
    char got[256];
    ssize_t n = read(e->theirs, got, sizeof(got) - 1);

    assert_true(n >= 0);
    got[n] = '\0';
    assert_string_equal(got, want);
}

static void test_lines_arrive_as_they_are(void **state)
{
    struct ends *e = *state;

    assert_true(lines_write(&e->lines, STR(FIRST "{}\n"), &e->err));
    reads(e, FIRST "{}\n");
    assert_true(lines_write(&e->lines, STR_NONE, &e->err));
}

/* Fills the pipe up to what one page takes. */
static void fill(struct ends *e)
{
    static const char page[PIPE_BUF];
    int flags = fcntl(e->ours, F_GETFL);

    assert_int_equal(fcntl(e->ours, F_SETFL, flags | O_NONBLOCK), 0);
    while (write(e->ours, page, sizeof(page)) > 0)
        continue;
    assert_int_equal(fcntl(e->ours, F_SETFL, flags), 0);
}

static void test_a_reader_that_sleeps_does_not_stop_the_writer(void **state)
{
    struct ends *e = *state;
    char page[PIPE_BUF];

    fill(e);
    assert_false(lines_write(&e->lines, STR(FIRST), &e->err));
    assert_string_equal(e->err.text, "standard output: has no room: whoever "
                                     "reads it does not keep up");
    assert_int_equal(read(e->theirs, page, sizeof(page)), PIPE_BUF);
    assert_true(lines_write(&e->lines, STR(FIRST), &e->err));
}

static void test_a_reader_that_left_is_told(void **state)
{
    struct ends *e = *state;

    (void)close(e->theirs);
    e->theirs = -1;
    assert_false(lines_write(&e->lines, STR(FIRST), &e->err));
    assert_string_equal(e->err.text, "standard output: Broken pipe");
}

static void test_a_full_disk_is_told(void **state)
{
    struct ends *e = *state;

    e->lines.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(e->lines.fd >= 0);
    assert_false(lines_write(&e->lines, STR(FIRST), &e->err));
    (void)close(e->lines.fd);
    assert_string_equal(e->err.text,
                        "standard output: No space left on device");
}

/* A line that is longer than a pipe takes at once, and nobody reads. */
static void test_a_line_after_a_torn_one_stands_alone(void **state)
{
    struct ends *e = *state;
    static char line[1 << 20], got[1 << 20];
    ssize_t n;

    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    assert_int_equal(fcntl(e->ours, F_SETFL, O_NONBLOCK), 0);
    assert_false(lines_write(&e->lines, str_n(line, sizeof(line)), &e->err));
    n = read(e->theirs, got, sizeof(got));
    assert_true(n > 0 && (size_t)n < sizeof(line));
    assert_true(lines_write(&e->lines, STR(FIRST), &e->err));
    reads(e, "\n" FIRST);
    assert_true(lines_write(&e->lines, STR(FIRST), &e->err));
    reads(e, FIRST);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_lines_arrive_as_they_are),
        T(test_a_reader_that_sleeps_does_not_stop_the_writer),
        T(test_a_reader_that_left_is_told),
        T(test_a_full_disk_is_told),
        T(test_a_line_after_a_torn_one_stands_alone),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
