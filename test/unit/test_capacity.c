/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/capacity/capacity.h"
#include "test/lib/sim.h"
#include "test/lib/unit.h"

#include <stdlib.h>

static char none[] = "", name[] = "workers.local", job[] = "api";

struct fixture {
    struct loop *loop;
    struct resolver *resolver;
    struct capacity_conf conf;
    struct capacity *capacity;
    int64_t up; /* -1: not known */
    size_t reads, done;
};

static bool up_of(void *arg, struct str of, int64_t *up, struct err *err)
{
    struct fixture *f = arg;

    assert_true(str_eqz(of, job));
    if (f->up < 0)
        return err_set(err, ERR_INPUT, "job api was not scraped yet");
    *up = f->up;
    return true;
}

static void on_read(void *arg, const struct capacity_reading *r)
{
    struct fixture *f = arg;

    assert_true(str_eqz(r->service, "instant"));
    f->reads++;
}

static void on_done(void *arg)
{
    struct fixture *f = arg;

    f->done++;
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct err err;

    log_setup(LOG_ERROR, LOG_LOGFMT);
    f->loop = loop_new();
    f->resolver = resolver_new(f->loop, STR_NONE, &err);
    assert_non_null(f->resolver);
    f->conf = (struct capacity_conf){
        .fixed = -1,
        .up = none,
        .dns = {.name = none},
        .refresh_ms = 30000,
        .timeout_ms = 5000,
        .keep_ms = 120000,
    };
    f->capacity = capacity_new(&(struct capacity_options){
        .loop = f->loop,
        .resolver = f->resolver,
        .up = up_of,
        .read = on_read,
        .arg = f,
    });
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    capacity_free(f->capacity);
    resolver_free(f->resolver);
    loop_free(f->loop);
    free(f);
    return 0;
}

static void add(struct fixture *f)
{
    struct err err;

    assert_true(capacity_check(&f->conf, &err));
    capacity_add(f->capacity, STR("instant"), &f->conf);
}

static struct capacity_reading now(struct fixture *f)
{
    return capacity_reading(f->capacity, 0);
}

static void test_a_fixed_number_is_known_after_a_turn(void **state)
{
    struct fixture *f = *state;

    f->conf.fixed = 6;
    add(f);
    assert_false(now(f).known);
    capacity_start(f->capacity);
    assert_int_equal(f->reads, 0);
    sim_run_for(f->loop, 0);
    assert_int_equal(f->reads, 1);
    assert_true(now(f).known);
    assert_int_equal(now(f).running, 6);
    assert_true(str_eqz(now(f).source, "fixed"));
    assert_int_equal(now(f).at_ms, SIM_WALL_START);
}

static void test_addresses_behind_a_name_are_counted_again_and_again(
    void **state)
{
    struct fixture *f = *state;

    f->conf.dns.name = name;
    sim_dns_addresses(f->loop, str_of(name), RESOLVE_A, "10.0.0.1,10.0.0.2");
    add(f);
    capacity_start(f->capacity);
    sim_run_for(f->loop, 10);
    assert_int_equal(now(f).running, 2);
    assert_true(str_eqz(now(f).source, "dns workers.local A"));
    sim_dns_addresses(f->loop, str_of(name), RESOLVE_A, "10.0.0.1");
    sim_run_for(f->loop, 30010);
    assert_int_equal(now(f).running, 1);
}

static void test_a_name_without_addresses_is_a_known_zero(void **state)
{
    struct fixture *f = *state;

    f->conf.dns.name = name;
    add(f);
    capacity_start(f->capacity);
    sim_run_for(f->loop, 10);
    assert_true(now(f).known);
    assert_int_equal(now(f).running, 0);
}

#define EIGHT \
    "10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5,10.0.0.6,10.0.0.7,10.0.0.8"

static void test_eight_addresses_are_unknown_unless_trusted(void **state)
{
    struct fixture *f = *state;

    f->conf.dns.name = name;
    sim_dns_addresses(f->loop, str_of(name), RESOLVE_A, EIGHT);
    add(f);
    capacity_start(f->capacity);
    sim_run_for(f->loop, 10);
    assert_false(now(f).known);
    assert_true(str_starts(now(f).reason,
                           STR("dns: 8 addresses for workers.local may be a "
                               "cut answer")));
    f->conf.dns.trust_eight = true;
    sim_run_for(f->loop, 30010);
    assert_true(now(f).known);
    assert_int_equal(now(f).running, 8);
}

static void test_a_failure_keeps_the_number_for_a_while_then_unknown(
    void **state)
{
    struct fixture *f = *state;

    f->conf.dns.name = name;
    sim_dns_addresses(f->loop, str_of(name), RESOLVE_A, "10.0.0.1");
    add(f);
    capacity_start(f->capacity);
    sim_run_for(f->loop, 10);
    sim_dns_fail(f->loop, str_of(name), RESOLVE_A, ERR_NETWORK);
    sim_run_for(f->loop, 119000);
    assert_true(now(f).known);
    assert_int_equal(now(f).running, 1);
    assert_int_not_equal(now(f).reason.len, 0);
    sim_run_for(f->loop, 2000);
    assert_false(now(f).known);
    sim_dns_addresses(f->loop, str_of(name), RESOLVE_A, "10.0.0.1");
    sim_run_for(f->loop, 30010);
    assert_true(now(f).known);
    assert_int_equal(now(f).reason.len, 0);
}

static void test_targets_of_a_job_that_answer_are_asked_of_the_owner(
    void **state)
{
    struct fixture *f = *state;

    f->conf.up = job;
    f->up = -1;
    add(f);
    capacity_start(f->capacity);
    sim_run_for(f->loop, 10);
    assert_false(now(f).known);
    assert_true(str_eqz(now(f).reason, "job api was not scraped yet"));
    f->up = 3;
    sim_run_for(f->loop, 5000);
    assert_int_equal(now(f).running, 3);
    assert_true(str_eqz(now(f).source, "up of job api"));
    f->up = 2;
    sim_run_for(f->loop, 5000);
    assert_int_equal(now(f).running, 2);
}

static void test_a_failure_is_retried_soon(void **state)
{
    struct fixture *f = *state;

    f->conf.dns.name = name;
    sim_dns_fail(f->loop, str_of(name), RESOLVE_A, ERR_NETWORK);
    add(f);
    capacity_start(f->capacity);
    sim_run_for(f->loop, 10);
    sim_dns_addresses(f->loop, str_of(name), RESOLVE_A, "10.0.0.1");
    sim_run_for(f->loop, 1010);
    assert_int_equal(now(f).running, 1);
}

static void test_one_shot_reads_all_once(void **state)
{
    struct fixture *f = *state;

    f->conf.fixed = 6;
    add(f);
    capacity_once(f->capacity, on_done, f);
    assert_int_equal(f->done, 0);
    sim_run_for(f->loop, 3600000);
    assert_int_equal(f->done, 1);
    assert_int_equal(f->reads, 1);
}

static void test_one_shot_without_services_ends(void **state)
{
    struct fixture *f = *state;

    capacity_once(f->capacity, on_done, f);
    assert_int_equal(f->done, 0);
    sim_run_for(f->loop, 0);
    assert_int_equal(f->done, 1);
}

static void test_exactly_one_source_is_named(void **state)
{
    struct fixture *f = *state;
    struct err err;

    assert_false(capacity_check(&f->conf, &err));
    assert_string_equal(err.text, "no source is named: write fixed, dns or up");
    f->conf.fixed = 0;
    assert_true(capacity_check(&f->conf, &err));
    f->conf.up = job;
    assert_false(capacity_check(&f->conf, &err));
    assert_string_equal(err.text,
                        "fixed and up are both named: keep one of them");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_fixed_number_is_known_after_a_turn),
        CASE(test_addresses_behind_a_name_are_counted_again_and_again),
        CASE(test_a_name_without_addresses_is_a_known_zero),
        CASE(test_eight_addresses_are_unknown_unless_trusted),
        CASE(test_a_failure_keeps_the_number_for_a_while_then_unknown),
        CASE(test_targets_of_a_job_that_answer_are_asked_of_the_owner),
        CASE(test_a_failure_is_retried_soon),
        CASE(test_one_shot_reads_all_once),
        CASE(test_one_shot_without_services_ends),
        CASE(test_exactly_one_source_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
