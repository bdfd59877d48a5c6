/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/capacity/capacity.h"
#include "test/lib/sim.h"
#include "test/lib/unit.h"

#include <stdlib.h>

static char none[] = "", prod[] = "prod", other[] = "other",
            name[] = "workers.local", job[] = "api";

struct fixture {
    struct loop *loop;
    struct resolver *resolver;
    struct http *http;
    struct ecs *ecs;
    struct capacity_ecs_conf ecs_conf, ecs_more;
    struct capacity_conf conf, more;
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

    assert_true(str_eqz(r->service, "instant") ||
                str_eqz(r->service, "queued"));
    f->reads++;
}

static void on_done(void *arg)
{
    struct fixture *f = arg;

    f->done++;
}

static const char *aws(void *arg, const char *variable)
{
    (void)arg;
    if (strcmp(variable, "AWS_REGION") == 0)
        return "eu-west-1";
    return strncmp(variable, "AWS_ACCESS_KEY_ID", 17) == 0 ||
                   strncmp(variable, "AWS_SECRET_ACCESS_KEY", 21) == 0
               ? "key"
               : NULL;
}

static const struct auth_env aws_env = {.variable = aws};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct err err;

    log_setup(LOG_ERROR, LOG_LOGFMT);
    f->loop = loop_new();
    f->resolver = resolver_new(f->loop, STR_NONE, &err);
    assert_non_null(f->resolver);
    f->http = http_new(f->loop, NULL);
    f->ecs = ecs_new(f->loop, f->http, &aws_env);
    f->ecs_conf.at = (struct ecs_conf){
        .cluster = prod, .service = job, .region = none, .endpoint = none};
    f->ecs_more.at = (struct ecs_conf){
        .cluster = prod, .service = other, .region = none, .endpoint = none};
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
        .ecs = f->ecs,
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
    ecs_free(f->ecs);
    http_free(f->http);
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
    assert_string_equal(err.text, "no source is named: write fixed, dns, up, "
                                  "ecs, cloud_run or container_app");
    f->conf.fixed = 0;
    assert_true(capacity_check(&f->conf, &err));
    f->conf.up = job;
    assert_false(capacity_check(&f->conf, &err));
    assert_string_equal(err.text,
                        "fixed and up are both named: keep one of them");
}

/*
 * Amazon ECS: services api and other of cluster prod.
 */
#define ECS_URL STR("https://ecs.eu-west-1.amazonaws.com/")
#define SERVICE(name, running)                                        \
    "{\"serviceName\":\"" name "\",\"status\":\"ACTIVE\","            \
    "\"desiredCount\":9,\"pendingCount\":0,\"runningCount\":" running \
    ",\"deployments\":[{\"status\":\"PRIMARY\",\"runningCount\":1,"   \
    "\"desiredCount\":8}]}"

static void ask_ecs(struct fixture *f)
{
    sim_serve(f->loop, ECS_URL, 200,
              STR("{\"services\":[" SERVICE("api", "3") "," SERVICE("other",
                                                                    "4") "]}"));
    f->conf.ecs = &f->ecs_conf;
    f->conf.refresh_ms = CAPACITY_ECS_REFRESH;
    add(f);
}

static void test_ecs_tells_what_runs_and_what_is_wanted(void **state)
{
    struct fixture *f = *state;

    ask_ecs(f);
    capacity_start(f->capacity);
    sim_run_for(f->loop, 10);
    assert_true(now(f).known);
    assert_int_equal(now(f).running, 3);
    assert_true(now(f).has_desired);
    assert_int_equal(now(f).desired, 9);
    assert_true(str_eqz(now(f).source, "ecs prod/api"));
}

static void test_ecs_can_count_the_primary_deployment_alone(void **state)
{
    struct fixture *f = *state;

    f->ecs_conf.primary_only = true;
    ask_ecs(f);
    capacity_start(f->capacity);
    sim_run_for(f->loop, 10);
    assert_int_equal(now(f).running, 1);
    assert_int_equal(now(f).desired, 8);
}

static void test_services_go_on_sharing_calls_at_times_that_vary(void **state)
{
    struct fixture *f = *state;
    size_t count;
    bool varies = false;

    ask_ecs(f);
    f->more = f->conf;
    f->more.ecs = &f->ecs_more;
    capacity_add(f->capacity, STR("queued"), &f->more);
    capacity_start(f->capacity);
    sim_run_for(f->loop, WHEN_HOUR);
    count = sim_request_count(f->loop);
    assert_in_range(count, 3600 / 17, 3600 / 13);
    for (size_t i = 1; i < count; i++) {
        int64_t gap = sim_request(f->loop, i)->at.mono_ms -
                      sim_request(f->loop, i - 1)->at.mono_ms;

        assert_in_range(gap, 13000, 17000);
        varies = varies || gap < 14500 || gap > 15500;
        assert_non_null(strstr(sim_request(f->loop, i)->req->body.ptr,
                               "[\"api\",\"other\"]"));
    }
    assert_true(varies);
    assert_int_equal(f->reads, 2 * count);
}

static void test_the_last_count_of_ecs_stands_while_it_is_in_trouble(
    void **state)
{
    struct fixture *f = *state;
    size_t before;

    ask_ecs(f);
    capacity_start(f->capacity);
    sim_run_for(f->loop, 10);
    before = sim_request_count(f->loop);
    sim_serve(f->loop, ECS_URL, 400,
              STR("{\"__type\":\"ThrottlingException\"}"));
    sim_run_for(f->loop, 115000);
    assert_true(now(f).known);
    assert_int_equal(now(f).running, 3);
    assert_true(str_starts(now(f).reason, STR("ecs answered 400")));
    sim_run_for(f->loop, 20000);
    assert_false(now(f).known);
    /* Three tries at most, ten seconds apart at least. */
    assert_true(sim_request_count(f->loop) - before <= 3 * 13);
    sim_serve(f->loop, ECS_URL, 200,
              STR("{\"services\":[" SERVICE("api", "5") "]}"));
    sim_run_for(f->loop, 80000);
    assert_int_equal(now(f).running, 5);
}

static void test_a_count_stands_between_readings_however_short_keep_is(
    void **state)
{
    struct fixture *f = *state;

    f->conf.keep_ms = 0;
    ask_ecs(f);
    capacity_start(f->capacity);
    sim_run_for(f->loop, 12000);
    assert_true(now(f).known);
}

static void test_ecs_is_not_asked_more_often_than_accounts_can_bear(
    void **state)
{
    struct fixture *f = *state;
    struct err err;

    f->conf.ecs = &f->ecs_conf;
    f->conf.refresh_ms = 9999;
    assert_false(capacity_check(&f->conf, &err));
    assert_true(str_starts(str_of(err.text), STR("refresh: ")));
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
        CASE(test_ecs_tells_what_runs_and_what_is_wanted),
        CASE(test_ecs_can_count_the_primary_deployment_alone),
        CASE(test_services_go_on_sharing_calls_at_times_that_vary),
        CASE(test_the_last_count_of_ecs_stands_while_it_is_in_trouble),
        CASE(test_a_count_stands_between_readings_however_short_keep_is),
        CASE(test_ecs_is_not_asked_more_often_than_accounts_can_bear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
