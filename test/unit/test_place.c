/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/discover/place.h"
#include "test/lib/unit.h"

#include <stdio.h>

static struct arena memory;

static struct discover_conf conf(void)
{
    static char http[] = "http", path[] = "/prometheus", none[] = "";

    return (struct discover_conf){
        .scheme = http,
        .path = path,
        .dns = {.name = none},
    };
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&memory, 1024);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&memory);
    return 0;
}

/* "KIND scheme host port path" of a target. */
static const char *parsed(const char *text)
{
    static char out[256];
    struct discover_conf c = conf();
    struct place p;
    struct err err;

    if (!place_parse(str_of(text), &c, &memory, &p, &err)) {
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_non_null(strstr(err.text, text));
        return "refused";
    }
    snprintf(out, sizeof(out), "%s %.*s %.*s %.*s %.*s",
             place_kind_name(p.kind), STR_ARG(p.scheme), STR_ARG(p.host),
             STR_ARG(p.port), STR_ARG(p.path));
    return out;
}

static void test_a_target_may_leave_out_what_the_job_says(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"http://api:5000/x/prometheus", "fixed http api 5000 /x/prometheus"},
        {"https://api:5000", "fixed https api 5000 /prometheus"},
        {"api:5000", "fixed http api 5000 /prometheus"},
        {"api:5000/m?a=b", "fixed http api 5000 /m?a=b"},
        {"api", "fixed http api  /prometheus"},
        {"ecs+http://prod/api:5000/m?a=b", "ECS http prod/api 5000 /m?a=b"},
        {"ecs+https://prod/api:5000", "ECS https prod/api 5000 /prometheus"},
        {"ecs+http://api:5000/m", "ECS http (own)/api 5000 /m"},
        {"ecs+prod_1/api:5000", "ECS http prod_1/api 5000 /prometheus"},
        {"http://api:5000/", "fixed http api 5000 /"},
        {"http://[fd00::1]:5000/m", "fixed http [fd00::1] 5000 /m"},
        {"[fd00::1]:5000", "fixed http [fd00::1] 5000 /prometheus"},
        {" http://10.0.0.1:1/m ", "fixed http 10.0.0.1 1 /m"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(parsed(cases[i].text), cases[i].want);
}

static void test_a_prefix_asks_dns(void **state)
{
    (void)state;
    assert_string_equal(parsed("dns+http://ccr.local:5000/api/v2/prometheus"),
                        "A http ccr.local 5000 /api/v2/prometheus");
    assert_string_equal(parsed("dnssrv+http://queue.local/q"),
                        "SRV http queue.local  /q");
    assert_string_equal(parsed("dnsaaaa+https://ccr.local:5000"),
                        "AAAA https ccr.local 5000 /prometheus");
}

static void test_what_is_no_target_is_refused_by_name(void **state)
{
    static const char *const cases[] = {
        "ecs+http://prod/api",
        "ecs+http://prod/:5000",
        "ecs+http://prod/api:0/m",
        "ecs+http://prod/api:x/m",
        "ecs+http://[::1]/api:5000",
        "ecs+http://api",
        "ftp://api/m",
        "http://",
        "http:///m",
        "http://user:pw@api/m",
        "api:port",
        "api:0",
        "api:65536",
        "dns+http://[fd00::1]:5000/m",
        "http://a/m#x",
        "dns+ftp://a:1/m",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(parsed(cases[i]), "refused");
}

static void check_says(struct discover_conf *c, const char *want)
{
    struct err err = {.text = ""};

    assert_false(discover_check(c, &err));
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_string_equal(err.text, want);
}

static void test_one_host_and_port_is_one_target_of_a_job(void **state)
{
    char x[] = "http://a:1/x", y[] = "http://a:1/y";
    char *targets[] = {x, y};
    struct discover_conf c = conf();

    (void)state;
    c.targets = (struct conf_list){.items = targets, .count = 2};
    check_says(&c, "targets: \"http://a:1/y\" has the host and port of "
                   "another target: give each path a job of its own");
}

static void test_addresses_without_a_port_are_refused(void **state)
{
    struct discover_conf c = conf();
    char name[] = "ccr.local";
    struct err err;

    (void)state;
    c.dns.name = name;
    check_says(&c, "dns: ccr.local needs a port, because only SRV records "
                   "bring their own");
    c.dns.type = DISCOVER_SRV;
    assert_true(discover_check(&c, &err));
}

static void test_a_job_without_targets_is_refused(void **state)
{
    struct discover_conf c = conf();

    (void)state;
    check_says(&c, "no targets are named: write targets, dns or ecs");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_target_may_leave_out_what_the_job_says),
        CASE(test_a_prefix_asks_dns),
        CASE(test_what_is_no_target_is_refused_by_name),
        CASE(test_one_host_and_port_is_one_target_of_a_job),
        CASE(test_addresses_without_a_port_are_refused),
        CASE(test_a_job_without_targets_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
