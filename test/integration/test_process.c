/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/process.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct seen {
    struct loop *loop;
    struct process_call call;
    size_t told;
    int status, signal;
    char output[64], complaint[64];
    struct err err;
};

static int setup(void **state)
{
    static struct seen s;

    s = (struct seen){.loop = loop_new()};
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    loop_free(((struct seen *)*state)->loop);
    return 0;
}

static void on_end(void *arg, const struct process_result *res,
                   const struct err *err)
{
    struct seen *s = arg;

    s->told++;
    assert_null(s->call.process);
    if (err) {
        s->err = *err;
        return;
    }
    s->status = res->status;
    s->signal = res->signal;
    (void)snprintf(s->output, sizeof(s->output), "%.*s", STR_ARG(res->output));
    (void)snprintf(s->complaint, sizeof(s->complaint), "%.*s",
                   STR_ARG(res->complaint));
}

static void start(struct seen *s, const struct process_request *req)
{
    process_start(s->loop, &s->call, req, on_end, s);
}

/* A line of shell, to its end. */
static void run(struct seen *s, const char *script)
{
    char copy[200];
    char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, copy, NULL};
    const struct process_request req = {
        .argv = argv, .timeout_ms = 20000, .max_output = 60};

    (void)snprintf(copy, sizeof(copy), "%s", script);
    start(s, &req);
    assert_int_equal(s->told, 0); /* never from inside */
    loop_run(s->loop);
    assert_int_equal(s->told, 1);
}

static void test_what_it_prints_comes_apart(void **state)
{
    struct seen *s = *state;

    run(s, "echo out; echo why >&2; exit 3");
    assert_int_equal(s->status, 3);
    assert_int_equal(s->signal, 0);
    assert_string_equal(s->output, "out\n");
    assert_string_equal(s->complaint, "why\n");
}

static void test_its_input_is_empty_and_its_environment_ours(void **state)
{
    struct seen *s = *state;
    char script[] = "cat; echo $OURS $MORE";
    char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, script, NULL};
    char *const env[] = {(char[]){"MORE=b"}, NULL};
    const struct process_request req = {
        .argv = argv, .env = env, .timeout_ms = 20000, .max_output = 60};

    assert_int_equal(setenv("OURS", "a", 1), 0);
    start(s, &req);
    loop_run(s->loop);
    assert_string_equal(s->output, "a b\n");
}

static void test_the_signal_that_ends_it_is_told(void **state)
{
    struct seen *s = *state;

    run(s, "kill -TERM $$");
    assert_int_equal(s->signal, SIGTERM);
}

static void test_too_much_output_ends_it(void **state)
{
    struct seen *s = *state;

    run(s, "while :; do echo hush; done");
    assert_int_equal(s->err.kind, ERR_LIMIT);
    assert_string_equal(s->err.text, "sh: printed more than 60 bytes");
}

static void test_a_long_complaint_is_cut_and_does_not_block(void **state)
{
    struct seen *s = *state;

    run(s, "i=0; while [ $i -lt 9999 ]; do echo complaint; i=$((i+1)); done "
           ">&2; echo good");
    assert_int_equal(s->status, 0);
    assert_string_equal(s->output, "good\n");
}

static void test_a_program_that_is_not_there_is_told(void **state)
{
    struct seen *s = *state;
    char name[] = "/nonexistent/program";
    char *const argv[] = {name, (char[]){"hush"}, NULL};
    const struct process_request req = {
        .argv = argv, .timeout_ms = 20000, .max_output = 60};

    start(s, &req);
    assert_int_equal(s->told, 0);
    loop_run(s->loop);
    assert_int_equal(s->told, 1);
    assert_int_equal(s->err.kind, ERR_CONFIG);
    assert_string_equal(s->err.text, "/nonexistent/program: cannot be started: "
                                     "no such file or directory");
}

static void test_who_takes_too_long_is_killed_with_its_children(void **state)
{
    struct seen *s = *state;
    char script[] = "sleep 1000 & wait";
    char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, script, NULL};
    const struct process_request req = {
        .argv = argv, .timeout_ms = 100, .max_output = 60};

    start(s, &req);
    loop_run(s->loop); /* ends, so nobody holds a pipe of it */
    assert_int_equal(s->err.kind, ERR_TIMEOUT);
    assert_string_equal(s->err.text, "sh: did not end within 100 ms");
}

static void test_a_cancelled_one_is_killed_and_never_told(void **state)
{
    struct seen *s = *state;
    char script[] = "sleep 1000";
    char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, script, NULL};
    const struct process_request req = {
        .argv = argv, .timeout_ms = 20000, .max_output = 60};

    start(s, &req);
    process_cancel(&s->call);
    process_cancel(&s->call);
    loop_run(s->loop);
    assert_int_equal(s->told, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(errno, ECHILD);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_it_prints_comes_apart),
        TEST(test_its_input_is_empty_and_its_environment_ours),
        TEST(test_the_signal_that_ends_it_is_told),
        TEST(test_too_much_output_ends_it),
        TEST(test_a_long_complaint_is_cut_and_does_not_block),
        TEST(test_a_program_that_is_not_there_is_told),
        TEST(test_who_takes_too_long_is_killed_with_its_children),
        TEST(test_a_cancelled_one_is_killed_and_never_told),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
