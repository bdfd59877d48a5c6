/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/resolve.h"
#include "test/lib/child.h"
#include "test/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define SECOND INT64_C(1000)
#define CALLS  50

static struct child nameserver;

struct one {
    struct resolve_call call;
    struct world *world;
    size_t done, count;
    char text[4096]; /* "address:port ttl" each, with a blank between */
    struct err err;
    bool again, cancel_others;
};

struct world {
    struct loop *loop;
    struct resolver *resolver;
    struct timer guard;
    bool late, first_ends;
    struct one one[CALLS];
};

static int start_nameserver(void **state)
{
    (void)state;
    return child_start(&nameserver, "nameserver.py") ? 0 : -1;
}

static int stop_nameserver(void **state)
{
    (void)state;
    child_stop(&nameserver);
    return 0;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    char servers[64];
    struct err err;

    assert_non_null(w);
    w->loop = loop_new();
    (void)snprintf(servers, sizeof(servers), "127.0.0.1:%d",
                   child_number(&nameserver, "port"));
    w->resolver = resolver_new(w->loop, str_of(servers), &err);
    assert_non_null(w->resolver);
    for (size_t i = 0; i < CALLS; i++)
        w->one[i].world = w;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < CALLS; i++)
        resolve_cancel(&w->one[i].call);
    resolver_free(w->resolver);
    loop_free(w->loop);
    free(w);
    return 0;
}

static void on_done(void *arg, const struct resolve_answer *answer,
                    const struct err *err);

static void begin(struct one *o, const char *name, enum resolve_type type,
                  int64_t timeout_ms)
{
    const struct resolve_question question = {str_of(name), type, timeout_ms};

    resolve_start(o->world->resolver, &o->call, &question, on_done, o);
}

static void on_guard(void *arg)
{
    struct world *w = arg;

    w->late = true;
    loop_stop(w->loop);
}

static bool idle(const struct world *w)
{
    for (size_t i = 0; i < CALLS; i++)
        if (w->one[i].call.resolver)
            return false;
    return true;
}

static void end_if_idle(struct world *w)
{
    if (idle(w) || w->first_ends)
        loop_stop(w->loop);
}

static void on_done(void *arg, const struct resolve_answer *answer,
                    const struct err *err)
{
    struct one *o = arg;
    size_t n = 0;

    assert_null(o->call.resolver);
    o->done++;
    o->err = err ? *err : (struct err){0};
    o->count = answer->count;
    o->text[0] = '\0';
    for (size_t i = 0; i < answer->count; i++) {
        const struct resolve_record *r = &answer->records[i];

        n += (size_t)snprintf(
            o->text + n, sizeof(o->text) - n, "%s%.*s:%u %lld", i ? " " : "",
            STR_ARG(r->address), (unsigned)r->port, (long long)r->ttl_ms);
        assert_true(n < sizeof(o->text));
    }
    if (o->again) {
        o->again = false;
        begin(o, "api.test", RESOLVE_A, 20 * SECOND);
    }
    for (size_t i = 0; o->cancel_others && i < CALLS; i++)
        resolve_cancel(&o->world->one[i].call);
    end_if_idle(o->world);
}

static void run(struct world *w)
{
    timer_arm(w->loop, &w->guard, loop_now(w->loop).mono_ms + 60 * SECOND,
              on_guard, w);
    loop_run(w->loop);
    timer_disarm(&w->guard);
    assert_false(w->late);
}

static struct one *lookup(struct world *w, const char *name,
                          enum resolve_type type)
{
    struct one *o = &w->one[0];

    *o = (struct one){.world = w};
    begin(o, name, type, 20 * SECOND);
    assert_int_equal(o->done, 0);
    run(w);
    assert_int_equal(o->done, 1);
    return o;
}

static void assert_answer(const struct one *o, const char *text)
{
    assert_string_equal(o->err.text, "");
    assert_string_equal(o->text, text);
}

static void assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void assert_failed(const struct one *o, enum err_kind kind,
                          const char *part)
{
    assert_string_equal(err_kind_name(o->err.kind), err_kind_name(kind));
    assert_holds(o->err.text, part);
    assert_int_equal(o->count, 0);
}

static void test_addresses_come_sorted_and_once(void **state)
{
    assert_answer(lookup(*state, "api.test", RESOLVE_A),
                  "10.0.0.12:0 30000 10.0.0.2:0 20000");
    assert_answer(lookup(*state, "api.test.", RESOLVE_A),
                  "10.0.0.12:0 30000 10.0.0.2:0 20000");
    assert_answer(lookup(*state, "six.test", RESOLVE_AAAA),
                  "fd00::1:0 60000 fd00::2:0 60000");
}

static void test_an_alias_is_followed(void **state)
{
    assert_holds(lookup(*state, "alias.test", RESOLVE_A)->text, "10.0.0.7:0 ");
}

static void test_services_come_with_their_ports(void **state)
{
    assert_answer(lookup(*state, "_worker._tcp.test", RESOLVE_SRV),
                  "a.test:5001 15000 a.test:5002 15000 b.test:5001 15000");
    assert_answer(lookup(*state, "_gone._tcp.test", RESOLVE_SRV), "");
}

static void test_a_long_answer_comes_over_tcp(void **state)
{
    assert_int_equal(lookup(*state, "big.test", RESOLVE_A)->count, 100);
    assert_int_equal(lookup(*state, "_many._tcp.test", RESOLVE_SRV)->count,
                     100);
}

static void test_what_does_not_exist_is_no_error(void **state)
{
    assert_answer(lookup(*state, "nothing.test", RESOLVE_A), "");
    assert_answer(lookup(*state, "nothing.test", RESOLVE_SRV), "");
    assert_answer(lookup(*state, "api.test", RESOLVE_AAAA), "");
    assert_answer(lookup(*state, "api.test", RESOLVE_SRV), "");
}

static void test_a_failing_server_is_an_error(void **state)
{
    assert_failed(lookup(*state, "broken.test", RESOLVE_A), ERR_NETWORK,
                  "broken.test: DNS gave no answer for its A records");
    assert_failed(lookup(*state, "broken.test", RESOLVE_SRV), ERR_NETWORK,
                  "broken.test: DNS gave no answer for its SRV records");
}

static void test_a_malformed_answer_is_an_error(void **state)
{
    assert_failed(lookup(*state, "_bad._tcp.test", RESOLVE_SRV), ERR_INPUT,
                  "malformed");
    assert_failed(lookup(*state, "_loop._tcp.test", RESOLVE_SRV), ERR_INPUT,
                  "malformed");
}

static void test_a_bad_name_is_an_error(void **state)
{
    assert_int_not_equal(lookup(*state, "a..b.test", RESOLVE_SRV)->err.kind,
                         ERR_NONE);
}

static void test_a_silent_server_meets_the_deadline(void **state)
{
    struct world *w = *state;
    struct one *o = &w->one[0];

    begin(o, "silent.test", RESOLVE_A, 100);
    run(w);
    assert_int_equal(o->done, 1);
    assert_failed(o, ERR_TIMEOUT,
                  "silent.test: DNS did not answer within 100ms");
}

static void test_addresses_answer_themselves(void **state)
{
    assert_answer(lookup(*state, "10.0.0.9", RESOLVE_A), "10.0.0.9:0 0");
    assert_answer(lookup(*state, "fd00::9", RESOLVE_AAAA), "fd00::9:0 0");
    assert_answer(lookup(*state, "10.0.0.9", RESOLVE_AAAA), "");
    assert_answer(lookup(*state, "10.0.0.9", RESOLVE_SRV), "");
}

static void test_localhost_needs_no_server(void **state)
{
    assert_holds(lookup(*state, "localhost", RESOLVE_A)->text, "127.0.0.1:0");
    assert_holds(lookup(*state, "LocalHost.", RESOLVE_AAAA)->text, "::1:0");
}

/* Without it the retries to the silent server would go on for seconds. */
static void test_a_cancelled_call_is_never_told_and_keeps_nothing(void **state)
{
    struct world *w = *state;

    begin(&w->one[1], "silent.test", RESOLVE_A, 20 * SECOND);
    begin(&w->one[2], "silent.test", RESOLVE_SRV, 20 * SECOND);
    begin(&w->one[0], "api.test", RESOLVE_A, 20 * SECOND);
    w->first_ends = true;
    run(w);
    assert_int_equal(w->one[0].done, 1);
    resolve_cancel(&w->one[1].call);
    resolve_cancel(&w->one[1].call);
    resolve_cancel(&w->one[2].call);
    loop_run(w->loop); /* ends */
    assert_int_equal(w->one[1].done + w->one[2].done, 0);
}

static void test_a_call_may_be_cancelled_before_it_began(void **state)
{
    struct world *w = *state;

    begin(&w->one[0], "api.test", RESOLVE_A, SECOND);
    resolve_cancel(&w->one[0].call);
    loop_run(w->loop);
    assert_int_equal(w->one[0].done, 0);
}

static void test_many_lookups_run_at_once(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < CALLS; i++)
        begin(&w->one[i], i % 2 ? "api.test" : "_worker._tcp.test",
              i % 2 ? RESOLVE_A : RESOLVE_SRV, 20 * SECOND);
    run(w);
    for (size_t i = 0; i < CALLS; i++)
        assert_int_equal(w->one[i].count, i % 2 ? 2 : 3);
}

static void test_done_may_cancel_all_other_calls(void **state)
{
    struct world *w = *state;
    size_t done = 0;

    for (size_t i = 0; i < CALLS; i++) {
        w->one[i].cancel_others = true;
        begin(&w->one[i], "10.0.0.1", RESOLVE_A, 20 * SECOND);
    }
    run(w);
    for (size_t i = 0; i < CALLS; i++)
        done += w->one[i].done;
    assert_int_equal(done, 1);
}

static void test_a_call_may_start_again_inside_done(void **state)
{
    struct world *w = *state;

    w->one[0].again = true;
    begin(&w->one[0], "nothing.test", RESOLVE_A, 20 * SECOND);
    run(w);
    assert_int_equal(w->one[0].done, 2);
    assert_int_equal(w->one[0].count, 2);
}

static void test_servers_are_checked(void **state)
{
    struct world *w = *state;
    struct err err;

    assert_null(resolver_new(w->loop, STR("not a server"), &err));
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_holds(err.text, "\"not a server\" is not a list of DNS servers");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_addresses_come_sorted_and_once),
        TEST(test_an_alias_is_followed),
        TEST(test_services_come_with_their_ports),
        TEST(test_a_long_answer_comes_over_tcp),
        TEST(test_what_does_not_exist_is_no_error),
        TEST(test_a_failing_server_is_an_error),
        TEST(test_a_malformed_answer_is_an_error),
        TEST(test_a_bad_name_is_an_error),
        TEST(test_a_silent_server_meets_the_deadline),
        TEST(test_addresses_answer_themselves),
        TEST(test_localhost_needs_no_server),
        TEST(test_a_cancelled_call_is_never_told_and_keeps_nothing),
        TEST(test_a_call_may_be_cancelled_before_it_began),
        TEST(test_many_lookups_run_at_once),
        TEST(test_done_may_cancel_all_other_calls),
        TEST(test_a_call_may_start_again_inside_done),
        TEST(test_servers_are_checked),
    };

    return cmocka_run_group_tests(tests, start_nameserver, stop_nameserver);
}
