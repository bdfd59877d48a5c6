/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/discover/discover.h"
#include "test/lib/sim.h"
#include "test/lib/unit.h"

#include <stdlib.h>

static char http[] = "http", path[] = "/prometheus", none[] = "";
static char name[] = "ccr.local";

struct fixture {
    struct loop *loop;
    struct resolver *resolver;
    struct http *http;
    struct ecs *ecs;
    struct discover_ecs_conf ecs_conf;
    struct discover_conf conf;
    struct discovery *discovery;
    bool once;
    size_t told;
    struct buf list; /* as told last */
};

static const char *aws(void *arg, const char *variable)
{
    (void)arg;
    if (strcmp(variable, "AWS_REGION") == 0)
        return "eu-west-1";
    return strcmp(variable, "AWS_ACCESS_KEY_ID") == 0 ||
                   strcmp(variable, "AWS_SECRET_ACCESS_KEY") == 0
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
    f->ecs_conf = (struct discover_ecs_conf){
        .at = {.cluster = name,
               .service = name,
               .region = none,
               .endpoint = none,
               .ca_file = none},
        .port = 5000,
        .refresh_ms = 30000,
        .keep_ms = 300000,
        .timeout_ms = 5000,
    };
    f->conf = (struct discover_conf){
        .scheme = http,
        .path = path,
        .dns =
            {
                .name = none,
                .port = 5000,
                .refresh_ms = 30000,
                .keep_ms = 300000,
                .timeout_ms = 5000,
            },
    };
    buf_init(&f->list, BUF_NO_LIMIT);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    discovery_free(f->discovery);
    ecs_free(f->ecs);
    http_free(f->http);
    resolver_free(f->resolver);
    loop_free(f->loop);
    buf_fini(&f->list);
    free(f);
    return 0;
}

static void on_changed(void *arg, const struct target_list *list)
{
    struct fixture *f = arg;

    f->told++;
    buf_reset(&f->list);
    for (size_t i = 0; i < list->count; i++)
        buf_addf(&f->list, "%.*s ", STR_ARG(list->targets[i].url));
    if (!list->complete)
        buf_addf(&f->list, "incomplete: %.*s", STR_ARG(list->reason));
    if (list->doubt.len > 0)
        buf_addz(&f->list, "doubtful");
}

static void start(struct fixture *f)
{
    struct err err;

    assert_true(discover_check(&f->conf, &err));
    f->discovery = discovery_new(&(struct discovery_options){
        .loop = f->loop,
        .resolver = f->resolver,
        .ecs = f->ecs,
        .job = STR("ccr"),
        .conf = &f->conf,
        .once = f->once,
        .changed = on_changed,
        .arg = f,
    });
}

static void start_dns(struct fixture *f, const char *addresses)
{
    f->conf.dns.name = name;
    sim_dns_addresses(f->loop, str_of(name), RESOLVE_A, addresses);
    start(f);
    sim_run_for(f->loop, 10);
}

static void test_static_targets_are_told_once_and_sorted(void **state)
{
    struct fixture *f = *state;
    char b[] = "http://b:1/m", a[] = "a:1", again[] = "http://b:1/m";
    char *targets[] = {b, a, again};

    f->conf.targets = (struct conf_list){targets, 3};
    start(f);
    assert_int_equal(f->told, 0);
    assert_false(discovery_targets(f->discovery)->complete);
    sim_run_for(f->loop, 3600000);
    assert_int_equal(f->told, 1);
    assert_string_equal(buf_z(&f->list), "http://a:1/prometheus http://b:1/m ");
}

static void test_targets_have_job_instance_and_own_labels(void **state)
{
    struct fixture *f = *state;
    char target[] = "http://[fd00::1]:5000/m", env[] = "env", prod[] = "prod";
    char *targets[] = {target};
    struct conf_pair pairs[] = {{env, prod}};
    struct buf out;

    f->conf.targets = (struct conf_list){targets, 1};
    f->conf.labels = (struct conf_map){pairs, 1};
    start(f);
    sim_run_for(f->loop, 10);
    buf_init(&out, BUF_NO_LIMIT);
    labels_print(discovery_targets(f->discovery)->targets[0].labels, &out);
    assert_string_equal(
        buf_z(&out),
        "{env=\"prod\", instance=\"[fd00::1]:5000\", job=\"ccr\"}");
    buf_fini(&out);
}

static void test_rules_change_drop_and_break_targets(void **state)
{
    static char from[] = "__address__", separator[] = ";", to[] = "__address__",
                port[] = "([a-z]+):1", moved[] = "$1:2", gone[] = "c:.*",
                wrong[] = "(b):1", slash[] = "$1/x", nothing[] = "";
    static char *sources[] = {from};
    struct fixture *f = *state;
    char a[] = "http://a:1/m?x=%20y", b[] = "b:1", c[] = "c:1";
    char *targets[] = {a, b, c};
    struct conf_list labels = {sources, 1};
    struct relabel_conf rules[] = {
        {labels, separator, gone, 0, nothing, moved, RELABEL_DROP},
        {labels, separator, wrong, 0, to, slash, RELABEL_REPLACE},
        {labels, separator, port, 0, to, moved, RELABEL_REPLACE},
    };

    f->conf.targets = (struct conf_list){targets, 3};
    f->conf.relabel_configs = rules;
    f->conf.relabel_configs_count = 3;
    start(f);
    sim_run_for(f->loop, 10);
    assert_int_equal(discovery_targets(f->discovery)->count, 1);
    assert_true(str_eqz(discovery_targets(f->discovery)->targets[0].url,
                        "http://a:2/m?x=%20y"));
    assert_false(discovery_targets(f->discovery)->complete);
    assert_true(str_starts(discovery_targets(f->discovery)->reason,
                           STR("relabel_configs: they make \"http://b/x")));
}

static void test_addresses_become_targets(void **state)
{
    struct fixture *f = *state;

    start_dns(f, "10.0.0.2,10.0.0.1");
    assert_string_equal(buf_z(&f->list), "http://10.0.0.1:5000/prometheus "
                                         "http://10.0.0.2:5000/prometheus ");
}

static void test_ipv6_addresses_get_brackets(void **state)
{
    struct fixture *f = *state;

    f->conf.dns.name = name;
    f->conf.dns.type = DISCOVER_AAAA;
    sim_dns_addresses(f->loop, str_of(name), RESOLVE_AAAA, "fd00::1");
    start(f);
    sim_run_for(f->loop, 10);
    assert_string_equal(buf_z(&f->list), "http://[fd00::1]:5000/prometheus ");
}

static void test_srv_records_bring_their_ports(void **state)
{
    const struct resolve_record records[] = {
        {STR("."), 0, 30000},
        {STR("w1.local."), 31000, 30000},
        {STR("w2.local"), 31001, 30000},
    };
    struct fixture *f = *state;

    f->conf.dns.name = name;
    f->conf.dns.type = DISCOVER_SRV;
    sim_dns(f->loop, str_of(name), RESOLVE_SRV, records, 3);
    start(f);
    sim_run_for(f->loop, 10);
    assert_string_equal(
        buf_z(&f->list),
        "http://w1.local:31000/prometheus http://w2.local:31001/prometheus ");
}

static void test_dns_is_asked_every_refresh_and_told_on_change(void **state)
{
    struct fixture *f = *state;

    start_dns(f, "10.0.0.1");
    sim_run_for(f->loop, 299000);
    assert_int_equal(f->told, 1);
    assert_int_equal(discovery_stats(f->discovery).lookups, 10);
    sim_dns_addresses(f->loop, str_of(name), RESOLVE_A, "10.0.0.1,10.0.0.9");
    sim_run_for(f->loop, 31000);
    assert_int_equal(f->told, 2);
    assert_string_equal(buf_z(&f->list), "http://10.0.0.1:5000/prometheus "
                                         "http://10.0.0.9:5000/prometheus ");
}

static void test_a_shorter_ttl_asks_sooner_but_no_flood(void **state)
{
    static const struct {
        int64_t ttl_ms;
        size_t lookups; /* in the first five minutes */
    } cases[] = {{10000, 30}, {0, 60}, {600000, 10}};
    struct fixture *f = *state;

    f->conf.dns.name = name;
    for (size_t i = 0; i < 3; i++) {
        const struct resolve_record r = {STR("10.0.0.1"), 0, cases[i].ttl_ms};

        sim_dns(f->loop, str_of(name), RESOLVE_A, &r, 1);
        start(f);
        sim_run_for(f->loop, 299000);
        assert_int_equal(discovery_stats(f->discovery).lookups,
                         cases[i].lookups);
        discovery_free(f->discovery);
    }
    f->discovery = NULL;
}

static void test_a_name_that_is_gone_has_no_targets(void **state)
{
    struct fixture *f = *state;

    start_dns(f, "10.0.0.1");
    sim_dns(f->loop, str_of(name), RESOLVE_A, NULL, 0);
    sim_run_for(f->loop, 31000);
    assert_string_equal(buf_z(&f->list), "");
    assert_true(discovery_targets(f->discovery)->complete);
}

static void test_a_failure_keeps_the_list_for_a_while(void **state)
{
    struct fixture *f = *state;

    start_dns(f, "10.0.0.1");
    sim_dns_fail(f->loop, str_of(name), RESOLVE_A, ERR_NETWORK);
    sim_run_for(f->loop, 290000);
    assert_int_equal(f->told, 1);
    sim_run_for(f->loop, 60000);
    assert_non_null(strstr(buf_z(&f->list),
                           "http://10.0.0.1:5000/prometheus incomplete: dns: "
                           "the last answer for ccr.local is older than 5m"));
    sim_dns_addresses(f->loop, str_of(name), RESOLVE_A, "10.0.0.1");
    sim_run_for(f->loop, 31000);
    assert_string_equal(buf_z(&f->list), "http://10.0.0.1:5000/prometheus ");
}

static void test_a_failure_at_first_is_told_and_retried_soon(void **state)
{
    struct fixture *f = *state;

    f->conf.dns.name = name;
    sim_dns_fail(f->loop, str_of(name), RESOLVE_A, ERR_TIMEOUT);
    start(f);
    sim_run_for(f->loop, 10);
    assert_int_equal(f->told, 1);
    assert_non_null(strstr(buf_z(&f->list), "incomplete: dns: "));
    sim_dns_addresses(f->loop, str_of(name), RESOLVE_A, "10.0.0.1");
    sim_run_for(f->loop, 5000);
    assert_string_equal(buf_z(&f->list), "http://10.0.0.1:5000/prometheus ");
}

static void test_one_shot_asks_once_whatever_comes(void **state)
{
    struct fixture *f = *state;

    f->once = true;
    f->conf.dns.name = name;
    sim_dns_fail(f->loop, str_of(name), RESOLVE_A, ERR_NETWORK);
    start(f);
    sim_run_for(f->loop, 3600000);
    assert_int_equal(f->told, 1);
    assert_int_equal(discovery_stats(f->discovery).lookups, 1);
    assert_int_equal(sim_timers(f->loop), 0);
}

#define EIGHT \
    "10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5,10.0.0.6,10.0.0.7,10.0.0.8"

static void test_eight_addresses_are_doubtful_unless_trusted(void **state)
{
    struct fixture *f = *state;

    start_dns(f, EIGHT);
    assert_non_null(strstr(buf_z(&f->list), "doubtful"));
    assert_true(discovery_targets(f->discovery)->complete);
    discovery_free(f->discovery);
    f->conf.dns.trust_eight = true;
    start_dns(f, EIGHT);
    assert_null(strstr(buf_z(&f->list), "doubtful"));
}

static void test_one_source_that_fails_makes_the_union_incomplete(void **state)
{
    struct fixture *f = *state;
    char fixed[] = "http://a:1/m", srv[] = "dnssrv+http://queue.local/q";
    char *targets[] = {fixed, srv};

    f->conf.targets = (struct conf_list){targets, 2};
    sim_dns_fail(f->loop, STR("queue.local"), RESOLVE_SRV, ERR_NETWORK);
    start_dns(f, "10.0.0.1");
    assert_int_equal(f->told, 1);
    assert_non_null(strstr(buf_z(&f->list),
                           "http://10.0.0.1:5000/prometheus http://a:1/m "
                           "incomplete: dns: "));
}

static void test_a_discovery_can_be_freed_at_any_time(void **state)
{
    struct fixture *f = *state;

    f->conf.dns.name = name;
    for (int64_t ms = 0; ms < 4; ms++) {
        start(f);
        sim_run_for(f->loop, ms);
        discovery_free(f->discovery);
        assert_int_equal(sim_timers(f->loop), 0);
        assert_int_equal(sim_running(f->loop), 0);
    }
    f->discovery = NULL;
}

/*
 * Amazon ECS.
 */
static void answer_ecs(void *arg, const struct http_request *req,
                       struct sim_reply *reply)
{
    const char *tasks = arg;

    reply->body = strstr(req->body.ptr, "\"tasks\"")
                      ? str_of(tasks)
                      : STR("{\"taskArns\":[\"a/1\",\"a/2\"]}");
}

#define TASK(ip)                                                         \
    "{\"taskArn\":\"a/1\",\"lastStatus\":\"RUNNING\",\"desiredStatus\":" \
    "\"RUNNING\",\"attachments\":[{\"details\":[{\"name\":"              \
    "\"privateIPv4Address\",\"value\":\"" ip "\"}]}]}"

static void set_tasks(struct fixture *f, const char *tasks)
{
    sim_on_url(f->loop, STR("https://ecs.eu-west-1.amazonaws.com/"), answer_ecs,
               (void *)(uintptr_t)tasks);
}

#define TWO_TASKS "{\"tasks\":[" TASK("10.0.0.2") "," TASK("10.0.0.1") "]}"
#define TWO_URLS \
    "http://10.0.0.1:5000/prometheus http://10.0.0.2:5000/prometheus "

static void start_ecs(struct fixture *f)
{
    f->conf.ecs = &f->ecs_conf;
    set_tasks(f, TWO_TASKS);
    start(f);
    sim_run_for(f->loop, 10);
}

static void test_tasks_of_a_service_become_targets(void **state)
{
    struct fixture *f = *state;

    start_ecs(f);
    assert_string_equal(buf_z(&f->list), TWO_URLS);
    set_tasks(f, "{\"tasks\":[" TASK("10.0.0.3") "]}");
    sim_run_for(f->loop, 33010);
    assert_string_equal(buf_z(&f->list), "http://10.0.0.3:5000/prometheus ");
}

static void test_a_target_can_name_a_service(void **state)
{
    struct fixture *f = *state;
    char service[] = "ecs+http://prod/ccr:5000";
    char *targets[] = {service};

    f->conf.targets = (struct conf_list){targets, 1};
    set_tasks(f, TWO_TASKS);
    start(f);
    sim_run_for(f->loop, 10);
    assert_string_equal(buf_z(&f->list), TWO_URLS);
    assert_true(str_eqz(sim_request(f->loop, 0)->req->body,
                        "{\"cluster\":\"prod\",\"serviceName\":\"ccr\","
                        "\"desiredStatus\":\"RUNNING\",\"maxResults\":100}"));
}

static void test_ecs_is_asked_every_refresh_and_not_in_step(void **state)
{
    struct fixture *f = *state;
    uint64_t lookups;

    start_ecs(f);
    sim_run_for(f->loop, 3600000);
    lookups = discovery_stats(f->discovery).lookups;
    assert_in_range(lookups, 3600 / 33, 3600 / 27);
    assert_int_equal(f->told, 1);
}

static void test_a_failure_of_ecs_keeps_the_list_for_a_while(void **state)
{
    struct fixture *f = *state;

    start_ecs(f);
    set_tasks(f, "no JSON");
    sim_run_for(f->loop, 290000);
    assert_int_equal(f->told, 1);
    sim_run_for(f->loop, 60000);
    assert_non_null(strstr(buf_z(&f->list),
                           TWO_URLS "incomplete: ecs: the last answer for "
                                    "ccr.local/ccr.local is older than 5m"));
    set_tasks(f, TWO_TASKS);
    sim_run_for(f->loop, 41000);
    assert_string_equal(buf_z(&f->list), TWO_URLS);
}

#define FOUR_TASKS(net)                                                        \
    TASK("10.0." net ".1")                                                     \
    "," TASK("10.0." net ".2") "," TASK("10.0." net ".3") "," TASK("10.0." net \
                                                                   ".4")
#define EIGHT_TASKS "{\"tasks\":[" FOUR_TASKS("0") "," FOUR_TASKS("1") "]}"

static void test_eight_tasks_of_ecs_are_no_doubt(void **state)
{
    struct fixture *f = *state;

    start_ecs(f);
    set_tasks(f, EIGHT_TASKS);
    sim_run_for(f->loop, 34000);
    assert_int_equal(discovery_targets(f->discovery)->count, 8);
    assert_null(strstr(buf_z(&f->list), "doubtful"));
}

static void test_a_discovery_by_ecs_can_be_freed_at_any_time(void **state)
{
    struct fixture *f = *state;

    f->conf.ecs = &f->ecs_conf;
    set_tasks(f, TWO_TASKS);
    for (int64_t ms = 0; ms < 5; ms++) {
        start(f);
        sim_run_for(f->loop, ms);
        discovery_free(f->discovery);
        assert_int_equal(sim_running(f->loop), 0);
    }
    f->discovery = NULL;
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_tasks_of_a_service_become_targets),
        CASE(test_a_target_can_name_a_service),
        CASE(test_ecs_is_asked_every_refresh_and_not_in_step),
        CASE(test_a_failure_of_ecs_keeps_the_list_for_a_while),
        CASE(test_eight_tasks_of_ecs_are_no_doubt),
        CASE(test_a_discovery_by_ecs_can_be_freed_at_any_time),
        CASE(test_static_targets_are_told_once_and_sorted),
        CASE(test_targets_have_job_instance_and_own_labels),
        CASE(test_addresses_become_targets),
        CASE(test_rules_change_drop_and_break_targets),
        CASE(test_ipv6_addresses_get_brackets),
        CASE(test_srv_records_bring_their_ports),
        CASE(test_dns_is_asked_every_refresh_and_told_on_change),
        CASE(test_a_shorter_ttl_asks_sooner_but_no_flood),
        CASE(test_a_name_that_is_gone_has_no_targets),
        CASE(test_a_failure_keeps_the_list_for_a_while),
        CASE(test_a_failure_at_first_is_told_and_retried_soon),
        CASE(test_one_shot_asks_once_whatever_comes),
        CASE(test_eight_addresses_are_doubtful_unless_trusted),
        CASE(test_one_source_that_fails_makes_the_union_incomplete),
        CASE(test_a_discovery_can_be_freed_at_any_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
