/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/loop.h"
#include "agent/io/ready.h"
#include "test/lib/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct seen {
    struct loop *loop;
    struct timer timers[4];
    char order[8];
    size_t count;
    struct ready *ready;
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

static void note(struct seen *s, char c)
{
    assert_true(s->count + 1 < sizeof(s->order));
    s->order[s->count++] = c;
}

static void on_a(void *arg)
{
    note(arg, 'a');
}

static void on_b(void *arg)
{
    note(arg, 'b');
}

static void on_c(void *arg)
{
    note(arg, 'c');
}

static void test_timers_fire_in_their_order_and_the_loop_ends(void **state)
{
    struct seen *s = *state;
    int64_t now = loop_now(s->loop).mono_ms;

    timer_arm(s->loop, &s->timers[0], now + 3, on_c, s);
    timer_arm(s->loop, &s->timers[1], now + 1, on_b, s);
    timer_arm(s->loop, &s->timers[2], now - 5, on_a, s);
    loop_run(s->loop);
    assert_string_equal(s->order, "abc");
    assert_true(loop_now(s->loop).mono_ms >= now + 3);
    assert_false(timer_armed(&s->timers[0]));
}

static void on_disarm(void *arg)
{
    struct seen *s = arg;

    note(s, 'd');
    timer_disarm(&s->timers[1]);
    timer_disarm(&s->timers[1]);
}

static void test_a_disarmed_timer_keeps_nothing_alive(void **state)
{
    struct seen *s = *state;
    int64_t now = loop_now(s->loop).mono_ms;

    timer_arm(s->loop, &s->timers[0], now, on_disarm, s);
    timer_arm(s->loop, &s->timers[1], now + WHEN_HOUR, on_b, s);
    loop_run(s->loop);
    assert_string_equal(s->order, "d");
}

static void on_move(void *arg)
{
    struct seen *s = arg;
    int64_t now = loop_now(s->loop).mono_ms;

    note(s, 'm');
    timer_arm(s->loop, &s->timers[1], now, on_b, s);
    timer_arm(s->loop, &s->timers[0], now, on_c, s);
}

static void test_an_armed_timer_moves_and_a_fired_one_is_idle(void **state)
{
    struct seen *s = *state;
    int64_t now = loop_now(s->loop).mono_ms;

    timer_arm(s->loop, &s->timers[1], now + WHEN_HOUR, on_a, s);
    timer_arm(s->loop, &s->timers[0], now, on_move, s);
    loop_run(s->loop);
    assert_string_equal(s->order, "mbc");
}

static void on_work(void *arg)
{
    struct seen *s = arg;
    struct now first = loop_now(s->loop);
    struct timespec start, t;

    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &start), 0);
    do
        assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    while ((t.tv_sec - start.tv_sec) * 1000000000 + t.tv_nsec - start.tv_nsec <
           3000000);
    assert_int_equal(loop_now(s->loop).mono_ms, first.mono_ms);
    assert_int_equal(loop_now(s->loop).wall_ms, first.wall_ms);
    note(s, 'w');
}

static void test_now_stands_still_in_a_callback_and_moves_on_after(void **state)
{
    struct seen *s = *state;
    int64_t now = loop_now(s->loop).mono_ms;

    timer_arm(s->loop, &s->timers[0], now, on_work, s);
    loop_run(s->loop);
    assert_string_equal(s->order, "w");
    assert_true(loop_now(s->loop).mono_ms >= now + 3);
}

static void on_stop(void *arg)
{
    struct seen *s = arg;

    note(s, 's');
    loop_stop(s->loop);
}

static void test_a_stop_ends_the_run_with_timers_armed(void **state)
{
    struct seen *s = *state;
    int64_t now = loop_now(s->loop).mono_ms;

    timer_arm(s->loop, &s->timers[0], now, on_stop, s);
    timer_arm(s->loop, &s->timers[1], now + WHEN_HOUR, on_a, s);
    loop_run(s->loop);
    assert_string_equal(s->order, "s");
    assert_true(timer_armed(&s->timers[1]));
    timer_disarm(&s->timers[1]);
}

static void on_raise(void *arg)
{
    (void)arg;
    assert_int_equal(raise(SIGUSR1), 0);
}

static void on_signal(void *arg, int signum)
{
    struct seen *s = arg;

    note(s, signum == SIGUSR1 ? 'u' : '?');
    if (s->count == 2)
        loop_stop(s->loop);
    else
        on_raise(s);
}

static void test_every_signal_is_told(void **state)
{
    struct seen *s = *state;
    int64_t now = loop_now(s->loop).mono_ms;

    loop_on_signal(s->loop, SIGUSR1, on_signal, s);
    timer_arm(s->loop, &s->timers[0], now, on_raise, s);
    timer_arm(s->loop, &s->timers[1], now + WHEN_MINUTE, on_a, s);
    loop_run(s->loop);
    timer_disarm(&s->timers[1]);
    assert_string_equal(s->order, "uu");
}

static void test_random_bits_differ(void **state)
{
    struct seen *s = *state;
    uint64_t first = loop_random(s->loop);

    assert_true(loop_random(s->loop) != first);
}

static void on_ready(void *arg, const struct ready_now *now)
{
    struct seen *s = arg;
    char byte;

    assert_true(now->readable);
    assert_int_equal(read(now->fd, &byte, 1), 1);
    note(s, byte);
    ready_free(s->ready);
}

static void test_a_socket_is_watched_until_its_watch_is_freed(void **state)
{
    struct seen *s = *state;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
                     0);
    s->ready = ready_new(s->loop, pair[0], on_ready, s);
    assert_non_null(s->ready);
    assert_null(ready_new(s->loop, -1, on_ready, s));
    assert_true(ready_want(s->ready, true, false));
    assert_int_equal(write(pair[1], "xy", 2), 2);
    loop_run(s->loop);
    assert_string_equal(s->order, "x");
    close(pair[0]);
    close(pair[1]);
}

static void on_broken(void *arg, const struct ready_now *now)
{
    struct seen *s = arg;
    char byte;

    if (read(now->fd, &byte, 1) == 1)
        note(s, byte);
    else
        ready_free(s->ready);
}

/* What a peer sent before it reset the connection is read to its end. */
static void test_a_broken_socket_is_watched_until_it_is_empty(void **state)
{
    struct seen *s = *state;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    int server;

    assert_int_equal(bind(listener, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&at, size), 0);
    server = accept(listener, NULL, NULL);
    assert_int_equal(write(server, "abc", 3), 3);
    assert_int_equal(write(client, "x", 1), 1);
    close(server); /* with a byte unread: resets */
    s->ready = ready_new(s->loop, client, on_broken, s);
    assert_true(ready_want(s->ready, true, false));
    loop_run(s->loop);
    assert_string_equal(s->order, "abc");
    close(client);
    close(listener);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_timers_fire_in_their_order_and_the_loop_ends),
        TEST(test_a_disarmed_timer_keeps_nothing_alive),
        TEST(test_an_armed_timer_moves_and_a_fired_one_is_idle),
        TEST(test_now_stands_still_in_a_callback_and_moves_on_after),
        TEST(test_a_stop_ends_the_run_with_timers_armed),
        TEST(test_every_signal_is_told),
        TEST(test_random_bits_differ),
        TEST(test_a_broken_socket_is_watched_until_it_is_empty),
        TEST(test_a_socket_is_watched_until_its_watch_is_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
